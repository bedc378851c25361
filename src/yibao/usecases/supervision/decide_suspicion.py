"""The agency decides a suspicion: one person proposes, another confirms or sends it back; then money is deducted."""

from __future__ import annotations

from datetime import datetime, timedelta

import asyncpg

from yibao.domains.supervision import operations, queries
from yibao.domains.supervision.model import AGENCY, UPHELD, Step, Suspicion
from yibao.domains.supervision.rules import concluded, needs_second, refuse_confirmation, refuse_proposal
from yibao.infra import audit
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.supervision.give_back import deduction_of, return_deductions
from yibao.usecases.supervision.rulebook import region_row


async def propose_decision(
    tx: Connection, *, suspicion_id: str, amount_fen: int | None, operator: str, why: str, now: datetime, ids: Ids
) -> Suspicion | Refusal:
    """Propose what to deduct (0: nothing; None: all that the funds bore); return the suspicion as it then stands.

    Where no money of the funds hangs on it, the proposal holds at once.
    """
    found = await queries.lock_suspicion(tx, suspicion_id)
    if found is None:
        return _unknown(suspicion_id)
    suspicion, document = found
    amount = suspicion.fund_fen if amount_fen is None else amount_fen
    refusal = refuse_proposal(
        suspicion, amount_fen=amount, appeal_until=document["appeal_until"], today=business_date(now),
        operator=operator, why=why,
    )
    if refusal is not None:
        return refusal
    settlement = await queries.settlement_of(tx, suspicion)
    refusal = _refuse_settlement(suspicion, settlement)
    if refusal is not None:
        return refusal
    step = Step("proposed", now, operator, AGENCY, amount, why)
    await operations.propose(tx, suspicion, step)
    if not needs_second(suspicion):
        await operations.conclude(
            tx, suspicion, state=concluded(suspicion, 0), deducted_fen=0, collegial_until=None,
            step=Step("dropped", now, operator, AGENCY, 0, why),
        )
    await _audit(tx, suspicion, verb="propose_decision", operator=operator, amount=amount, now=now, ids=ids)
    return await _again(tx, suspicion_id)


async def confirm_decision(
    tx: Connection, *, suspicion_id: str, operator: str, now: datetime, ids: Ids
) -> Suspicion | Refusal:
    """Confirm a proposal as its second person; what it deducts or gives back is there for clearing from now on."""
    locked = await _waiting(tx, suspicion_id, operator)
    if isinstance(locked, Refusal):
        return locked
    suspicion, settlement = locked
    refusal = _refuse_settlement(suspicion, settlement)
    if refusal is not None:
        return refusal
    assert suspicion.proposed_fen is not None
    assert suspicion.proposed_by is not None
    region = region_row(suspicion.admdvs, business_date(now))
    if isinstance(region, Refusal):
        return region
    amount, state = suspicion.proposed_fen, concluded(suspicion, suspicion.proposed_fen)
    reason = suspicion.proposed_why or suspicion.reason
    if amount > suspicion.deducted_fen:
        deducted = await queries.deducted_of_settlement(tx, psn_no=suspicion.psn_no, setl_id=suspicion.setl_id)
        room = settlement["fund_fen"] - deducted
        if amount - suspicion.deducted_fen > room:
            return refuse("DEDUCTED_MORE_THAN_PAID", f"该结算基金支付中尚可扣款{yuan_text(room)}元", field="amount",
                          received=yuan_text(amount), remedy="请退回后调低扣款金额")
        await operations.add_deduction(tx, deduction_of(
            suspicion, settlement, kind="deduction", amount_fen=amount - suspicion.deducted_fen, origin_id=None,
            reason=f"{suspicion.reason}。{reason}", proposed_by=suspicion.proposed_by, confirmed_by=operator, now=now,
            ids=ids,
        ))
    else:
        await return_deductions(
            tx, suspicion, settlement, down_to=amount, reason=f"合议改为扣款{yuan_text(amount)}元。{reason}",
            proposed_by=suspicion.proposed_by, confirmed_by=operator, now=now, ids=ids,
        )
    until = business_date(now) + timedelta(days=region.collegial_days) if state == UPHELD else None
    await operations.conclude(
        tx, suspicion, state=state, deducted_fen=amount, collegial_until=until,
        step=Step(state, now, operator, AGENCY, amount, reason),
    )
    await _audit(tx, suspicion, verb="confirm_decision", operator=operator, amount=amount, now=now, ids=ids)
    return await _again(tx, suspicion_id)


async def return_decision(
    tx: Connection, *, suspicion_id: str, operator: str, why: str, now: datetime, ids: Ids
) -> Suspicion | Refusal:
    """Send a proposal back as its second person: it is as if nothing had been proposed, but the steps stay."""
    locked = await _waiting(tx, suspicion_id, operator)
    if isinstance(locked, Refusal):
        return locked
    if not why.strip():
        return refuse("REASON_MISSING", "退回须写明意见", field="opinion", remedy="请用--opinion给出意见")
    suspicion, _ = locked
    await operations.withdraw_proposal(tx, suspicion, Step("returned", now, operator, AGENCY, 0, why))
    await _audit(tx, suspicion, verb="return_decision", operator=operator, amount=0, now=now, ids=ids)
    return await _again(tx, suspicion_id)


async def _waiting(
    tx: Connection, suspicion_id: str, operator: str
) -> tuple[Suspicion, asyncpg.Record] | Refusal:
    found = await queries.lock_suspicion(tx, suspicion_id)
    if found is None:
        return _unknown(suspicion_id)
    refusal = refuse_confirmation(found[0], operator=operator)
    return refusal or (found[0], await queries.settlement_of(tx, found[0]))


def _refuse_settlement(suspicion: Suspicion, settlement: asyncpg.Record) -> Refusal | None:
    if settlement["state"] == "active":
        return None
    return refuse("SETTLEMENT_REVERSED", "该结算已撤销，无须再作处理", field="suspicion_id",
                  received=suspicion.suspicion_id, remedy="请运行yibao review run，作废疑点并退回已扣款")


def _unknown(suspicion_id: str) -> Refusal:
    return refuse("SUSPICION_NOT_FOUND", "没有这个疑点", field="suspicion_id", received=suspicion_id,
                  remedy="请用yibao review appeals查询")


async def _again(tx: Connection, suspicion_id: str) -> Suspicion:
    found = await queries.lock_suspicion(tx, suspicion_id)
    assert found is not None
    return found[0]


async def _audit(
    tx: Connection, suspicion: Suspicion, *, verb: str, operator: str, amount: int, now: datetime, ids: Ids
) -> None:
    await audit.write(
        tx, entry_id=ids.new(now), at=now, actor=operator, sender="yibao", channel="cli", verb=verb,
        object_id=suspicion.suspicion_id, admdvs=suspicion.admdvs, rule=suspicion.rule_id,
        digest=sm3(yuan_text(amount).encode()),
    )
