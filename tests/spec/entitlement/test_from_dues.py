"""From joining to the benefit: what real enrolment, assessment and payment make of somebody's status; the terminal too."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.spec.policy.cities import HUIZHOU, ZIBO, city_policy
from tests.support.registry import Office, at, card, credit_code
from yibao.entrypoints.cli.main import app
from yibao.infra.database import Database
from yibao.usecases.contributions.assess_month import assess_month
from yibao.usecases.contributions.receive_payment import Payment, receive_payment
from yibao.usecases.enrolment.add_member import add_member
from yibao.usecases.enrolment.commands import AddMember, RecordDeath, RegisterEmployer, RemoveMember
from yibao.usecases.enrolment.record_death import record_death
from yibao.usecases.enrolment.register_employer import register_employer
from yibao.usecases.enrolment.remove_member import remove_member
from yibao.usecases.entitlement.benefit_on import Benefit, benefit_on
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.verification.entitlement_checks import ENTITLEMENT_CHECKS

SHELF = PolicyShelf({code: city_policy(code) for code in (ZIBO, HUIZHOU)})


@pytest.fixture
async def office(fresh_database_url: str) -> AsyncIterator[Office]:
    """Open an office on an empty database."""
    database = await Database.open(fresh_database_url, role=None, size=2)
    office = Office(database, SHELF)
    office.url = fresh_database_url  # type: ignore[attr-defined]
    yield office
    await database.close()


async def joined(office: Office) -> tuple[str, str]:
    """Register an employer and let somebody join it on 8 July 2024; return both numbers."""
    office.now = at("2024-07-08")
    employer = await office.done(register_employer, RegisterEmployer(
        admdvs=ZIBO, uscc=credit_code(1), name="淄博某某机械有限公司", division="370303", legal_name="张三",
        handler_name="李四", handler_phone="13800000000", enrolled_on=date(2024, 7, 1)))
    begun = await office.done(add_member, AddMember(
        emp_no=employer.emp_no, name="王五", certno=card("1985-03-03"), insured_on=date(2024, 7, 8), wage_fen=600_000))
    return employer.emp_no, begun.psn_no


async def paid(office: Office, emp_no: str, month: date, day: str) -> None:
    """Assess a month and let the employer pay its bill on a day."""
    await assess_month(office.database, admdvs=ZIBO, month=month, now=at(f"{month:%Y-%m}-10"), shelf=SHELF)
    async with office.database.transaction() as tx:
        bill = await tx.fetchrow(
            "select bill_id, amount_fen from contributions.bill where payer_no = $1 and month = $2", emp_no, month)
    office.now = at(day)
    await office.done(receive_payment, Payment(
        payment_id=f"P{month:%Y%m}", bill_id=bill["bill_id"], amount_fen=bill["amount_fen"], channel="tax_hall",
        paid_at=at(day), payer_no=emp_no, admdvs=ZIBO))


async def status(office: Office, psn_no: str, day: str, *, known_at: str = "") -> tuple[bool, str]:
    """Return whether benefits are due on a day and the reason code."""
    async with office.database.transaction() as tx:
        found = await benefit_on(
            tx, psn_no, insutype="310", on=date.fromisoformat(day), now=office.now, shelf=SHELF,
            known_at=at(known_at) if known_at else None)
    assert isinstance(found, Benefit), found
    return found.is_due, found.reason


async def test_a_joiner_pays_has_benefits_leaves_and_loses_them(office: Office) -> None:
    emp_no, psn_no = await joined(office)
    assert await status(office, psn_no, "2024-07-20") == (False, "not_yet_paid")
    await paid(office, emp_no, date(2024, 7, 1), "2024-07-22")
    assert await status(office, psn_no, "2024-07-31") == (False, "not_yet_paid")
    assert await status(office, psn_no, "2024-08-01") == (True, "paid")
    assert await status(office, psn_no, "2024-09-30") == (True, "arrears_kept")
    assert await status(office, psn_no, "2024-10-01") == (False, "unpaid")

    # August is paid late, on 7 October: one month, continuous; what was known on 3 October stays what it was.
    await paid(office, emp_no, date(2024, 8, 1), "2024-10-07")
    assert await status(office, psn_no, "2024-09-15") == (True, "back_paid")
    assert await status(office, psn_no, "2024-09-15", known_at="2024-10-03") == (True, "arrears_kept")
    assert await status(office, psn_no, "2024-10-07", known_at="2024-10-03") == (False, "unpaid")
    assert await status(office, psn_no, "2024-10-07") == (True, "arrears_kept")

    office.now = at("2024-10-09")
    await office.done(remove_member, RemoveMember(emp_no=emp_no, psn_no=psn_no, left_on=date(2024, 8, 31), evidence="离职证明"))
    assert await status(office, psn_no, "2024-09-30") == (True, "back_paid")
    assert await status(office, psn_no, "2024-10-01") in {(False, "not_insured"), (False, "ended")}
    await clean(office, psn_no)


async def test_a_death_ends_benefits_with_the_day(office: Office) -> None:
    emp_no, psn_no = await joined(office)
    await paid(office, emp_no, date(2024, 7, 1), "2024-07-22")
    office.now = at("2024-08-20")
    await office.done(record_death, RecordDeath(psn_no=psn_no, died_on=date(2024, 8, 16), evidence="死亡证明"))
    assert await status(office, psn_no, "2024-08-16") == (True, "paid")
    assert await status(office, psn_no, "2024-08-17") == (False, "dead")
    assert await status(office, psn_no, "2024-08-17", known_at="2024-08-19") == (True, "paid")
    await clean(office, psn_no)


async def clean(office: Office, psn_no: str) -> None:
    """Hold the invariants, and the relation against its newest spell."""
    async with office.database.transaction() as tx:
        for check in ENTITLEMENT_CHECKS:
            assert await tx.fetch(check.sql) == [], check.says
        relation = await tx.fetchrow("select benefit_from, benefit_to, status_reason from enrolment.relation where psn_no = $1",
                                     psn_no)
    assert relation["benefit_from"] >= date(2024, 8, 1)
    assert relation["benefit_to"] is not None
    assert relation["status_reason"]


async def test_each_check_finds_what_it_is_for(office: Office) -> None:
    emp_no, _ = await joined(office)
    await paid(office, emp_no, date(2024, 7, 1), "2024-07-22")
    harm = [
        "update entitlement.spell set end_on = end_on + 3 where is_due and reason = 'paid'",
        """insert into entitlement.spell select psn_no, '390', begin_on, null, known_from, null, admdvs, true, 'resident_season',
           rules, 'x', psn_type, account_kind, 1, '' from entitlement.spell where reason = 'paid' and known_to is null""",
        "update enrolment.relation set benefit_to = null",
        "update people.person set died_on = date '2024-08-05'",
    ]
    for check, statement in zip(ENTITLEMENT_CHECKS, harm, strict=True):
        async with office.database.connection() as tx:
            await tx.execute("begin")
            await tx.execute(statement)
            assert await tx.fetch(check.sql) != [], check.says
            await tx.execute("rollback")


async def test_the_terminal_says_the_same(office: Office) -> None:
    emp_no, psn_no = await joined(office)
    await paid(office, emp_no, date(2024, 7, 1), "2024-07-22")

    def run(*words: str, code: int = 0) -> Any:
        env = {**os.environ, "YIBAO_DATABASE_URL": office.url, "COLUMNS": "200"}  # type: ignore[attr-defined]
        result = CliRunner().invoke(app, list(words), env=env)
        assert result.exit_code == code, result.output
        return result.stdout

    shown = json.loads(await asyncio.to_thread(run, "benefit", "show", psn_no, "--on", "2024-08-05", "--json"))["benefit"]
    assert (shown["is_due"], shown["reason"], shown["clauses"][0]["rule"]) == (True, "paid", "ZB-X32")
    then = await asyncio.to_thread(run, "benefit", "history", psn_no, "--known-at", "2024-07-15")
    assert "尚未到享受待遇之日" in then
    assert "按时缴费" not in then
    assert "按时缴费" in await asyncio.to_thread(run, "benefit", "history", psn_no)
    again = json.loads(await asyncio.to_thread(run, "benefit", "refresh", ZIBO, "--json"))
    assert (again["persons"], again["changed"]) == (1, 0)
    assert "没有该人员编号" in await asyncio.to_thread(run, "benefit", "show", "0", "--json", code=1)
    await asyncio.to_thread(run, "benefit", "refresh", "999999", "--json", code=1)
