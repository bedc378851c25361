"""The two runs of the year: one as it should be, and one in which each office outside is off for a week of its own."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from tests.proofs.platform import Platform, Result
from tests.proofs.year.agency import REGION, Agency, found_agency
from tests.proofs.year.facts import digests
from tests.proofs.year.life import Life, good
from tests.proofs.year.outside import NAMES, Outside, folder
from tests.proofs.year.population import MONTHS, draw_world, month_of
from tests.proofs.year.visits import Office
from tests.support.till import Counter
from yibao.demo.formulary import formulary

SMALL = range(3, 7)
"""October to January: the resident season and the turn of the benefit year."""
WHOLE_YEAR_FROM = 2_000
"""With so many people all eighteen months are lived."""
VISITS_PER_PERSON_AND_MONTH = 5_000 / 10_000 / MONTHS
VISITS_PER_DAY_LEAST = 1.0
_GOODS = """
select t.code from catalogue.term t join catalogue.item i on i.code = t.code
where t.admdvs = $1 and i.valid_from <= $2 and (i.valid_to is null or i.valid_to > $2) and t.valid_from <= $2
  and t.class_level = '01' and not t.restricted and i.list_type in ('101', '201')
order by t.code
"""
_SITES = """
select i.fixmedins_code, i.name, d.code as dr_codg, d.name as dr_name, d.dept_code, t.name as dept_name
from institutions.institution i
join lateral (select * from institutions.practitioner x where x.fixmedins_code = i.fixmedins_code and x.kind = '1'
              order by x.code limit 1) d on true
join institutions.department t on t.fixmedins_code = i.fixmedins_code and t.dept_code = d.dept_code
where i.region = $1 and i.kind = '1' and i.auth_scheme = 'none' and i.suspended_on is null and i.agreement_to > $2 order by 1
"""
_CASES = """
select party || ' ' || kind || ' ' || says as says, count(*) as n from exchange.case group by 1
union all select 'dues ' || kind || ' ' || state, count(*) from contributions.work_case group by 1 order by 1
"""
_names = count(1)


def run(n: int, seed: int, platform: Platform) -> Result:
    """Live the year of ``n`` people; the same seed gives the same digest of business facts."""
    _, result = asyncio.run(_live(n, seed, platform, is_disturbed=False))
    return result


def run_disturbed(n: int, seed: int, platform: Platform) -> Result:
    """Live it undisturbed and again with each office off for a week of its own: the facts at the end are the same."""
    calm, calmly = asyncio.run(_live(n, seed, platform, is_disturbed=False))
    stormy, result = asyncio.run(_live(n, seed, platform, is_disturbed=True))
    differing = [name for name in calm if calm[name] != stormy[name]]
    for name in differing:
        print(f"  {name}: {calm[name]} undisturbed, {stormy[name]} disturbed", flush=True)
    never_held = int(not result.done["rounds_without_answer"])
    return Result(
        {**result.done, "offices_off": len(NAMES)},
        {**{k: v + calmly.wrong[k] for k, v in result.wrong.items()}, "facts_differ": len(differing), "never_held": never_held},
    )


async def _live(n: int, seed: int, platform: Platform, *, is_disturbed: bool) -> tuple[dict[str, str], Result]:
    months = range(MONTHS) if n >= WHOLE_YEAR_FROM else SMALL
    world = draw_world(n, seed, months=months)
    with folder() as stores, Outside(Path(stores)) as outside:
        first = month_of(months.start)
        agency = await found_agency(platform.postgres, f"year_{next(_names)}", Path(stores) / "home", first=first)
        try:
            life = Life(
                agency, outside, world, Random(seed + 1), await _offices(agency, first), await _goods(agency, first),
                visits_per_day=max(n * VISITS_PER_PERSON_AND_MONTH / 30.4, VISITS_PER_DAY_LEAST),
                off=_weeks(months) if is_disturbed else {},
            )
            await life.live(months)
            found = await digests(agency.database)
            for row in await agency.database.fetch(_CASES):
                print(f"  case {row['n']} x {row['says']}", flush=True)
            for office in life.offices:
                await office.close()
        finally:
            await agency.app.stop()
            await agency.database.close()
    for code, times in sorted(agency.refused.items()):
        print(f"  refused {code}: {times}")
    for says, times in life.books.refusals.most_common(8):
        print(f"  visits refused: {times} {says}")
    life.wrong["exchange_cases"] = life.done.pop("exchange_cases", 0)
    if not is_disturbed:
        life.wrong["offices_silent"] = life.done["rounds_without_answer"]
    done: dict[str, Any] = {**dict(sorted(life.done.items())), "months": len(months), "people": len(world.souls),
                            **{f"digest_{k}": v for k, v in found.items()}}
    names = ("breaches", "exchange_cases", "offices_silent", "reports_differ", "months_not_closed", "batches_refused",
             "payments_declined")
    return found, Result(done, {name: life.wrong[name] for name in names})


def _weeks(months: range) -> dict[str, tuple[date, date]]:
    """Return a week for each office, one after the other, in the second and third month, none on its great day."""
    first = month_of(months.start + 1)
    begins = [first + timedelta(days=n) for n in (12, 19, 26, 38, 45, 52)]
    return {name: (begin, begin + timedelta(days=7)) for name, begin in zip(NAMES, begins, strict=True)}


async def _offices(agency: Agency, day: Any) -> list[Office]:
    rows = await agency.database.fetch(_SITES, REGION, day + timedelta(days=600))
    return [
        Office(agency.app, Counter(
            r["fixmedins_code"], r["name"], REGION, "none", "", "", "0001", "示例", r["dr_codg"], r["dr_name"], r["dept_code"],
            r["dept_name"]))
        for r in rows
    ]


async def _goods(agency: Agency, day: Any) -> list[dict[str, Any]]:
    known = {r["code"] for r in await agency.database.fetch(_GOODS, REGION, day)}
    return [good(g.code, g.price, local=g.local_code) for g in formulary().values() if g.code in known][:60]
