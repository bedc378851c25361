"""All operations of the API: the one list of areas, checked when it is put together."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from yibao.domains.access.verbs import verbs
from yibao.entrypoints.api.routes import (
    access,
    accounts,
    benefits,
    certificates,
    claims,
    closing,
    console,
    deadlines,
    dues,
    employers,
    enrolment,
    episodes,
    filings,
    institution_books,
    institutions,
    notices,
    payouts,
    people,
    privacy,
    proposals,
    registers,
    services,
    settlements,
    transfers,
    windows,
)
from yibao.entrypoints.api.routing import Route

AREAS: Sequence[Sequence[Route]] = (
    access.ROUTES,
    proposals.ROUTES,
    privacy.ROUTES,
    employers.ROUTES,
    enrolment.ROUTES,
    people.ROUTES,
    accounts.ROUTES,
    benefits.ROUTES,
    dues.ROUTES,
    payouts.ROUTES,
    settlements.ROUTES,
    filings.ROUTES,
    institutions.ROUTES,
    services.ROUTES,
    transfers.ROUTES,
    certificates.ROUTES,
    closing.ROUTES,
    registers.ROUTES,
    institution_books.ROUTES,
    console.ROUTES,
    episodes.ROUTES,
    notices.ROUTES,
    claims.ROUTES,
    windows.ROUTES,
    deadlines.ROUTES,
)


@cache
def routes() -> tuple[Route, ...]:
    """Return every operation in the order of the areas.

    Raises:
        ValueError: an operation's name or place is taken, or its verb is not in the table of verbs.
    """
    found = tuple(route for area in AREAS for route in area)
    names, places = [r.operation for r in found], [(r.method, r.path) for r in found]
    faults = sorted({n for n in names if names.count(n) > 1}) + sorted({str(p) for p in places if places.count(p) > 1})
    faults += [f"{r.operation}: {r.verb}" for r in found if (r.verb or r.operation) not in verbs()]
    if faults:
        raise ValueError(f"operations of the API that are taken twice or have no verb: {faults}")
    return found
