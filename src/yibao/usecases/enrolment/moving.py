"""Many employees go from one employer to another on the first of a month, without a gap: a move, a merger, a split."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.enrolment.causes import ENDS
from yibao.domains.enrolment.model import ENDED, Employer, Relation
from yibao.domains.enrolment.operations import Ending, add_relations, end_relations
from yibao.domains.enrolment.queries import list_members, relations_of
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.enrolment.joining import NOT_YET
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.settlement.shelf import PolicyShelf

_PAGE = 5_000


async def all_members(tx: Connection, emp_no: str) -> list[Relation]:
    """Return the relations through an employer that have no end, also those that begin later."""
    found: list[Relation] = []
    after = ""
    while True:
        page = await list_members(tx, emp_no, on=date.max, after=after, limit=_PAGE)
        found += page
        if len(page) < _PAGE:
            return found
        after = page[-1].psn_no


async def move_all(
    tx: Connection, relations: Sequence[Relation], *, to: Employer, on: date, cause: str, now: datetime, shelf: PolicyShelf,
    wage_fen: int | None = None,
) -> list[Relation]:
    """End relations and begin the same ones through another employer; retired people go with it. Returns the new ones."""
    known = await relations_of(tx, [r.psn_no for r in relations])
    begun = []
    for relation in relations:
        begins = max(on, relation.insured_on)
        names = {r.relation_id for r in known.get(relation.psn_no, ())}
        name = f"{relation.insutype}-{begins:%Y%m%d}-m"
        while name in names:
            name += "m"
        begun.append(msgspec.structs.replace(
            relation, relation_id=name, emp_no=to.emp_no, insured_on=begins, benefit_from=begins, benefit_to=begins,
            status_reason=NOT_YET, recorded_at=now, cause=cause, wage_fen=wage_fen, merged_from=None,
        ))
    await end_relations(tx, [
        Ending(psn_no=r.psn_no, relation_id=r.relation_id, paused_on=max(on, r.insured_on), status=ENDED,
               status_reason=ENDS[cause], cause=cause, recorded_at=now)
        for r in relations
    ])
    await add_relations(tx, begun)
    await refresh_entitlement(tx, [r.psn_no for r in relations], now=now, shelf=shelf)
    return begun


def refuse_no_first(on: date, *, field: str = "on") -> Refusal | None:
    """Refuse a day that is not the first of a month: a month of contributions belongs to one employer."""
    if on.day != 1:
        return refuse("NOT_FIRST_OF_MONTH", "须自每月1日起", field=field, received=on.isoformat(), remedy="请填写月份的首日")
    return None
