"""Undo a settlement: cancel it (2208, 2305, 2103), or reverse the message that made or cancelled it (2601)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import asyncpg
import msgspec

from yibao.domains.encounters.visit_classes import visit_classes
from yibao.domains.settlements.model import Settlement, from_row
from yibao.domains.settlements.rules import mirrored, refuse_dependents
from yibao.infra.database import Connection
from yibao.infra.failpoints import reached
from yibao.infra.messages import MessageKey, Replayed, judge_stored
from yibao.kernel.clock import Clock
from yibao.kernel.refusal import Refusal, refuse
from yibao.ledger.posting import Posting, mirror
from yibao.usecases.backfill.undo_backfill import refuse_undoing, with_undoing
from yibao.usecases.pharmacy.undo_sale import undo_sale
from yibao.usecases.settlement.sharing import give_back
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.settlement.way import Operator
from yibao.usecases.settlement.write_settlement import Booking, MovedOn, write
from yibao.usecases.stays.undo_admission import undo_admission

OPEN_REVERSAL = "select * from settlements.open_reversal($1, $2, $3, $4, $5)"
VOID = """
insert into platform.message (sender, msgid, admdvs, infno, state, psn_no, request_digest, received_at, replied_at)
values ($1, $2, $3, $4, 'voided', $5, ''::bytea, $6, $6)
"""


class CancelCommand(msgspec.Struct, frozen=True):
    """Cancel a settlement; ``infno`` says by which transaction, as each cancels only its own kind."""

    psn_no: str
    mdtrt_id: str
    setl_id: str
    infno: str


class ReverseCommand(msgspec.Struct, frozen=True):
    """Undo whatever a lost message did (2601)."""

    psn_no: str
    omsgid: str
    oinfno: str


class Undone(msgspec.Struct, frozen=True):
    """What the undoing wrote: the refund or reinstatement; None where no money moved.

    Attributes:
        verb: names the deed for the audit trail where no money moved.
        person: has the person's columns, for the reply.
    """

    settlement: Settlement | None
    verb: str = "reverse_nothing"
    person: asyncpg.Record | None = None


CANCELS = {"2208": "visit", "2305": "stay", "2103": "sale"}
"""Transactions that cancel a settlement, and the kind of care whose settlements each cancels."""
CANCELLED_BY = {care: infno for infno, care in CANCELS.items()}
ADMISSION = "2401"
REVERSIBLE = {"2102", "2207", "2304", ADMISSION, *CANCELS}
"""Messages that 2601 can undo."""


async def cancel_settlement(
    tx: Connection, *, command: CancelCommand, key: MessageKey, operator: Operator, shelf: PolicyShelf,
    setl_id: str, clock: Clock, encode: Callable[[Undone], bytes],
) -> bytes | Replayed | Refusal:
    """Cancel a settlement as a whole: money, account and yearly counters go back where they were.

    Raises:
        MovedOn: the person's facts were changed meanwhile; begin anew.
    """
    reached("begun")
    row = await _open(tx, key, psn_no=command.psn_no, setl_id=command.setl_id, original=None)
    if not isinstance(row, asyncpg.Record):
        return row
    found = row["undoes"]
    refusal = _refuse_cancel(found, command, sender=key.sender, shelf=shelf)
    if refusal is not None:
        return refusal
    return await _mirror(tx, found, setl_id=setl_id, key=key, operator=operator, clock=clock, encode=encode)


async def reverse_message(
    tx: Connection, *, command: ReverseCommand, key: MessageKey, operator: Operator, shelf: PolicyShelf,
    setl_id: str, clock: Clock, encode: Callable[[Undone], bytes],
) -> bytes | Replayed | Refusal | Undone:
    """Undo what the message ``omsgid`` did.

    An unknown message, or one already undone, is answered with success and without effect; an unknown one
    is voided, so that it cannot arrive late and take effect after all. Returns ``Undone(None)`` where no money
    moved: the caller stores the reply of its own message.

    Raises:
        MovedOn: the original message was committed while it was looked for, or the person's facts were changed
            meanwhile; begin anew.
    """
    reached("begun")
    row = await _open(tx, key, psn_no=command.psn_no, setl_id=None, original=command.omsgid)
    if not isinstance(row, asyncpg.Record):
        return row
    refusal = _refuse_original(row, command)
    if refusal is not None:
        return refusal
    if row["original_state"] is None:
        try:
            await tx.execute(VOID, key.sender, command.omsgid, key.admdvs, command.oinfno, command.psn_no, key.received_at)
        except asyncpg.UniqueViolationError as error:
            raise MovedOn("the original message was answered meanwhile") from error
        return Undone(None)
    if row["original_infno"] == ADMISSION:
        refused = await undo_admission(tx, psn_no=command.psn_no, mdtrt_id=row["original_mdtrt_id"], omsgid=command.omsgid)
        return refused or Undone(None, "cancel_admission")
    found = row["undoes"]
    if found is None:
        return Undone(None)
    if found["resettled_id"]:
        infno = CANCELLED_BY[_care_of(found)]
        return refuse("RESETTLED", "这笔结算已由医保经办机构重新结算，不能冲正原报文", field="data.omsgid",
                      received=command.omsgid, remedy=f"如需撤销，请用{infno}撤销新的结算（结算ID {found['resettled_id']}）")
    if found["settlement"]["state"] != "active":
        return Undone(None)
    refusal = _refuse_by_state(found, shelf=shelf, field="data.omsgid", received=command.omsgid)
    if refusal is not None:
        return refusal
    return await _mirror(tx, found, setl_id=setl_id, key=key, operator=operator, clock=clock, encode=encode)


async def _open(
    tx: Connection, key: MessageKey, *, psn_no: str, setl_id: str | None, original: str | None
) -> asyncpg.Record | Replayed | Refusal:
    """Take the turn and read what a reversal is decided on; a message that was answered before gets its stored answer."""
    row = await tx.fetchrow(OPEN_REVERSAL, key.sender, key.msgid, psn_no, setl_id, original)
    if row is None:
        raise AssertionError("open_reversal returned no row")
    reached("gathered")
    if row["stored_state"] is None:
        return row
    return judge_stored(key, state=row["stored_state"], infno=row["stored_infno"], digest=row["stored_digest"],
                        reply=row["stored_reply"])


async def _mirror(
    tx: Connection, found: asyncpg.Record, *, setl_id: str, key: MessageKey, operator: Operator, clock: Clock,
    encode: Callable[[Undone], bytes],
) -> bytes | Refusal:
    booking = _mirror_booking(found, setl_id=setl_id, key=key, operator=operator, now=clock.now())
    if isinstance(booking, Refusal):
        return booking
    with_family = await give_back(tx, with_undoing(booking, found))
    if isinstance(with_family, Refusal):
        return with_family
    booking = with_family
    if _care_of(found) == "sale":
        refusal = await undo_sale(tx, booking.settlement, is_refund=booking.settlement.kind == "refund")
        if refusal is not None:
            return refusal
    reached("decided")
    reply = encode(Undone(booking.settlement, person=found))
    reached("encoded")
    reached("before_write")
    await write(tx, booking, key=key, reply=reply, clock=clock, version=found["version"])
    reached("written")
    return reply


def _care_of(found: asyncpg.Record) -> str:
    """Return what kind of care a settlement is of: ``stay``, ``sale`` or ``visit``."""
    if found["is_stay"]:
        return "stay"
    return "sale" if found["settlement"]["med_type"] in visit_classes().pharmacy else "visit"


def _refuse_original(row: asyncpg.Record, command: ReverseCommand) -> Refusal | None:
    infno = command.oinfno.removesuffix("A")
    if infno not in REVERSIBLE:
        return refuse("NOT_REVERSIBLE", f"交易{command.oinfno}不支持冲正", field="data.oinfno",
                      received=command.oinfno, remedy=f"可冲正{'、'.join(sorted(REVERSIBLE))}；其余请用各自的撤销交易")
    if row["original_state"] is None or row["original_state"] == "voided":
        return None
    if row["original_infno"] != infno:
        return refuse("ORIGINAL_DIFFERS", f"原报文是交易{row['original_infno']}，与原交易编号不一致",
                      field="data.oinfno", received=command.oinfno, remedy="请核对原交易编号")
    if row["original_psn_no"] != command.psn_no:
        return refuse("PERSON_DIFFERS", "原报文不是该参保人的", field="data.psn_no", received=command.psn_no,
                      remedy="请核对人员编号")
    return None


def _refuse_cancel(
    found: asyncpg.Record | None, command: CancelCommand, *, sender: str, shelf: PolicyShelf
) -> Refusal | None:
    settlement = from_row(found["settlement"]) if found is not None else None
    if found is None or settlement is None or settlement.mdtrt_id != command.mdtrt_id:
        return refuse("SETTLEMENT_NOT_FOUND", "没有该参保人这次就诊的这笔结算", field="data.setl_id",
                      received=command.setl_id, remedy="请用5203查询结算信息后重试")
    if settlement.fixmedins_code != sender:
        return refuse("SETTLEMENT_ELSEWHERE", "这笔结算不是本机构办理的", field="data.setl_id",
                      received=command.setl_id, remedy="请由办理结算的机构撤销")
    infno = CANCELLED_BY[_care_of(found)]
    if infno != command.infno:
        return refuse("SETTLEMENT_OF_OTHER_KIND", f"交易{command.infno}不能撤销这种结算", field="data.setl_id",
                      received=command.setl_id, remedy=f"请用{infno}撤销")
    if settlement.kind != "settlement":
        return refuse("NOT_A_SETTLEMENT", "这是一笔撤销记录，不能再撤销", field="data.setl_id",
                      received=command.setl_id, remedy=f"如需恢复原结算，请用2601冲正原{infno}")
    if settlement.state != "active" and found["resettled_id"]:
        return refuse("RESETTLED", "这笔结算已由医保经办机构重新结算", field="data.setl_id", received=command.setl_id,
                      remedy=f"如需撤销，请撤销新的结算（结算ID {found['resettled_id']}）")
    if settlement.state != "active":
        return refuse("ALREADY_CANCELLED", "这笔结算已经撤销", field="data.setl_id", received=command.setl_id,
                      remedy="无需重复撤销，可用5203查询")
    return _refuse_by_state(found, shelf=shelf, field="data.setl_id", received=command.setl_id)


def _refuse_by_state(
    found: asyncpg.Record, *, shelf: PolicyShelf, field: str, received: str
) -> Refusal | None:
    """Refuse what the present state of person and year does not allow."""
    record = from_row(found["settlement"])
    if record.kind == "refund":
        refusal = refuse_undoing(found, field=field, received=received) or _refuse_reinstatement(found, record)
        if refusal is not None:
            return refusal
    if found["later_of_stay"] is not None:
        return refuse("LATER_SETTLEMENT_OF_STAY", "这次住院之后还有结算，须从最后一笔起依次撤销", field=field,
                      received=received, remedy=f"请先用2305撤销结算{found['later_of_stay']}")
    policy = shelf.of(record.admdvs)
    if isinstance(policy, Refusal):
        return policy
    rule = policy.setting("reversal.later_settlements", record.service_on)
    dependents = [d for d in found["dependents"] or () if d != record.origin_id]
    return refuse_dependents(
        dependents, later=rule.word if rule else "refuse", basis=f"{rule.used.rule} {rule.used.source}" if rule else "",
        field=field, received=received,
    )


def _refuse_reinstatement(found: asyncpg.Record, refund: Settlement) -> Refusal | None:
    """Refuse to bring a settlement back where what it covers is not what it was."""
    if found["batch_taken"]:
        return refuse("BATCH_ALREADY_SETTLED", "该收费批次撤销后已重新结算，不能恢复原结算", field="data.omsgid",
                      remedy="如需恢复，请先撤销新的结算")
    settled = (refund.medfee_fen, refund.own_fen, refund.over_fen, refund.first_fen, refund.scope_fen)
    if [-amount for amount in settled] != found["sums"]:
        return refuse("FEE_LINES_CHANGED", "撤销之后费用明细已有变动，不能恢复原结算", field="data.omsgid",
                      remedy="请按现在的明细重新结算")
    is_final = found["is_stay"] and not found["is_interim"]
    if is_final and (
        found["stay_state"] != "discharged" or found["stay_end_on"] != found["end_on"] or found["lines_beyond"]
    ):
        return refuse("STAY_CHANGED", "撤销之后这次住院的出院信息或明细已有变动，不能恢复原结算", field="data.omsgid",
                      remedy="请办理出院后重新结算")
    return None


def _mirror_booking(
    found: asyncpg.Record, *, setl_id: str, key: MessageKey, operator: Operator, now: datetime
) -> Booking | Refusal:
    origin = from_row(found["settlement"])
    posting = mirror(Posting(*tuple(found["posting"])), posting_id=setl_id, posted_at=now,
                     kind="refund" if origin.kind == "settlement" else "reinstatement")
    balance = (found["balance_fen"] or 0) + origin.account_fen - origin.shared_fen
    if balance < 0:
        return refuse("BALANCE_TOO_LOW", "个人账户余额已不足以恢复原结算", field="data.omsgid",
                      remedy="请按现在的余额重新结算")
    used = dict(zip(found["counter_codes"] or (), found["counter_used"] or (), strict=True))
    caps = dict(zip(found["counter_codes"] or (), found["counter_caps"] or (), strict=True))
    after = [used.get(c, 0) - d for c, d in zip(origin.counter_codes, origin.counter_deltas, strict=True)]
    for code, total in zip(origin.counter_codes, after, strict=True):
        cap = caps.get(code)
        if total < 0 or (cap is not None and total > cap):
            return refuse("COUNTERS_MOVED_ON", "本年度累计已变化，不能恢复原结算", field="data.omsgid",
                          received=code, remedy="请按现在的累计重新结算")
    is_refund = origin.kind == "settlement"
    return Booking(
        settlement=mirrored(
            origin, setl_id=setl_id, kind="refund" if is_refund else "reinstatement",
            state="active" if is_refund else "closed", settled_at=now, balance_fen=balance, sender=key.sender,
            msgid=key.msgid, opter=operator.code, opter_name=operator.name,
        ),
        posting=posting, counter_used=after, counter_caps=[caps.get(c) for c in origin.counter_codes],
        verb="cancel_settlement" if is_refund else "reinstate_settlement",
        origin_state="reversed", grand_state=None if is_refund else "active",
    )
