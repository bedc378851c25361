"""Whatever the order of claims, refunds, deductions, payments and bank answers: nothing is paid twice or lost.

Settlements are written as rows with their postings, sound but invented; everything after them is the platform's own.
The expected payable is kept by a naive book of this test alone.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.agency import answer_of, read_order
from yibao.domains.institutions.model import Institution
from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.ids import CountingIds
from yibao.kernel.refusal import Refusal
from yibao.policy.law.loading import load_policy
from yibao.usecases.clearing.approve_claim import approve_claim
from yibao.usecases.clearing.claim_settlements import ClaimCommand, claim_settlements
from yibao.usecases.clearing.claim_year_end import claim_year_end
from yibao.usecases.clearing.order_payments import Ordered, order_payments
from yibao.usecases.clearing.read_return import Returned, take_return
from yibao.usecases.clearing.review_claim import (
    ManualDeduction,
    deduct_from_claim,
    reject_claim,
    review_claim,
)
from yibao.usecases.clearing.set_payee import set_payee
from yibao.usecases.clearing.withdraw_claim import withdraw_claim
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.verification.clearing_checks import CLEARING_CHECKS

REGION, CODE = "370300", "H37030399999"
START = datetime(2026, 1, 5, 4, tzinfo=UTC)
SETTLE = """
insert into settlements.settlement select (jsonb_populate_record(null::settlements.settlement, $1::jsonb)).*
"""
POST = """
insert into ledger.posting values ($1, $2, $3, $4, $5, $2, $6, $7, $8, $9)
"""
LEGS = """
select coalesce(sum(amount), 0)::bigint from ledger.posting p, unnest(p.accounts, p.amounts) leg(account, amount)
where leg.account = 'payable:' || $1
"""


class Chaos:
    """One institution, its agency and its bank, doing things in a drawn order; ``owed`` is the naive book."""

    def __init__(self, url: str, seed: int) -> None:
        self.url, self.rng, self.ids = url, Random(seed), CountingIds(seed % 1_000_000)
        self.code = f"H3703{seed % 10_000_000:07d}"
        self.now = START
        self.owed = 0
        self.free: dict[str, dict[str, Any]] = {}
        self.claimed: dict[str, list[str]] = {}
        self.rows: dict[str, dict[str, Any]] = {}
        self.posted: dict[str, int] = {}
        self.states: dict[str, str] = {}
        self.orders: list[bytes] = []
        self.paid_by: dict[str, list[str]] = {}
        self.shelf = PolicyShelf({REGION: load_policy(read_policy_files()[REGION])})
        self.institution = Institution(
            self.code, REGION, REGION, "随机医院", "U", "1", "06", "2", frozenset(), "A", START.date(), START.date(), None)

    async def deed(self, act: Callable[[asyncpg.Connection], Any]) -> Any:
        """Run a use case in one transaction; a refusal rolls back."""
        async with self.database.connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            answer = await act(connection)
            await (transaction.rollback() if isinstance(answer, Refusal) else transaction.commit())
            return answer

    async def run(self, steps: int) -> None:
        self.database = await Database.open(self.url, role=None, size=1)
        try:
            async with self.database.connection() as connection:
                await connection.execute(
                    "insert into institutions.institution values ($1, $2, $2, '随机医院', 'U', '1', '06', '2', '{}', 'A', "
                    "'2025-01-01', '2030-01-01', null, 'none')", self.code, REGION)
            await self.deed(lambda tx: set_payee(
                tx, fixmedins_code=self.code, bank_name="行", account_name="户", account_no="1", operator="甲", checker="乙",
                now=self.now, ids=self.ids))
            doings = (self.settle, self.settle, self.settle, self.refund, self.claim, self.claim, self.withdraw, self.review,
                      self.review, self.deduct, self.approve, self.approve, self.reject, self.pay, self.pay, self.bank,
                      self.bank, self.year_end)
            for _ in range(steps):
                self.now += timedelta(minutes=1)
                await self.rng.choice(doings)()
                assert await self.payable() == self.owed
            await self.finish()
        finally:
            await self.database.close()

    async def payable(self) -> int:
        async with self.database.connection() as connection:
            return int(await connection.fetchval(LEGS, self.code))

    async def settle(self, origin: dict[str, Any] | None = None) -> None:
        setl_id, sign = self.ids.new(self.now), 1
        fund, account, cash = (self.rng.randrange(50_000) for _ in range(3))
        if origin is not None:
            sign, fund, account, cash = -1, origin["fund"], origin["account"], origin["cash"]
        small = fund // 3
        amounts = {"medfee_fen": fund + account + cash, "own_fen": cash, "scope_fen": fund + account, "fund_fen": fund,
                   "hifp_fen": fund - small, "hifmi_fen": small, "person_fen": account + cash, "account_fen": account,
                   "cash_fen": cash}
        zero = ("over_fen", "first_fen", "deductible_fen", "cvlserv_fen", "hifes_fen", "hifob_fen", "maf_fen", "oth_fen",
                "shared_fen", "hospital_fen", "balance_fen", "pool_ratio")
        psn_no = origin["psn_no"] if origin else f"P{setl_id}"
        row = {
            **{k: sign * v for k, v in amounts.items()}, **dict.fromkeys(zero, 0), "psn_no": psn_no, "setl_id": setl_id,
            "admdvs": REGION, "care_admdvs": REGION, "mdtrt_id": f"M{setl_id}", "chrg_bchno": "1",
            "fixmedins_code": self.code, "insutype": "310", "med_type": "11", "benefit": "b", "year": 2026,
            "service_on": "2026-01-05", "settled_at": self.now.isoformat(), "kind": "refund" if origin else "settlement",
            "state": "active", "origin_id": origin["setl_id"] if origin else None, "fund_types": ["310100", "330100"],
            "fund_amounts": [sign * (fund - small), sign * small], "counter_codes": [], "counter_deltas": [],
            "facts": "\\x", "policy_version": "v", "account_use": "1", "cert_type": "02", "clr_type": "11", "clr_way": "1",
            "clr_optins": REGION, "invono": "", "sender": self.code, "msgid": setl_id, "opter": "o", "opter_name": "",
        }
        accounts = [f"fund:{REGION}:310100", f"fund:{REGION}:330100", f"account:{psn_no}", f"payable:{self.code}"]
        legs = [-sign * (fund - small), -sign * small, -sign * account, sign * (fund + account)]
        async with self.database.connection() as connection, connection.transaction():
            await connection.execute(SETTLE, json.dumps(row))
            await connection.execute(POST, psn_no, setl_id, REGION, row["kind"], self.now, row["origin_id"], accounts, legs,
                                     sign * cash)
        kept = {"psn_no": psn_no, "setl_id": setl_id, "fund": fund, "account": account, "cash": cash, "sign": sign}
        self.free[setl_id] = self.rows[setl_id] = kept
        self.owed += sign * (fund + account)

    async def refund(self) -> None:
        undone = {r.get("of") for r in self.rows.values()}
        choice = [r for r in self.rows.values() if r["sign"] == 1 and r["setl_id"] not in undone]
        if choice:
            origin = self.rng.choice(choice)
            await self.settle(origin)
            next(reversed(self.rows.values()))["of"] = origin["setl_id"]

    def sums(self) -> dict[str, int]:
        rows = list(self.free.values())
        total = {k: sum(r["sign"] * r[k] for r in rows) for k in ("fund", "account", "cash")}
        return {"visits": sum(r["sign"] for r in rows), **total}

    async def claim(self) -> None:
        sums, day = self.sums(), START.date()
        command = ClaimCommand(
            clr_type="11", clr_way="", month="202601", first=day.replace(day=1), last=day, visits=sums["visits"],
            medfee_fen=sums["fund"] + sums["account"] + sums["cash"], recognised_fen=sums["fund"] + sums["account"],
            fund_fen=sums["fund"], cash_fen=sums["cash"], account_fen=sums["account"])
        claim_id = self.ids.new(self.now)
        answer = await self.deed(lambda tx: claim_settlements(
            tx, institution=self.institution, command=command, operator="机构", shelf=self.shelf, claim_id=claim_id,
            now=self.now))
        if not self.free:
            assert isinstance(answer, Refusal)
            return
        assert not isinstance(answer, Refusal), answer
        assert answer.payable_fen == sums["fund"] + sums["account"]
        self.claimed[claim_id] = list(self.free)
        self.free.clear()
        self.states[claim_id] = "claimed"
        self.posted[claim_id] = 0

    def all_in(self, *states: str) -> list[str]:
        return [c for c, s in self.states.items() if s in states]

    def one(self, *states: str) -> str | None:
        found = self.all_in(*states)
        return self.rng.choice(found) if found else None

    def let_go(self, claim_id: str, state: str) -> None:
        self.states[claim_id] = state
        for setl_id in self.claimed.pop(claim_id, []):
            self.free[setl_id] = self.rows[setl_id]

    async def withdraw(self) -> None:
        claim_id = self.one(*set(self.states.values()))
        if claim_id is None:
            return
        answer = await self.deed(lambda tx: withdraw_claim(
            tx, claim_id=claim_id, fixmedins_code=self.code, operator="机构", now=self.now))
        allowed = self.states[claim_id] == "claimed" and claim_id in self.claimed
        assert isinstance(answer, Refusal) != allowed
        if allowed:
            self.let_go(claim_id, "withdrawn")

    async def review(self) -> None:
        claim_id = self.one(*set(self.states.values()))
        if claim_id is None:
            return
        answer = await self.deed(lambda tx: review_claim(tx, claim_id=claim_id, operator="甲", now=self.now, ids=self.ids))
        assert isinstance(answer, Refusal) == (self.states[claim_id] not in ("claimed", "reviewed"))
        if self.states[claim_id] == "claimed":
            self.states[claim_id] = "reviewed"

    async def deduct(self) -> None:
        claim_id = self.one("reviewed")
        if claim_id is None:
            return
        rows = [self.rows[s] for s in self.claimed.get(claim_id, [])]
        about = self.rng.choice(rows) if rows and self.rng.random() < 0.7 else None
        amount = self.rng.randrange(1, 20_000)
        deduction = ManualDeduction(str(self.rng.randrange(10**9)), amount, "理由", about["setl_id"] if about else None)
        answer = await self.deed(lambda tx: deduct_from_claim(
            tx, claim_id=claim_id, deduction=deduction, operator="甲", now=self.now, ids=self.ids))
        fund = sum(r["sign"] * r["fund"] for r in rows)
        if not isinstance(answer, Refusal):
            self.posted[claim_id] -= amount
            if rows:
                assert -self.posted[claim_id] <= fund

    async def approve(self) -> None:
        claim_id = self.one("claimed", "reviewed")
        if claim_id is None:
            return
        answer = await self.deed(lambda tx: approve_claim(tx, claim_id=claim_id, operator="乙", now=self.now, ids=self.ids))
        assert isinstance(answer, Refusal) == (self.states[claim_id] == "claimed"), answer
        if self.states[claim_id] == "reviewed":
            self.states[claim_id] = "approved"
            self.owed += self.posted[claim_id]

    async def reject(self) -> None:
        claim_id = self.one("claimed", "reviewed")
        if claim_id is not None and self.rng.random() < 0.5:
            answer = await self.deed(lambda tx: reject_claim(
                tx, claim_id=claim_id, operator="乙", reason="退回", now=self.now, ids=self.ids))
            assert not isinstance(answer, Refusal)
            self.let_go(claim_id, "rejected")

    async def year_end(self) -> None:
        year, amount = self.rng.randrange(1990, 2026), self.rng.randrange(-9_000, 20_000) or 1
        answer = await self.deed(lambda tx: claim_year_end(
            tx, admdvs=REGION, fixmedins_code=self.code, year=year, amount_fen=amount, fund_pay_type="310100", basis="年终",
            operator="甲", now=self.now, ids=self.ids))
        if not isinstance(answer, Refusal) and answer.claim_id not in self.states:
            self.states[answer.claim_id] = "claimed"
            self.posted[answer.claim_id] = amount

    async def pay(self) -> None:
        answer = await self.deed(lambda tx: order_payments(tx, admdvs=REGION, operator="丙", now=self.now, ids=self.ids))
        if isinstance(answer, Refusal):
            return
        assert isinstance(answer, Ordered)
        for payment in answer.payments:
            self.paid_by[payment.payment_id] = self.all_in("approved")
            self.states |= dict.fromkeys(self.all_in("approved"), "ordered" if payment.amount_fen else "paid")
        if answer.file is not None:
            self.orders.append(answer.file.content)

    async def bank(self, *, fails: float = 0.3) -> None:
        if not self.orders:
            return
        order = read_order(self.rng.choice(self.orders))
        bad = self.rng.random() < fails
        content = answer_of(order, fails=lambda _payment: bad)
        answer = await self.deed(lambda tx: take_return(tx, content=content, operator="丙", now=self.now, ids=self.ids))
        if isinstance(answer, Refusal):
            assert answer.code == "PAYMENT_ENDED"
            return
        assert isinstance(answer, Returned)
        self.owed -= answer.paid_fen
        for payment in (*answer.paid, *answer.failed):
            self.states |= dict.fromkeys(self.paid_by[payment], "paid" if answer.paid else "approved")

    async def finish(self) -> None:
        """Claim, decide and pay everything; a settlement is added where the institution owes on balance."""
        for _ in range(200):
            self.now += timedelta(minutes=1)
            if not self.free and all(s in ("paid", "withdrawn", "rejected") for s in self.states.values()):
                break
            if self.owed <= 0:
                await self.settle()
            await self.claim() if self.free else None
            for claim_id, state in list(self.states.items()):
                if state == "claimed":
                    await self.deed(lambda tx, c=claim_id: review_claim(
                        tx, claim_id=c, operator="甲", now=self.now, ids=self.ids))
                    self.states[claim_id] = "reviewed"
            while self.one("reviewed") is not None:
                await self.approve()
            await self.pay()
            while self.one("ordered") is not None:
                await self.bank(fails=0.0)
        assert (self.owed, await self.payable()) == (0, 0)
        async with self.database.connection() as connection:
            for check in CLEARING_CHECKS:
                assert [tuple(r) for r in await connection.fetch(check.sql)] == [], check.says


@pytest.mark.slow
@settings(max_examples=12, database=None)
@given(seed=st.integers(min_value=0, max_value=10**6), steps=st.integers(min_value=5, max_value=60))
def test_the_payable_is_what_the_naive_book_says_and_ends_at_zero(database_url: str, seed: int, steps: int) -> None:
    _reset(database_url)
    asyncio.run(Chaos(database_url, seed).run(steps))


def _reset(url: str) -> None:
    """Empty the tables: every example starts alone."""
    async def run() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(
            "truncate clearing.claim, clearing.claim_item, clearing.deduction, clearing.payment, clearing.payment_file, "
            "clearing.return_file, clearing.payee, ledger.posting, settlements.settlement, institutions.institution, "
            "platform.audit_entry")
        await connection.close()

    asyncio.run(run())
