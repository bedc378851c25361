"""End relations of persons: write the ends, cancel dues that are no longer owed, make the entitlement anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.enrolment.causes import ENDS
from yibao.domains.enrolment.model import ENDED, PAUSED, Relation
from yibao.domains.enrolment.months import first_of_month
from yibao.domains.enrolment.operations import Ending, end_relations
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal
from yibao.usecases.contributions.cancel_dues import CancelDues, cancel_dues
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.settlement.shelf import PolicyShelf


class Ended(msgspec.Struct, frozen=True):
    """Relations of one person that ended; ``paused_on`` is the first day on which the last of them no longer holds.

    Attributes:
        cancelled_dues: unpaid dues of months that are no longer insured.
        dues_to_refund: paid ones; the money goes back on request.
    """

    psn_no: str
    relation_ids: tuple[str, ...]
    paused_on: date
    cancelled_dues: tuple[str, ...] = ()
    dues_to_refund: tuple[str, ...] = ()


def ending_of(relation: Relation, *, on: date, cause: str, is_ended: bool, now: datetime) -> Ending:
    """Return the end of a relation on a day, never before its first day."""
    return Ending(
        psn_no=relation.psn_no, relation_id=relation.relation_id, paused_on=max(on, relation.insured_on),
        status=ENDED if is_ended else PAUSED, status_reason=ENDS[cause], cause=cause, recorded_at=now,
    )


async def end_for(
    tx: Connection, relations: Sequence[Relation], *, on: date, cause: str, is_ended: bool, actor: Actor, now: datetime,
    ids: Ids, shelf: PolicyShelf,
) -> Ended | Refusal:
    """End some relations of one person on a day; the caller writes the audit row."""
    endings = [ending_of(r, on=on, cause=cause, is_ended=is_ended, now=now) for r in relations]
    await end_relations(tx, endings)
    psn_no, cancelled, paid = relations[0].psn_no, list[str](), list[str]()
    for relation, ending in zip(relations, endings, strict=True):
        done = await cancel_later_dues(tx, relation, until=ending.paused_on, cause=cause, actor=actor, now=now, ids=ids,
                                       shelf=shelf)
        if isinstance(done, Refusal):
            return done
        cancelled += done[0]
        paid += done[1]
    await refresh_entitlement(tx, [psn_no], now=now, shelf=shelf)
    return Ended(psn_no, tuple(e.relation_id for e in endings), max(e.paused_on for e in endings), tuple(cancelled),
                 tuple(paid))


async def cancel_later_dues(
    tx: Connection, relation: Relation, *, until: date, cause: str, actor: Actor, now: datetime, ids: Ids,
    shelf: PolicyShelf,
) -> tuple[list[str], list[str]] | Refusal:
    """Cancel unpaid dues for months from ``until`` on where such months may have been assessed; return them and the paid ones.

    Dues are assessed for the current month at the latest, so an end in the future leaves nothing to cancel.
    """
    if first_of_month(until) > first_of_month(business_date(now)):
        return [], []
    command = CancelDues(psn_no=relation.psn_no, insutype=relation.insutype, first=first_of_month(until), reason=ENDS[cause])
    done = await cancel_dues(tx, command, actor=actor, now=now, ids=ids, shelf=shelf)
    return done if isinstance(done, Refusal) else (list(done.due_ids), list(done.to_refund))
