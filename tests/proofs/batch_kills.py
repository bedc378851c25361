"""F11: the agency's batches die at random places and are done again: every row once, files byte-identical.

Assessment, crediting, the payment file and the reconciliation with the tax bureau each run as a process of its own,
forked from this one. It stands still where it writes one row, drawn from all it will write, and is killed -9 there; then
it runs again, to its end. What the database then says, instants included, is what an undisturbed run says.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from itertools import count
from pathlib import Path
from random import Random

from tests.proofs.books import Books
from tests.proofs.platform import Platform, Result
from tests.proofs.year.agency import FIRST, REGION, SECOND, Agency, found_agency, noon
from tests.proofs.year.outside import folder
from tests.proofs.year.population import draw_world
from tests.support.databases import drop_database, execute
from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.ids import CountingIds
from yibao.ledger.operations import move_account
from yibao.ledger.posting import account_posting, payout
from yibao.policy.law.loading import load_policy
from yibao.usecases.contributions.assess_month import assess_month
from yibao.usecases.contributions.book_arrival import Arrival, book_arrival
from yibao.usecases.contributions.receive_payment import Payment, receive_payment
from yibao.usecases.contributions.reconcile_tax import Statement, StatementRow, reconcile_tax
from yibao.usecases.contributions.send_bills import send_bills
from yibao.usecases.enrolment.add_member import add_member
from yibao.usecases.enrolment.commands import AddMember, RegisterEmployer
from yibao.usecases.enrolment.register_employer import register_employer
from yibao.usecases.payouts.make_payout_file import make_payout_file
from yibao.usecases.payouts.order_payout import Payout, order_payout
from yibao.usecases.personal_accounts.credit_month import credit_month
from yibao.usecases.settlement.shelf import PolicyShelf

MONTH, PAID_ON = date(2024, 10, 1), date(2024, 10, 12)
PEOPLE, CHUNK = 150, 16
_names = count(1)


@dataclass(frozen=True)
class Batch:
    """A batch: what it does, when, and the tables it writes new rows to."""

    name: str
    at: date
    does: Callable[[Database, PolicyShelf], Awaitable[bytes]]
    tables: tuple[str, ...]


async def _assess(database: Database, shelf: PolicyShelf) -> bytes:
    await assess_month(database, admdvs=REGION, month=MONTH, now=noon(MONTH, 10), shelf=shelf, chunk=CHUNK)
    return b""


async def _credit(database: Database, shelf: PolicyShelf) -> bytes:
    await credit_month(database, admdvs=REGION, month=MONTH, now=noon(PAID_ON, 18), shelf=shelf, chunk=CHUNK)
    return b""


async def _pay(database: Database, shelf: PolicyShelf) -> bytes:
    async with database.transaction() as tx:
        await make_payout_file(tx, admdvs=REGION, actor=FIRST, now=noon(PAID_ON, 20), ids=CountingIds(900))
    rows = await database.fetch("select file_id, line from exchange.payout_line order by file_id, line_id")
    return "\n".join(f"{r['file_id']} {r['line']}" for r in rows).encode()


async def _reconcile(database: Database, shelf: PolicyShelf) -> bytes:
    rows = await database.fetch("select payment_id, amount_fen from contributions.payment order by payment_id")
    told = [StatementRow(payment_id=r["payment_id"], amount_fen=r["amount_fen"] + 100 * (n % 7 == 0))
            for n, r in enumerate(rows) if n % 5]
    told.append(StatementRow(payment_id="T-UNKNOWN", amount_fen=777))
    text = "\n".join(sorted(f"{r.payment_id},{r.amount_fen}" for r in told))
    command = Statement(day=PAID_ON, admdvs=REGION, count=len(told), amount_fen=sum(r.amount_fen for r in told),
                        digest=hashlib.new("sm3", text.encode()).hexdigest(), rows=tuple(told))
    async with database.transaction() as tx:
        await reconcile_tax(tx, command, actor=FIRST, now=noon(PAID_ON, 21), ids=CountingIds(800))
    return b""


BATCHES = (
    Batch("assess", MONTH, _assess, ("contributions.due", "contributions.bill", "contributions.run")),
    Batch("credit", PAID_ON, _credit, ("personal_accounts.credit", "ledger.posting", "personal_accounts.credit_run")),
    Batch("pay", PAID_ON, _pay, ("exchange.payout_file", "exchange.payout_line")),
    Batch("reconcile", PAID_ON, _reconcile, ("contributions.statement", "contributions.work_case")),
)
_TABLES = """
select n.nspname || '.' || c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname in ('contributions', 'personal_accounts', 'exchange', 'ledger', 'entitlement') order by 1
"""


def run(n: int, seed: int, platform: Platform) -> Result:
    """Kill the four batches ``n`` times in all."""
    rng = Random(seed)
    shelf = PolicyShelf({code: load_policy(files) for code, files in read_policy_files().items()})
    with folder() as home:
        stages = asyncio.run(_prepare(seed, platform, shelf, Path(home)))
    calm = {batch.name: _undisturbed(platform, stages[batch.name], batch, shelf) for batch in BATCHES}
    wrong = dict.fromkeys(("not_killed", "differing_rows", "differing_files"), 0)
    done = {"kills": 0, **dict.fromkeys((b.name for b in BATCHES), 0)}
    for number in range(n):
        batch = BATCHES[number % len(BATCHES)]
        ours = calm[batch.name]
        is_killed, facts, said = _killed_once(platform, stages[batch.name], batch, shelf, rng.choice(ours.new_rows))
        done["kills"] += is_killed
        done[batch.name] += is_killed
        wrong["not_killed"] += not is_killed
        wrong["differing_files"] += said != ours.said
        for table in facts:
            if facts[table] != ours.facts[table]:
                wrong["differing_rows"] += 1
                print(f"  {batch.name}: {table} differs", flush=True)
    return Result(done, wrong)


@dataclass(frozen=True)
class Calm:
    """What an undisturbed run wrote: all rows by table, those that were new, and the file."""

    facts: dict[str, list[str]]
    new_rows: list[tuple[str, str]]
    said: bytes


def _undisturbed(platform: Platform, stage: str, batch: Batch, shelf: PolicyShelf) -> Calm:
    with _copy(platform, stage) as url:
        before = asyncio.run(_facts(url))
        said = asyncio.run(_do(url, batch, shelf))
        facts = asyncio.run(_facts(url))
    new = [(t, row) for t in batch.tables for row in sorted(set(facts[t]) - set(before[t]))]
    assert new, f"{batch.name} wrote nothing"
    return Calm(facts, new, said)


def _killed_once(
    platform: Platform, stage: str, batch: Batch, shelf: PolicyShelf, stops_at: tuple[str, str]
) -> tuple[bool, dict[str, list[str]], bytes]:
    """Kill a batch where it writes one row, do it again; return whether it stood there, all rows, and what it wrote.

    The row is written before it by a transaction that stays open: whoever comes to the same key must wait.
    """
    table, row = stops_at
    with _copy(platform, stage) as url:
        with Books(url) as books:
            books.hold(f"insert into {table} select * from jsonb_populate_record(null::{table}, $1::text::jsonb)", row)
            child = _fork(url, batch, shelf)
            is_killed = books.awaited_by(1)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            books.execute("rollback")
        said = asyncio.run(_do(url, batch, shelf))
        return is_killed, asyncio.run(_facts(url)), said


def _fork(url: str, batch: Batch, shelf: PolicyShelf) -> int:
    """Run a batch in a process forked from this one, which has everything loaded."""
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(_do(url, batch, shelf))
        finally:
            os._exit(0)
    return child


async def _do(url: str, batch: Batch, shelf: PolicyShelf) -> bytes:
    database = await Database.open(url, role=None, size=2)
    try:
        return await batch.does(database, shelf)
    finally:
        await database.close()


async def _facts(url: str) -> dict[str, list[str]]:
    """Return every row of the core business as JSON, by table, in order."""
    database = await Database.open(url, role=None, size=1)
    try:
        tables = [r[0] for r in await database.fetch(_TABLES)]
        return {
            table: [r[0] for r in await database.fetch(f"select to_jsonb(t)::text from {table} t order by 1")]
            for table in tables
        }
    finally:
        await database.close()


@contextmanager
def _copy(platform: Platform, stage: str) -> Iterator[str]:
    name = f"batch_{next(_names)}"
    execute(platform.postgres.url_for("postgres"), f"create database {name} template {stage}")
    try:
        yield platform.postgres.url_for(name)
    finally:
        drop_database(platform.postgres.url_for("postgres"), name)


async def _prepare(seed: int, platform: Platform, shelf: PolicyShelf, home: Path) -> dict[str, str]:
    """Return for each batch the name of a database that stands right before it."""
    agency = await found_agency(platform.postgres, f"batches_{next(_names)}", home / "home", first=MONTH, has_catalogue=False)
    name = agency.url.partition("?")[0].rsplit("/", 1)[1]
    agency.ids = CountingIds()  # type: ignore[assignment]
    await agency.app.stop()
    stages: dict[str, str] = {}
    psn_nos = await _enrol(agency, seed)
    await _keep(platform, agency, name, "assess", stages)
    await _assess(agency.database, shelf)
    await send_bills(agency.database, admdvs=REGION, now=noon(MONTH, 11), ids=agency.ids, actor=FIRST)
    await _pay_bills(agency)
    await _keep(platform, agency, name, "reconcile", stages)
    await _keep(platform, agency, name, "credit", stages)
    await _credit(agency.database, shelf)
    await _owe(agency, psn_nos)
    await _keep(platform, agency, name, "pay", stages)
    await agency.database.close()
    return stages


async def _keep(platform: Platform, agency: Agency, name: str, stage: str, stages: dict[str, str]) -> None:
    """Copy the database as it stands; a template may have no connections."""
    await agency.database.close()
    stages[stage] = f"{name}_{stage}"
    execute(platform.postgres.url_for("postgres"), f"create database {stages[stage]} template {name}")
    agency.database = await Database.open(agency.url, role=None, size=2)


async def _enrol(agency: Agency, seed: int) -> list[str]:
    world = draw_world(PEOPLE * 2, seed, months=range(3, 4))
    psn_nos = []
    for firm in world.firms:
        made = await agency.deed(register_employer, RegisterEmployer(
            admdvs=REGION, uscc=firm.uscc, name=firm.name, legal_name="张示例", legal_phone="13900000000",
            handler_name="李示例", handler_phone="13900000001", bank_name="示例银行", bank_account="6222000000000000"))
        assert made is not None
        firm.emp_no = made.emp_no
    for soul in [s for s in world.souls if s.kind == "employed"][:PEOPLE]:
        begun = await agency.deed(add_member, AddMember(
            emp_no=world.firms[soul.employer or 0].emp_no, name=soul.name, certno=soul.certno, insured_on=MONTH,
            wage_fen=soul.wage_fen))
        assert begun is not None
        psn_nos.append(begun.psn_no)
    return psn_nos


async def _pay_bills(agency: Agency) -> None:
    bills = await agency.database.fetch("select bill_id, payer_no, amount_fen from contributions.bill order by bill_id")
    paid = []
    for number, bill in enumerate(bills):
        payment = Payment(payment_id=f"T{number:05d}", bill_id=bill["bill_id"], amount_fen=bill["amount_fen"], channel="counter",
                          paid_at=noon(PAID_ON, 9), payer_no=bill["payer_no"], admdvs=REGION)
        await agency.deed(receive_payment, payment)
        paid.append(payment)
    await agency.deed(book_arrival, Arrival(
        arrival_id="A1", arrived_on=PAID_ON, payment_ids=tuple(p.payment_id for p in paid),
        amount_fen=sum(p.amount_fen for p in paid), admdvs=REGION))


async def _owe(agency: Agency, psn_nos: list[str]) -> None:
    """Owe some people what stands in their accounts, to be paid through the bank."""
    for number, psn_no in enumerate(psn_nos[:40]):
        now, amount = noon(PAID_ON, 19), 1_000 + number
        async with agency.database.transaction() as tx:
            await move_account(tx, account_posting(
                "withdrawal", psn_no=psn_no, posting_id=f"wd-{number}", admdvs=REGION, posted_at=now, amount=-amount,
                other=payout(REGION)))
            await order_payout(tx, Payout(
                payout_id=f"wd-{number:04d}", admdvs=REGION, purpose="withdrawal", psn_no=psn_no, payee_name="张示例",
                bank_name="示例银行", bank_account=f"6222{number:012d}", amount_fen=amount, origin=f"wd-{number}"),
                actor=SECOND, now=now, ids=agency.ids)
