"""What plans promise about dues is kept: no surcharge, no gap in benefits; the same payments without a plan cost something."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime
from typing import Any

import pytest

from tests.spec.policy.cities import HUIZHOU, ZIBO, city_policy
from tests.support.registry import Office, at, card, credit_code
from tests.support.window_city import plan_text
from yibao.infra.database import Database
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import SHANGHAI
from yibao.usecases.contributions.assess_month import assess_month
from yibao.usecases.contributions.receive_payment import Payment, Received, receive_payment
from yibao.usecases.deadlines.in_transit import NoteTransit, RefuteTransit, note_transit, refute_transit
from yibao.usecases.deadlines.move_deadlines import MovedAll, move_deadlines
from yibao.usecases.enrolment.add_member import add_member
from yibao.usecases.enrolment.commands import AddMember, RegisterEmployer
from yibao.usecases.enrolment.register_employer import register_employer
from yibao.usecases.entitlement.benefit_on import Benefit, benefit_on
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.verification.deadlines_checks import DEADLINES_CHECKS
from yibao.usecases.verification.entitlement_checks import ENTITLEMENT_CHECKS
from yibao.usecases.windows.propose_plan import ProposePlan, propose_plan, withdraw_plan
from yibao.usecases.windows.publish_plan import PublishPlan, publish_plan

SHELF = PolicyShelf({code: city_policy(code) for code in (ZIBO, HUIZHOU)})
SECOND = Actor(login="李复核", channel="cli", regions=(ZIBO, HUIZHOU), roles=("approve",))
OCTOBER = date(2024, 10, 1)


@pytest.fixture
async def office(fresh_database_url: str) -> AsyncIterator[Office]:
    """Open an office on an empty database."""
    database = await Database.open(fresh_database_url, role=None, size=2)
    yield Office(database, SHELF)
    await database.close()


def zibo() -> str:
    """Return the plan of Zibo in 2024: stop 10 October 00:00, restart 19 October 00:00, arrears until 19 November."""
    return plan_text("zibo-2021", year=2024).replace("2021年", "2024年")


async def published(office: Office, text: str, admdvs: str = ZIBO) -> int:
    """Propose and publish a plan by two people; return its version."""
    reason = "" if not await office.rows("select 1 from windows.plan") else "修订"

    async def propose(tx: Any, command: Any, *, actor: Actor, now: datetime, ids: Any, shelf: Any) -> Any:
        return await propose_plan(tx, command, actor=actor, now=now, ids=ids)

    async def publish(tx: Any, command: Any, *, actor: Actor, now: datetime, ids: Any, shelf: Any) -> Any:
        return await publish_plan(tx, command, actor=actor, now=now, ids=ids)

    proposed = await office.done(propose, ProposePlan(admdvs=admdvs, text=text, reason=reason))
    await office.done(publish, PublishPlan(admdvs=admdvs, name=proposed.name, version=proposed.version), actor=SECOND)
    return int(proposed.version)


async def moved(office: Office, admdvs: str = ZIBO) -> MovedAll:
    """Run the batch at the office's time."""
    return await move_deadlines(
        office.database, admdvs=admdvs, now=office.now, ids=office.ids, actor=office.actor, shelf=SHELF, chunk=2)


async def employer_of_one(office: Office, number: int, admdvs: str = ZIBO) -> tuple[str, str]:
    """Register an employer with one worker since 8 July 2024."""
    division = "370303" if admdvs == ZIBO else "441302"
    office.now = at("2024-07-08")
    employer = await office.done(register_employer, RegisterEmployer(
        admdvs=admdvs, uscc=credit_code(number), name=f"某某机械{number}", division=division, legal_name="张三",
        handler_name="李四", handler_phone="13800000000", enrolled_on=date(2024, 7, 1)))
    begun = await office.done(add_member, AddMember(
        emp_no=employer.emp_no, name="王五", certno=card("1985-03-03", number), insured_on=date(2024, 7, 8), wage_fen=600_000))
    return employer.emp_no, begun.psn_no


async def assessed(office: Office, month: date, admdvs: str = ZIBO, *, on: str = "") -> None:
    """Assess a month on its fifth day, or on a day that is said."""
    office.now = at(on or f"{month:%Y-%m}-05")
    await assess_month(office.database, admdvs=admdvs, month=month, now=office.now, shelf=SHELF)


async def paid(office: Office, emp_no: str, month: date, day: str, admdvs: str = ZIBO) -> Received:
    """Let an employer pay a month's bill on a day; told on the office's day, or that day where it is later."""
    bill = (await office.rows("select bill_id, amount_fen from contributions.bill where payer_no = $1 and month = $2"
                              " and kind = 'regular'", emp_no, month))[0]
    office.now = max(office.now, at(day))
    done: Received = await office.done(receive_payment, Payment(
        payment_id=f"P{emp_no}{month:%Y%m}", bill_id=bill[0], amount_fen=bill[1], channel="tax_hall", paid_at=at(day),
        payer_no=emp_no, admdvs=admdvs))
    return done


async def until_september(office: Office, emp_no: str, admdvs: str = ZIBO) -> None:
    """Assess and pay July to September in time."""
    for month in (date(2024, 7, 1), date(2024, 8, 1), date(2024, 9, 1)):
        if not await office.rows("select 1 from contributions.run where month = $1 and admdvs = $2", month, admdvs):
            await assessed(office, month, admdvs)
        await paid(office, emp_no, month, f"{month:%Y-%m}-12", admdvs)


async def status(office: Office, psn_no: str, day: str, *, known_at: str = "") -> tuple[bool, str]:
    """Return whether benefits are due on a day and the reason code."""
    async with office.database.transaction() as tx:
        found = await benefit_on(
            tx, psn_no, insutype="310", on=date.fromisoformat(day), now=office.now, shelf=SHELF,
            known_at=datetime.fromisoformat(known_at).replace(tzinfo=SHANGHAI) if known_at else None)
    assert isinstance(found, Benefit), found
    return found.is_due, found.reason


async def clean(office: Office) -> None:
    """Hold the invariants."""
    async with office.database.transaction() as tx:
        for check in (*DEADLINES_CHECKS, *ENTITLEMENT_CHECKS):
            assert await tx.fetch(check.sql) == [], check.says


async def owed(office: Office, emp_no: str) -> int:
    """Return what an employer owes for October, fen: one worker, one due."""
    return int(await office.value(
        "select total_fen from contributions.due where payer_no = $1 and month = $2 and kind = 'regular'", emp_no, OCTOBER))


async def surcharge(office: Office, emp_no: str) -> int:
    """Return the surcharge billed to an employer, fen."""
    return int(await office.value(
        "select coalesce(sum(amount_fen), 0)::bigint from contributions.bill where payer_no = $1 and kind = 'surcharge'", emp_no))


async def test_a_month_of_the_window_paid_late_costs_no_surcharge(office: Office) -> None:
    first, _ = await employer_of_one(office, 1)
    second, _ = await employer_of_one(office, 2)
    for emp_no in (first, second):
        await until_september(office, emp_no)
    office.now = at("2024-09-29")
    await published(office, zibo())
    await assessed(office, OCTOBER)
    # October was payable until the 25th. The window took nine days: 3 November; its plan lets it be paid until 19 November.
    assert (await moved(office)).bills == 2
    due = await office.rows("select distinct due_on from contributions.bill where month = $1 and kind = 'regular'", OCTOBER)
    assert due == [(date(2024, 11, 19),)]
    steps = await office.rows(
        "select was_on, due_on, rule from deadlines.move where object_kind = 'bill' order by object_id, due_on")
    assert steps[:2] == [(date(2024, 10, 25), date(2024, 11, 3), "ZB-R06"), (date(2024, 11, 3), date(2024, 11, 19), "ZB-R07")]
    again = await moved(office)
    assert (again.bills, again.transfers, again.applications) == (0, 0, 0)

    assert "LATE_SURCHARGE" not in (await paid(office, first, OCTOBER, "2024-11-19")).cases
    assert await surcharge(office, first) == 0
    # Six days after the plan's day: 0.05 % a day on each due, from the 19th of November on.
    await paid(office, second, OCTOBER, "2024-11-25")
    total = await owed(office, second)
    assert await surcharge(office, second) == (total * 6 * 5 + 5_000) // 10_000
    await clean(office)


async def test_without_a_plan_the_same_payment_is_late(office: Office) -> None:
    emp_no, _ = await employer_of_one(office, 1)
    await until_september(office, emp_no)
    await assessed(office, OCTOBER)
    assert (await moved(office)) == MovedAll(ZIBO, 0, 0, 0, 0, 0, 0)
    await paid(office, emp_no, OCTOBER, "2024-11-19")
    total = await owed(office, emp_no)
    assert await surcharge(office, emp_no) == (total * 25 * 5 + 5_000) // 10_000, "25 October to 19 November are 25 days"


async def test_an_amendment_moves_again_from_the_laws_day_and_a_withdrawal_moves_back(office: Office) -> None:
    emp_no, _ = await employer_of_one(office, 1)
    await until_september(office, emp_no)
    # Nothing of the plan has begun, so it may still be withdrawn: its last call is of 29 September.
    await assessed(office, OCTOBER, on="2024-09-28")
    await published(office, zibo())
    await moved(office)
    # The restart is two days later: 11 days lost, 5 November; arrears until 21 November.
    version = await published(office, zibo().replace("2024-10-18 24:00", "2024-10-20 24:00").replace(
        "10月18日（星期一）24:00", "10月20日24:00").replace("10月18日24:00", "10月20日24:00"))
    assert (await moved(office)).bills == 1
    bill = await office.value("select due_on from contributions.bill where month = $1", OCTOBER)
    assert bill == date(2024, 11, 21)
    held = await office.rows("select version, count(*) from deadlines.term where ended_at is null group by version")
    assert [v for v, _ in held] == [version]

    async def withdraw(tx: Any, number: int, *, actor: Actor, now: datetime, ids: Any, shelf: Any) -> Any:
        return await withdraw_plan(tx, ZIBO, "zibo-2021", number, why="推迟切换", actor=actor, now=now, ids=ids)

    await office.done(withdraw, version, actor=SECOND)
    assert (await moved(office)).bills == 1
    assert await office.value("select due_on from contributions.bill where month = $1", OCTOBER) == date(2024, 11, 19)
    await office.done(withdraw, version - 1, actor=SECOND)
    await moved(office)
    assert await office.value("select due_on from contributions.bill where month = $1", OCTOBER) == date(2024, 10, 25)
    assert await office.rows("select 1 from deadlines.term where ended_at is null") == []


def huizhou(*, benefits_go_on: bool, presumed: bool = True) -> str:
    """Return the plan of Huizhou in 2025; its waiver with benefits that go on, or with dues in transit as in the notice."""
    text = plan_text("huizhou-2021", year=2025).replace('"2021-01"', '"2025-01"').replace("2021年", "2025年")
    head, rule = text.split('id = "HZ-R17"')
    if benefits_go_on:
        rule = rule.replace('when.cause = ["contribution_in_transit"]\n', "", 1)
    if not presumed:
        rule = rule.replace("terms.until", "terms.presumed = false\nterms.until", 1)
    return head + 'id = "HZ-R17"' + rule


async def to_january(office: Office, number: int = 1) -> tuple[str, str]:
    """Return an employer and its worker in Huizhou, paid to December; January is assessed and not paid."""
    emp_no, psn_no = await employer_of_one(office, number, HUIZHOU)
    for n in range(7, 13):
        month = date(2024, n, 1)
        await assessed(office, month, HUIZHOU)
        await paid(office, emp_no, month, f"{month:%Y-%m}-12", HUIZHOU)
    await assessed(office, date(2025, 1, 1), HUIZHOU)
    return emp_no, psn_no


async def test_benefits_go_on_for_a_month_of_the_window_that_is_not_paid(office: Office) -> None:
    emp_no, psn_no = await to_january(office)
    # By law (HZ-X34) arrears keep nothing: February would be unpaid.
    assert await status(office, psn_no, "2025-02-10") == (False, "unpaid")
    office.now = at("2025-01-20")
    await published(office, huizhou(benefits_go_on=True), HUIZHOU)
    office.now = at("2025-02-03")
    assert (await moved(office, HUIZHOU)).persons >= 1
    assert await status(office, psn_no, "2025-02-10") == (True, "window_waived")
    assert await status(office, psn_no, "2025-02-10", known_at="2025-01-19 12:00") == (False, "unpaid")
    assert await status(office, psn_no, "2025-03-01") == (False, "unpaid")
    await clean(office)
    # Paid on the last day of the plan: February was paid in time.
    await paid(office, emp_no, date(2025, 1, 1), "2025-02-28", HUIZHOU)
    assert await status(office, psn_no, "2025-02-10") == (True, "paid")
    assert await surcharge(office, emp_no) == 0
    await clean(office)


async def test_dues_in_transit_by_receipt_are_refuted_or_lapse(office: Office) -> None:
    _emp_no, psn_no = await to_january(office)
    january = date(2025, 1, 1)
    note = NoteTransit(psn_no=psn_no, insutype="310", month=january, paid_on=date(2025, 1, 28), source="receipt",
                       reference="税票0128")
    office.now = at("2025-02-03")
    assert await office.refused(note_transit, note) == ["NO_TRANSIT_RULE"]
    await published(office, huizhou(benefits_go_on=False, presumed=False), HUIZHOU)
    office.now = at("2025-02-04")
    assert (await moved(office, HUIZHOU)).in_transit == 0, "this plan takes nobody's word but the tax bureau's"
    assert await status(office, psn_no, "2025-02-10") == (False, "unpaid")
    for changes, code in (({"source": "plan"}, "RECEIPT_MISSING"), ({"reference": " "}, "RECEIPT_MISSING"),
                          ({"paid_on": date(2025, 2, 5)}, "PAID_LATER"), ({"month": date(2024, 12, 1)}, "DUE_PAID"),
                          ({"month": date(2024, 5, 1)}, "DUE_NOT_FOUND")):
        wrong = NoteTransit(**{**{f: getattr(note, f) for f in note.__struct_fields__}, **changes})
        assert await office.refused(note_transit, wrong) == [code], changes
    await office.done(note_transit, note)
    assert await status(office, psn_no, "2025-02-10") == (False, "contribution_in_transit")
    assert await office.value("select count(*) from notices.message where psn_no = $1", psn_no) == 1

    # The tax bureau says no: unpaid again, and told.
    refute = RefuteTransit(psn_no=psn_no, insutype="310", month=january, reason="税务查无此笔")
    await office.done(refute_transit, refute)
    assert await status(office, psn_no, "2025-02-10") == (False, "unpaid")
    assert await office.refused(refute_transit, refute) == ["TRANSIT_NOT_FOUND"]
    # Noted anew, and nothing comes until the plan's day.
    await office.done(note_transit, note)
    assert await status(office, psn_no, "2025-02-10") == (False, "contribution_in_transit")
    office.now = at("2025-07-01")
    assert (await moved(office, HUIZHOU)).lapsed == 1
    assert await status(office, psn_no, "2025-02-10") == (False, "unpaid")
    assert await office.value("select state from deadlines.transit where psn_no = $1", psn_no) == "lapsed"
    await clean(office)
