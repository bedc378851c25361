"""The gate before every way in: what the published plans of windows say of what somebody is about to do, now.

One gate per process. It keeps the plans in memory: whoever asks it waits for nobody. ``fresh`` reads them again when the
epoch has moved; a process looks once a second, whoever changes a plan moves the epoch in the same transaction.
"""

from __future__ import annotations

import asyncio
import logging
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime

import asyncpg
import msgspec

from yibao.domains.windows import queries
from yibao.domains.windows.gate import judge
from yibao.domains.windows.model import NOT_OPENED, OPEN, Asked, Judged, Openings, Plan, Stage, Track
from yibao.domains.windows.reading import read_plan
from yibao.domains.windows.stored import OPEN_STAGE
from yibao.infra.database import Connection, Database, Unavailable
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.refusal import Refusal

LOOK_S = 1.0
"""How long a process may go on without asking whether a plan has changed."""
_WATCH_S = 0.5
_ANSWERS_MAX = 20_000
_CITY = 4
"""Digits of a division that name its city."""
_log = logging.getLogger(__name__)


class Standing:
    """A plan that counts, how far its reopening has come, and from when on it says anything.

    Between two of its instants a plan says the same of the same question, so each answer is worked out once: a message
    that meets a plan pays a look into a table for it.
    """

    def __init__(self, plan: Plan, openings: Openings) -> None:
        self.plan, self.openings = plan, openings
        of_tracks = [(t.last_call, t.drain, t.stop, t.restart, t.normal) for t in plan.tracks]
        told = [at for instants in of_tracks for at in instants]
        told += [at for r in plan.rules for at in (r.begin, r.end)] + [s.opens for s in plan.stages]
        self._instants = sorted({at for at in told if at is not None})
        begins = [t.last_call or t.drain or t.stop for t in plan.tracks]
        self.since = min(begins + [r.begin for r in plan.rules if r.begin is not None])
        self._answers: dict[tuple[int, Asked], Judged] = {}

    def judge(self, asked: Asked, at: datetime) -> Judged:
        """Return what the plan says of what is asked at an instant."""
        key = (bisect_right(self._instants, at), asked)
        found = self._answers.get(key)
        if found is None:
            if len(self._answers) >= _ANSWERS_MAX:
                self._answers.clear()
            found = self._answers[key] = judge(self.plan, self.openings, asked, at)
        return found


class Gate:
    """Judges by the published plans.

    Pass one where a use case knows the position of an episode; ask it with the position then.
    """

    def __init__(self, database: Database | None = None, *, seconds: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._seconds = seconds
        self._standing: dict[str, tuple[Standing, ...]] = {}
        self._read: dict[bytes, Plan] = {}
        self._epoch = -1
        self._looked_at = float("-inf")
        self._reading: asyncio.Lock | None = None
        self._expired = 0

    @classmethod
    def of(cls, plans: Iterable[Plan], openings: Openings = NOT_OPENED) -> Gate:
        """Return a gate that knows some plans and looks nowhere."""
        gate = cls()
        gate._stand([Standing(plan, openings) for plan in plans])
        return gate

    @classmethod
    async def read(cls, connection: Connection) -> Gate:
        """Return a gate with the plans as this transaction sees them, for a batch or one command."""
        gate = cls()
        await gate._read_all(connection)
        return gate

    @property
    def is_due(self) -> bool:
        """Say whether the plans have to be looked at again before anything is asked."""
        return self._database is not None and self._seconds() - self._looked_at > LOOK_S

    @property
    def plans(self) -> tuple[Plan, ...]:
        """Return every plan that counts."""
        return tuple(s.plan for of_region in self._standing.values() for s in of_region)

    def plans_of(self, *places: str) -> tuple[Plan, ...]:
        """Return the plans that count in some places, whenever; nothing at once where there is no plan."""
        if not self._standing:
            return ()
        cities = dict.fromkeys(place[:_CITY] for place in places)
        return tuple(s.plan for city in cities for s in self._standing.get(city, ()))

    def expire(self) -> None:
        """Let the next request look again; may be called from another thread."""
        self._expired += 1
        self._looked_at = float("-inf")

    async def fresh(self) -> None:
        """Read the plans again if they moved; at most once a second, and nothing without a database.

        A database that does not answer leaves what is known: the same database then answers no request either.
        """
        if self._database is None or not self.is_due:
            return
        if self._reading is None:
            self._reading = asyncio.Lock()
        async with self._reading:
            if not self.is_due:
                return
            try:
                await self.look()
            except (Unavailable, OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                _log.warning("the plans of windows could not be looked at: %s", error)
                self._looked_at = self._seconds()

    async def look(self) -> None:
        """Look whether the epoch moved, and read the plans then.

        Raises:
            Unavailable: the database does not answer.
        """
        assert self._database is not None
        async with self._database.connection() as connection:
            looked_at, expired = self._seconds(), self._expired
            if await queries.read_epoch(connection) != self._epoch:
                await self._read_all(connection)
        if expired == self._expired:
            self._looked_at = looked_at

    async def watch(self, stop: asyncio.Event) -> None:
        """Keep the plans fresh until ``stop`` is set, so that no request has to wait for it."""
        while not stop.is_set():
            if self._seconds() - self._looked_at > _WATCH_S:
                self.expire()
                await self.fresh()
            try:
                await asyncio.wait_for(stop.wait(), _WATCH_S)
            except TimeoutError:
                continue

    def ask(self, asked: Asked, at: datetime) -> Judged:
        """Return what holds for what somebody is about to do at an instant.

        Where a person is treated in another city, the window of either city counts: the one that refuses speaks first.
        """
        if not self._standing:
            return OPEN
        found = self._asked(asked.admdvs, asked, at)
        care = asked.care_admdvs
        if care and care[:_CITY] != asked.admdvs[:_CITY]:
            found += self._asked(care, asked, at)
        return found[0] if len(found) == 1 else _joined(found)

    def plan_for(self, admdvs: str, on: date | datetime) -> Plan | None:
        """Return the plan that counts at an instant or on a day: of those that say anything by then, the last to begin."""
        at = _instant(on)
        found = [s for s in self._standing.get(admdvs[:_CITY], ()) if s.since <= at]
        return max(found, key=lambda s: s.since).plan if found else None

    def window_on(self, admdvs: str, business: str, on: date | datetime) -> Track | None:
        """Return the track in whose stop an instant lies, or a day any part of which does.

        The stop ends with the restart of the track; what a stage of the reopening still keeps closed was not in it.
        """
        begin = _instant(on)
        end = begin if isinstance(on, datetime) else _instant(date.fromordinal(on.toordinal() + 1))
        for standing in self._standing.get(admdvs[:_CITY], ()):
            track = standing.plan.track_of(business)
            if track is None:
                continue
            has_begun = track.stop < end if end > begin else track.stop <= begin
            if has_begun and (track.restart is None or begin < track.restart):
                return track
        return None

    def stage_of(self, admdvs: str, name: str, ordinal: int) -> Stage | None:
        """Return a stage of a plan that counts."""
        for standing in self._standing.get(admdvs[:_CITY], ()):
            if standing.plan.name == name:
                return next((s for s in standing.plan.stages if s.ordinal == ordinal), None)
        return None

    def _asked(self, place: str, asked: Asked, at: datetime) -> list[Judged]:
        return [s.judge(asked, at) for s in self._standing.get(place[:_CITY], ())]

    async def _read_all(self, connection: Connection) -> None:
        """Read every plan that counts. The epoch is read first: what moves meanwhile is read again."""
        epoch = await queries.read_epoch(connection)
        openings: dict[tuple[str, str], dict[int, str]] = {}
        for opening in await queries.list_last_openings(connection):
            state = "open" if opening.act == OPEN_STAGE else "stopped"
            openings.setdefault((opening.admdvs, opening.name), {})[opening.ordinal] = state
        standing = []
        for stored in await queries.list_published(connection):
            plan = self._read.get(stored.digest)
            if plan is None:
                read = read_plan(stored.text)
                if isinstance(read, Refusal):
                    # It was read when it was published: a text that newer code cannot read is a defect, never an open gate.
                    raise RuntimeError(f"plan {stored.name} version {stored.version}: {read.sentence()}")
                plan = self._read[stored.digest] = msgspec.structs.replace(read, version=stored.version)
            of_plan = openings.get((stored.admdvs, stored.name), {})
            standing.append(Standing(plan, Openings(of_plan)))
        self._stand(standing)
        self._epoch = epoch

    def _stand(self, standing: Sequence[Standing]) -> None:
        of_city: dict[str, tuple[Standing, ...]] = {}
        for one in sorted(standing, key=lambda s: s.since):
            city = one.plan.admdvs[:_CITY]
            of_city[city] = (*of_city.get(city, ()), one)
        self._standing = of_city


NO_GATE = Gate()
"""A gate that nothing stops: for what knows of no plan."""


def _instant(on: date | datetime) -> datetime:
    return on if isinstance(on, datetime) else datetime(on.year, on.month, on.day, tzinfo=SHANGHAI)


def _joined(found: Sequence[Judged]) -> Judged:
    """Return one answer of several plans: the first that refuses; else the advice of all and the first intake."""
    if not found:
        return OPEN
    refused = next((j for j in found if j.refusal is not None), None)
    if refused is not None:
        return refused
    strict = next((j for j in found if j.hits), found[0])
    return msgspec.structs.replace(
        strict, advice=tuple(dict.fromkeys(a for j in found for a in j.advice)),
        intake=next((j.intake for j in found if j.intake), ""), hits=tuple(h for j in found for h in j.hits),
    )
