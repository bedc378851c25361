"""Builds the demo world: a few institutions, some named patients, and as many people as are asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from itertools import islice

import msgspec

from yibao.demo.agency import insert_agency
from yibao.demo.employers import Employer, employers
from yibao.demo.institutions import sites, staff_of
from yibao.demo.loading import copy_lives, insert_employers, insert_regions, insert_site
from yibao.demo.people import BLOCK, people, population
from yibao.demo.places import regions
from yibao.demo.stories import psn_no_of, stories
from yibao.demo.story_people import story_lives
from yibao.infra.database import Database
from yibao.kernel.business_time import SHANGHAI

Progress = Callable[[str, int, int], None]
"""Called with what is being made, how many are done, how many there will be."""

PERSONS = 10_000
SEED = 370_441
_CHUNK = 5 * BLOCK

_COUNTS = """
select (select count(*) from platform.region) as regions,
       (select count(*) from institutions.institution) as institutions,
       (select count(*) from institutions.department) as departments,
       (select count(*) from institutions.practitioner) as practitioners,
       (select count(*) from enrolment.employer) as employers, (select count(*) from people.person) as people,
       (select count(*) from people.person where story is not null) as stories,
       (select count(*) from ledger.personal_account) as accounts
"""
# Behind the region a person number counts the people; named patients have a leading 9 there.
_HIGHEST = "select max(substr(psn_no, 7)) from people.person where substr(psn_no, 7, 1) <> '9'"


class WorldSummary(msgspec.Struct, frozen=True):
    """How many of everything there are after building, and how many people this call added."""

    regions: int
    institutions: int
    departments: int
    practitioners: int
    employers: int
    people: int
    stories: int
    accounts: int
    added: int


async def is_built(database: Database, *, persons: int = PERSONS) -> bool:
    """Say whether the world with at least ``persons`` ordinary people and all named patients is there."""
    rows = await database.fetch(_HIGHEST)
    highest = rows[0][0]
    if highest is None or int(highest) + 1 < persons:
        return False
    named = await database.fetch("select psn_no from people.person where story is not null")
    return {psn_no_of(s) for s in stories()} <= {r["psn_no"] for r in named}


async def build_world(
    database: Database, *, persons: int, seed: int, today: date, progress: Progress
) -> WorldSummary:
    """Build what is missing of the demo world and return what is there.

    Everything follows from ``seed``, the person numbers and ``today``; a world that was built before
    is only added to, never changed.

    Args:
        database: connected as the owner of the tables.
        persons: ordinary people; the named patients come on top.
        today: the demo's date, which ages and agreements are relative to.
    """
    now = datetime.combine(today, time(), SHANGHAI)
    firms: dict[str, tuple[Employer, ...]] = {r.admdvs: employers(r, seed=seed) for r in regions()}
    async with database.transaction() as tx:
        await insert_regions(tx, regions())
        for region_firms in firms.values():
            await insert_employers(tx, region_firms)
        await insert_agency(tx, seed=seed, now=now)
        made = list(sites(seed=seed, today=today))
        for done, site in enumerate(made, 1):
            await insert_site(tx, site, staff_of(site, seed=seed), now=now)
            progress("institutions", done, len(made))
    added = await _add_named(database, today=today, firms=firms, progress=progress)
    added += await _add_people(database, persons=persons, seed=seed, today=today, firms=firms, progress=progress)
    counts = (await database.fetch(_COUNTS))[0]
    return WorldSummary(**dict(counts.items()), added=added)


async def _add_named(
    database: Database, *, today: date, firms: dict[str, tuple[Employer, ...]], progress: Progress
) -> int:
    async with database.transaction() as tx:
        there = {r["psn_no"] for r in await tx.fetch("select psn_no from people.person where story is not null")}
        diseases = {c.code: c.name for c in population().chronic}
        diseases |= {r["code"]: r["name"] for r in await tx.fetch("select code, name from catalogue.chronic_disease")}
        lives = story_lives(today=today, employers=firms, diseases=diseases)
        missing = [life for life in lives if life.person.psn_no not in there]
        await copy_lives(tx, missing, today=today)
    progress("named patients", len(stories()), len(stories()))
    return len(missing)


async def _add_people(
    database: Database, *, persons: int, seed: int, today: date,
    firms: dict[str, tuple[Employer, ...]], progress: Progress,
) -> int:
    highest = (await database.fetch(_HIGHEST))[0][0]
    first = 0 if highest is None else int(highest) + 1
    numbers = {admdvs: [e.emp_no for e in made] for admdvs, made in firms.items()}
    makers = people(seed=seed, first=first, last=max(persons, first), today=today, employers=numbers)
    done = first
    while chunk := list(islice(makers, _CHUNK)):
        async with database.transaction() as tx:
            await copy_lives(tx, chunk, today=today)
        done += len(chunk)
        progress("people", done, persons)
    return max(persons - first, 0)
