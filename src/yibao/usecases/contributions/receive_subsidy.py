"""The treasury has paid what the state owes for a month or a year: the money reaches bank and funds at once."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.closing.open_month import refuse_closed
from yibao.domains.contributions import queries
from yibao.domains.contributions.model import Bill
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.ledger.posting import bank, fund_account
from yibao.usecases.contributions.bills import ARRIVE_BILL, PAY_BILL, TO_FUNDS, book
from yibao.usecases.trail import write_trail

ARRIVE = """
update contributions.due set state = 'arrived', paid_on = $2, paid_at = $3, arrived_on = $2, arrived_at = $3
where bill_id = $1 and state in ('assessed', 'sent')
"""


class Subsidy(msgspec.Struct, frozen=True, kw_only=True):
    """Which bill of the state was paid in full: number of the receipt, day, and fen, to be the bill's."""

    bill_id: str
    receipt_no: str
    received_on: date
    amount_fen: int | None = None


async def receive_subsidy(
    tx: Connection, command: Subsidy, *, actor: Actor, now: datetime, ids: Ids
) -> Bill | Refusal:
    """Book the state's payment of a bill in full; told again it has no effect. Another amount is refused."""
    bill = await queries.find_bill(tx, command.bill_id, lock=True)
    if bill is None or bill.payer_kind != "state":
        return refuse("BILL_NOT_FOUND", "没有这张财政缴费单", field="bill_id", received=command.bill_id, remedy="请核对缴费单号")
    if bill.state == "arrived":
        return bill
    if bill.state == "cancelled":
        return refuse("BILL_CANCELLED", "该财政缴费单已作废", field="bill_id", received=command.bill_id, remedy="请核对缴费单号")
    if command.received_on > business_date(now):
        return refuse("RECEIVED_LATER", "到账日期晚于今天", field="received_on", received=command.received_on.isoformat(),
                      remedy="请更正")
    if command.amount_fen is not None and command.amount_fen != bill.amount_fen:
        return refuse("AMOUNT_DIFFERS", "拨付金额与财政缴费单不符", field="amount_fen", received=str(command.amount_fen),
                      remedy=f"应为 {bill.amount_fen} 分，请与财政部门核对")
    closed = await refuse_closed(tx, admdvs=bill.admdvs, on=business_date(now))
    if closed is not None:
        return closed
    await tx.execute(ARRIVE, bill.bill_id, command.received_on, now)
    rows = await tx.fetch(TO_FUNDS, bill.bill_id)
    await book(tx, "subsidy", f"subsidy-{bill.bill_id}", bill.payer_no, bill.admdvs,
               [(fund_account(bill.admdvs, r["fund"]), int(r["fen"])) for r in rows], bank(bill.admdvs), now=now)
    await tx.execute(PAY_BILL, bill.bill_id, command.received_on, now)
    await tx.execute(ARRIVE_BILL, bill.bill_id, command.received_on)
    done = msgspec.structs.replace(bill, state="arrived", paid_on=command.received_on, paid_at=now,
                                   arrived_on=command.received_on)
    await write_trail(tx, actor, verb="receive_subsidy", object_id=bill.bill_id, admdvs=bill.admdvs, state=command, now=now,
                      ids=ids)
    return done
