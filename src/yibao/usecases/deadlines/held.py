"""The list of what waits for dues that are on their way, and of what was released when they arrived."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.windows.tables import businesses
from yibao.infra.database import Connection
from yibao.usecases.deadlines.release import BOOKS, CAUSE

LIST = """
select h.*, r.released_at, (h.state in ('held', 'entered', 'received', 'ready', 'suspended')) as is_open from (
    select e.psn_no, 'episode' as object_kind, e.episode_id as object_id, e.admdvs, e.business, e.fixmedins_code, e.register_no,
           e.disposition as how, e.begin_at::date as since_on, e.paid_fen, e.state
    from episodes.episode e where e.cause = $3
    union all
    select e.psn_no, 'entry', e.register_no, e.admdvs, e.business, e.fixmedins_code, e.register_no, e.kind, e.received_at::date,
           e.paid_fen, e.state
    from registers.entry e where e.body->>'cause' = $3 and e.psn_no <> '' and e.origin not like 'episode/%'
    union all
    select a.applicant_no, 'application', a.application_id, a.admdvs, '', '', a.register_no, a.item_code, a.submitted_at::date,
           0, a.state
    from services.application a where a.window_id = $3 and a.applicant_no <> '') h
left join deadlines.release r on r.psn_no = h.psn_no and r.object_kind = h.object_kind and r.object_id = h.object_id
where h.admdvs = any($1::text[]) and ($2 = '' or h.psn_no = $2)
order by r.released_at nulls first, h.since_on, h.psn_no, h.object_kind, h.object_id limit $4
"""


class HeldLine(msgspec.Struct, frozen=True, kw_only=True):
    """Something that waits, or waited, for dues; ``paid_fen`` is what the person gave for it.

    Attributes:
        object_kind: ``episode``, ``entry`` (of a book) or ``application``. how: disposition, book or item.
        released_at: when the dues had arrived; null: it waits. is_open: something is still to be done.
    """

    psn_no: str
    object_kind: str
    object_id: str
    admdvs: str
    business: str
    title: str
    fixmedins_code: str
    register_no: str
    how: str
    since_on: date
    paid_fen: int
    state: str
    is_open: bool
    released_at: datetime | None


async def list_held(
    tx: Connection, regions: Sequence[str], *, psn_no: str = "", most: int = 200
) -> list[HeldLine]:
    """Return what waits for dues in regions, then what was released."""
    rows = await tx.fetch(LIST, list(regions), psn_no, CAUSE, most)
    return [
        HeldLine(**dict(row), title=businesses()[row["business"]].title if row["business"] in businesses()
                 else BOOKS[row["object_kind"]]) for row in rows
    ]
