"""Say whether and how a bill may be paid now, before anybody pays: the channel, the day, and earlier months."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.contributions import queries
from yibao.domains.contributions.model import Bill
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.contributions.openings import channel_names, closed_by, cohort_opening
from yibao.usecases.windows.business_of import asked_by_payer
from yibao.usecases.windows.pass_gate import NO_GATE, Gate

EARLIER = """
select bill_id, month from contributions.bill
where payer_no = $1 and kind = 'regular' and state in ('open', 'sent') and month < $2
order by month limit 1
"""
INSUTYPE = "select min(insutype) from contributions.due where bill_id = $1"
PAID_YEAR = """
select exists (select from contributions.due d join contributions.due b on b.psn_no = d.psn_no
    where b.bill_id = $1 and d.insutype = '390' and d.kind in ('regular', 'back') and d.state in ('paid', 'arrived', 'credited')
      and d.month >= make_date($2, 1, 1) and d.month < make_date($2 + 1, 1, 1))
"""


class Offer(msgspec.Struct, frozen=True):
    """A bill that may be paid now: fen, until when without more, the channels open to the payer, and what to know."""

    bill_id: str
    amount_fen: int
    paid_fen: int
    pay_until: str
    channels: tuple[str, ...]
    warnings: tuple[str, ...]


async def offer_payment(
    tx: Connection, bill_id: str, *, channel: str, now: datetime, gate: Gate = NO_GATE
) -> Offer | Refusal:
    """Offer a bill for payment through a channel (``''``: any), or say all that stands against it.

    What a window says of the channel and of who pays, and what the table of openings says, is one answer: the window's
    goes before the table's.

    Against it may stand: paid or cancelled, before the day it may be paid from, a channel closed to such payers, a group
    that may pay from a later day, and an earlier month that is unpaid (months roll).
    """
    bill = await queries.find_bill(tx, bill_id)
    if bill is None:
        return refuse("BILL_NOT_FOUND", "没有这张缴费单", field="bill_id", received=bill_id, remedy="请核对缴费单号")
    insutype = await tx.fetchval(INSUTYPE, bill_id) if gate.plans_of(bill.admdvs) else None
    judged = {
        c: gate.ask(asked_by_payer(bill.admdvs, payer_kind=bill.payer_kind, insutype=insutype or "", channel=c), now)
        for c in (channel_names() if insutype else ())
    }
    faults = [f for f in await _faults(tx, bill, channel, now) if f is not None]
    stopped = judged[channel].refusal if channel in judged else None
    if stopped is not None:
        faults = [*stopped.faults, *(f for f in faults if f.code != "CHANNEL_CLOSED")]
    if faults:
        return Refusal(tuple(faults))
    on = business_date(now)
    advice = judged[channel].advice if channel in judged else ()
    names = channel_names()
    kinds = [
        c for c in bill.channels or names
        if closed_by(bill.admdvs, channel=c, payer_kind=bill.payer_kind, on=on) is None
        and (c not in judged or judged[c].refusal is None)
    ]
    shut = [closed_by(bill.admdvs, channel=c, payer_kind=bill.payer_kind, on=on) for c in names]
    return Offer(
        bill_id, bill.amount_fen, await queries.allocated_to(tx, bill_id), (bill.pay_until or bill.due_on).isoformat(),
        tuple(kinds), tuple(dict.fromkeys((*advice, *(row.says for row in shut if row is not None)))),
    )


async def _faults(tx: Connection, bill: Bill, channel: str, now: datetime) -> list[Fault | None]:
    on = business_date(now)
    faults: list[Fault | None] = []
    if bill.state not in ("open", "sent"):
        faults.append(Fault("BILL_NOT_OPEN", "缴费单已缴清或已作废", "bill_id", bill.bill_id, "请勿重复缴费"))
    if on < bill.pay_from:
        faults.append(Fault("NOT_YET_PAYABLE", f"自 {bill.pay_from} 起可以缴费", "bill_id", bill.bill_id, "请在该日以后缴费"))
    if bill.pay_until is not None and on > bill.pay_until:
        faults.append(Fault("BILL_EXPIRED", f"含滞纳金的金额只到 {bill.pay_until} 有效", "bill_id", bill.bill_id,
                            "请重新申请补缴，按缴费日计算滞纳金"))
    closed = closed_by(bill.admdvs, channel=channel, payer_kind=bill.payer_kind, on=on) if channel else None
    if closed is not None:
        name = channel_names().get(channel, channel)
        faults.append(Fault("CHANNEL_CLOSED", f"{name}暂不对此类缴费人开放：{closed.says}", "channel", channel,
                            "请改用其他渠道", closed.rule))
    cohort = cohort_opening(bill.admdvs, payer_kind=bill.payer_kind, year=bill.month.year, on=on)
    if cohort is not None and cohort.open_from is not None and on < cohort.open_from and await tx.fetchval(
            PAID_YEAR, bill.bill_id, bill.month.year - 1):
        faults.append(Fault("COHORT_NOT_OPEN", cohort.says, "bill_id", bill.bill_id,
                            f"请在 {cohort.open_from} 以后缴费", cohort.rule))
    earlier = await tx.fetchrow(EARLIER, bill.payer_no, bill.month) if bill.kind == "regular" else None
    if earlier is not None:
        faults.append(Fault("EARLIER_MONTH_UNPAID", f"{earlier['month']:%Y-%m} 尚未缴清", "bill_id", earlier["bill_id"],
                            "费用须逐月缴纳，请先缴清以前月份"))
    return faults
