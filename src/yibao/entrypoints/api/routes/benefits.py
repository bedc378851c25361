"""Benefit status of a person on any day, as known now or as known then."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.entrypoints.api.fields import Insutype, PsnNo
from yibao.entrypoints.api.routing import read
from yibao.entrypoints.api.services import Call
from yibao.kernel.business_time import SHANGHAI, business_date
from yibao.kernel.refusal import Refusal
from yibao.usecases.deadlines.promised import IN_TRANSIT
from yibao.usecases.deadlines.ways_open import ways_open
from yibao.usecases.entitlement.benefit_on import Benefit, benefit_history, benefit_on


class Benefits(msgspec.Struct, frozen=True):
    """Periods by insurance and day."""

    rows: list[Benefit]


@read("/people/{psn_no}/benefit", verb="show_benefit")
async def show_benefit(
    call: Call, psn_no: PsnNo, insutype: Insutype, on: date | None = None, known_at: datetime | None = None
) -> Benefit | Refusal:
    """Say whether benefits of an insurance are due on a day, why, by which clause, and what to do.

    Without ``on`` today; with ``known_at`` what was known at that instant. While dues are on their way, what to do is what
    the published plan says for each business.
    """
    found = await benefit_on(
        call.tx, psn_no, insutype=insutype, on=on or business_date(call.now), now=call.now, shelf=call.shelf,
        known_at=_instant(known_at),
    )
    if isinstance(found, Refusal) or found.reason != IN_TRANSIT:
        return found
    says = dict.fromkeys(way.says for way in ways_open(call.gate, found.admdvs, call.now))
    return msgspec.structs.replace(found, next_step="；".join(says) or found.next_step)


@read("/people/{psn_no}/benefit-history", verb="show_benefit_history")
async def show_benefit_history(
    call: Call, psn_no: PsnNo, insutype: Insutype | None = None, known_at: datetime | None = None
) -> Benefits | Refusal:
    """List all periods of a person, those of the future included: what holds if nothing more becomes known."""
    found = await benefit_history(
        call.tx, psn_no, insutype=insutype or "", known_at=_instant(known_at) or call.now, shelf=call.shelf
    )
    return found if isinstance(found, Refusal) else Benefits(found)



def _instant(at: datetime | None) -> datetime | None:
    """Return an instant; a time without zone is business time."""
    return at.replace(tzinfo=SHANGHAI) if at is not None and at.tzinfo is None else at


ROUTES = (show_benefit, show_benefit_history)
