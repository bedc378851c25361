"""Calculate a claim before anybody pays: the detail that is reviewed, with every step and rule behind it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.claims.model import CALCULATED, ENTERED, Bill, Claim
from yibao.domains.claims.operations import change_claim
from yibao.domains.claims.queries import list_bills, list_lines
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal
from yibao.policy.decision import FundShare
from yibao.policy.explain import Explained, explain_steps
from yibao.usecases.claims.commands import OnClaim
from yibao.usecases.claims.decide_bills import DecidedBill, Without, decide_bills
from yibao.usecases.claims.desk import open_for, refuse_claim_state
from yibao.usecases.settlement.counters import year_of
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

SETTLED_BY = """
select s.year, s.counter_codes, s.counter_deltas, s.scope_fen, b.care = 'stay' as is_stay
from claims.bill b join settlements.settlement s on s.psn_no = b.psn_no and s.setl_id = b.setl_id and s.state = 'active'
where b.psn_no = $1 and b.claim_id = $2
"""


class BillDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One receipt as it was calculated; amounts in fen, the ratio in ten-thousandths.

    Attributes:
        admission: which stay of its year it was taken for.
        counters: what the year had used up before it, by counter of the law.
    """

    ordinal: int
    bill_no: str
    institution_name: str
    service_on: date
    year: int
    benefit: str
    policy_version: str
    total_fen: int
    own_fen: int
    over_fen: int
    first_fen: int
    scope_fen: int
    deductible_fen: int
    pool_ratio: int
    funds: tuple[FundShare, ...]
    fund_fen: int
    cash_fen: int
    admission: int
    counters: dict[str, int]


class BillSteps(msgspec.Struct, frozen=True):
    """The steps behind a receipt's amounts, in words."""

    ordinal: int
    steps: tuple[Explained, ...]


class Detail(msgspec.Struct, frozen=True):
    """A calculated claim: what it comes to, and why."""

    bills: tuple[BillDetail, ...]
    steps: tuple[BillSteps, ...]

    @property
    def fund_fen(self) -> int:
        """Return what is paid to the person."""
        return sum(bill.fund_fen for bill in self.bills)

    @property
    def digest(self) -> bytes:
        """Return SM3 of the amounts and of what they rest on: what a reviewer agrees to."""
        return sm3(msgspec.json.encode(self.bills, order="sorted"))


async def calculate_claim(
    tx: Connection, command: OnClaim, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Claim | Refusal:
    """Calculate a claim by the law of the days of service and with what the year has used up by now.

    It may be calculated again as long as nobody has decided; who reviews sees the newest detail.
    """
    opened = await open_for(tx, command.claim_id, actor=actor)
    refusal = opened if isinstance(opened, Refusal) else refuse_claim_state(opened, ENTERED, CALCULATED)
    if refusal is not None or isinstance(opened, Refusal):
        assert refusal is not None
        return refusal
    decided = await decide_claim(tx, opened, shelf=shelf)
    if isinstance(decided, Refusal):
        return decided
    detail = detail_of(decided)
    claim = await change_claim(
        tx, opened, state=CALCULATED, fund_fen=detail.fund_fen, cash_fen=opened.total_fen - detail.fund_fen,
        detail=msgspec.json.encode(detail).decode(), digest=detail.digest, calculated_by=actor.login, calculated_at=now)
    await write_trail(tx, actor, verb="calculate_claim", object_id=claim.claim_id, admdvs=claim.admdvs, state=claim, now=now,
                      ids=ids, rule=detail.bills[0].policy_version)
    return claim


async def decide_claim(
    tx: Connection, claim: Claim, *, shelf: PolicyShelf, bills: Sequence[Bill] | None = None
) -> list[DecidedBill] | Refusal:
    """Decide the receipts of a claim as they stand now."""
    policy = shelf.of(claim.admdvs)
    if isinstance(policy, Refusal):
        return policy
    named = {"psn_no": claim.psn_no, "claim_id": claim.claim_id}
    return await decide_bills(
        tx, claim, bills if bills is not None else await list_bills(tx, **named), await list_lines(tx, **named), policy=policy,
        without=await _without_first(tx, claim))


async def _without_first(tx: Connection, claim: Claim) -> Without:
    """Return what the decision used up that an appeal is against; it is undone when the appeal is paid."""
    if not claim.appeal_of:
        return Without()
    used: Counter[tuple[int, str]] = Counter()
    stays = []
    for row in await tx.fetch(SETTLED_BY, claim.psn_no, claim.appeal_of):
        for code, delta in zip(row["counter_codes"], row["counter_deltas"], strict=True):
            used[year_of(code, row["year"]), code] += delta
        if row["is_stay"] and row["scope_fen"] > 0:
            stays.append(row["year"])
    return Without(used, tuple(stays))


def detail_of(decided: Sequence[DecidedBill]) -> Detail:
    """Return what was decided as it is shown and reviewed, in the order of service."""
    return Detail(
        tuple(_bill_detail(one) for one in decided),
        tuple(BillSteps(one.bill.ordinal, explain_steps(one.decision.steps)) for one in decided))


def _bill_detail(one: DecidedBill) -> BillDetail:
    bill, d = one.bill, one.decision
    return BillDetail(
        ordinal=bill.ordinal, bill_no=bill.bill_no, institution_name=bill.institution_name, service_on=one.case.service_on,
        year=d.year, benefit=d.benefit, policy_version=d.policy_version, total_fen=d.amount, own_fen=d.own, over_fen=d.over,
        first_fen=d.first_pay, scope_fen=d.in_scope, deductible_fen=d.deductible, pool_ratio=d.pool_ratio, funds=d.funds,
        fund_fen=d.fund_total, cash_fen=d.cash, admission=one.case.admission, counters=one.case.counters)
