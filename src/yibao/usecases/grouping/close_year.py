"""Closes a year of payment by group: one works it out, somebody else approves it, the difference becomes a claim."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.grouping.model import YearClose, YearLine
from yibao.domains.grouping.operations import add_close, approve_close, name_claim, take_region
from yibao.domains.grouping.payment_files import read_payment_files
from yibao.domains.grouping.queries import get_close, is_closed, list_lines, list_results, list_stays
from yibao.domains.records.operations import mark_lists
from yibao.infra import audit
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.payment.terms import Pool, Terms
from yibao.policy.payment.year_end import YearClosed
from yibao.policy.payment.year_end import close_year as close_pool
from yibao.usecases.clearing.claim_year_end import claim_year_end
from yibao.usecases.grouping.paid_stays import group_of_result, instant, paid_stay, pool_of_stay, terms_of


class ClosedYear(msgspec.Struct, frozen=True):
    """A pool's year with its institutions."""

    close: YearClose
    lines: tuple[YearLine, ...]


async def compute_year(
    tx: Connection, *, admdvs: str, year: int, operator: str, now: datetime, ids: Ids
) -> list[ClosedYear] | Refusal:
    """Work out every pool of a region's year, in place of an earlier working-out that nobody approved.

    May be asked at any time: before the year is over it is a forecast that cannot be approved. Pools already approved
    are left out.
    """
    terms = terms_of(admdvs)
    if isinstance(terms, Refusal):
        return terms
    if not operator.strip():
        return refuse("OPERATOR_MISSING", "没有说明由谁经办", remedy="请写明经办人姓名")
    pools = terms.pools_of(year)
    if not pools:
        return refuse("NO_POOL", "该年度没有按组付费的预算", field="year", received=str(year), remedy="请核对年度")
    await take_region(tx, admdvs)
    found = []
    for pool in pools:
        if await is_closed(tx, admdvs=admdvs, year=year, fund_type=pool.fund_type):
            continue
        closed = await _work_out(tx, terms, pool)
        one = _record(closed, admdvs, close_id=ids.new(now), operator=operator, now=now)
        await add_close(tx, one.close, one.lines)
        await _trail(tx, "compute_year", one, operator=operator, now=now, ids=ids)
        found.append(one)
    return found


async def approve_year(
    tx: Connection, *, close_id: str, operator: str, now: datetime, ids: Ids
) -> ClosedYear | Refusal:
    """Approve a year: by somebody else, when it is over, and only if it still comes to the same.

    Every institution with a difference gets a claim of kind ``year_end``, which is reviewed, approved and paid like any.
    """
    close = await get_close(tx, close_id)
    refusal = _may_approve(close, operator, business_date(now))
    if refusal is not None or close is None:
        return refusal or _unknown(close_id)
    await take_region(tx, close.admdvs)
    lines = await list_lines(tx, close_id)
    terms = terms_of(close.admdvs)
    if isinstance(terms, Refusal):
        return terms
    pool = next((p for p in terms.pools_of(close.year) if p.fund_type == close.fund_type), None)
    again = None if pool is None else _record(
        await _work_out(tx, terms, pool), close.admdvs, close_id=close_id, operator=close.computed_by,
        now=close.computed_at,
    )
    if again is None or (again.close, list(again.lines)) != (close, lines):
        return refuse("YEAR_HAS_MOVED", "计算之后又有结算、分组或参数变动，结果已不同", field="close_id", received=close_id,
                      remedy="请重新计算后再审批")
    await approve_close(tx, close_id=close_id, at=now, by=operator)
    claimed = []
    for line in lines:
        made = await _claim(tx, close, line, operator=operator, now=now, ids=ids)
        if isinstance(made, Refusal):
            return made
        claimed.append(made)
    begin, end = instant(date(close.year, 1, 1)), instant(date(close.year + 1, 1, 1))
    used = await list_results(tx, admdvs=close.admdvs, begin=begin, end=end)
    await mark_lists(tx, [r.setl_id for r in used.values() if r.method == close.method], verb="use", at=now, actor=operator)
    approved = msgspec.structs.replace(close, state="approved", approved_at=now, approved_by=operator)
    await _trail(tx, "approve_year", ClosedYear(approved, tuple(claimed)), operator=operator, now=now, ids=ids)
    return ClosedYear(approved, tuple(claimed))


async def _claim(
    tx: Connection, close: YearClose, line: YearLine, *, operator: str, now: datetime, ids: Ids
) -> YearLine | Refusal:
    if not line.adjust_fen:
        return line
    claim = await claim_year_end(
        tx, admdvs=close.admdvs, fixmedins_code=line.fixmedins_code, year=close.year, amount_fen=line.adjust_fen,
        fund_pay_type=close.fund_type, basis=f"{close.pool}{close.year}年度清算 {close.close_id}：{line.reason}",
        operator=operator, now=now, ids=ids,
    )
    if isinstance(claim, Refusal):
        return claim
    await name_claim(tx, close_id=close.close_id, fixmedins_code=line.fixmedins_code, claim_id=claim.claim_id)
    return msgspec.structs.replace(line, claim_id=claim.claim_id)


async def _work_out(tx: Connection, terms: Terms, pool: Pool) -> YearClosed:
    begin, end = instant(date(pool.year, 1, 1)), instant(date(pool.year + 1, 1, 1))
    results = await list_results(tx, admdvs=terms.admdvs, begin=begin, end=end)
    packets = {packet.code: packet for packet in pool.packets}
    stays = [
        paid_stay(stay, pool, group_of_result(results.get(stay.setl_id), pool, packets))
        for stay in await list_stays(tx, admdvs=terms.admdvs, begin=begin, end=end)
        if (found := pool_of_stay(stay, terms)) is not None and found.fund_type == pool.fund_type
    ]
    return close_pool(stays, pool, terms)


def _record(closed: YearClosed, admdvs: str, *, close_id: str, operator: str, now: datetime) -> ClosedYear:
    pool = closed.pool
    close = YearClose(
        close_id=close_id, admdvs=admdvs, year=pool.year, pool=pool.name, fund_type=pool.fund_type, method=pool.method,
        budget_fen=pool.budget_fen, points_e4=sum(case.points_e4 for case in closed.cases if case.follows_value),
        value_num=closed.value.numerator, value_den=closed.value.denominator, is_cut=closed.is_cut, state="computed",
        terms_digest=sm3(read_payment_files()[admdvs].encode()), computed_at=now, computed_by=operator,
    )
    lines = tuple(
        YearLine(
            close_id=close_id, fixmedins_code=i.fixmedins_code, admdvs=admdvs, cases=i.cases, points_e4=i.points_e4,
            due_fen=i.due_fen, paid_fen=i.paid_fen, shared_fen=i.shared_fen, final_fen=i.final_fen,
            adjust_fen=i.adjust_fen, reason=i.reason,
        )
        for i in closed.institutions
    )
    return ClosedYear(close, lines)


def _may_approve(close: YearClose | None, operator: str, today: date) -> Refusal | None:
    if not operator.strip():
        return refuse("OPERATOR_MISSING", "没有说明由谁经办", remedy="请写明经办人姓名")
    if close is None:
        return None
    if close.state != "computed":
        return refuse("YEAR_STATE", "这次清算已审批或已被重新计算取代", field="close_id", received=close.close_id,
                      remedy="请核对清算编号")
    if operator == close.computed_by:
        return refuse("FOUR_EYES", "计算人不能审批自己的清算", field="operator", received=operator, remedy="请由另一人审批")
    if today < date(close.year + 1, 1, 1):
        return refuse("YEAR_NOT_OVER", "年度尚未结束，只能预测，不能审批", field="year", received=str(close.year),
                      remedy="请在年度结束后重新计算并审批")
    return None


def _unknown(close_id: str) -> Refusal:
    return refuse("CLOSE_NOT_FOUND", "没有这次年终清算", field="close_id", received=close_id, remedy="请核对清算编号")


async def _trail(
    tx: Connection, verb: str, year: ClosedYear, *, operator: str, now: datetime, ids: Ids
) -> None:
    lines: Sequence[YearLine] = year.lines
    digest = sm3("".join(f"{x.fixmedins_code} {x.final_fen} {x.adjust_fen}\n" for x in lines).encode())
    await audit.write(
        tx, entry_id=ids.new(now), at=now, actor=operator, sender="agency", channel="cli", verb=verb,
        object_id=year.close.close_id, admdvs=year.close.admdvs, digest=digest,
    )
