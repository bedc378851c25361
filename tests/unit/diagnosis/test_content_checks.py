"""Each fault of what was loaded is found, and a sound installation passes the same checks."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from yibao.infra.config import Settings
from yibao.infra.database import Connection, Database
from yibao.infra.policy_files import read_policy_files
from yibao.usecases.diagnosis import content_checks as checks
from yibao.usecases.diagnosis import server_checks
from yibao.usecases.diagnosis.finding import Finding
from yibao.usecases.policies.publish_policies import publish_policies

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
TODAY = date(2026, 1, 5)
INSTITUTION = """
insert into institutions.institution (fixmedins_code, admdvs, region, name, uscc, kind, hosp_lv, level,
    agreement_no, agreement_from, agreement_to, suspended_on, auth_scheme)
values ($1, '370302', $2, '演示医院', '', '1', '03', '3', 'XY1', '2020-01-01', $3, $4, 'none')
"""
UNSEALED = """
insert into platform.audit_entry (id, at, actor, sender, channel, verb, object, admdvs, digest)
values ('1', $1, 'x', 'H37030000001', 'gateway', 'settle_visit', '1', '370300', '\\x00')
"""


def outcome(finding: Finding) -> tuple[str, str]:
    assert bool(finding.remedy) == (finding.level != "ok")
    return finding.check, finding.level


def test_policy_files_that_do_not_compile_are_found_and_the_others_used() -> None:
    files = {**read_policy_files(), "999900": {"broken.toml": "format = ["}}
    compiled, findings = checks.compile_policies(files)
    assert sorted(compiled) == sorted(read_policy_files())
    assert [outcome(f) for f in findings] == [("policy.files", "error")]
    assert "broken.toml" in findings[0].message


async def test_policies_must_be_published_and_have_law_for_today(database: Database) -> None:
    compiled, findings = checks.compile_policies(read_policy_files())
    assert [outcome(f) for f in findings] == [("policy.files", "ok")]
    async with database.connection() as tx:
        unpublished = await checks.check_regions(tx, compiled, today=TODAY)
        await publish_policies(database, now=NOW)
        published = await checks.check_regions(tx, compiled, today=TODAY)
        too_early = await checks.check_regions(tx, compiled, today=date(1990, 1, 1))
    assert outcome(unpublished) == ("policy.regions", "error")
    assert "yibao migrate" in unpublished.remedy
    assert outcome(published) == ("policy.regions", "ok")
    assert outcome(too_early) == ("policy.regions", "error")


async def test_catalogues_must_be_there_and_current(database: Database) -> None:
    async with database.connection() as tx:
        missing = await checks.check_catalogue(tx, {"drugs": "d1"})
        await tx.execute("insert into catalogue.loaded values ('drugs', 1, 'd1', 's', 'v1', now())")
        current = await checks.check_catalogue(tx, {"drugs": "d1"})
        older = await checks.check_catalogue(tx, {"drugs": "d2"})
    assert [outcome(f)[1] for f in (missing, current, older)] == ["error", "ok", "warning"]


async def insert_institution(
    tx: Connection, code: str, region: str, *, ends_on: date, suspended_on: date | None = None
) -> None:
    await tx.execute(INSTITUTION, code, region, ends_on, suspended_on)


async def test_a_region_without_a_valid_agreement_is_named(fresh_database_url: str) -> None:
    database = await Database.open(fresh_database_url, role=None, size=1)
    async with database.connection() as tx:
        assert outcome(await checks.check_agreements(tx, today=TODAY))[1] == "warning"
        await insert_institution(tx, "H37030000001", "370300", ends_on=TODAY)
        await insert_institution(tx, "H44130000001", "441300", ends_on=date(2030, 1, 1), suspended_on=TODAY)
        expired = await checks.check_agreements(tx, today=TODAY)
        await insert_institution(tx, "H37030000002", "370300", ends_on=TODAY + timedelta(days=1))
        one_left = await checks.check_agreements(tx, today=TODAY)
        await tx.execute("update institutions.institution set suspended_on = null")
        sound = await checks.check_agreements(tx, today=TODAY)
    await database.close()
    assert expired.level == "error"
    assert "370300" in expired.message
    assert "441300" in expired.message
    assert one_left.level == "error"
    assert "370300" not in one_left.message
    assert sound.level == "ok"


async def test_senders_that_prove_nothing_are_for_demos_only(fresh_database_url: str) -> None:
    database = await Database.open(fresh_database_url, role=None, size=1)
    async with database.connection() as tx:
        nobody = await checks.check_senders(tx, Settings())
        await insert_institution(tx, "H37030000001", "370300", ends_on=TODAY)
        real = await checks.check_senders(tx, Settings())
        demo = await checks.check_senders(tx, Settings(demo=True))
    await database.close()
    assert [f.level for f in (nobody, real, demo)] == ["ok", "error", "ok"]


async def test_audit_rows_must_not_wait_long_for_their_seal(database: Database) -> None:
    async with database.connection() as tx:
        await tx.execute(UNSEALED, NOW)
        fresh = await checks.check_sealing(tx, now=NOW + timedelta(minutes=5))
        late = await checks.check_sealing(tx, now=NOW + timedelta(minutes=6))
    assert [f.level for f in (fresh, late)] == ["ok", "warning"]


async def test_clocks_that_disagree_are_found(database: Database) -> None:
    async with database.connection() as tx:
        there: datetime = await tx.fetchval("select clock_timestamp()")
        assert (await server_checks.check_clock(tx, now=there)).level == "ok"
        finding = await server_checks.check_clock(tx, now=there - timedelta(minutes=1))
    assert outcome(finding) == ("database.clock", "error")


@pytest.mark.parametrize(("workers", "level"), [(1, "ok"), (64, "error")])
async def test_connections_must_suffice_for_all_workers(database: Database, workers: int, level: str) -> None:
    async with database.connection() as tx:
        finding = await server_checks.check_connections(tx, Settings(workers=workers))
    assert outcome(finding) == ("database.connections", level)


@pytest.mark.parametrize(("found", "level"), [("0001", "ok"), (None, "error"), ("0000", "error")])
def test_the_schema_must_be_the_one_we_know(found: str | None, level: str) -> None:
    assert outcome(server_checks.check_schema(found=found, wanted="0001")) == ("database.schema", level)
