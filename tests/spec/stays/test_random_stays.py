"""Stays in random order: parts, returns, undoing and settling anew, each reply equal to the plain twin to the fen.

The twin reckons each settlement; which lines are open, which number a stay has and what its parts have borne is kept here
in plain lists. Returns are of whole lines, or of part of a line that has no first-pay: so what is left of a line splits
as a line of that amount.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import asyncpg
import pytest

from tests.support.till import Refused
from tests.support.ward import Stay, Ward
from tests.twin.settlement_twin import Twin, TwinLine, TwinPerson, TwinSettlement
from tests.twin.visit_facts import Circumstances
from yibao.kernel.business_time import SHANGHAI
from yibao.usecases.verification.verify_books import verify_books

SEED, PEOPLE, STEPS = 20260714, 6, 45
OPENING = Decimal("300.00")
ITEMS = {"RND-A": ("01", Decimal(0)), "RND-B": ("02", Decimal("0.1")), "RND-C": ("03", None)}
HEAD = ("medfee_sumamt", "fulamt_ownpay_amt", "preselfpay_amt", "inscp_scp_amt", "act_pay_dedc", "hifp_pay", "hifob_pay",
        "hifmi_pay", "fund_pay_sumamt", "acct_pay", "psn_cash_pay", "balc")


@dataclass
class Line:
    """A charged line and what is left of it; ``part`` is the settlement that covers it."""

    sn: str
    code: str
    price: Decimal
    left: int
    part: TwinSettlement | None = None

    def charge(self, count: int, **more: Any) -> dict[str, Any]:
        amount = (self.price * count).quantize(Decimal("0.01"))
        return {"med_list_codg": self.code, "medins_list_codg": self.code, "pric": float(self.price), "cnt": count,
                "det_item_fee_sumamt": float(amount), **more}


@dataclass
class Bed:
    """A stay as the book knows it."""

    wire: Stay
    begin: datetime
    ended: datetime | None = None
    lines: list[Line] = field(default_factory=list)
    parts: list[tuple[str, TwinSettlement, int, bool]] = field(default_factory=list)  # setl_id, settlement, number, interim

    @property
    def open_lines(self) -> list[Line]:
        return [x for x in self.lines if x.part is None]

    @property
    def total(self) -> Decimal:
        return sum((x.price * x.left for x in self.open_lines), Decimal(0))

    @property
    def is_final(self) -> bool:
        return any(not interim for *_, interim in self.parts)


class Life:
    """One person's stays of a year, driven at random."""

    def __init__(self, draw: Random, ward: Ward, level: str, person: TwinPerson, patient: Mapping[str, Any]) -> None:
        self.draw, self.ward, self.level, self.person, self.patient = draw, ward, level, person, patient
        self.twin = Twin("370300")
        self.twin.balances[person.psn_no] = OPENING
        self.beds: list[Bed] = []
        self.order: list[Bed] = []  # whose part was settled, oldest first
        self.day = datetime(2025, 1, 10, 9, tzinfo=SHANGHAI)
        self.serial = 0
        self.done: dict[str, int] = {}

    def step(self) -> None:
        """Do one thing that may be done now, or find that undoing out of order may not."""
        bed = self.beds[-1] if self.beds else None
        chance: list[Callable[[], None]] = []
        if bed is None or bed.ended is not None:
            chance += [self.admit]
        else:
            chance += [self.charge] * 4 + [self.discharge]
            if any(x.left for x in bed.open_lines):
                chance += [self.take_back] * 2 + [self.withdraw]
            if bed.total > 0:
                chance += [lambda: self.settle(bed, interim=True)]
        if bed is not None and bed.ended is not None and not bed.is_final:
            chance += [self.cancel_discharge] + ([lambda: self.settle(bed, interim=False)] * 4 if bed.total > 0 else [])
        if self.order:
            chance += [self.cancel]
        if len(self.order) > 1:
            chance += [self.cancel_too_early]
        done = self.draw.choice(chance)
        done()
        name = getattr(done, "__name__", "settle")
        self.done[name] = self.done.get(name, 0) + 1

    def admit(self) -> None:
        self.day += timedelta(days=1)
        self.beds.append(Bed(self.ward.admit(self.patient, self.day), self.day))

    def charge(self) -> None:
        self.day += timedelta(hours=3)
        bed = self.beds[-1]
        lines = []
        for _ in range(self.draw.choice((1, 2, 3))):
            self.serial += 1
            price = Decimal(self.draw.randrange(1, 400_000)) / 100
            lines.append(Line(str(self.serial), self.draw.choice(list(ITEMS)), price, self.draw.choice((1, 2, 5))))
        self.ward.charge(bed.wire, self.day, [x.charge(x.left, feedetl_sn=x.sn) for x in lines])
        bed.lines += lines

    def take_back(self) -> None:
        line = self.draw.choice([x for x in self.beds[-1].open_lines if x.left])
        count = line.left if line.code == "RND-B" else self.draw.randint(1, line.left)
        self.serial += 1
        back = line.charge(-count, feedetl_sn=str(self.serial), init_feedetl_sn=line.sn)
        self.ward.charge(self.beds[-1].wire, self.day, [back])
        line.left -= count

    def withdraw(self) -> None:
        """Withdraw everything that is not settled."""
        bed = self.beds[-1]
        self.ward.withdraw(bed.wire, "0000")
        bed.lines = [x for x in bed.lines if x.part is not None]

    def discharge(self) -> None:
        bed = self.beds[-1]
        self.day += timedelta(hours=3)
        bed.ended = self.day
        self.ward.discharge(bed.wire, self.day)

    def cancel_discharge(self) -> None:
        bed = self.beds[-1]
        self.ward.cancel_discharge(bed.wire)
        bed.ended = None

    def number(self, bed: Bed) -> int:
        """Return which stay of the year this is: as its first part says, else one more than the others in force."""
        if bed.parts:
            return bed.parts[0][2]
        return 1 + sum(1 for other in self.beds if other is not bed and other.parts)

    def settle(self, bed: Bed, *, interim: bool) -> None:
        use = self.draw.choice("01")
        number = self.number(bed)
        last = (bed.ended or self.day).date()
        lines = [twin_line(x) for x in bed.open_lines if x.left]
        borne = sum((part.amounts["act_pay_dedc"] for _, part, _, _ in bed.parts), Decimal(0))
        tried = self.ward.try_stay(bed.wire, float(bed.total), interim=interim, acct_used_flag=use)["setlinfo"]
        info = self.ward.settle_stay(bed.wire, float(bed.total), interim=interim, acct_used_flag=use)["setlinfo"]
        expected = self.twin.settle(
            self.person, self.level, lines, last, use_account=use == "1", med_type="21",
            how=Circumstances(admission=number, borne_in_stay=borne),
        )
        got = {name: Decimal(str(info[name])) for name in HEAD}
        assert got == {name: expected.amounts[name] for name in HEAD}, (number, borne, interim)
        assert {name: tried[name] for name in HEAD} == {name: info[name] for name in HEAD}
        for line in bed.open_lines:
            line.part = expected
        bed.parts.append((info["setl_id"], expected, number, interim))
        self.order.append(bed)

    def cancel(self) -> None:
        """Undo the newest part, by its number or by its message."""
        bed = self.order.pop()
        setl_id, settlement, _, _ = bed.parts.pop()
        refund = self.ward.cancel_settlement(bed.wire, setl_id)["setlinfo"]
        assert {n: Decimal(str(refund[n])) for n in HEAD[:-1]} == {n: -settlement.amounts[n] for n in HEAD[:-1]}
        self.twin.reverse(settlement.id)
        for line in bed.lines:
            if line.part is settlement:
                line.part = None
        if bed is not self.beds[-1]:
            # Settle it anew before anything else happens: its time is over.
            self.settle(bed, interim=False)

    def cancel_too_early(self) -> None:
        bed = self.order[-2]
        setl_id = (bed.parts[-2] if bed is self.order[-1] else bed.parts[-1])[0]
        with pytest.raises(Refused, match="须从最后一笔起依次撤销"):
            self.ward.cancel_settlement(bed.wire, setl_id)


def twin_line(line: Line) -> TwinLine:
    level, first_pay = ITEMS[line.code]
    return TwinLine(price=line.price, quantity=Decimal(line.left), list_type="201", class_level=level, first_pay=first_pay)


async def _plant(url: str, people: int) -> None:
    connection = await asyncpg.connect(url)
    for code, (level, first_pay) in ITEMS.items():
        await connection.execute("insert into catalogue.item (code, list_type, name, charge_type, origin, valid_from, version) "
                                 "values ($1, '201', $1, '14', 'demo', '2000-01-01', 'x')", code)
        await connection.execute(
            "insert into catalogue.term (admdvs, code, valid_from, class_level, first_pay, source, assumed) values ('370300', "
            "$1, '2000-01-01', $2, $3, 'x', true)", code, level, None if first_pay is None else int(first_pay * 10_000))
    for n in range(people):
        psn_no = f"3703999000{n:06d}"
        await connection.execute("insert into people.person (psn_no, admdvs, cert_type, certno, name, sex, birth_on) values "
                                 "($1, '370300', '01', $1, '某人', '1', '1980-01-01')", psn_no)
        await connection.execute(
            "insert into enrolment.relation (psn_no, relation_id, admdvs, insutype, psn_type, status, account_kind, insured_on, "
            "benefit_from, paid_months) values ($1, '1', '370300', '310', $2, '1', 'with_account', '2020-01-01', '2020-01-01', "
            "120)", psn_no, "1101" if n % 2 else "1201")
        await connection.execute("insert into ledger.personal_account values ($1, '370300', $2, '2020-01-01')", psn_no,
                                 int(OPENING * 100))
        await connection.execute(
            "insert into ledger.posting (psn_no, posting_id, admdvs, kind, posted_at, accounts, amounts) values ($1, $2, "
            "'370300', 'opening', now(), array['account:' || $1, 'fund:370300:310200'], array[$3::bigint, -$3::bigint])",
            psn_no, "O" + psn_no, int(OPENING * 100))
    await connection.close()


async def _breaches(url: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    async with connection.transaction(isolation="repeatable_read"):
        found = [f for f in await verify_books(connection) if f.breaches]
    await connection.close()
    return found


@pytest.mark.drives("2301", "2302", "2303", "2304", "2305")
def test_random_stays_equal_the_plain_twin(
    ward_for: Callable[..., Ward], world: Mapping[str, Any], world_url: str
) -> None:
    print(f"seed {SEED}")
    asyncio.run(_plant(world_url, PEOPLE))
    draw, done = Random(SEED), dict[str, int]()
    for n in range(PEOPLE):
        ward = ward_for(index=n % 2)
        level = next(i["level"] for i in world["institutions"] if i["fixmedins_code"] == ward.counter.fixmedins_code)
        psn_no = f"3703999000{n:06d}"
        person = TwinPerson(psn_no, "310", "1101" if n % 2 else "1201", "with_account", 120)
        patient = {"psn_no": psn_no, "insutype": "310", "certno": psn_no, "insuplc_admdvs": "370300"}
        life = Life(draw, ward, level, person, patient)
        for _ in range(STEPS):
            life.step()
        for name, times in life.done.items():
            done[name] = done.get(name, 0) + times
        ward.close()
    assert min(done.get(name, 0) for name in ("admit", "charge", "take_back", "discharge", "<lambda>", "cancel",
                                              "cancel_too_early", "cancel_discharge", "withdraw")) >= 3, done
    assert asyncio.run(_breaches(world_url)) == []
