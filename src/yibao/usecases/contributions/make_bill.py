"""Put unpaid dues of several persons or months on one bill: a household, a flexible worker's quarter or year."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby

import msgspec

from yibao.domains.contributions import operations, queries
from yibao.domains.contributions.model import UNPAID, Bill, Due
from yibao.domains.contributions.rules import bill_name
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.contributions.bills import send_bill, take_from_bill
from yibao.usecases.trail import write_trail

MOVE = """
update contributions.due set bill_id = $3, payer_kind = $4, payer_no = $5, state = 'assessed', sent_at = null,
    surcharge_fen = $6 where psn_no = $1 and due_id = $2
"""
PAYER_NAME = """
select coalesce((select name from enrolment.employer where emp_no = $1), (select name from people.person where psn_no = $1), '')
"""


class MakeBill(msgspec.Struct, frozen=True, kw_only=True):
    """Who pays which dues (person, id) at once; ``payer_kind`` ``person`` or ``household``."""

    payer_no: str
    payer_kind: str
    dues: tuple[tuple[str, str], ...]


class BillMade(msgspec.Struct, frozen=True):
    """The new bill, the dues on it, and what of it is surcharge (fen)."""

    bill: Bill
    due_keys: tuple[str, ...]
    surcharge_fen: int = 0


async def make_bill(
    tx: Connection, command: MakeBill, *, actor: Actor, now: datetime, ids: Ids
) -> BillMade | Refusal:
    """Put dues that nobody has paid on one bill and send it; the bills they stood on shrink or are made anew."""
    if command.payer_kind not in ("person", "household"):
        return refuse("PAYER_KIND_WRONG", "合并缴费只适用于个人和家庭", field="payer_kind", received=command.payer_kind[:20],
                      remedy="请填写 person 或 household")
    dues = await queries.take_dues_by_key(tx, command.dues)
    if not dues or len(dues) != len(set(command.dues)):
        return refuse("DUE_NOT_FOUND", "应缴记录不存在", field="dues", remedy="请核对人员和应缴编号")
    wrong = [d.key for d in dues if d.state not in UNPAID or d.payer_kind not in ("person", "household")]
    if wrong or len({d.admdvs for d in dues}) != 1:
        return refuse("DUE_NOT_OPEN", "应缴记录已缴、已作废，或不由个人缴纳", field="dues", received="、".join(wrong[:5]),
                      remedy="请只选尚未缴纳的个人应缴")
    made = await move_to_bill(
        tx, dues, payer_kind=command.payer_kind, payer_no=command.payer_no, kind="regular", surcharges=None, now=now, ids=ids)
    await write_trail(tx, actor, verb="make_bill", object_id=made.bill.bill_id, admdvs=made.bill.admdvs, state=made, now=now,
                      ids=ids)
    return made


async def move_to_bill(
    tx: Connection, dues: Sequence[Due], *, payer_kind: str, payer_no: str, kind: str,
    surcharges: dict[str, int] | None, now: datetime, ids: Ids, pay_until: datetime | None = None,
) -> BillMade:
    """Move unpaid dues to a new bill of one payer and send it. ``surcharges``: fen by due key; None leaves them as they are.

    A bill of arrears holds until the business day of ``pay_until``: later the surcharge would be another.
    """
    month, admdvs = min(d.month for d in dues), dues[0].admdvs
    owed = {d.key: (d.surcharge_fen if surcharges is None else surcharges.get(d.key, 0)) for d in dues}
    newest = await queries.newest_bills(tx, admdvs=admdvs, month=month, kind=kind, payer_nos=[payer_no])
    ordinal = newest.get(payer_no, (0, ""))[0] + 1
    name = bill_name(admdvs, month, payer_no, ordinal, kind)
    old = {bill_id: await queries.find_bill(tx, bill_id, lock=True) for bill_id in sorted({d.bill_id for d in dues} - {""})}
    for due in dues:
        await tx.execute(MOVE, due.psn_no, due.due_id, name, payer_kind, payer_no, owed[due.key])
    until = business_date(pay_until) if pay_until is not None else None
    last = [b.due_on for b in old.values() if b is not None]
    today = business_date(now)
    bill = Bill(
        name, admdvs, payer_kind, payer_no, await tx.fetchval(PAYER_NAME, payer_no) or "", kind, month, ordinal, len(dues),
        sum(d.total_fen + owed[d.key] for d in dues), "open", until or max([*last, today]) if not last else until or min(last),
        today, until, [], "", now,
    )
    await operations.add_bill(tx, bill)
    for bill_id, group in groupby(sorted(dues, key=lambda d: d.bill_id), key=lambda d: d.bill_id):
        before = old.get(bill_id)
        if before is not None and before.state in ("open", "sent"):
            await take_from_bill(tx, before, list(group), now=now, ids=ids)
    sent = await send_bill(tx, bill, now=now, ids=ids)
    return BillMade(sent, tuple(sorted(owed)), sum(owed.values()))
