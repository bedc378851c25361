"""What an institution is suspected of, and how far it has come (3701)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import asyncpg
import msgspec

from yibao.domains.supervision import queries
from yibao.domains.supervision.model import (
    ACCEPTED,
    APPEALED,
    CLOSED,
    COLLEGIAL,
    FOUND,
    UPHELD,
    LineNote,
    Suspicion,
)
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse

NODES: Mapping[str, tuple[str, ...]] = {"1": (FOUND, APPEALED, ACCEPTED), "2": (UPHELD, COLLEGIAL, CLOSED)}
"""``stage``: documents that can be, or are being, appealed; documents that were decided and may go to a panel."""
SIZE_MAX = 100
DAYS_MAX = 366

# What a document shows of its visit. Keyed by the person, like everything else here.
VISITS = """
select s.setl_id, s.med_type, s.insutype, s.settled_at, e.begin_at, e.dept_code, e.dept_name, e.atddr_no, e.dr_name,
       p.name, p.sex, p.cert_type, d.code as diagnosis_code, d.name as diagnosis_name, t.discharged_at
from settlements.settlement s
join encounters.encounter e on e.psn_no = s.psn_no and e.mdtrt_id = s.mdtrt_id
join people.person p on p.psn_no = s.psn_no
left join encounters.diagnosis d on d.psn_no = s.psn_no and d.mdtrt_id = s.mdtrt_id and d.is_main and d.ordinal =
    (select min(x.ordinal) from encounters.diagnosis x where x.psn_no = s.psn_no and x.mdtrt_id = s.mdtrt_id and x.is_main)
left join encounters.stay t on t.psn_no = s.psn_no and t.mdtrt_id = s.mdtrt_id
where s.psn_no = any($1::text[]) and s.setl_id = any($2::text[])
"""
FEE_LINES = """
select psn_no, mdtrt_id, feedetl_sn, item_code, item_name, class_level, charge_type, local_code, occurred_at, quantity_e4,
       price_micro, amount_fen, doctor_code, doctor_name, scope_fen
from encounters.fee_line where psn_no = any($1::text[]) and mdtrt_id = any($2::text[]) and feedetl_sn = any($3::text[])
"""


class SuspicionView(msgspec.Struct, frozen=True):
    """A suspicion with what happened to it, and the fee lines that it is about."""

    suspicion: Suspicion
    steps: Sequence[asyncpg.Record]
    lines: Sequence[tuple[LineNote, asyncpg.Record]]


class DocumentView(msgspec.Struct, frozen=True):
    """A document as its institution sees it."""

    document: asyncpg.Record
    visit: asyncpg.Record
    suspicions: Sequence[SuspicionView]


class Page(msgspec.Struct, frozen=True):
    """A page of documents; ``total`` counts those of all pages."""

    total: int
    documents: Sequence[DocumentView]


async def list_documents(
    tx: Connection, *, fixmedins_code: str, stage: str, first: date, last: date, page: int, size: int
) -> Page | Refusal:
    """Return a page of an institution's documents found from ``first`` to ``last`` that are at a node."""
    if stage not in NODES:
        return refuse("STAGE_UNKNOWN", "查询节点只有1申诉、2合议申请", field="input.stage", received=stage, remedy="请填1或2")
    if not first <= last or (last - first).days > DAYS_MAX:
        return refuse("PERIOD_WRONG", f"结束时间不得早于开始时间，且最多{DAYS_MAX}天", field="input.endTime",
                      received=f"{first}至{last}", remedy="请核对日期")
    if page < 1 or not 1 <= size <= SIZE_MAX:
        return refuse("PAGE_WRONG", f"页数从1起，每页1至{SIZE_MAX}条", field="input.pageSize",
                      received=f"第{page}页、每页{size}条", remedy="请调整分页")
    documents = await queries.list_documents(
        tx, fixmedins_code=fixmedins_code, first=first, last=last, states=NODES[stage], size=size,
        offset=(page - 1) * size,
    )
    suspicions = await queries.list_suspicions(tx, documents)
    steps = await queries.list_steps(tx, suspicions)
    people = [d["psn_no"] for d in documents]
    visits = {r["setl_id"]: r for r in await tx.fetch(VISITS, people, [d["setl_id"] for d in documents])}
    views: dict[str, list[SuspicionView]] = {}
    fee_lines = await _fee_lines(tx, suspicions)
    for s in suspicions:
        notes = [n for n in _notes(s) if n.mdtrt_id == s.mdtrt_id and (s.mdtrt_id, n.charge_id) in fee_lines]
        views.setdefault(s.document_id, []).append(SuspicionView(
            s, steps[s.suspicion_id], [(n, fee_lines[s.mdtrt_id, n.charge_id]) for n in notes]
        ))
    total = documents[0]["total"] if documents else 0
    return Page(total, [DocumentView(d, visits[d["setl_id"]], views.get(d["document_id"], [])) for d in documents])


async def _fee_lines(
    tx: Connection, suspicions: Sequence[Suspicion]
) -> dict[tuple[str, str], asyncpg.Record]:
    """Return the fee lines of the suspicions' own visits; those of other visits and institutions stay unseen."""
    serials = {n.charge_id for s in suspicions for n in _notes(s)}
    rows = await tx.fetch(
        FEE_LINES, [s.psn_no for s in suspicions], [s.mdtrt_id for s in suspicions], list(serials)
    )
    return {(row["mdtrt_id"], row["feedetl_sn"]): row for row in rows}


def _notes(suspicion: Suspicion) -> list[LineNote]:
    return msgspec.json.decode(suspicion.lines, type=list[LineNote])
