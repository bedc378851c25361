"""Take something into a book by hand: at the agency's counter, or in an institution's own book."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

import msgspec

from yibao.domains.registers.books import books
from yibao.domains.registers.model import Entry, NewEntry, Paper
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal
from yibao.usecases.registers.add_entry import add_entry
from yibao.usecases.registers.asking import plan_name
from yibao.usecases.windows.pass_gate import Gate

MADE_ELSEWHERE = frozenset({
    "held_open", "deposit", "paid_in_full", "self_pay", "credential", "negotiated_drug", "payment_returned", "cash_difference",
})
"""Books whose rows stand for money of a case or a payment: whoever notes that writes the row."""
_BYTES_MOST = 10_000_000


class ReceiveEntry(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be registered; see ``NewEntry``. ``plan`` ``""`` is the plan in force."""

    admdvs: str
    kind: str
    applicant_name: str
    plan: str = ""
    business: str = ""
    psn_no: str = ""
    emp_no: str = ""
    phone: str = ""
    channel: str = ""
    due_on: date | None = None
    body: Mapping[str, Any] = {}
    papers: tuple[Paper, ...] = ()


async def receive_entry(
    tx: Connection, command: ReceiveEntry, *, actor: Actor, now: datetime, ids: Ids, gate: Gate | None = None
) -> Entry | Refusal:
    """Take something in under a number; refused with every missing paper by its title.

    An institution writes into books that institutions keep, the agency into its own.
    """
    kind, faults = books().kinds.get(command.kind), []
    if command.admdvs not in actor.regions:
        faults.append(Fault("OTHER_REGION", "不能代其他统筹区登记", "admdvs", command.admdvs, "请到参保地办理"))
    if kind is not None and (kind.keeper == "institution") != bool(actor.fixmedins_code):
        keeper = "定点医药机构" if kind.keeper == "institution" else "经办机构"
        faults.append(Fault("REGISTER_KEPT_ELSEWHERE", f"{kind.title}由{keeper}登记", "kind", command.kind, f"请由{keeper}登记"))
    if command.kind in MADE_ELSEWHERE:
        faults.append(Fault("REGISTER_OF_CASES", "涉及金额的登记随病例或缴费登记产生，不能单独登记", "kind", command.kind,
                            "请登记病例（/episodes）或购药（/drug-sales）"))
    faults += [
        Fault("MATERIAL_TOO_LARGE", f"{p.title}文件过大", f"papers[{n}].content", f"{len(p.content)}字节", "每份材料不超过10MB")
        for n, p in enumerate(command.papers) if len(p.content) > _BYTES_MOST
    ]
    if faults:
        return Refusal(tuple(faults))
    return await add_entry(tx, NewEntry(
        admdvs=command.admdvs, kind=command.kind, plan=command.plan or plan_name(gate, command.admdvs, now),
        applicant_name=command.applicant_name, business=command.business, psn_no=command.psn_no, emp_no=command.emp_no,
        phone=command.phone, fixmedins_code=actor.fixmedins_code, channel=command.channel, due_on=command.due_on,
        body=command.body, papers=own_papers(command.papers),
    ), actor=actor, now=now, ids=ids)


def own_papers(papers: tuple[Paper, ...]) -> tuple[Paper, ...]:
    """Return papers as they came, without digests that somebody else made."""
    return tuple(msgspec.structs.replace(paper, digest=b"") for paper in papers)
