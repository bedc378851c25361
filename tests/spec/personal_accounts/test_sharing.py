"""Sharing at a settlement: the sharer's account pays after the member's own, in order, within limits, and is given back."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from bench.counting import CountingGateway, counting_gateway
from tests.spec.personal_accounts.conftest import MAKER, Region
from tests.support.till import Refused, Till
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.clock import SystemClock
from yibao.kernel.refusal import Refusal
from yibao.ledger.operations import move_account
from yibao.ledger.posting import account_posting
from yibao.policy.law.loading import load_policy
from yibao.usecases.personal_accounts.account_statement import Statement, account_statement
from yibao.usecases.personal_accounts.bind_family import bind_family
from yibao.usecases.personal_accounts.commands import (
    BindFamily,
    FreezeAccount,
    ReleaseAccount,
    ShareAccount,
    StopSharing,
)
from yibao.usecases.personal_accounts.freeze_account import freeze_account, release_account
from yibao.usecases.personal_accounts.share_account import share_account, stop_sharing
from yibao.usecases.settlement.explain_settlement import Explanation, explain
from yibao.usecases.settlement.shelf import PolicyShelf

Patient = dict[str, Any]
STATEMENTS_MAX, ROUND_TRIPS_MAX = 15, 4


class Family(Region):
    """A member who falls ill, and relatives with accounts of a known balance."""

    def __init__(self, url: str, world: Mapping[str, Any]) -> None:
        super().__init__(url)
        self.shelf = PolicyShelf({r: load_policy(files) for r, files in read_policy_files().items()})
        active = [
            p for p in world["patients"] if p["insutype"] == "310" and p["insuplc_admdvs"] == "370300"
            and p["visit"]["med_type"] == "11" and self.balance(p["psn_no"]) is not None
        ]
        self.member, self.first, self.second, self.other = active[:4]
        self.child = next(p for p in world["patients"] if p["insutype"] == "390" and p["insuplc_admdvs"] == "370300"
                          and p["visit"]["med_type"] == "11")

    def hold(self, patient: Patient, fen: int) -> None:
        """Let an account hold so much."""
        psn_no, now = patient["psn_no"], SystemClock().now()
        amount = fen - (self.balance(psn_no) or 0)
        if amount:
            self.run(lambda tx: move_account(tx, account_posting(
                "correction", psn_no=psn_no, posting_id=secrets.token_hex(8), admdvs="370300", posted_at=now, amount=amount,
                other="opening:370300")))

    def share(self, sharer: Patient, member: Patient | None = None, **limits: Any) -> Any:
        """Let a relative share."""
        command = ShareAccount(sharer_no=sharer["psn_no"], member_no=(member or self.member)["psn_no"], kinship="child",
                               consent="授权书", **limits)
        return self.run(lambda tx: share_account(tx, command, actor=MAKER, now=SystemClock().now(), ids=self.ids,
                                                 shelf=self.shelf))

    def stop(self, sharer: Patient, member: Patient | None = None) -> Any:
        """End sharing."""
        command = StopSharing(sharer_no=sharer["psn_no"], member_no=(member or self.member)["psn_no"])
        return self.run(lambda tx: stop_sharing(tx, command, actor=MAKER, now=SystemClock().now(), ids=self.ids,
                                                shelf=self.shelf))

    def balances(self, *people: Patient) -> list[int]:
        """Return balances, fen."""
        return [self.balance(p["psn_no"]) or 0 for p in people]


@pytest.fixture(scope="module")
def family(world: Mapping[str, Any], world_url: str) -> Family:
    """Find the family once."""
    return Family(world_url, world)


@pytest.fixture(autouse=True)
def _nobody_shares(family: Family) -> None:
    family.execute("update personal_accounts.share set end_on = begin_on where end_on is null")
    family.execute("delete from personal_accounts.family")


def fen(amount: Any) -> int:
    """Return yuan of the wire as fen."""
    return int(Decimal(str(amount)) * 100)


def bill_of(till: Till, patient: Patient, flag: str = "2", *, yuan: int = 400) -> dict[str, Any]:
    """Register a visit that costs so many yuan of medicine nobody pays for but the person, and return what settles it."""
    line = {**patient["visit"]["lines"][0]}
    line |= {"pric": line["pric"], "cnt": 1, "det_item_fee_sumamt": line["pric"]}
    count = max(1, round(yuan / float(line["pric"])))
    line |= {"cnt": count, "det_item_fee_sumamt": round(float(line["pric"]) * count, 2)}
    content = till.prepare(patient, {**patient["visit"], "lines": [line]})
    content["data"]["acct_used_flag"] = flag
    return content


def settle(till: Till, patient: Patient, flag: str = "2", **more: Any) -> dict[str, Any]:
    """Settle a new visit and return the head."""
    return dict(till.call("2207", bill_of(till, patient, flag, **more), insured_place="370300")["setlinfo"])


def split(head: Mapping[str, Any]) -> tuple[int, int, int, int]:
    """Return person's part, account pay, shared within it, cash, in fen."""
    return tuple(fen(head[name]) for name in ("psn_part_amt", "acct_pay", "acct_mulaid_pay", "psn_cash_pay"))  # type: ignore[return-value]


def test_own_account_then_the_sharers_in_order_then_cash(till: Till, family: Family) -> None:
    for who, held in ((family.member, 1000), (family.first, 2000), (family.second, 3000)):
        family.hold(who, held)
    family.share(family.second, rank=2)
    family.share(family.first, rank=1)
    bill = bill_of(till, family.member)
    owed_before = family.ledger(f"payable:{till.counter.fixmedins_code}")
    trial = till.call("2206", bill, insured_place="370300")["setlinfo"]
    head = till.call("2207", bill, insured_place="370300")["setlinfo"]
    part, account, shared, cash = split(head)
    assert part > 6000, "the bill must be dearer than all accounts together"
    assert (account, shared, cash) == (6000, 5000, part - 6000)
    assert split(trial) == split(head)
    assert family.balances(family.member, family.first, family.second) == [0, 0, 0]
    # The institution is owed what funds and all accounts bear.
    owed = family.ledger(f"payable:{till.counter.fixmedins_code}") - owed_before
    assert owed == fen(head["fund_pay_sumamt"]) + account
    assert family.breaches() == []


def test_a_sharer_pays_only_what_the_own_account_leaves(till: Till, family: Family) -> None:
    family.hold(family.member, 1000)
    family.hold(family.first, 1_000_000)
    family.share(family.first)
    head = settle(till, family.member)
    part, account, shared, cash = split(head)
    assert (account, shared, cash) == (part, part - 1000, 0)
    assert family.balances(family.first) == [1_000_000 - shared]


def test_without_the_flag_nobody_elses_account_is_touched(till: Till, family: Family) -> None:
    family.hold(family.member, 1000)
    family.hold(family.first, 5000)
    family.share(family.first)
    for flag, expected in (("1", 1000), ("0", 0)):
        family.hold(family.member, 1000)
        head = settle(till, family.member, flag)
        assert split(head)[1:3] == (expected, 0)
    assert family.balances(family.first) == [5000]


def test_limits_of_one_settlement_and_of_a_year_hold_over_refunds(till: Till, family: Family) -> None:
    family.hold(family.first, 100_000)
    family.share(family.first, once_limit_fen=1500, year_limit_fen=2000)
    paid = []
    for _ in range(3):
        family.hold(family.member, 0)
        paid.append(settle(till, family.member))
    assert [split(head)[2] for head in paid] == [1500, 500, 0]
    cancel(till, paid[2])
    cancel(till, paid[1])
    family.hold(family.member, 0)
    assert split(settle(till, family.member))[2] == 500
    assert family.breaches() == []


def cancel(till: Till, head: Mapping[str, Any]) -> dict[str, Any]:
    """Cancel a settlement and return the refund's head."""
    return dict(till.call("2208", {"data": {k: head[k] for k in ("setl_id", "mdtrt_id", "psn_no")}})["setlinfo"])


def test_a_cancellation_gives_back_to_each_and_2601_takes_again(till: Till, family: Family) -> None:
    people = (family.member, family.first, family.second)
    for who, held in zip(people, (1000, 2000, 3000), strict=True):
        family.hold(who, held)
    family.share(family.first, rank=1)
    family.share(family.second, rank=2)
    head = settle(till, family.member)
    family.stop(family.first)       # what was paid is given back all the same
    msgid = secrets.token_hex(15)
    refund = till.call("2208", {"data": {k: head[k] for k in ("setl_id", "mdtrt_id", "psn_no")}}, msgid=msgid)["setlinfo"]
    assert fen(refund["acct_mulaid_pay"]) == -5000
    assert family.balances(*people) == [1000, 2000, 3000]
    till.call("2601", {"data": {"psn_no": family.member["psn_no"], "omsgid": msgid, "oinfno": "2208"}})
    assert family.balances(*people) == [0, 0, 0]
    assert family.breaches() == []


def test_a_reinstatement_may_not_leave_a_sharer_below_zero(till: Till, family: Family) -> None:
    family.hold(family.member, 0)
    family.hold(family.first, 2000)
    family.share(family.first)
    head = settle(till, family.member)
    msgid = secrets.token_hex(15)
    till.call("2208", {"data": {k: head[k] for k in ("setl_id", "mdtrt_id", "psn_no")}}, msgid=msgid)
    family.hold(family.first, 1999)
    with pytest.raises(Refused, match="共济账户余额已不足"):
        till.call("2601", {"data": {"psn_no": family.member["psn_no"], "omsgid": msgid, "oinfno": "2208"}})
    assert family.balances(family.first) == [1999]


def test_a_child_without_an_account_is_paid_for_by_a_parent(till: Till, family: Family) -> None:
    family.hold(family.first, 1_000_000)
    family.share(family.first, family.child)
    head = settle(till, family.child)
    part, account, shared, cash = split(head)
    assert part > 0
    assert (account, shared, cash) == (part, part, 0)
    assert family.breaches() == []


def test_binding_shows_and_spends_nothing(till: Till, family: Family) -> None:
    command = BindFamily(psn_no=family.first["psn_no"], member_no=family.member["psn_no"], kinship="child", consent="同意书")
    bound = family.run(lambda tx: bind_family(tx, command, actor=MAKER, now=SystemClock().now(), ids=family.ids,
                                              shelf=family.shelf))
    assert not isinstance(bound, Refusal)
    with pytest.raises(Refused, match="没有可用的共济账户"):
        settle(till, family.member)


def test_a_frozen_sharer_pays_nothing_until_released(till: Till, family: Family) -> None:
    family.hold(family.member, 0)
    family.hold(family.first, 2000)
    family.share(family.first)
    psn_no, now = family.first["psn_no"], SystemClock().now()
    family.run(lambda tx: freeze_account(tx, FreezeAccount(psn_no=psn_no, cause="fraud", document="文书1"), actor=MAKER,
                                         now=now, ids=family.ids, shelf=family.shelf))
    with pytest.raises(Refused, match="没有可用的共济账户"):
        settle(till, family.member)
    family.run(lambda tx: release_account(tx, ReleaseAccount(psn_no=psn_no, document="文书2"), actor=MAKER, now=now,
                                          ids=family.ids, shelf=family.shelf))
    assert split(settle(till, family.member))[2] == 2000


def test_a_frozen_own_account_pays_nothing(till: Till, family: Family) -> None:
    family.hold(family.other, 5000)
    psn_no, now = family.other["psn_no"], SystemClock().now()
    family.run(lambda tx: freeze_account(tx, FreezeAccount(psn_no=psn_no, cause="court", document="文书1"), actor=MAKER,
                                         now=now, ids=family.ids, shelf=family.shelf))
    assert split(settle(till, family.other, "1"))[1] == 0
    assert family.balances(family.other) == [5000]
    family.run(lambda tx: release_account(tx, ReleaseAccount(psn_no=psn_no, document="文书2"), actor=MAKER, now=now,
                                          ids=family.ids, shelf=family.shelf))
    assert split(settle(till, family.other, "1"))[1] == 5000


def test_it_is_explained_and_stands_in_both_statements(till: Till, family: Family) -> None:
    family.hold(family.member, 1000)
    family.hold(family.first, 2000)
    family.share(family.first)
    head = settle(till, family.member)
    told = family.run(lambda tx: explain(tx, head["setl_id"]))
    assert isinstance(told, Explanation)
    assert told.differences == []
    assert [s.amount for s in told.steps if s.code == "shared_account"] == [2000]
    mine = family.run(lambda tx: account_statement(tx, family.member["psn_no"]))
    theirs = family.run(lambda tx: account_statement(tx, family.first["psn_no"]))
    for statement, amount in ((mine, -1000), (theirs, -2000)):
        assert isinstance(statement, Statement)
        assert statement.ties
        assert (statement.lines[-1].posting_id, statement.lines[-1].amount_fen) == (head["setl_id"], amount)
        assert statement.lines[-1].balance_fen == statement.closing_fen == statement.balance_fen == 0
    assert "共济：为" in theirs.lines[-1].words  # type: ignore[union-attr]


REFUSALS: dict[str, tuple[dict[str, Any], str]] = {
    "SAME_PERSON": ({"member": "first"}, "first"),
    "CONSENT_MISSING": ({"consent": " "}, "member"),
    "LIMIT_NOT_POSITIVE": ({"once_limit_fen": 0}, "member"),
    "RANK_OUT_OF_RANGE": ({"rank": 0}, "member"),
    "BEGINS_IN_PAST": ({"begin_on": date(2020, 1, 1)}, "member"),
    "ENDS_BEFORE_BEGIN": ({"end_on": date(2020, 1, 1)}, "member"),
    "NOT_IN_CIRCLE": ({"kinship": "cousin"}, "member"),
    "PERSON_NOT_FOUND": ({"member_no": "nobody"}, "member"),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_what_cannot_be_shared_is_refused(family: Family, code: str) -> None:
    changes, member = REFUSALS[code]
    facts = {"sharer_no": family.first["psn_no"], "member_no": getattr(family, member)["psn_no"], "kinship": "child",
             "consent": "授权书", **{k: v for k, v in changes.items() if k != "member"}}
    answer = family.run(lambda tx: share_account(tx, ShareAccount(**facts), actor=MAKER, now=SystemClock().now(),
                                                 ids=family.ids, shelf=family.shelf))
    assert isinstance(answer, Refusal)
    assert code in [f.code for f in answer.faults]


def test_nobody_shares_twice_with_one_member(family: Family) -> None:
    family.share(family.first)
    answer = family.share(family.first)
    assert isinstance(answer, Refusal)
    assert answer.code == "ALREADY_SHARED"
    family.stop(family.first)
    assert not isinstance(family.share(family.first), Refusal)


def test_two_members_and_the_sharer_at_once_never_overspend(till_for: Callable[..., Till], family: Family) -> None:
    """The sharer's own visits and two members' meet at one account, which is dear to all of them."""
    shares = {family.member["psn_no"]: "2", family.second["psn_no"]: "2", family.first["psn_no"]: "1"}
    family.share(family.first)
    family.share(family.first, family.second)
    for who in (family.member, family.second):
        family.hold(who, 0)
    family.hold(family.first, 20_000)
    ready = []
    for n in range(15):
        who = (family.member, family.second, family.first)[n % 3]
        opened = till_for()
        bill = bill_of(opened, who, shares[who["psn_no"]], yuan=100)
        ready.append((opened, opened.envelope("2207", bill, insured_place="370300")))
    with ThreadPoolExecutor(len(ready)) as threads:
        replies = [json.loads(r) for r in threads.map(lambda one: one[0].ask(one[1]), ready)]
    assert [r["infcode"] for r in replies] == [0] * len(ready), [r["err_msg"] for r in replies]
    spent = sum(fen(r["output"]["setlinfo"]["acct_pay"]) for r in replies)
    assert spent == 20_000, "the bills together are dearer than the account"
    assert family.balances(family.first) == [0]
    assert family.breaches() == []
    for opened, _ in ready:
        opened.close()


@pytest.fixture
async def gateway(world_url: str) -> AsyncIterator[CountingGateway]:
    async with counting_gateway(world_url.replace("//yibao@", "//postgres@")) as opened:
        yield opened


async def test_a_shared_settlement_costs_few_statements(gateway: CountingGateway, till: Till, family: Family) -> None:
    import asyncio

    def prepare() -> bytes:
        family.hold(family.member, 100)
        family.hold(family.first, 2000)
        message = till.envelope("2207", bill_of(till, family.member), insured_place="370300")
        return json.dumps(message, ensure_ascii=False).encode()

    await asyncio.to_thread(family.share, family.first)
    for _ in range(3):
        await gateway.answer(await asyncio.to_thread(prepare))
    cost = await gateway.answer(await asyncio.to_thread(prepare))
    assert json.loads(cost.reply)["infcode"] == 0, cost.reply.decode()
    assert len(cost.statements) <= STATEMENTS_MAX, cost.statements
    assert cost.round_trips <= ROUND_TRIPS_MAX
    assert any(place.startswith("personal_accounts.write_sharing") for place in cost.statements), cost.statements

