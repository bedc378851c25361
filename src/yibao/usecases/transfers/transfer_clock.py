"""The last day of a transfer's side: working days by law, without those on which a window stands."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from yibao.domains.deadlines.queries import terms_of
from yibao.domains.services.items import TRANSFER_OUT, ServiceBook
from yibao.infra.database import Connection
from yibao.kernel.deadline import OPEN
from yibao.usecases.deadlines.clocks import keep_move
from yibao.usecases.deadlines.working_days import moved_by


async def transfer_due(
    tx: Connection, book: ServiceBook, *, admdvs: str, begun_on: date, limits: Sequence[str], transfer_id: str, psn_no: str,
    now: datetime, other_admdvs: str = "",
) -> date:
    """Return the last day of a clock that begins on a day, and keep why it is later than the law's.

    Args:
        limits: the clocks that run one after the other; that of the other region's side counts by its limits.
    """
    by_law = begun_on
    for name in limits:
        region = other_admdvs if name == TRANSFER_OUT and other_admdvs else admdvs
        by_law = book.calendar.due(by_law, book.limit_of(name, admdvs=region, on=begun_on).working_days)
    due = moved_by(await terms_of(tx, [admdvs]), book.calendar, clock="transfer", begun_on=begun_on, due_on=by_law)
    await keep_move(tx, due, object_kind="transfer", object_id=transfer_id, admdvs=admdvs, psn_no=psn_no, now=now)
    # While nobody knows when business goes on, the law's day stands; it is moved once that is known.
    return by_law if due.due_on == OPEN else due.due_on
