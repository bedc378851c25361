"""Through all offices by the real handlers: dues to the tax bureau and back, and what the others tell of people."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import date
from typing import Any

import pytest

from tests.spec.exchange.conftest import Exchange
from tests.support.offices import Office as Outside
from tests.support.registry import Office as Registry
from tests.support.registry import at, card, credit_code
from yibao.infra.database import Database
from yibao.ledger.queries import balance_of
from yibao.usecases.contributions.assess_month import assess_month
from yibao.usecases.contributions.send_bills import send_bills
from yibao.usecases.enrolment.add_member import add_member
from yibao.usecases.enrolment.commands import AddMember, EnrolResident, RegisterEmployer
from yibao.usecases.enrolment.enrol_resident import enrol_resident
from yibao.usecases.enrolment.register_employer import register_employer
from yibao.usecases.exchange.ask_identity import ask_identity
from yibao.usecases.exchange.held import held_state
from yibao.usecases.settlement.shelf import PolicyShelf

REGION, MONTH = "370300", date(2024, 7, 1)
ADULT, MOTHER = card("1985-03-05", 1), card("1996-05-06", 2)
REGIONS = "insert into platform.region (admdvs, name) values ('370300', '淄博市'), ('441300', '惠州市')"


class Region(Exchange):
    """A region with an employer of two, in July 2024, and its offices outside."""

    def __init__(self, base: Database, shelf: PolicyShelf, *offices: Outside) -> None:
        super().__init__(base, shelf, *offices)
        self.registry = Registry(base, shelf)
        self.registry.now = at("2024-07-02")

    async def found(self) -> None:
        """Enrol the employer and its people."""
        await self.base.fetch(REGIONS)
        firm = await self.registry.do(register_employer, RegisterEmployer(admdvs=REGION, uscc=credit_code(1), name="示例公司"))
        self.emp_no = firm.emp_no
        for name, certno in (("张示例", ADULT), ("李示例", MOTHER)):
            done = await self.registry.do(add_member, AddMember(
                emp_no=firm.emp_no, name=name, certno=certno, insured_on=MONTH, wage_fen=800_000))
            assert done.psn_no, done

    async def bill(self) -> str:
        """Assess July and send the bill; return its number."""
        now = at("2024-07-03")
        await assess_month(self.base, admdvs=REGION, month=MONTH, now=now, shelf=self.shelf)
        sent = await send_bills(
            self.base, admdvs=REGION, now=now, ids=self.registry.ids, actor=self.registry.actor
        )
        assert sent.bills == 1
        row = await self.base.fetch("select bill_id from contributions.bill where payer_kind = 'unit'")
        return str(row[0][0])

    async def states(self) -> set[str]:
        return {r[0] for r in await self.base.fetch("select state from contributions.due where insutype = '310'")}

    async def psn_no(self, certno: str) -> str:
        return str((await self.base.fetch("select psn_no from people.person where certno = $1", certno))[0][0])


@pytest.fixture
async def region(
    base: Database, shelf: PolicyShelf, office_of: Callable[[str], Outside]
) -> AsyncIterator[Callable[..., Any]]:
    """Return a function that founds a region with some offices, their clocks on 3 July 2024."""
    async def found(*names: str) -> Region:
        offices = [office_of(name) for name in names]
        for office in offices:
            office.advance("2024-07-03T10:00")
        made = Region(base, shelf, *offices)
        await made.found()
        return made

    return found


@pytest.fixture(params=["owner", "agency"])
async def carrier(request: pytest.FixtureRequest, base: Database, fresh_database_url: str) -> AsyncIterator[Database]:
    """Carry as the owner of the tables (a command) and in the role of the agency (the worker), which owns nothing."""
    if request.param == "owner":
        yield base
        return
    database = await Database.open(fresh_database_url, role="yibao_agency", size=3)
    yield database
    await database.close()


async def test_dues_go_to_the_tax_bureau_and_come_back_as_money(region: Any, carrier: Database) -> None:
    here = await region("tax")
    here.carrier = carrier
    tax = here.offices[0]
    bill_id = await here.bill()
    assert await here.states() == {"sent"}
    await here.round(at("2024-07-03", 11))
    (bill,) = tax.act("bills")
    assert (bill["bill_id"], bill["payer_no"], bill["state"]) == (bill_id, here.emp_no, "open")
    tax.act("pay", bill_id=bill_id)
    await here.round(at("2024-07-03", 12))
    assert await here.states() == {"paid"}
    tax.advance("2024-07-05T00:00")
    await here.round(at("2024-07-05", 0))
    assert await here.states() == {"arrived"}
    async with here.base.connection() as tx:
        assert await balance_of(tx, f"bank:{REGION}") == -bill["amount_fen"]
    assert await here.codes() == []
    assert await here.breaches() == []
    statements = await here.base.fetch("select outcome from exchange.inbox where kind = 'statement'")
    assert [r[0] for r in statements] == ["done", "done"], "of the 3rd and the 4th"
    assert await here.base.fetch("select says from contributions.work_case where state = 'open'") == []


async def test_dues_wait_while_the_tax_bureau_is_away_and_go_on_in_order_after(region: Any) -> None:
    here = await region("tax")
    tax = here.offices[0]
    tax.stop()
    bill_id = await here.bill()
    assert (await here.round(at("2024-07-03", 11)))["tax"].error
    async with here.base.connection() as tx:
        held = await held_state(tx, party="tax", kind="bill", key=bill_id)
    assert held.state == "queued"
    assert "等待送达税务，税务自2024-07-03 11:00:00起未应答" in held.sentence
    assert await here.states() == {"sent"}
    tax.start()
    await here.round(at("2024-07-10", 9))
    tax.advance("2024-07-10T10:00")
    tax.act("pay", bill_id=bill_id)
    tax.advance("2024-07-11T12:00")
    await here.round(at("2024-07-11", 12))
    assert await here.states() == {"arrived"}
    assert await here.codes() == []


async def test_a_tax_bureau_that_answers_wrongly_loses_and_doubles_no_fen(region: Any) -> None:
    here = await region("tax")
    tax = here.offices[0]
    bill_id = await here.bill()
    await here.round(at("2024-07-03", 11))
    amount = tax.act("bills")[0]["amount_fen"]
    tax.mode("wrong")
    tax.act("pay", bill_id=bill_id)
    for day in range(4, 10):
        tax.advance(f"2024-07-{day:02d}T23:00")
        await here.round(at(f"2024-07-{day:02d}", 23))
    tax.mode("normal")
    await here.round(at("2024-07-10", 9))
    assert await here.states() == {"arrived"}
    booked = await here.base.fetch("select payment_id, amount_fen, allocated_fen from contributions.payment")
    true = [tuple(r)[1:] for r in booked if not r[0].startswith("X")]
    assert true == [(amount, amount)]
    assert await here.breaches() == []


async def test_pos_is_collected_by_the_bank(region: Any) -> None:
    """The law of who may use POS is the tax channel's; what the bank has taken is money of the bill all the same."""
    here = await region("tax", "bank")
    tax, bank = here.offices
    bill_id = await here.bill()
    await here.round(at("2024-07-03", 11))
    amount = tax.act("bills")[0]["amount_fen"]
    bank.act("collect", bill_id=bill_id, admdvs=REGION, amount_fen=amount, payer_no=here.emp_no)
    await here.round(at("2024-07-03", 12))
    assert await here.states() == {"paid"}
    bank.advance("2024-07-04T12:00")
    await here.round(at("2024-07-04", 12))
    assert await here.states() == {"arrived"}


async def test_what_the_others_tell_of_people(region: Any, carrier: Database) -> None:
    here = await region("hr", "civil", "health", "police")
    here.carrier = carrier
    hr, civil, health, police = here.offices
    enrolled = await here.registry.do(enrol_resident, EnrolResident(
        admdvs=REGION, name="王示例", certno=card("1950-01-01", 3), insured_on=date(2024, 7, 2)))
    resident = await here.psn_no(card("1950-01-01", 3))
    assert enrolled.psn_no == resident
    civil.act("list", admdvs=REGION, identity_type="2303", valid_from="2024-07-01", rows=[
        {"certno": card("1950-01-01", 3), "name": "王示例", "valid_to": None}])
    health.act("birth", admdvs=REGION, mother_certno=MOTHER, name="李小", sex="1", born_on="2024-07-01")
    police.act("death", admdvs=REGION, certno=ADULT, died_on="2024-07-02")
    hr.act("hall", admdvs=REGION, state="closed", says="系统升级")
    hr.act("injure", admdvs=REGION, certno=MOTHER, accident_on="2024-07-01", recognised_on="2024-07-02")
    hr.act("retire", admdvs=REGION, certno=MOTHER, approved_on="2024-07-02")
    health.act("maternity", admdvs=REGION, certno=MOTHER, registered_on="2024-07-02")
    await here.round(at("2024-07-03", 12))
    assert sorted(await here.codes()) == ["MATERNITY_TOLD", "RETIRE_YEARS_SHORT", "WORK_INJURY_TOLD"]
    identities = await here.base.fetch("select psn_no, identity_type from enrolment.special_identity")
    assert [tuple(r) for r in identities] == [(resident, "2303")]
    child = await here.base.fetch("select certno, cert_type, birth_on from people.person where name = '李小'")
    assert [(r["cert_type"], r["birth_on"]) for r in child] == [("990201", date(2024, 7, 1))]
    dead = await here.base.fetch("select died_on from people.person where certno = $1", ADULT)
    assert dead[0][0] == date(2024, 7, 2)
    halls = await here.base.fetch("select hall_state, hall_says from exchange.channel where party = 'hr'")
    assert tuple(halls[0]) == ("closed", "系统升级")
    assert await here.breaches() == []


async def test_a_birth_under_somebody_elses_number_enrols_nobody_and_is_a_case(region: Any) -> None:
    """The number stands for another child: a doubt for the registry, a case for whoever works the exchange."""
    here = await region("health")
    (health,) = here.offices
    child = {"admdvs": REGION, "mother_certno": MOTHER, "sex": "1", "born_on": "2024-07-01", "certno": card("2024-07-01", 5)}
    health.act("birth", name="李大", **child)
    health.act("birth", name="李小", **child)
    await here.round(at("2024-07-03", 12))
    codes = await here.codes()
    stand = await here.base.fetch("select name from people.person where certno = $1", child["certno"])
    assert [r["name"] for r in stand] == ["李大"]
    doubts = await here.base.fetch("select name, state, origin from people.doubt")
    assert ([tuple(d) for d in doubts], codes) == ([("李小", "open", "enrol_newborn")], ["CERTIFICATE_OF_ANOTHER"])
    assert await here.breaches() == []


async def test_the_police_are_asked_once_a_day_and_what_differs_is_a_case(region: Any) -> None:
    here = await region("police")
    police = here.offices[0]
    police.act("register", certno=ADULT, name="张示例")
    police.act("register", certno=MOTHER, name="另一人")
    clerk, ids = here.registry.actor, here.registry.ids

    async def ask(psn_no: str) -> Any:
        return await here.do(lambda tx: ask_identity(tx, psn_no=psn_no, actor=clerk, now=at("2024-07-03", 11), ids=ids))

    for certno in (ADULT, MOTHER):
        assert (await ask(await here.psn_no(certno))).is_new
    assert not (await ask(await here.psn_no(ADULT))).is_new
    unknown = await ask("0" * 16)
    assert unknown.code == "PERSON_NOT_FOUND"
    await here.round(at("2024-07-03", 12))
    assert police.get("/state")["taken"] == 2
    await here.round(at("2024-07-03", 13))
    assert await here.codes() == ["IDENTITY_NAME_DIFFERS"]


async def test_the_bank_tells_how_it_reaches_an_account(region: Any) -> None:
    here = await region("bank")
    bank = here.offices[0]
    bank.act("tell_card", certno=ADULT, admdvs=REGION, card_no="A1", has_finance=False)
    bank.act("tell_card", certno="370303190001010001", admdvs=REGION, card_no="A2")
    bank.act("tell_card", certno=MOTHER, admdvs=REGION, kind="bank", bank_name="行", bank_account="6222")
    await here.round(at("2024-07-03", 12))
    assert await here.codes() == ["PERSON_NOT_FOUND"]
    rows = await here.base.fetch("select kind, card_no, has_finance, bank_account from personal_accounts.channel order by kind")
    assert [tuple(r) for r in rows] == [("bank", "", True, "6222"), ("card", "A1", False, "")]
