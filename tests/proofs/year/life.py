"""Eighteen months day by day: what people, payers, offices and clerks do, and the own books that are kept of it."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from tests.proofs.year.agency import FIRST, OTHER_REGION, REGION, SECOND, THERE, Agency, noon
from tests.proofs.year.outside import NAMES, Outside
from tests.proofs.year.own_books import OwnBooks
from tests.proofs.year.population import DIVISION, Firm, Happening, Soul, World, month_of
from tests.proofs.year.visits import Office
from yibao.domains.contributions.queries import list_bills
from yibao.entrypoints.exchange.running import relay_once
from yibao.kernel.refusal import Refusal
from yibao.usecases.closing.close_month import CloseMonth, close_month
from yibao.usecases.contributions.assess_month import assess_month
from yibao.usecases.contributions.assess_residents import assess_residents
from yibao.usecases.contributions.collect_from_accounts import collect_from_accounts
from yibao.usecases.contributions.pay_back import PayBack, pay_back
from yibao.usecases.contributions.receive_subsidy import Subsidy, receive_subsidy
from yibao.usecases.contributions.refund_payment import RefundRequest, approve_refund, request_refund
from yibao.usecases.contributions.send_bills import send_bills
from yibao.usecases.enrolment.add_member import add_member
from yibao.usecases.enrolment.commands import (
    AddMember,
    EnrolFlexible,
    EnrolResident,
    RecordYears,
    RegisterEmployer,
    RemoveMember,
    RetireMember,
)
from yibao.usecases.enrolment.enrol_flexible import enrol_flexible
from yibao.usecases.enrolment.enrol_resident import enrol_resident
from yibao.usecases.enrolment.record_years import record_years
from yibao.usecases.enrolment.register_employer import register_employer
from yibao.usecases.enrolment.remove_member import remove_member
from yibao.usecases.enrolment.retire_member import retire_member
from yibao.usecases.payouts.check_payout_file import check_payout_file
from yibao.usecases.payouts.make_payout_file import make_payout_file
from yibao.usecases.personal_accounts.credit_interest import credit_interest
from yibao.usecases.personal_accounts.credit_month import credit_arrears, credit_month
from yibao.usecases.transfers.commands import TransferIn
from yibao.usecases.transfers.transfer_in import transfer_in

ASSESSED_ON, PAID_ON, LATE_ON, SUBSIDY_ON, CREDITED_ON, RESIDENTS_ON = 5, 12, 20, 24, 26, 8
SEASON = (9, 10, 11, 12)
DEEMED_MONTHS = 420
LATE_SHARE = 0.03
POOR_IDENTITY = "2303"


@dataclass
class Life:
    """The year as it is lived."""

    agency: Agency
    outside: Outside
    world: World
    rng: Random
    offices: list[Office]
    goods: list[dict[str, Any]]
    visits_per_day: float
    off: dict[str, tuple[date, date]] = field(default_factory=dict)
    """Which office is off from when to before when."""
    books: OwnBooks = field(default_factory=OwnBooks)
    wrong: Counter[str] = field(default_factory=Counter)
    done: Counter[str] = field(default_factory=Counter)
    waiting: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    """What people want of an office that is off; they come again when it opens."""
    leaving: list[tuple[date, Soul]] = field(default_factory=list)
    """Who has left for the other region, and when."""
    late: dict[date, list[str]] = field(default_factory=dict)

    # ── the days ──

    async def live(self, months: range) -> None:
        """Live through the months; each is closed on the third of the next."""
        for number in months:
            first, after = month_of(number), month_of(number + 1)
            todo = {h.on: [] for h in self.world.happenings if first <= h.on < after}
            for h in self.world.happenings:
                if first <= h.on < after:
                    todo[h.on].append(h)
            for day in days(first, after):
                await self._day(day, first, todo.get(day, []), is_first_month=number == months.start)
        # The last month is closed after its money has come.
        end = month_of(months.stop)
        for day in days(end, end + timedelta(days=3)):
            await self._begin(day)
            await self._round()
        await self._close(month_of(months.stop - 1))

    async def _begin(self, day: date) -> None:
        for name, (begin, until) in self.off.items():
            if day == begin:
                self.outside.stop(name)
            elif day == until:
                self.outside.start(name)
        self.agency.clock.turn(noon(day, 8))
        self.outside.advance(noon(day, 8))
        again, self.waiting = self.waiting, []
        for office, act, body in again:
            self._ask(office, act, body)

    def _ask(self, office: str, act: str, body: dict[str, Any]) -> Any:
        """Do something at an office, or come again when it is open."""
        if self.outside.is_up(office):
            return self.outside.act(office, act, body)
        self.waiting.append((office, act, body))
        return None

    async def _day(self, day: date, month: date, happenings: list[Happening], *, is_first_month: bool) -> None:
        await self._begin(day)
        await self._round()
        if day.day == 3 and not is_first_month:
            await self._close(previous(month))
        for happening in happenings:
            await getattr(self, f"_{happening.what}")(happening)
        await self._clerks(day, month)
        await self._visits(day)
        self.agency.clock.turn(noon(day, 23))
        self.outside.advance(noon(day, 23))
        await self._round()

    async def _round(self) -> None:
        addresses = {name: self.outside.address(name) for name in NAMES}
        rounds = await relay_once(
            self.agency.database, addresses=addresses, now=self.agency.clock.now(), ids=self.agency.ids,
            shelf=self.agency.shelf,
        )
        for told in rounds:
            self.done["sent"] += told.sent
            self.done["received"] += told.received
            self.done["exchange_cases"] += told.cases
            self.done["rounds_without_answer"] += bool(told.error)

    # ── the agency's own calendar ──

    async def _clerks(self, day: date, month: date) -> None:
        a = self.agency
        if day.day == ASSESSED_ON:
            await self._batch(assess_month, month=month)
            await send_bills(a.database, admdvs=REGION, now=a.clock.now(), ids=a.ids, actor=FIRST)
            await self._round()
        if day.day == RESIDENTS_ON and month.month in SEASON:
            await self._enrol_residents(day)
            await self._batch(assess_residents, year=month.year + 1)
            await send_bills(a.database, admdvs=REGION, now=a.clock.now(), ids=a.ids, actor=FIRST)
            await self._round()
        if day.day == PAID_ON:
            self._pay(day, month)
        if day.day == LATE_ON:
            await self._pay_late(day, previous(month))
        if day.day == SUBSIDY_ON:
            await self._state_pays(day)
            await self._transfers(day, month)
        if day.day == CREDITED_ON:
            await self._batch(credit_month, month=month)
            for run in await credit_arrears(a.database, admdvs=REGION, before=month, now=a.clock.now(), shelf=a.shelf):
                self.done["arrears_runs"] += 1
                self.done["arrears_credited"] += run.credited
            await collect_from_accounts(a.database, admdvs=REGION, now=a.clock.now())
            await self._pay_out()
        if day.month == 1 and day.day == 2:
            await self._batch(credit_interest, year=day.year - 1)

    async def _state_pays(self, day: date) -> None:
        """The treasury pays its bills: subsidies, and the dues of the poor."""
        a = self.agency
        async with a.database.transaction() as tx:
            bills = await list_bills(tx, admdvs=REGION, payer_no="treasury", state="sent")
        for bill in bills:
            told = Subsidy(bill_id=bill.bill_id, receipt_no=f"CZ{bill.bill_id}", received_on=day)
            if await a.do(receive_subsidy, told) is not None:
                self.books.subsidies[day.replace(day=1)] += bill.amount_fen
                self.done["subsidies"] += 1

    async def _transfers(self, day: date, month: date) -> None:
        """Who left in an earlier month enrols in the other region, which asks for years and account."""
        gone = [soul for left, soul in self.leaving if left < month]
        self.leaving = [(left, soul) for left, soul in self.leaving if left >= month]
        for soul in gone:
            begun = await self.agency.deed(enrol_flexible, EnrolFlexible(
                admdvs=OTHER_REGION, name=soul.name, certno=soul.certno, insured_on=month, wage_fen=500_000), actor=THERE)
            if begun is None:
                continue
            asked = TransferIn(psn_no=begun.psn_no, other_admdvs=REGION, other_name="淄博市医疗保险事业中心")
            if await self.agency.deed(transfer_in, asked, actor=THERE) is not None:
                self.done["transfers"] += 1
        await self._round()
        await self._round()

    async def _pay_out(self) -> None:
        """What is owed to people goes to the bank: one clerk makes the file, the other checks it."""
        a = self.agency
        async with a.database.transaction() as tx:
            file = await make_payout_file(tx, admdvs=REGION, actor=FIRST, now=a.clock.now(), ids=a.ids)
        if isinstance(file, Refusal):
            return
        async with a.database.transaction() as tx:
            await check_payout_file(tx, file_id=file.file_id, actor=SECOND, now=a.clock.now(), ids=a.ids)
        self.done["payout_files"] += 1
        await self._round()

    async def _batch(self, batch: Any, **what: Any) -> None:
        a = self.agency
        answer = await batch(a.database, admdvs=REGION, now=a.clock.now(), shelf=a.shelf, **what)
        if isinstance(answer, Refusal):
            a.refuse(batch.__name__, answer)
            self.wrong["batches_refused"] += 1
            return
        self.done[batch.__name__] += 1

    def _pay(self, day: date, month: date) -> None:
        """Payers pay what the tax bureau shows them: most in time, some firms a month later, one twice, one short."""
        firms = [f for f in self.world.firms if f.emp_no]
        late = [f.emp_no for f in firms if self.rng.random() < LATE_SHARE]
        self.late[month] = late
        bills = self._ask("tax", "bills", {"state": "open"}) or []
        regular = [b for b in bills if b["payer_no"] not in late]
        units = sorted(b["bill_id"] for b in regular if b["payer_kind"] == "unit")
        odd = dict(zip(units, ("double", "short"), strict=False))
        for bill in sorted(regular, key=lambda b: b["bill_id"]):
            if bill["pay_from"] and bill["pay_from"][:10] > day.isoformat():
                continue
            what = odd.get(bill["bill_id"], "")
            if what == "short":
                self._paid(day, bill, bill["amount_fen"] - 100)
                self._paid(day, bill, 100)
            else:
                self._paid(day, bill, bill["amount_fen"])
            if what == "double":
                self._paid(day, bill, bill["amount_fen"])

    def _paid(self, day: date, bill: dict[str, Any], amount: int) -> None:
        if amount <= 0:
            return
        told = self._ask("tax", "pay", {"bill_id": bill["bill_id"], "amount_fen": amount, "force": True,
                                                "payer_no": bill["payer_no"]})
        if told is None:
            self.wrong["payments_declined"] += 1
            return
        self.done["payments"] += 1
        self.books.paid(day, amount)

    async def _pay_late(self, day: date, month: date) -> None:
        a = self.agency
        for emp_no in self.late.get(month, ()):
            made = await a.deed(pay_back, PayBack(payer_no=emp_no, first=month, before=after(month), pay_on=day))
            if made is None:
                continue
            await self._round()
            bills = self._ask("tax", "bills", {"state": "open"}) or []
            for bill in bills:
                if bill["payer_no"] == emp_no:
                    self._paid(day, bill, bill["amount_fen"])
                    self.done["paid_late"] += 1
        await self._refund_double(month)

    async def _refund_double(self, month: date) -> None:
        """Give back what was paid twice; one clerk asks, the other approves."""
        rows = await self.agency.database.fetch(
            "select payment_id, amount_fen - allocated_fen - refunded_fen as over from contributions.payment "
            "where state = 'arrived' and amount_fen > allocated_fen + refunded_fen order by payment_id"
        )
        for row in rows:
            refund = RefundRequest(refund_id=f"R{row['payment_id']}", payment_id=row["payment_id"], amount_fen=row["over"],
                                   reason="重复缴费")
            if await self.agency.do(request_refund, refund, actor=FIRST) is not None:
                await self.agency.deed(approve_refund, refund.refund_id, actor=SECOND)
                self.books.refunded(self.agency.clock.now(), row["over"])

    async def _close(self, month: date) -> None:
        a = self.agency
        closed = await a.do(close_month, CloseMonth(admdvs=REGION, month=month), actor=SECOND)
        if closed is None:
            self.wrong["months_not_closed"] += 1
        else:
            self.done["closed"] += 1
            self.wrong["reports_differ"] += await self.books.differs(a.database, month)
        self.wrong["breaches"] += await a.verify()

    # ── what happens to people ──

    async def _open(self, happening: Happening) -> None:
        """The region begins: firms with their people, those who pay alone, those who are about to retire."""
        a = self.agency
        for firm in self.world.firms:
            made = await a.deed(register_employer, RegisterEmployer(
                admdvs=REGION, uscc=firm.uscc, name=firm.name, division=DIVISION, legal_name="张示例",
                legal_phone="13900000000", handler_name="李示例", handler_phone="13900000001", bank_name="示例银行",
                bank_account="6222000000000000"))
            assert made is not None, "the employers of the year must be registered"
            firm.emp_no = made.emp_no
        for soul in self.world.souls:
            if soul.kind == "employed":
                await self._join(soul, self.world.firms[soul.employer or 0], happening.on)
            elif soul.kind == "retired":
                await self._join(soul, self.world.firms[soul.number % len(self.world.firms)], happening.on)
                await self._retire_one(soul, happening.on)
            elif soul.kind == "flexible":
                begun = await a.deed(enrol_flexible, EnrolFlexible(
                    admdvs=REGION, name=soul.name, certno=soul.certno, insured_on=happening.on, wage_fen=soul.wage_fen,
                    division=DIVISION))
                soul.psn_no = begun.psn_no if begun else ""

    async def _join(self, soul: Soul, firm: Firm, day: date) -> None:
        if soul.kind == "retired":
            soul.wage_fen = soul.wage_fen or 500_000
        begun = await self.agency.deed(add_member, AddMember(
            emp_no=firm.emp_no, name=soul.name, certno=soul.certno, insured_on=day, wage_fen=soul.wage_fen or 450_000))
        if begun is not None and getattr(begun, "psn_no", ""):
            soul.psn_no, soul.employer = begun.psn_no, firm.number

    async def _retire_one(self, soul: Soul, day: date) -> None:
        if not soul.psn_no:
            return
        await self.agency.deed(record_years, RecordYears(psn_no=soul.psn_no, kind="deemed", months=DEEMED_MONTHS,
                                                         evidence="职工档案"))
        if await self.agency.deed(retire_member, RetireMember(psn_no=soul.psn_no, approved_on=day)) is not None:
            soul.kind = "retired"
            self.done["retired"] += 1

    async def _enrol_residents(self, day: date) -> None:
        poor = []
        for soul in self.world.souls:
            if soul.kind in ("adult", "child", "poor") and not soul.psn_no and soul.died_on is None and soul.gone_on is None:
                begun = await self.agency.deed(enrol_resident, EnrolResident(
                    admdvs=REGION, name=soul.name, certno=soul.certno, division=DIVISION))
                soul.psn_no = begun.psn_no if begun is not None and getattr(begun, "psn_no", "") else ""
                self.done["residents"] += 1
            if soul.kind == "poor" and soul.psn_no and soul.died_on is None:
                poor.append({"certno": soul.certno, "name": soul.name})
        self._ask("civil", "list", {"identity_type": POOR_IDENTITY, "valid_from": day.isoformat(), "rows": poor,
                                           "admdvs": REGION})
        self.outside.advance(self.agency.clock.now())
        await self._round()

    def _living(self, happening: Happening, *kinds: str) -> Soul | None:
        """Return the person it happens to, or the next one of these kinds to whom it can."""
        n = len(self.world.souls)
        for step in range(n):
            soul = self.world.souls[(happening.who + step) % n]
            if soul.kind in kinds and soul.psn_no and soul.died_on is None and soul.gone_on is None:
                return soul
        return None

    async def _hire(self, happening: Happening) -> None:
        soul = self._living(happening, "left", "adult")
        if soul is not None and soul.age_on(happening.on) in range(18, 60):
            soul.wage_fen = soul.wage_fen or 600_000
            soul.kind = "employed"
            await self._join(soul, self.world.firms[happening.where], happening.on)

    async def _leave(self, happening: Happening) -> None:
        soul = self._living(happening, "employed")
        if soul is None or soul.employer is None:
            return
        firm = self.world.firms[soul.employer]
        if await self.agency.deed(remove_member, RemoveMember(
                emp_no=firm.emp_no, psn_no=soul.psn_no, left_on=happening.on, cause="resigned")) is not None:
            soul.kind, soul.employer = "left", None

    async def _retire(self, happening: Happening) -> None:
        soul = self._living(happening, "employed")
        if soul is not None and soul.age_on(happening.on) >= 50:
            await self._retire_one(soul, happening.on)

    async def _die(self, happening: Happening) -> None:
        soul = self._living(happening, "employed", "flexible", "retired", "adult", "child", "poor", "left")
        if soul is not None:
            soul.died_on = happening.on
            self._ask("police", "death", {"certno": soul.certno, "name": soul.name, "died_on": happening.on.isoformat(),
                                                 "admdvs": REGION})
            self.done["deaths"] += 1

    async def _birth(self, happening: Happening) -> None:
        mother = next((s for s in self.world.souls[happening.who:] if not s.is_male and s.psn_no and s.died_on is None
                       and s.age_on(happening.on) in range(20, 45)), None)
        if mother is not None:
            self._ask("health", "birth", {
                "birth_id": f"BC{happening.on:%Y%m%d}{happening.who:05d}", "mother_certno": mother.certno,
                "name": f"{mother.name[0]}新生", "sex": "1",
                "born_on": happening.on.isoformat(), "admdvs": REGION})
            self.done["births"] += 1

    async def _move_out(self, happening: Happening) -> None:
        soul = self._living(happening, "employed", "flexible")
        if soul is None:
            return
        emp_no = self.world.firms[soul.employer].emp_no if soul.employer is not None else ""
        if await self.agency.deed(remove_member, RemoveMember(
                emp_no=emp_no, psn_no=soul.psn_no, left_on=happening.on, cause="resigned")) is not None:
            soul.gone_on = happening.on
            self.leaving.append((happening.on, soul))

    # ── visits ──

    async def _visits(self, day: date) -> None:
        whole = int(self.visits_per_day)
        for number in range(whole + (self.rng.random() < self.visits_per_day - whole)):
            soul = self.world.souls[self.rng.randrange(len(self.world.souls))]
            if not soul.psn_no or soul.died_on is not None:
                continue
            office = self.offices[self.rng.randrange(len(self.offices))]
            patient = {"psn_no": soul.psn_no, "certno": soul.certno, "insuplc_admdvs": REGION,
                       "insutype": "390" if soul.kind in ("adult", "child", "poor") else "310"}
            lines = [{**self.rng.choice(self.goods)} for _ in range(self.rng.randrange(1, 5))]
            visit = {"med_type": "11", "diag_code": "J06.900", "diag_name": "急性上呼吸道感染", "lines": lines}
            found = await office.visit(patient, visit, at=noon(day, 9) + timedelta(minutes=number))
            if isinstance(found, str):
                self.done["visits_refused"] += 1
                self.books.refusals[found.split(" [")[0][:60]] += 1
            else:
                self.done["visits"] += 1
                self.books.settled(day, patient["insutype"], soul.psn_no, found)


def days(first: date, after: date) -> Iterator[date]:
    """Yield the days of a half-open period."""
    return (first + timedelta(days=n) for n in range((after - first).days))


def previous(month: date) -> date:
    """Return the month before."""
    return (month - timedelta(days=1)).replace(day=1)


def after(month: date) -> date:
    """Return the month after."""
    return (month + timedelta(days=31)).replace(day=1)


def good(code: str, price: Decimal, *, local: str) -> dict[str, Any]:
    """Return a line of one piece of something."""
    return {"med_list_codg": code, "medins_list_codg": local, "pric": float(price), "cnt": 1,
            "det_item_fee_sumamt": float(price)}


def digest(facts: bytes) -> str:
    """Return the SHA-256 of business facts."""
    return hashlib.sha256(facts).hexdigest()
