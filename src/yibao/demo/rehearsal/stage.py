"""The stage of a rehearsal: law, catalogues, institutions and people as of the day it begins, in an empty database."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import msgspec

from yibao.demo.agency import Clerk, insert_clerks
from yibao.demo.desks import read_desks
from yibao.demo.formulary import formulary
from yibao.demo.institutions import Site, sites, staff_of
from yibao.demo.loading import insert_site
from yibao.demo.orders import OrderLine
from yibao.demo.places import regions
from yibao.demo.rehearsal.script import Patient, People
from yibao.demo.world import Progress, build_world
from yibao.domains.access.agents_rules import INSTITUTION, key_text
from yibao.infra.database import Database
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import RandomIds
from yibao.usecases.catalogue.load_catalogue import load_all
from yibao.usecases.policies.publish_policies import publish_policies

HOSPITAL, PHARMACY = "1", "2"
_FIRST_SERIAL = 90_000
_DRUG, _SERVICE = "101", "201"
_FULLY_COVERED = "01"
_GOODS = 40
_PATIENTS = """
select p.psn_no, p.name as psn_name, p.certno, r.insutype, p.admdvs
from people.person p join enrolment.relation r on r.psn_no = p.psn_no
where p.admdvs = $1 and p.story is null and p.died_on is null and r.status = '1' and r.benefit_from <= $2
  and (r.benefit_to is null or r.benefit_to > $3)
  and (select count(*) from enrolment.relation x where x.psn_no = p.psn_no) = 1
order by p.psn_no
"""
_KNOWN_GOODS = """
select t.code from catalogue.term t join catalogue.item i on i.code = t.code
where t.admdvs = $1 and t.valid_from <= $2 and (t.valid_to is null or t.valid_to > $2) and not t.restricted
  and i.valid_from <= $2 and (i.valid_to is null or i.valid_to > $2) and not i.negotiated
order by t.code
"""


async def build_stage(
    database: Database, *, admdvs: str, at: datetime, persons: int, institutions: int, seed: int, progress: Progress
) -> None:
    """Fill a migrated database with a world as of ``at`` that has so many people and institutions of a region."""
    await publish_policies(database, now=at)
    await load_all(database, now=at, ids=RandomIds())
    # The demo's people live in two regions by turns.
    await build_world(database, persons=2 * persons, seed=seed, today=business_date(at), progress=progress)
    further = list(_further_sites(admdvs, at, wanted=institutions, seed=seed))
    async with database.transaction() as tx:
        for site in further:
            await insert_site(tx, site, staff_of(site, seed=seed), now=at)
        await insert_clerks(tx, [_program(admdvs, site.plan.code) for site in further], seed=seed, now=at)


def program_key(admdvs: str, fixmedins_code: str, *, seed: int) -> str:
    """Return the key of an institution's program."""
    program = _program(admdvs, fixmedins_code)
    return key_text(program.key_id(seed), program.secret(seed))


def _program(admdvs: str, fixmedins_code: str) -> Clerk:
    region = next(r for r in regions() if r.admdvs == admdvs)
    return Clerk(region, fixmedins_code, (INSTITUTION,), "", fixmedins_code)


def _further_sites(admdvs: str, at: datetime, *, wanted: int, seed: int) -> Iterator[Site]:
    """Yield institutions like those of the demo, as many as are lacking; every fifth is a pharmacy."""
    known = [s for s in sites(seed=seed, today=business_date(at))
             if s.plan.region == admdvs and s.plan.scheme == "none" and s.plan.agreement == "valid"]
    kinds = {kind: [s for s in known if s.plan.kind == kind] for kind in (HOSPITAL, PHARMACY)}
    for n in range(max(0, wanted - len(known))):
        model = kinds[PHARMACY if n % 5 == 0 else HOSPITAL]
        site = model[n % len(model)]
        plan = msgspec.structs.replace(site.plan, serial=_FIRST_SERIAL + n, name=f"{site.plan.name}第{n + 2}分院")
        yield msgspec.structs.replace(site, plan=plan, uscc=site.uscc[:9] + f"{n:09d}", agreement_no=f"{site.agreement_no}-{n}")


async def gather_people(database: Database, *, admdvs: str, begin: datetime, end: datetime, institutions: int) -> People:
    """Return who and what may take part: people insured throughout, unsigned institutions, goods that are fully covered."""
    first, last = business_date(begin), business_date(end)
    known = {row["code"] for row in await database.fetch(_KNOWN_GOODS, admdvs, first)}
    goods = [g for g in formulary().values() if g.code in known and g.class_level == _FULLY_COVERED and not g.restricted]
    by_kind: dict[str, list[OrderLine]] = {
        kind: [OrderLine(g.code, g.local_code, g.price, Decimal(1), g.price) for g in goods if g.list_type == kind][:_GOODS]
        for kind in (_DRUG, _SERVICE)
    }
    rows = await database.fetch(
        "select fixmedins_code, kind from institutions.institution where region = $1 and auth_scheme = 'none'"
        " and agreement_to > $2 and suspended_on is null order by fixmedins_code", admdvs, last,
    )
    desks = await read_desks(database)
    chosen = rows[-institutions:] if len(rows) > institutions else rows
    return People(
        patients=[Patient(**dict(row)) for row in await database.fetch(_PATIENTS, admdvs, first, last)],
        hospitals=[desks[r["fixmedins_code"]][0] for r in chosen if r["kind"] == HOSPITAL],
        pharmacies=[desks[r["fixmedins_code"]][0] for r in chosen if r["kind"] == PHARMACY],
        goods=by_kind[_DRUG] + by_kind[_SERVICE], drugs=by_kind[_DRUG],
    )
