"""Order that somebody is paid through the bank, and order a failed payment anew."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.exchange import payouts
from yibao.domains.exchange.model import Payout, PayoutRow
from yibao.domains.exchange.payout_rules import STATES, refuse_payout
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.identity_number import mask
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.trail import write_trail

__all__ = ["Payout", "PayoutRow", "order_payout"]


async def order_payout(tx: Connection, payout: Payout, *, actor: Actor, now: datetime, ids: Ids) -> PayoutRow | Refusal:
    """Order a payout; it goes to the bank with the next file of its region.

    The caller posts the debt (``payout:<admdvs>`` receives) in the same transaction; the ledger's payment is posted when
    the bank has paid. The same payout again has no effect, another content under its id is refused.
    """
    refusal = refuse_payout(payout)
    if refusal is not None:
        return refusal
    earlier = await payouts.find_payout(tx, payout.payout_id)
    if earlier is not None:
        return earlier if _same(earlier, payout) else refuse(
            "PAYOUT_DIFFERS", f"支付单号已用于另一笔支付（{STATES[earlier.state]}）", field="payout_id",
            received=payout.payout_id, remedy="请使用新的支付单号",
        )
    row = PayoutRow(
        **msgspec.structs.asdict(payout), state="ordered", attempt=1, file_id=None, code="", reason="",
        ordered_by=actor.login, ordered_at=now, ended_at=None,
    )
    await payouts.add_payout(tx, row)
    await write_trail(tx, actor, verb="order_payout", object_id=row.payout_id, admdvs=row.admdvs, state=row, now=now, ids=ids)
    return row


def _same(row: PayoutRow, payout: Payout) -> bool:
    """Say whether a payout is the one ordered before; the account may have been corrected since."""
    return (row.admdvs, row.purpose, row.psn_no, row.amount_fen, row.origin) == (
        payout.admdvs, payout.purpose, payout.psn_no, payout.amount_fen, payout.origin
    ) and (row.attempt > 1 or row.bank_account == payout.bank_account)


async def open_payout(tx: Connection, payout_id: str) -> PayoutRow | Refusal:
    """Return a payout with what became of it."""
    row = await payouts.find_payout(tx, payout_id)
    return row or refuse("PAYOUT_NOT_FOUND", "没有这个支付单", field="payout_id", received=payout_id, remedy="请核对支付单号")


async def reorder_payout(
    tx: Connection, *, payout_id: str, payee_name: str, bank_name: str, bank_account: str, actor: Actor, now: datetime,
    ids: Ids,
) -> PayoutRow | Refusal:
    """Order a failed payout anew, to another account or the same one; it goes with the next file.

    Whoever does it does not check that file: nobody alone sends money to an account of the own choice.
    """
    row = await open_payout(tx, payout_id)
    if isinstance(row, Refusal):
        return row
    if row.state != "failed":
        return refuse("PAYOUT_STATE", f"支付单{STATES[row.state]}，不能重新支付", field="payout_id", received=payout_id,
                      remedy="只有银行退回的支付才能重新支付")
    changed = msgspec.structs.replace(row, payee_name=payee_name, bank_name=bank_name, bank_account=bank_account)
    refusal = refuse_payout(Payout(**{name: getattr(changed, name) for name in Payout.__struct_fields__}))
    if refusal is not None:
        return refusal
    await payouts.order_again(tx, payout_id, payee_name=payee_name, bank_name=bank_name, bank_account=bank_account,
                              by=actor.login)
    done = await open_payout(tx, payout_id)
    assert isinstance(done, PayoutRow)
    await write_trail(
        tx, actor, verb="reorder_payout", object_id=payout_id, admdvs=done.admdvs, state=(done, mask(bank_account)), now=now,
        ids=ids,
    )
    return done
