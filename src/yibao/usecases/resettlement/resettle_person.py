"""Settle a person's year again after a change of the law: cancel, settle in the order of service, all or nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import msgspec

from yibao.domains.settlements.model import Settlement, from_row
from yibao.infra.database import Connection
from yibao.infra.policy_files import keep_version
from yibao.kernel.clock import Clock
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal, refuse
from yibao.ledger.posting import is_claim_desk
from yibao.policy.decision import Decision
from yibao.usecases.resettlement.decide_again import DecidedAgain, Difference, decide_again
from yibao.usecases.resettlement.list_affected import total_of
from yibao.usecases.resettlement.rewrite_year import Books, YearWriter
from yibao.usecases.settlement.shelf import PolicyShelf

# The order of locks that every settlement keeps: the person's turn, encounters, person. All encounters of the year
# at once, so that nobody who has one of them and waits for the person can meet us.
TAKE_TURN = "select pg_advisory_xact_lock(settlements.turn_of($1))"
LOCK_ENCOUNTERS = """
select e.mdtrt_id from encounters.encounter e
where e.psn_no = $1 and e.mdtrt_id in (select s.mdtrt_id from settlements.settlement s where s.psn_no = $1 and s.year = $2)
order by e.mdtrt_id for update
"""
LOCK_PERSON = "select psn_no from people.person where psn_no = $1 for no key update"
IN_FORCE = """
select * from settlements.settlement where psn_no = $1 and year = $2 and kind = 'settlement' and state = 'active'
order by insutype, settled_at, setl_id
"""
BALANCE = "select balance_fen from ledger.personal_account where psn_no = $1"
COUNTERS = "select insutype, code, used_fen, cap_fen from settlements.counter where psn_no = $1 and year = $2"
LINES = """
select w.setl_id, sum(l.amount_fen)::bigint, sum(l.own_fen)::bigint, sum(l.over_fen)::bigint,
       sum(l.first_fen)::bigint, sum(l.scope_fen)::bigint
from unnest($2::text[]) w(setl_id) cross join lateral settlements.lines_of($1, w.setl_id) l group by w.setl_id
"""


class ResettledOne(msgspec.Struct, frozen=True):
    """One settlement, the refund that cancels it, and the settlement that replaces it; ids are ``""`` in a trial."""

    setl_id: str
    refund_id: str
    new_setl_id: str
    insutype: str
    mdtrt_id: str
    chrg_bchno: str
    fixmedins_code: str
    service_on: date
    by_law: bool
    difference: Difference


class Resettled(msgspec.Struct, frozen=True):
    """What was, or would be, settled again: in the order of service, differences in fen (new less old)."""

    psn_no: str
    year: int
    settlements: Sequence[ResettledOne]
    difference: Difference


async def resettle_person(
    tx: Connection, *, psn_no: str, year: int, operator: str, shelf: PolicyShelf,
    texts: Mapping[str, Mapping[str, str]], clock: Clock, ids: Ids, dry_run: bool = False,
) -> Resettled | Refusal:
    """Cancel what a change of the law touches in a person's year, the newest first, and settle it again.

    From the first settlement on that the law in force decides otherwise, all of the same insurance are cancelled
    and settled again in the order of service, each on its stored facts, with the counters and the account as the
    ones before leave them. Looked at under the person's lock: what a hospital cancelled or settled anew in the
    meantime is taken as it stands. The caller's transaction must be rolled back on a refusal or an error.

    Args:
        tx: inside a transaction of the owner of the tables.
        operator: who orders it; stands in the audit trail and on each new record.
        shelf: the laws in force, compiled from ``texts`` (region -> file name -> text), which are kept with it.
        dry_run: look and reckon only; nothing is written.

    Returns:
        what was settled again, without settlements when there is nothing to do; or why it cannot be done.
    """
    if not operator.strip():
        return refuse("OPERATOR_MISSING", "重新结算须写明经办人", remedy="请填写经办人姓名")
    await tx.execute(TAKE_TURN, psn_no)
    await tx.fetch(LOCK_ENCOUNTERS, psn_no, year)
    if await tx.fetchval(LOCK_PERSON, psn_no) is None:
        return refuse("PERSON_NOT_FOUND", "没有该参保人", received=psn_no, remedy="请核对人员编号")
    again = _decide_schemes([from_row(row) for row in await tx.fetch(IN_FORCE, psn_no, year)], shelf)
    if not again:
        return Resettled(psn_no, year, (), total_of(()))
    books = await _open_books(tx, psn_no, year)
    refusal = _refuse_law(again) or await refuse_lines(tx, psn_no, again)
    if refusal is None:
        refusal = _refuse_books(again, books)
    if refusal is not None:
        return refusal
    if dry_run:
        return _resettled(psn_no, year, again, {}, {})
    for admdvs in {one.settlement.admdvs for one in again}:
        policy = shelf.of(admdvs)
        if isinstance(policy, Refusal):
            return policy
        await keep_version(tx, admdvs=admdvs, version=policy.version, texts=texts[admdvs], now=clock.now())
    writer = await YearWriter.open(tx, psn_no=psn_no, operator=operator, books=books, clock=clock, ids=ids)
    refunds, replacements = await writer.rewrite(again)
    return _resettled(psn_no, year, again, refunds, replacements)


def _decide_schemes(held: Sequence[Settlement], shelf: PolicyShelf) -> tuple[DecidedAgain, ...]:
    schemes = dict.fromkeys(settlement.insutype for settlement in held)
    return tuple(
        one for scheme in schemes for one in decide_again([s for s in held if s.insutype == scheme], shelf)
    )


async def _open_books(tx: Connection, psn_no: str, year: int) -> Books:
    rows = await tx.fetch(COUNTERS, psn_no, year)
    return Books(
        used={(row["insutype"], row["code"]): row["used_fen"] for row in rows},
        caps={(row["insutype"], row["code"]): row["cap_fen"] for row in rows},
        balance=await tx.fetchval(BALANCE, psn_no) or 0,
    )


def _refuse_law(again: Sequence[DecidedAgain]) -> Refusal | None:
    for one in again:
        s = one.settlement
        if isinstance(one.decision, Refusal):
            return refuse(
                "LAW_REFUSES", f"结算{s.setl_id}（{s.service_on}）按现行政策不能重新结算：{one.decision.sentence()}",
                remedy="请先补全政策文件，再重新结算",
            )
        # A window that outlives the year rests on settlements of other years, which are not looked at here.
        outlives = any("#" in code for code in (*s.counter_codes, *(c.code for c in one.decision.counters)))
        shares = s.shared_fen or one.decision.shared_pay
        by_hand = is_claim_desk(s.fixmedins_code)
        if one.decision.year != s.year or shares or outlives or by_hand:
            reason = "共济账户参与了支付" if shares else "按现行政策归属另一待遇年度"
            if outlives:
                reason = "按一次住院或一次妊娠合并计算，涉及其他结算"
            if by_hand:
                reason = "是手工报销，差额须另行支付或追回"
            return refuse("RESETTLE_BY_HAND", f"结算{s.setl_id}（{s.service_on}）{reason}，不能自动重新结算",
                          remedy="请由经办人员逐笔撤销后重新结算")
    return None


async def refuse_lines(tx: Connection, psn_no: str, again: Sequence[DecidedAgain]) -> Refusal | None:
    """Refuse where the fee lines are not those any more that were settled: the stored facts would not hold."""
    rows = await tx.fetch(LINES, psn_no, [one.settlement.setl_id for one in again])
    sums = {row[0]: tuple(row)[1:] for row in rows}
    for one in again:
        s = one.settlement
        held = (s.medfee_fen, s.own_fen, s.over_fen, s.first_fen, s.scope_fen)
        if sums.get(s.setl_id) != held:
            return refuse("FEE_LINES_CHANGED", f"结算{s.setl_id}的费用明细与结算时不一致，不能按原明细重新结算",
                          remedy="请由医疗机构撤销后按现有明细重新结算")
    return None


def _refuse_books(again: Sequence[DecidedAgain], books: Books) -> Refusal | None:
    """Refuse where account or counters cannot bear what is to be booked."""
    used = dict(books.used)
    balance = books.balance
    for one in again:
        balance += one.settlement.account_fen
        for key, delta in _deltas(one.settlement):
            used[key] = used.get(key, 0) - delta
    schemes = set()
    for one in again:
        s = one.settlement
        if s.insutype not in schemes and any(
            used.get((s.insutype, code), 0) != one.case.counters.get(code, 0)
            for code in {c for scheme, c in used if scheme == s.insutype} | one.case.counters.keys()
        ):
            return refuse("COUNTERS_MOVED_ON", f"{s.year}年度累计与有效结算之和不符，不能重新结算",
                          remedy="请先运行 yibao verify 查明原因")
        schemes.add(s.insutype)
        assert isinstance(one.decision, Decision)
        balance -= one.decision.account_pay
        if balance < 0:
            return refuse(
                "BALANCE_TOO_LOW",
                f"结算{s.setl_id}（{s.service_on}）重新结算应由个人账户支付{yuan_text(one.decision.account_pay)}元，"
                f"个人账户余额不足，差{yuan_text(-balance)}元",
                remedy="原账户余额已另有支出，请先与参保人办理补缴或退回",
            )
    return None


def _deltas(s: Settlement) -> list[tuple[tuple[str, str], int]]:
    return [((s.insutype, code), d) for code, d in zip(s.counter_codes, s.counter_deltas, strict=True)]


def _resettled(
    psn_no: str, year: int, again: Sequence[DecidedAgain], refunds: Mapping[str, str], replacements: Mapping[str, str]
) -> Resettled:
    settlements = []
    for one in again:
        s = one.settlement
        assert one.difference is not None
        settlements.append(ResettledOne(
            setl_id=s.setl_id, refund_id=refunds.get(s.setl_id, ""), new_setl_id=replacements.get(s.setl_id, ""),
            insutype=s.insutype, mdtrt_id=s.mdtrt_id, chrg_bchno=s.chrg_bchno, fixmedins_code=s.fixmedins_code,
            service_on=s.service_on, by_law=one.by_law, difference=one.difference,
        ))
    return Resettled(psn_no, year, settlements, total_of([one.difference for one in settlements]))
