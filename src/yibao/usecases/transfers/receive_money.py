"""Book what another region's agency paid for somebody who came; money that fits nothing is a case, never lost."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.services.rules import refuse_checker
from yibao.domains.transfers.model import CLOSED, IN, Money, Transfer
from yibao.domains.transfers.operations import add_money, change_transfer, mark_booked
from yibao.domains.transfers.queries import find_by_reference, find_money
from yibao.domains.transfers.rules import money_doubt
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.ledger.operations import move_account
from yibao.ledger.posting import account_posting, bank
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail
from yibao.usecases.transfers.commands import AssignMoney, TransferCredit


async def receive_money(
    tx: Connection, command: TransferCredit, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf | None = None
) -> Money | Refusal:
    """Credit the account of a transfer whose sheet says exactly this amount; anything else waits as an open case.

    The same payment of the bank again has no effect; with another amount it is refused.
    """
    del shelf  # every message of a party is handled with the same arguments
    if command.amount_fen <= 0:
        return refuse("AMOUNT_NOT_POSITIVE", "到账金额须大于零", field="amount_fen", received=str(command.amount_fen),
                      remedy="请与银行核对")
    ref = command.payment_ref or f"{command.from_admdvs}-{command.reference}"
    earlier = await find_money(tx, command.admdvs, ref)
    if earlier is not None:
        if earlier.amount_fen != command.amount_fen:
            return refuse("PAYMENT_DIFFERS", "同一银行流水的金额前后不一", field="amount_fen", received=str(command.amount_fen),
                          remedy="请与银行核对")
        return earlier
    transfer = await find_by_reference(tx, command.admdvs, IN, command.reference)
    doubt = money_doubt(transfer, command.amount_fen, from_admdvs=command.from_admdvs)
    money = Money(ref, command.admdvs, command.from_admdvs, command.reference, command.amount_fen, command.arrived_on, "", "",
                  "open", doubt or "待入账", now)
    await add_money(tx, money)
    if transfer is not None and not doubt:
        await book_money(tx, transfer, money, actor=actor, now=now, ids=ids)
        booked = await find_money(tx, command.admdvs, ref)
        assert booked is not None
        return booked
    await write_trail(tx, actor, verb="keep_transfer_money", object_id=ref, admdvs=command.admdvs, state=money, now=now, ids=ids)
    return money


async def book_money(
    tx: Connection, transfer: Transfer, money: Money, *, actor: Actor, now: datetime, ids: Ids
) -> Transfer:
    """Credit a payment to the account of a transfer that it fits; leave it open where it does not."""
    if money_doubt(transfer, money.amount_fen, from_admdvs=money.from_admdvs):
        return transfer
    moved = await move_account(tx, account_posting(
        "transfer_in", psn_no=transfer.psn_no, posting_id=f"transfer-in-{money.payment_ref}", admdvs=transfer.admdvs,
        posted_at=now, amount=money.amount_fen, other=bank(transfer.admdvs),
    ), even_frozen=True)
    assert moved is not None, "a credit is never refused"
    assert moved.is_new, "each payment is booked once"
    await mark_booked(tx, money, transfer)
    done = await change_transfer(tx, transfer, received_fen=transfer.received_fen + money.amount_fen, state=CLOSED,
                                 ended_at=now)
    await write_trail(tx, actor, verb="receive_transfer_money", object_id=money.payment_ref, admdvs=transfer.admdvs,
                      state=done, now=now, ids=ids)
    return done


async def assign_money(
    tx: Connection, command: AssignMoney, *, actor: Actor, maker: str, now: datetime, ids: Ids
) -> Transfer | Refusal:
    """Book an open payment for the transfer that it was meant for: a case that is worked, by two people."""
    refusal = refuse_checker([maker], actor.login)
    if refusal is not None:
        return refusal
    money = await find_money(tx, command.admdvs, command.payment_ref)
    if money is None or money.state != "open":
        return refuse("TRANSFER_MONEY_NOT_FOUND", "没有这笔待核的转移资金", field="payment_ref",
                      received=command.payment_ref[:40],                      remedy="请核对银行流水号")
    transfer = await find_by_reference(tx, command.admdvs, IN, command.reference)
    doubt = money_doubt(transfer, money.amount_fen, from_admdvs=money.from_admdvs)
    if transfer is None or doubt:
        return refuse("TRANSFER_MONEY_DIFFERS", doubt, field="reference", received=command.reference[:40],
                      remedy="请与转出地核对；不应收的资金请转出地申请退回")
    return await book_money(tx, transfer, msgspec.structs.replace(money, reference=command.reference), actor=actor, now=now,
                            ids=ids)
