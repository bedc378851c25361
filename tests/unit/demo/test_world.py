"""The demo world in the real schema: built once, grown on demand, never changed."""

from __future__ import annotations

from datetime import date

from yibao.demo.stories import stories
from yibao.demo.world import WorldSummary, build_world, is_built
from yibao.infra.database import Database

TODAY = date(2026, 11, 22)
STORIES = len(stories())


async def build(database: Database, persons: int, *, today: date = TODAY) -> tuple[WorldSummary, list[str]]:
    """Build and return the summary and what progress was told."""
    told: list[str] = []
    summary = await build_world(
        database, persons=persons, seed=1, today=today, progress=lambda title, done, total: told.append(f"{title} {done}/{total}")
    )
    return summary, told


async def fingerprint(database: Database) -> str:
    """Return a digest of everything that was built."""
    tables = (
        "people.person", "enrolment.relation", "enrolment.special_identity", "enrolment.employer",
        "applications.chronic_recognition", "ledger.personal_account", "ledger.posting",
        "institutions.institution", "institutions.department", "institutions.practitioner",
        "institutions.item_mapping", "access.staff",
    )
    digests = [
        (await database.fetch(f"select coalesce(md5(string_agg(t::text, '|' order by t::text)), '') as d from {t} t"))[0]["d"]
        for t in tables
    ]
    return "/".join(digests)


async def test_a_world_is_built_grows_and_stays(database: Database) -> None:
    assert not await is_built(database, persons=1_200)
    summary, told = await build(database, 1_200)
    assert summary == WorldSummary(
        regions=2, institutions=20, departments=summary.departments, practitioners=summary.practitioners,
        employers=120, people=1_200 + STORIES, stories=STORIES, accounts=summary.accounts, added=1_200 + STORIES,
    )
    assert told[-1] == "people 1200/1200"
    assert await is_built(database, persons=1_200)
    assert not await is_built(database, persons=1_201)

    before = await fingerprint(database)
    again, _ = await build(database, 1_200, today=date(2027, 1, 1))
    assert again.added == 0
    assert await fingerprint(database) == before
    fewer, _ = await build(database, 500)
    assert fewer.added == 0

    grown, _ = await build(database, 2_300)
    assert grown.added == 1_100
    assert grown.people == 2_300 + STORIES
    assert await is_built(database, persons=2_300)


async def test_every_account_is_what_was_posted_to_it(database: Database) -> None:
    await build(database, 2_300)
    rows = await database.fetch("""
        select a.balance_fen, coalesce(sum(amount), 0) as posted
        from ledger.personal_account a
        left join ledger.posting p on p.psn_no = a.psn_no
        left join lateral unnest(p.accounts, p.amounts) as leg(account, amount) on leg.account = 'account:' || a.psn_no
        group by a.psn_no, a.balance_fen
    """)
    assert len(rows) > 500
    assert all(row["balance_fen"] == row["posted"] for row in rows)


async def test_everybody_has_a_relation_in_their_own_region(database: Database) -> None:
    await build(database, 2_300)
    lost = await database.fetch("""
        select p.psn_no from people.person p left join enrolment.relation r
        on r.psn_no = p.psn_no and r.admdvs = p.admdvs where r.psn_no is null
    """)
    assert lost == []


async def test_region_isolation_hides_the_other_city(database: Database, portal_database: Database) -> None:
    await build(database, 2_300)
    async with portal_database.transaction() as tx:
        assert await tx.fetchval("select count(*) from people.person") == 0
    async with portal_database.transaction(regions=("441300",)) as tx:
        assert {r["admdvs"] for r in await tx.fetch("select distinct admdvs from people.person")} == {"441300"}
