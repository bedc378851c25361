"""3203: an institution asks for a period's money; its sums must be the platform's."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import asyncpg
import msgspec

from yibao.domains.clearing.claim_operations import add_claim, take_items
from yibao.domains.clearing.claim_queries import sum_items
from yibao.domains.clearing.model import Claim
from yibao.domains.institutions.model import Institution
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.reckoning.clearing import ClearingPeriod, clearing_period
from yibao.usecases.settlement.shelf import PolicyShelf

MONTHLY = "monthly"
QUARTER, MONTHS_OF_QUARTER = "Q", 3


class ClaimCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What an institution asks for: days ``first`` to ``last``, both counted, and its own sums in fen.

    Attributes:
        clr_way: ``""`` for whatever way of clearing.
        month: ``yyyyMM``.
        visits: settlements less refunds, so that a settlement taken back counts for nobody.
        recognised_fen: what is in the scope of the law (``inscp_scp_amt``).
    """

    clr_type: str
    clr_way: str
    month: str
    first: date
    last: date
    visits: int
    medfee_fen: int
    recognised_fen: int
    fund_fen: int
    cash_fen: int
    account_fen: int


async def claim_settlements(
    tx: Connection, *, institution: Institution, command: ClaimCommand, operator: str, shelf: PolicyShelf, claim_id: str,
    now: datetime,
) -> Claim | Refusal:
    """Claim every settlement of the days that no live claim holds; refused with each sum that differs.

    A settlement reversed after it was claimed counts negative with the claim of the days of its refund. The caller's
    transaction must be rolled back on a refusal.
    """
    period = _period(institution, command, shelf, business_date(now))
    if isinstance(period, Refusal):
        return period
    code, end_before = institution.fixmedins_code, command.last + timedelta(days=1)
    await take_items(
        tx, claim_id=claim_id, fixmedins_code=code, clr_type=command.clr_type, clr_way=command.clr_way,
        begin_on=command.first, end_before=end_before,
    )
    ours = await sum_items(tx, claim_id)
    refusal = _refuse_sums(command, ours)
    if refusal is not None:
        return refusal
    claim = Claim(
        claim_id, institution.region, code, MONTHLY, command.clr_type, command.clr_way, period.name, command.first,
        end_before, "claimed", ours["settlements"], ours["visits"], ours["medfee"], ours["scope"], ours["fund"],
        ours["account"], ours["cash"], ours["payable"], 0, "", "", now, operator,
    )
    await add_claim(tx, claim)
    return claim


def _period(
    institution: Institution, command: ClaimCommand, shelf: PolicyShelf, today: date
) -> ClearingPeriod | Refusal:
    """Return the clearing period of the law that the days lie in."""
    if command.last < command.first:
        return refuse("PERIOD_REVERSED", "结束日期早于开始日期", field="data.enddate", received=str(command.last),
                      remedy="请核对清算日期")
    if command.last > today:
        return refuse("CLAIM_IN_FUTURE", "结束日期在将来，尚未发生的费用不能申报", field="data.enddate",
                      received=str(command.last), remedy="请申报已发生的日期")
    policy = shelf.of(institution.region)
    if isinstance(policy, Refusal):
        return policy
    period = clearing_period(policy, command.first)
    if isinstance(period, Refusal):
        return period
    if command.last >= period.ends:
        return refuse(
            "CLAIM_SPANS_PERIODS", f"起止日期跨越清算期{period.name}（{period.begins}至{period.ends - timedelta(days=1)}）",
            field="data.enddate", received=str(command.last), remedy="请按清算期分别申报",
        )
    last = period.ends - timedelta(days=1)
    if command.month not in _months_of(period, last):
        return refuse("CLAIM_MONTH_WRONG", f"清算年月与起止日期所在的清算期{period.name}不符", field="data.setlym",
                      received=command.month, remedy=f"请填写{last:%Y%m}")
    return period


def _months_of(period: ClearingPeriod, last: date) -> set[str]:
    """Return the months that name a period: the one it is cut in, or each of its quarter."""
    months = [last]
    while QUARTER in period.name and len(months) < MONTHS_OF_QUARTER:
        months.append(months[-1].replace(day=1) - timedelta(days=1))
    return {f"{month:%Y%m}" for month in months}


def _refuse_sums(command: ClaimCommand, ours: asyncpg.Record) -> Refusal | None:
    if not ours["settlements"]:
        return refuse("NOTHING_TO_CLAIM", "该期间该清算类别没有未申报的结算", field="data.clr_type",
                      received=command.clr_type, remedy="请核对清算类别、清算方式和起止日期，或用3204撤销原申报后重新申报")
    faults = [] if command.visits == ours["visits"] else [
        Fault("CLAIM_DIFFERS", "清算人次与平台不符", "data.psntime", f"机构{command.visits}，平台{ours['visits']}",
              "清算人次是结算笔数减去退费笔数；请核对后重新申报")
    ]
    for field, label, theirs, held in (
        ("medfee_sumamt", "医疗费总额", command.medfee_fen, ours["medfee"]),
        ("med_sumfee", "医保认可费用总额", command.recognised_fen, ours["scope"]),
        ("fund_appy_sum", "基金申报总额", command.fund_fen, ours["fund"]),
        ("cash_payamt", "现金支付金额", command.cash_fen, ours["cash"]),
        ("acct_pay", "个人账户支出", command.account_fen, ours["account"]),
    ):
        if theirs != held:
            faults.append(Fault("CLAIM_DIFFERS", f"{label}与平台不符", f"data.{field}",
                                f"机构{yuan_text(theirs)}，平台{yuan_text(held)}", _REMEDY))
    return Refusal(tuple(faults)) if faults else None


_REMEDY = "请先用3201、3202对账至相符后申报"
