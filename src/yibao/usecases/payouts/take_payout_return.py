"""Read what the bank did with a file of payouts: what was paid is booked, what failed says why and may be ordered anew."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.exchange import payouts
from yibao.domains.exchange.model import PayoutFile, PayoutReturn, PayoutRow
from yibao.domains.exchange.payout_rules import PAID_CODE, outcomes_text, refuse_return
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.ledger.operations import post
from yibao.ledger.posting import Posting, bank, payout
from yibao.usecases.trail import write_trail


class Returned(msgspec.Struct, frozen=True):
    """What an answer of the bank did: payouts that are now paid or failed; nothing that was answered before."""

    file_id: str
    paid: tuple[str, ...]
    failed: tuple[str, ...]
    paid_fen: int


async def take_payout_return(
    tx: Connection, told: PayoutReturn, *, actor: Actor, now: datetime, ids: Ids
) -> Returned | Refusal:
    """Book the bank's answer. The same outcome again has no effect; the bank may answer in several parts.

    Refused as a whole, with every fault: a wrong digest or count, a line that was not in the file, another amount, or
    another outcome than told before.
    """
    file = await payouts.find_file(tx, told.file_id)
    if file is not None:
        await payouts.take_region(tx, file.admdvs)
    lines = {line.line_id: line for line in await payouts.list_lines(tx, told.file_id)}
    refusal = refuse_return(told, file=file, lines=lines, digest=sm3(outcomes_text(told.rows)).hex())
    if refusal is not None or file is None:
        assert refusal is not None
        return refusal
    returned = await _book(tx, file, told, now=now)
    if returned.paid or returned.failed:
        if not any(line.code == "" for line in await payouts.list_lines(tx, file.file_id)):
            await payouts.mark_answered(tx, file.file_id, now=now)
        await write_trail(tx, actor, verb="take_payout_return", object_id=file.file_id, admdvs=file.admdvs, state=returned,
                          now=now, ids=ids)
    return returned


async def _book(tx: Connection, file: PayoutFile, told: PayoutReturn, *, now: datetime) -> Returned:
    """Write every outcome that is new; post what was paid."""
    rows = {row.line_id: row for row in await payouts.list_of_file(tx, file.file_id)}
    paid: list[str] = []
    failed: list[str] = []
    paid_fen = 0
    for outcome in sorted(told.rows, key=lambda o: o.line_id):
        row = rows.get(outcome.line_id)
        if row is None or row.state != "sent":
            continue
        is_paid = outcome.code == PAID_CODE
        await payouts.end_line(tx, file.file_id, outcome)
        await payouts.end_payout(tx, row.payout_id, state="paid" if is_paid else "failed", outcome=outcome, now=now)
        if is_paid:
            await post(tx, _payment(row, now=now))
            paid_fen += row.amount_fen
        (paid if is_paid else failed).append(row.payout_id)
    return Returned(file.file_id, tuple(paid), tuple(failed), paid_fen)


def _payment(row: PayoutRow, *, now: datetime) -> Posting:
    return Posting(
        row.psn_no, f"{row.payout_id}-paid", row.admdvs, "payment", now, None, None,
        [payout(row.admdvs), bank(row.admdvs)], [-row.amount_fen, row.amount_fen], 0,
    )


class FileRefused(msgspec.Struct, frozen=True, kw_only=True):
    """The bank carries a file out in no part, and says why."""

    file_id: str
    reason: str


async def take_refused_file(
    tx: Connection, told: FileRefused, *, actor: Actor, now: datetime, ids: Ids
) -> PayoutFile | Refusal:
    """Take a file back that the bank refused as a whole: its payouts go with the next one."""
    file = await payouts.find_file(tx, told.file_id)
    if file is None or file.state != "sent" or any(line.code for line in await payouts.list_lines(tx, told.file_id)):
        return refuse("PAYOUT_FILE_STATE", "银行退回的支付文件不存在、未送出或已有回盘", field="file_id",
                      received=told.file_id[:40], remedy="请向银行核对")
    await payouts.mark_withdrawn(tx, file.file_id)
    await write_trail(tx, actor, verb="take_refused_file", object_id=file.file_id, admdvs=file.admdvs, state=told, now=now,
                      ids=ids)
    return file
