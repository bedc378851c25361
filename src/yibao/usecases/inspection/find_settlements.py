"""Find settlements of an institution and add them up."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.infra.database import Connection
from yibao.kernel.identity_number import mask_name
from yibao.usecases.inspection.find_messages import Search, resolve, span

# $1 institution, $2 from, $3 to, $4 settlements; null = any.
_MATCHING = """
with s as (
    select * from settlements.settlement
    where fixmedins_code = $1 and ($2::timestamptz is null or settled_at >= $2)
        and ($3::timestamptz is null or settled_at < $3)
        and ($4::text[] is null or setl_id = any($4))
)
"""
PAGE = _MATCHING + """
select s.setl_id, s.mdtrt_id, s.psn_no, s.insutype, s.med_type, s.settled_at, s.service_on, s.kind, s.state,
       s.medfee_fen, s.fund_fen, s.account_fen, s.cash_fen, s.hospital_fen, s.msgid,
       (select p.name from people.person p where p.psn_no = s.psn_no) as name
from s order by s.settled_at desc, s.setl_id desc limit $5 offset $6
"""  # noqa: S608 - two constants put together
SUMS = _MATCHING + """
select count(*) as settlements, coalesce(sum(s.medfee_fen), 0)::bigint as medfee_fen,
       coalesce(sum(s.fund_fen), 0)::bigint as fund_fen, coalesce(sum(s.account_fen), 0)::bigint as account_fen,
       coalesce(sum(s.cash_fen), 0)::bigint as cash_fen, coalesce(sum(s.hospital_fen), 0)::bigint as hospital_fen
from s
"""

KINDS = {"settlement": "结算", "refund": "退费", "reinstatement": "撤销退费"}
STATES = {"active": "有效", "reversed": "已撤销", "closed": "已了结"}
"""What kinds and states of settlements are called on pages."""


class SettlementRow(msgspec.Struct, frozen=True):
    """A settlement in a list; ``name`` is masked, amounts in fen."""

    setl_id: str
    mdtrt_id: str
    psn_no: str
    insutype: str
    med_type: str
    settled_at: datetime
    service_on: date
    kind: str
    state: str
    medfee_fen: int
    fund_fen: int
    account_fen: int
    cash_fen: int
    hospital_fen: int
    msgid: str
    name: str


class FoundSettlements(msgspec.Struct, frozen=True):
    """One page of settlements, newest first, and the sums over all pages, fen; a refund counts negative."""

    rows: tuple[SettlementRow, ...]
    total: int
    medfee_fen: int
    fund_fen: int
    account_fen: int
    cash_fen: int
    hospital_fen: int


async def find_settlements(
    tx: Connection, *, institution: str, search: Search, cert_types: list[str]
) -> FoundSettlements:
    """Return the settlements of an institution that match; number of transaction and outcome do not apply."""
    settlements = None
    if search.text:
        known = await resolve(tx, sender=institution, text=search.text, cert_types=cert_types)
        settlements = list(known.settlements)
    wanted = (institution, *span(search), settlements)
    rows = await tx.fetch(PAGE, *wanted, search.size, (search.page - 1) * search.size)
    sums = await tx.fetchrow(SUMS, *wanted)
    assert sums is not None, "an aggregate has one row"
    return FoundSettlements(
        tuple(SettlementRow(**{**dict(row), "name": mask_name(row["name"] or "")}) for row in rows),
        sums["settlements"], *(sums[name] for name in FoundSettlements.__struct_fields__[2:]),
    )
