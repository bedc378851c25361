"""Generated trouble: payments of any amount for any bill, told late, twice and out of order, returned, set off, refunded.

A plain bookkeeper beside it knows only what reached the bank and what went back; at the end the funds, what belongs to no
bill and what is owed back are exactly the rest, and every bill is either untouched or paid to the fen.
"""

from __future__ import annotations

import random
from datetime import date

import pytest

from tests.spec.contributions.conftest import CHECKER, SHELF, TAX, Town
from tests.spec.contributions.test_assessment import assess
from yibao.kernel.refusal import Refusal
from yibao.usecases.contributions.finish_refund import RefundDone, finish_refund
from yibao.usecases.contributions.pay_back import PayBack, pay_back
from yibao.usecases.contributions.receive_payment import PaymentReturned, return_payment
from yibao.usecases.contributions.refund_payment import (
    RefundRequest,
    refund_payment,
    reject_refund,
    request_refund,
)
from yibao.usecases.contributions.set_off import SetOff, set_off

EVENTS = 90


class Trouble:
    """A month of whims on the bills of three units; ``here`` and ``back`` are the bookkeeper's two sums."""

    def __init__(self, town: Town, seed: int) -> None:
        self.town, self.dice = town, random.Random(seed)
        self.told: dict[str, int] = {}
        self.arrived: set[str] = set()
        self.returned: set[str] = set()
        self.here = self.back = self.count = 0

    def name(self, letter: str) -> str:
        """Return a new number."""
        self.count += 1
        return f"{letter}{self.count}"

    async def bills(self) -> list[tuple[str, int]]:
        """Return all bills with their amounts."""
        rows = await self.town.run("select bill_id, amount_fen from contributions.bill order by bill_id")
        return [(r["bill_id"], r["amount_fen"]) for r in rows]

    async def pay(self) -> None:
        """Tell a payment: exact, a part, too much; sometimes the same again, or by somebody else."""
        bill_id, owed = self.dice.choice(await self.bills())
        fen = self.dice.choice((owed, owed, owed // 2, owed + 777, 1))
        payer = self.dice.choice(("", "", "", "E1"))
        payment_id = self.name("P")
        for _ in range(self.dice.choice((1, 1, 2))):
            await self.town.pay(payment_id, bill_id, fen, on="2024-07-20", payer_no=payer)
        if fen > 0:
            self.told[payment_id] = fen

    async def arrive(self) -> None:
        """Let some payments reach the bank, with a payment among them that is told only afterwards."""
        waiting = [p for p in self.told if p not in self.arrived | self.returned]
        some = self.dice.sample(waiting, min(len(waiting), self.dice.randint(1, 4)))
        late = self.name("P") if self.dice.random() < 0.3 else None
        ids = (*some, *((late,) if late else ()))
        if not ids:
            return
        bill_id, owed = self.dice.choice(await self.bills())
        fen = owed or 5
        total = sum(self.told[p] for p in some) + (fen if late else 0)
        await self.town.arrive(self.name("A"), ids, total, on="2024-07-21")
        if late:
            await self.town.pay(late, bill_id, fen, on="2024-07-20")
            self.told[late] = fen
        self.arrived |= set(ids)
        self.here += total

    async def take_back(self) -> None:
        """The bureau takes a payment back; what has arrived it cannot."""
        payment_id = self.dice.choice(sorted(self.told) or ["none"])
        got = await self.town.deed(return_payment, PaymentReturned(payment_id=payment_id), on="2024-07-22", actor=TAX,
                                   shelf=SHELF)
        if not isinstance(got, Refusal) and got.outcome == "returned":
            self.returned.add(payment_id)

    async def use_credit(self) -> None:
        """Set a credit off against any bill."""
        bill_id, _ = self.dice.choice(await self.bills())
        command = SetOff(payment_id=self.dice.choice(sorted(self.told) or ["none"]), bill_id=bill_id)
        await self.town.deed(set_off, command, on="2024-07-23", shelf=SHELF)

    async def refund(self) -> None:
        """Give credit back, or the due that a payment paid; some are rejected, some never answered."""
        payment_id = self.dice.choice(sorted(self.told) or ["none"])
        dues = await self.town.run(
            "select d.psn_no, d.due_id, d.total_fen + d.surcharge_fen as fen from contributions.due d "
            "join contributions.allocation a on a.bill_id = d.bill_id where a.payment_id = $1 and d.state = 'arrived' limit 1",
            payment_id)
        whole = dues if self.dice.random() < 0.5 else []
        fen = sum(d["fen"] for d in whole) or self.dice.randint(1, 1_000)
        refund_id = self.name("T")
        request = RefundRequest(refund_id=refund_id, payment_id=payment_id, amount_fen=fen, reason="试",
                                dues=tuple((d["psn_no"], d["due_id"]) for d in whole))
        if self.dice.random() < 0.3:
            await self.town.deed(request_refund, request, on="2024-07-23")
            await self.town.deed(reject_refund, refund_id, on="2024-07-23", actor=CHECKER)
            return
        got = await self.town.deed(refund_payment, request, on="2024-07-23", checker=CHECKER, shelf=SHELF)
        if not isinstance(got, Refusal) and self.dice.random() < 0.7:
            done = RefundDone(refund_id=refund_id, done_on=date(2024, 7, 24))
            await self.town.deed(finish_refund, done, on="2024-07-24", actor=TAX)
            self.back += fen

    async def bill_anew(self) -> None:
        """Put what a unit owes on a bill of arrears: old bills are cancelled while money for them is on its way."""
        payer = self.dice.choice(("E1", "E2", "E3"))
        command = PayBack(payer_no=payer, first=date(2024, 7, 1), before=date(2024, 8, 1), pay_on=date(2024, 8, 3))
        await self.town.deed(pay_back, command, on="2024-07-24", shelf=SHELF)


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_no_fen_is_lost_or_doubled(town: Town, seed: int) -> None:
    for n, wages in (("1", (500_000, 610_000)), ("2", (720_000,)), ("3", (530_000, 533_333, 987_654))):
        await town.employer(f"E{n}")
        for wage in wages:
            await town.person(emp_no=f"E{n}", wage_fen=wage)
    await assess(town, date(2024, 7, 1), "2024-07-03")
    await town.send("2024-07-04")
    trouble = Trouble(town, seed)
    whims = (*[trouble.pay] * 4, *[trouble.arrive] * 3, trouble.take_back, trouble.use_credit, trouble.refund, trouble.refund,
             trouble.bill_anew)
    for _ in range(EVENTS):
        await trouble.dice.choice(whims)()
    assert -await town.balance("bank:370300") == trouble.here - trouble.back
    rest = [await town.balance(f"{name}:370300") for name in ("unallocated", "payout")]
    funds = [await town.balance(f"fund:370300:{code}") for code in ("310100", "310200")]
    assert sum(rest) + sum(funds) == trouble.here - trouble.back
    assert min(*rest, *funds) >= 0
    states = {d[2] for d in await town.dues()}
    assert "arrived" in states, f"seed {seed} paid nothing: {states}"
    assert await town.breaches() == []
