"""``python -m bench.core_business``: assessing and crediting a region's month; writes docs/benchmarks-core-business.{json,md}.

A region of a million members (three quarters active, with twenty thousand different wages) is assessed and credited for a
month by the product's own batches, in chunks of one transaction each. Beside each stands a raw COPY of the very rows that
it wrote, into tables with the same columns, checks and indexes: what no batch can beat. One machine, one run.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec

from bench.report import machine
from yibao.infra.database import Connection, Database
from yibao.infra.migrate import migrate
from yibao.infra.policy_files import read_policy_files
from yibao.infra.postgres import EmbeddedPostgres
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.refusal import Refusal
from yibao.policy.law.loading import load_policy
from yibao.usecases.contributions.assess_month import assess_month
from yibao.usecases.personal_accounts.credit_month import credit_month
from yibao.usecases.settlement.shelf import PolicyShelf

REGION, MONTH = "370300", date(2024, 7, 1)
NOW = datetime(2024, 7, 20, 9, tzinfo=SHANGHAI)
LEAST_SHARE = 0.15
_WAGES = 20_000
PEOPLE = """
insert into people.person (psn_no, admdvs, cert_type, certno, name, sex, birth_on)
select lpad(n::text, 24, '0'), $1, '01', 'B' || lpad(n::text, 17, '0'), '甲', '1',
       case when n % 4 = 0 then date '1950-01-01' else date '1970-01-01' end + (n % 5000)::integer
from generate_series(1, $2::bigint) n
"""
EMPLOYERS = """
insert into enrolment.employer (emp_no, admdvs, name, uscc)
select 'E' || lpad(n::text, 8, '0'), $1, '单位' || n, 'U' || lpad(n::text, 17, '0') from generate_series(0, $2::bigint / 50) n
"""
RELATIONS = """
insert into enrolment.relation (psn_no, relation_id, admdvs, insutype, psn_type, status, emp_no, account_kind, insured_on,
    benefit_from, enrolment_kind, wage_fen)
select lpad(n::text, 24, '0'), 'r1', $1, '310', case when n % 4 = 0 then '1201' else '1101' end, '1',
       case when n % 4 = 0 then null else 'E' || lpad((n / 50)::text, 8, '0') end, 'with_account', date '2023-01-01',
       date '2023-01-01', case when n % 4 = 0 then '' else 'employed' end,
       case when n % 4 = 0 then null else 450000 + (n % $3::bigint) * 75 end
from generate_series(1, $2::bigint) n
"""
ARRIVED = """
update contributions.due set state = 'arrived', paid_on = '2024-07-15', paid_at = now(), arrived_on = '2024-07-16',
    arrived_at = now()
"""


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(prog="python -m bench.core_business", description=__doc__)
    parser.add_argument("--members", type=int, default=1_000_000)
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="yibao-bench-") as directory:
        Path(directory).chmod(0o755)
        with EmbeddedPostgres(Path(directory) / "home") as server:
            url = server.url_for("yibao")
            asyncio.run(migrate(url))
            found = asyncio.run(_measure(url, asked.members))
    report = _REPORT.format(**found)
    (asked.docs / "benchmarks-core-business.json").write_bytes(
        msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n"
    )
    (asked.docs / "benchmarks-core-business.md").write_text(report, encoding="utf-8")
    print(report)


async def _measure(url: str, members: int) -> dict[str, Any]:
    database = await Database.open(url, role=None, size=2)
    shelf = PolicyShelf({REGION: load_policy(read_policy_files()[REGION])})
    async with database.transaction() as tx:
        await tx.execute("insert into platform.region (admdvs, name) values ($1, '淄博市') on conflict do nothing", REGION)
        await tx.execute(PEOPLE, REGION, members)
        await tx.execute(EMPLOYERS, REGION, members)
        await tx.execute(RELATIONS, REGION, members, _WAGES)
    await _settle_down(database)
    loaded_mb = _peak_mb()
    lines: list[str] = []
    assess_s, assessed = await _timed(lambda: assess_month(
        database, admdvs=REGION, month=MONTH, now=NOW, shelf=shelf, progress=lines.append))
    assert not isinstance(assessed, Refusal), assessed
    assess_copy_s = await _raw_copy(database, ["contributions.due", "contributions.bill"])
    assess_mb = _peak_mb()
    async with database.transaction() as tx:
        await tx.execute(ARRIVED)
    await _settle_down(database)
    credit_s, credited = await _timed(lambda: credit_month(
        database, admdvs=REGION, month=MONTH, now=NOW, shelf=shelf, progress=lines.append))
    assert not isinstance(credited, Refusal), credited
    new_copy_s = await _raw_copy(database, ["ledger.posting", "ledger.personal_account", "personal_accounts.credit"])
    credit_copy_s = new_copy_s + await _raw_copy(database, ["people.person", "contributions.due"])
    again_s, again = await _timed(lambda: credit_month(database, admdvs=REGION, month=MONTH, now=NOW, shelf=shelf))
    assert not isinstance(again, Refusal)
    await database.close()
    return {
        "when": datetime.now(UTC).isoformat(" ", "minutes"), "machine": machine(), "members": members, "wages": _WAGES,
        "dues": assessed.dues, "assess_s": round(assess_s, 1), "assess_per_s": round(assessed.persons / assess_s),
        "assess_copy_s": round(assess_copy_s, 1), "assess_share": round(assess_copy_s / assess_s, 3),
        "credits": credited.credited, "held": credited.held, "credit_s": round(credit_s, 1),
        "credit_per_s": round(credited.credited / credit_s), "credit_copy_s": round(credit_copy_s, 1),
        "credit_share": round(credit_copy_s / credit_s, 3), "new_copy_s": round(new_copy_s, 1),
        "new_share": round(new_copy_s / credit_s, 3), "again_s": round(again_s, 1), "again": again.credited,
        "loaded_mb": loaded_mb, "assess_mb": assess_mb, "credit_mb": _peak_mb(), "progress": len(lines),
        "least": LEAST_SHARE,
    }


async def _timed(work: Callable[[], Awaitable[Any]]) -> tuple[float, Any]:
    began = time.perf_counter()
    done = await work()
    return time.perf_counter() - began, done


async def _raw_copy(database: Database, tables: list[str]) -> float:
    """Return how long COPY takes for the rows of some tables, into empty tables like them, in one transaction each."""
    took = 0.0
    for table in tables:
        with tempfile.NamedTemporaryFile() as file:
            async with database.transaction() as tx:
                await tx.copy_from_query(f"select * from {table}", output=file.name, format="binary")
                await tx.execute(f"create table public.raw_copy (like {table} including all)")
            began = time.perf_counter()
            async with database.transaction() as tx:
                await tx.copy_to_table("raw_copy", schema_name="public", source=file.name, format="binary")
            took += time.perf_counter() - began
        async with database.transaction() as tx:
            await tx.execute("drop table public.raw_copy")
    return took


async def _settle_down(database: Database) -> None:
    """Let statistics be fresh and pages be clean before something is timed."""
    async with database.connection() as connection:
        await connection.execute("vacuum analyze")
        await _checkpoint(connection)


async def _checkpoint(connection: Connection) -> None:
    if await connection.fetchval("select pg_has_role(current_user, 'pg_checkpoint', 'member')"):
        await connection.execute("checkpoint")


def _peak_mb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


_REPORT = """# Benchmarks of the core business

Written by `python -m bench.core_business`; no figure here is typed by hand. {when} UTC.
Machine: {machine}.

A region of {members} members with {wages} different wages, one month. The share is the time of a raw COPY of the very rows
that were written (same columns, checks and indexes) by the time of the batch, which also reads the facts, asks the law,
moves balances, and commits in chunks; at least {least} is asked for. Crediting writes three kinds of new rows and writes two
kinds anew (the person's version, the due's state): PostgreSQL writes those as whole rows, so they count among its rows.

| what | rows | seconds | members/s | raw COPY, seconds | share |
|---|---:|---:|---:|---:|---:|
| assessing a month: dues and bills | {dues} | {assess_s} | {assess_per_s} | {assess_copy_s} | {assess_share} |
| crediting it: all five kinds of rows | {credits} | {credit_s} | {credit_per_s} | {credit_copy_s} | {credit_share} |
| of it, the three new kinds: credits, postings, accounts | {credits} | | | {new_copy_s} | {new_share} |
| crediting it again: {again} credited | {credits} | {again_s} | | | |

Highest memory of the process: {loaded_mb} MB before, {assess_mb} MB after assessing, {credit_mb} MB after crediting: it is
bounded by the chunk. Progress was told {progress} times; {held} people were held.
"""


if __name__ == "__main__":
    main()
