"""Settle a bill in any way: gather, decide, post, count, answer, commit."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import asyncpg
import msgspec

from yibao.domains.settlements.model import Settlement
from yibao.infra.database import Connection
from yibao.infra.failpoints import reached
from yibao.infra.messages import MessageKey, Replayed, judge_stored
from yibao.kernel.clock import Clock
from yibao.kernel.refusal import Refusal
from yibao.ledger.posting import settlement_posting
from yibao.policy.decide import decide
from yibao.policy.decision import Decision
from yibao.usecases.backfill.booking import with_backfill
from yibao.usecases.backfill.judge_backfill import is_touched, judge_backfill
from yibao.usecases.settlement import sharing
from yibao.usecases.settlement.counters import kept_code
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.settlement.way import B, Bill, OpenCase, Operator, Settled, Way, placed
from yibao.usecases.settlement.write_settlement import Booking, MovedOn, write
from yibao.usecases.windows.pass_gate import NO_GATE, Gate

GIVE_TURN_BACK = "select settlements.give_turn_back($1)"
_FACTS = msgspec.json.Encoder()


async def settle_at_once(
    connection: Connection, *, way: Way[B], bill: B, key: MessageKey, operator: Operator, shelf: PolicyShelf,
    setl_id: str, clock: Clock, encode: Callable[[Settled], bytes], gate: Gate = NO_GATE,
) -> bytes | None:
    """Settle a bill in two statements outside any transaction of ours; the second commits everything or nothing.

    Nothing is locked while the law is asked: the write holds only if the person's version has not moved.
    None means: not this way; something stood against it, and ``settle_in_turn`` says what.
    """
    reached("begun")
    row = await connection.fetchrow(way.facts_at_once(bill), *way.arguments(bill))
    reached("gathered")
    settled = await decide_bill(
        connection, row, way=way, bill=bill, key=key, operator=operator, shelf=shelf, setl_id=setl_id, clock=clock,
        gate=gate,
    )
    if isinstance(settled, Refusal):
        # A repeat of a message that was answered looks like a second settlement: only the turn can tell.
        return None
    reply = _encoded(settled, encode)
    try:
        await write(
            connection, _booking(settled, way), key=key, reply=reply, clock=clock, version=settled.row["version"]
        )
    except MovedOn:
        return None
    return reply


async def settle_in_turn(
    connection: Connection, *, way: Way[B], bill: B, key: MessageKey, operator: Operator, shelf: PolicyShelf,
    setl_id: str, clock: Clock, encode: Callable[[Settled], bytes], gate: Gate = NO_GATE,
) -> bytes | Replayed | Refusal:
    """Settle a bill in two statements in the person's turn; the second commits and ends the turn.

    A repeated message returns ``Replayed``; nothing is written for a refusal.

    Raises:
        MovedOn: the facts were changed by somebody who needs no turn, such as an upload of fee lines; begin anew.
    """
    family = sharing.asks_family(bill)
    try:
        turns = await connection.fetchval(sharing.TAKE_TURN, bill.psn_no) if family else []
        row = await connection.fetchrow(way.turn, key.sender, key.msgid, *way.arguments(bill))
        if row is None:
            raise AssertionError("the turn returned no row")
        reached("gathered")
        settled = _stored(row, key) or await decide_bill(
            connection, row["facts"], way=way, bill=bill, key=key, operator=operator, shelf=shelf, setl_id=setl_id,
            clock=clock, gate=gate,
        )
        if not isinstance(settled, Settled):
            await connection.execute(GIVE_TURN_BACK, bill.psn_no)
            if family:
                await connection.execute(sharing.GIVE_TURN_BACK, turns)
            return settled
        reply = _encoded(settled, encode)
        await write(
            connection, _booking(settled, way), key=key, reply=reply, clock=clock, version=settled.row["version"],
            in_turn=True,
        )
        if family:
            await connection.execute(sharing.GIVE_TURN_BACK, turns)
    except BaseException:
        # The turn belongs to the session: whoever leaves without having given it back ends the session.
        connection.terminate()
        raise
    reached("written")
    return reply


def _stored(row: asyncpg.Record, key: MessageKey) -> Replayed | Refusal | None:
    if row["stored_state"] is None:
        return None
    return judge_stored(
        key, state=row["stored_state"], infno=row["stored_infno"], digest=row["stored_digest"], reply=row["stored_reply"]
    )


def _encoded(settled: Settled, encode: Callable[[Settled], bytes]) -> bytes:
    reached("decided")
    reply = encode(settled)
    reached("encoded")
    reached("before_write")
    return reply


async def quote(
    connection: Connection, *, way: Way[B], bill: B, key: MessageKey, operator: Operator, shelf: PolicyShelf,
    gate: Gate = NO_GATE,
) -> Settled | Refusal:
    """Try a settlement: the same reading and deciding, nothing locked, nothing written (I9)."""
    row = await connection.fetchrow(way.facts, *way.arguments(bill))
    return await decide_bill(
        connection, row, way=way, bill=bill, key=key, operator=operator, shelf=shelf, setl_id="", clock=None,
        gate=gate,
    )


async def decide_bill(
    connection: Connection, row: asyncpg.Record | None, *, way: Way[B], bill: B, key: MessageKey, operator: Operator,
    shelf: PolicyShelf, setl_id: str, clock: Clock | None, gate: Gate = NO_GATE,
) -> Settled | Refusal:
    """Judge the facts, ask the law, and lay out the settlement; relatives' accounts are read where the bill asks for them.

    Args:
        clock: tells an instant after all facts were read: so the settlements of one person bear times in the order in
            which they were counted, whichever message came in first. None for a trial, which has no such time.
    """
    judged = way.judge(row, bill, sender=key.sender, shelf=shelf)
    judged = judged if isinstance(judged, Refusal) else _in_time(judged, way, bill, key=key, gate=gate)
    opened = judged if isinstance(judged, Refusal) else await sharing.with_family(connection, bill, judged)
    if isinstance(opened, Refusal):
        return opened
    settled_at = key.received_at if clock is None else clock.now()
    policy = shelf.of(opened.case.admdvs)
    if isinstance(policy, Refusal):
        return policy
    decision = decide(opened.case, policy, trace=False)
    if isinstance(decision, Refusal):
        return placed(decision, way.places)
    return Settled(
        opened, decision,
        _settlement(opened, bill, decision, key=key, operator=operator, setl_id=setl_id, settled_at=settled_at),
    )


def _in_time(opened: OpenCase, way: Way[B], bill: B, *, key: MessageKey, gate: Gate) -> OpenCase | Refusal:
    """Return the case with what a window made of it; refuse what may not be settled here, or not any more."""
    if not is_touched(opened.row, gate, admdvs=opened.case.admdvs, at=key.received_at):
        return opened
    backfill = judge_backfill(opened.row, way.care(opened, bill), gate=gate, now=key.received_at)
    if backfill is None or isinstance(backfill, Refusal):
        return backfill or opened
    return msgspec.structs.replace(opened, backfill=backfill)


def _settlement(
    opened: OpenCase, bill: Bill, decision: Decision, *, key: MessageKey, operator: Operator, setl_id: str,
    settled_at: datetime,
) -> Settlement:
    row, case = opened.row, opened.case
    balance = (row["balance_fen"] or 0) - (decision.account_pay - decision.shared_pay)
    counters = (*decision.counters, *decision.exhausted)
    funds = [f for f in decision.funds if f.amount]
    return Settlement(
        psn_no=bill.psn_no, setl_id=setl_id, admdvs=case.admdvs, care_admdvs=row["care_admdvs"],
        mdtrt_id=opened.mdtrt_id, chrg_bchno=opened.batch, fixmedins_code=key.sender, insutype=case.insutype,
        med_type=case.med_type, benefit=decision.benefit, year=decision.year, service_on=case.service_on,
        settled_at=settled_at, kind="settlement", state="active", origin_id=None,
        medfee_fen=decision.amount, own_fen=decision.own, over_fen=decision.over, first_fen=decision.first_pay,
        scope_fen=decision.in_scope, deductible_fen=decision.deductible, hifp_fen=decision.fund("hifp_pay"),
        cvlserv_fen=decision.fund("cvlserv_pay"), hifes_fen=decision.fund("hifes_pay"),
        hifmi_fen=decision.fund("hifmi_pay"), hifob_fen=decision.fund("hifob_pay"), maf_fen=decision.fund("maf_pay"),
        oth_fen=decision.fund("oth_pay"), fund_fen=decision.fund_total, person_fen=decision.person_part,
        account_fen=decision.account_pay, shared_fen=decision.shared_pay, cash_fen=decision.cash,
        hospital_fen=decision.hospital_part, balance_fen=balance, pool_ratio=decision.pool_ratio,
        fund_types=[f.fund_pay_type for f in funds], fund_amounts=[f.amount for f in funds],
        counter_codes=[kept_code(c.code, stay=opened.mdtrt_id, pregnancy=opened.pregnancy) for c in counters],
        counter_deltas=[c.delta for c in counters],
        facts=_FACTS.encode(case), policy_version=decision.policy_version, account_use=bill.account_use,
        cert_type=bill.cert_type, clr_type=decision.clr_type, clr_way=opened.clr_way, clr_optins=case.admdvs,
        invono=bill.invono, sender=key.sender, msgid=key.msgid, opter=operator.code, opter_name=operator.name,
    )


def _booking(settled: Settled, way: Way[B]) -> Booking:
    s, used = settled.settlement, settled.case.counters
    counters = (*settled.decision.counters, *settled.decision.exhausted)
    booking = Booking(
        settlement=s,
        posting=settlement_posting(
            psn_no=s.psn_no, setl_id=s.setl_id, admdvs=s.admdvs, fixmedins_code=s.fixmedins_code,
            posted_at=s.settled_at, funds=zip(s.fund_types, s.fund_amounts, strict=True),
            account_fen=s.account_fen - s.shared_fen, cash_fen=s.cash_fen,
        ),
        counter_used=[used.get(c.code, 0) + c.delta for c in counters],
        counter_caps=[c.cap for c in counters],
        verb=way.verb, statement=way.write, beside=way.beside(settled),
    )
    return sharing.share_out(with_backfill(booking, settled.opened.backfill), settled.opened.sharers)
