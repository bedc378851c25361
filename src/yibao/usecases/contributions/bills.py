"""What happens to a bill: covered by money, paid, arrived, and made anew when its dues change."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime

import asyncpg
import msgspec

from yibao.domains.contributions import operations, queries
from yibao.domains.contributions.case_kinds import KINDS
from yibao.domains.contributions.model import Bill, Due, PaymentRow, WorkCase
from yibao.domains.contributions.rules import bill_lines, bill_name
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.ledger.operations import post
from yibao.ledger.posting import Posting, bank, fund_account
from yibao.usecases.contributions.openings import open_channels
from yibao.usecases.deadlines.in_transit import release_arrived
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.exchange.put_out import put_out
from yibao.usecases.settlement.shelf import PolicyShelf

PAY = """
update contributions.due set state = 'paid', paid_on = $2, paid_at = $3 where bill_id = $1 and state in ('assessed', 'sent')
returning psn_no
"""
PAY_BILL = "update contributions.bill set state = 'paid', paid_on = $2, paid_at = $3 where bill_id = $1"
UNPAY = """
update contributions.due set state = 'sent', paid_on = null, paid_at = null where bill_id = $1 and state = 'paid' returning psn_no
"""
UNPAY_BILL = "update contributions.bill set state = 'sent', paid_on = null, paid_at = null where bill_id = $1"
NOT_ARRIVED = """
select count(*) from contributions.allocation a join contributions.payment p on p.payment_id = a.payment_id
where a.bill_id = $1 and a.amount_fen > 0 and p.state <> 'arrived'
"""
LAST_ARRIVAL = """
select max(p.arrived_on) from contributions.allocation a join contributions.payment p on p.payment_id = a.payment_id
where a.bill_id = $1 and a.amount_fen > 0
"""
ARRIVE = """
update contributions.due set state = 'arrived', arrived_on = $2, arrived_at = $3 where bill_id = $1 and state = 'paid'
"""
ARRIVE_BILL = "update contributions.bill set state = 'arrived', arrived_on = $2 where bill_id = $1"
# A surcharge goes to the fund of what it is a surcharge on.
TO_FUNDS = """
select l.fund, l.part like '%.surcharge' as is_surcharge, sum(l.fen)::bigint as fen
from contributions.due d cross join lateral (
    select u.fund, u.part, u.fen from unnest(d.funds, d.parts, d.amounts) u(fund, part, fen)
    union all select d.funds[1], 'late.surcharge', d.surcharge_fen where d.surcharge_fen > 0) l
where d.bill_id = $1 and d.state in ('paid', 'arrived', 'credited') and l.fen <> 0 group by 1, 2 order by 2, 1
"""
FREE = """
update contributions.payment p set allocated_fen = p.allocated_fen - a.amount_fen
from contributions.allocation a where a.bill_id = $1 and a.amount_fen > 0 and p.payment_id = a.payment_id
returning p.payment_id, p.payer_no, p.amount_fen - p.allocated_fen - p.refunded_fen as free_fen
"""
LET_GO = "update contributions.allocation set amount_fen = 0 where bill_id = $1 and amount_fen > 0"
LAST_SET_OFF = "select max(made_at) from contributions.allocation where bill_id = $1 and amount_fen > 0"
SHRINK = "update contributions.bill set count = count - $2, amount_fen = amount_fen - $3 where bill_id = $1"
CLOSE_BILL = "update contributions.bill set state = 'cancelled', closed_at = $2 where bill_id = $1"
MOVE_DUES = """
update contributions.due set bill_id = $2, state = 'assessed', sent_at = null where bill_id = $1 and state in ('assessed', 'sent')
returning 1
"""
SENT_BILL = """
update contributions.bill set state = 'sent', sent_at = $2, digest = $3, channels = $4 where bill_id = $1 and state = 'open'
"""
SENT_DUES = "update contributions.due set state = 'sent', sent_at = $2 where bill_id = $1 and state = 'assessed'"


def unallocated(admdvs: str) -> str:
    """Return the ledger account of payers' money that has reached the bank and pays no arrived bill yet."""
    return f"unallocated:{admdvs}"


def work_case(
    kind: str, subject: str, *, admdvs: str, says: str, now: datetime, payment_id: str = "", bill_id: str = "",
    payer_no: str = "", amount_fen: int = 0,
) -> WorkCase:
    """Return a case of a kind about a subject; its id is both, so that it is opened once."""
    return WorkCase(
        f"{kind}/{subject}", admdvs, kind, payment_id, bill_id, payer_no, "", amount_fen, f"{KINDS[kind].title}：{says}",
        "open", now,
    )


async def cover(tx: Connection, bill: Bill, *, now: datetime, ids: Ids, shelf: PolicyShelf) -> Bill:
    """Let the money that names a bill pay it, if there is enough of it; return the bill as it stands then.

    Nothing is taken while it does not suffice: the payer's money stays the payer's. What was set off before counts as paid
    on the day it was set off. Entitlement follows in the same transaction.
    """
    if bill.state not in ("open", "sent"):
        return bill
    set_off_at = await tx.fetchval(LAST_SET_OFF, bill.bill_id)
    missing = bill.amount_fen - await queries.allocated_to(tx, bill.bill_id)
    named = [p for p in await queries.take_payments_named(tx, bill.bill_id) if not p.is_held and p.free_fen > 0]
    if sum(p.free_fen for p in named) < missing:
        return bill
    paid_on = business_date(set_off_at) if set_off_at is not None else None
    for payment in named:
        taken = min(missing, payment.free_fen)
        if taken:
            await operations.allocate(
                tx, payment_id=payment.payment_id, bill_id=bill.bill_id, admdvs=bill.admdvs, amount_fen=taken, now=now
            )
            paid_on = max(paid_on or payment.paid_on, payment.paid_on)
        missing -= taken
    return await mark_paid(tx, bill, paid_on=paid_on or business_date(now), now=now, ids=ids, shelf=shelf)


async def mark_paid(
    tx: Connection, bill: Bill, *, paid_on: date, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Bill:
    """Mark a bill and its dues as paid, close what was open about it, and let entitlement follow.

    What was held because these dues were on their way is released, and people are told.
    """
    persons = sorted({row["psn_no"] for row in await tx.fetch(PAY, bill.bill_id, paid_on, now)})
    await tx.execute(PAY_BILL, bill.bill_id, paid_on, now)
    opened = await queries.list_open_of(tx, bill_id=bill.bill_id)
    ended = [row["case_id"] for row in opened if row["kind"] in ("SHORT_PAYMENT", "EARLIER_UNPAID")]
    await operations.close_cases(tx, ended, now=now, by="YIBAO", outcome="已缴清")
    await release_arrived(tx, persons, now=now, ids=ids)
    await refresh_entitlement(tx, persons, now=now, shelf=shelf)
    paid = msgspec.structs.replace(bill, state="paid", paid_on=paid_on, paid_at=now)
    return await arrive_when_all(tx, paid, now=now)


async def arrive_when_all(tx: Connection, bill: Bill, *, now: datetime) -> Bill:
    """Give a paid bill's money to the funds once all payments that pay it have reached the bank."""
    if bill.state != "paid" or await tx.fetchval(NOT_ARRIVED, bill.bill_id):
        return bill
    arrived_on = await tx.fetchval(LAST_ARRIVAL, bill.bill_id) or bill.paid_on
    await tx.execute(ARRIVE, bill.bill_id, arrived_on, now)
    await tx.execute(ARRIVE_BILL, bill.bill_id, arrived_on)
    rows = await tx.fetch(TO_FUNDS, bill.bill_id)
    for kind, is_surcharge in (("contribution", False), ("surcharge", True)):
        legs = [(fund_account(bill.admdvs, r["fund"]), int(r["fen"])) for r in rows if r["is_surcharge"] == is_surcharge]
        await book(tx, kind, f"{kind}-{bill.bill_id}", bill.payer_no, bill.admdvs, legs, unallocated(bill.admdvs), now=now)
    return msgspec.structs.replace(bill, state="arrived", arrived_on=arrived_on)


async def book(
    tx: Connection, kind: str, posting_id: str, payer_no: str, admdvs: str, legs: Sequence[tuple[str, int]], other: str, *,
    now: datetime, origin_id: str | None = None,
) -> None:
    """Post legs against one account that takes the other side; nothing where they come to nothing."""
    legs = [leg for leg in legs if leg[1]]
    if not legs:
        return
    total = sum(fen for _account, fen in legs)
    accounts, amounts = [account for account, _ in legs], [fen for _, fen in legs]
    if total:
        accounts, amounts = [*accounts, other], [*amounts, -total]
    await post(tx, Posting(payer_no, posting_id, admdvs, kind, now, None, origin_id, accounts, amounts, 0))


async def book_payment(tx: Connection, payment: PaymentRow, *, now: datetime) -> None:
    """Post that a payment has reached the bank; whose it is says the payment, for what its bills."""
    await book(
        tx, "contribution", f"arrival-{payment.payment_id}", payment.payer_no or payment.bill_id, payment.admdvs,
        [(bank(payment.admdvs), -payment.amount_fen)], unallocated(payment.admdvs), now=now,
    )


async def unpay(tx: Connection, bill: Bill, *, now: datetime, shelf: PolicyShelf) -> None:
    """Make a paid bill owed again because a payment was taken back."""
    persons = sorted({row["psn_no"] for row in await tx.fetch(UNPAY, bill.bill_id)})
    await tx.execute(UNPAY_BILL, bill.bill_id)
    await refresh_entitlement(tx, persons, now=now, shelf=shelf)


async def free_bill(tx: Connection, bill_id: str) -> list[asyncpg.Record]:
    """Give what pays a bill back to its payments; return them with the credit they have then."""
    freed = await tx.fetch(FREE, bill_id)
    await tx.execute(LET_GO, bill_id)
    return freed


async def send_bill(tx: Connection, bill: Bill, *, now: datetime, ids: Ids) -> Bill:
    """Put an open bill into the outbox of the tax bureau and mark it and its dues as sent."""
    dues = await queries.list_dues_of_bill(tx, bill.bill_id)
    digest = sm3(bill_lines((d.psn_no, d.due_id, d.owed_fen) for d in dues if d.state == "assessed")).hex()
    channels = open_channels(bill.admdvs, bill.payer_kind, bill.pay_from)
    await tx.execute(SENT_BILL, bill.bill_id, now, digest, channels)
    await tx.execute(SENT_DUES, bill.bill_id, now)
    sent = msgspec.structs.replace(bill, state="sent", sent_at=now, digest=digest, channels=channels)
    await put_out(tx, party="tax", kind="bill", key=bill.bill_id, body=bill_body(sent), admdvs=bill.admdvs, now=now, ids=ids)
    return sent


def bill_body(bill: Bill) -> dict[str, object]:
    """Return what the tax bureau is told of a bill."""
    return {
        "bill_id": bill.bill_id, "admdvs": bill.admdvs, "payer_kind": bill.payer_kind, "payer_no": bill.payer_no,
        "payer_name": bill.payer_name, "month": bill.month.isoformat(), "amount_fen": bill.amount_fen, "count": bill.count,
        "digest": bill.digest, "pay_from": bill.pay_from.isoformat(), "due_on": bill.due_on.isoformat(),
        "pay_until": bill.pay_until.isoformat() if bill.pay_until else None, "channels": list(bill.channels),
    }


async def take_from_bill(tx: Connection, bill: Bill, dues: Iterable[Due], *, now: datetime, ids: Ids) -> Bill | None:
    """Take unpaid dues off a bill: an open one shrinks; one that was sent is cancelled and its rest billed anew.

    The caller has moved or cancelled the dues before. What was set off against the bill is its payers' credit again, and a
    case. Returns the bill that holds the rest, None where nothing is left.
    """
    taken = list(dues)
    await _tell_freed(tx, bill, now=now)
    fen = sum(d.owed_fen for d in taken)
    rest = bill.count - len(taken)
    if bill.state == "open":
        await tx.execute(SHRINK, bill.bill_id, len(taken), fen)
        if not rest:
            await tx.execute(CLOSE_BILL, bill.bill_id, now)
        return None if not rest else msgspec.structs.replace(bill, count=rest, amount_fen=bill.amount_fen - fen)
    await tx.execute(CLOSE_BILL, bill.bill_id, now)
    renewed = None
    if rest:
        ordinal = await next_ordinal(tx, bill)
        renewed = msgspec.structs.replace(
            bill, bill_id=bill_name(bill.admdvs, bill.month, bill.payer_no, ordinal, bill.kind), ordinal=ordinal, count=rest,
            amount_fen=bill.amount_fen - fen, state="open", digest="", channels=[], made_at=now, sent_at=None,
        )
        await operations.add_bill(tx, renewed)
        await tx.fetch(MOVE_DUES, bill.bill_id, renewed.bill_id)
    await operations.open_cases(tx, [
        work_case(
            "CANCELLED_BILL", p.payment_id, admdvs=bill.admdvs, payment_id=p.payment_id, bill_id=bill.bill_id,
            payer_no=p.payer_no, amount_fen=p.free_fen, now=now,
            says=f"缴费流水 {p.payment_id} 的 {yuan_text(p.free_fen)} 元指向已重出的缴费单",
        ) for p in await queries.take_payments_named(tx, bill.bill_id) if p.free_fen > 0
    ])
    await put_out(tx, party="tax", kind="bill_cancelled", key=bill.bill_id, body={"bill_id": bill.bill_id},
                  admdvs=bill.admdvs, now=now, ids=ids)
    return renewed


async def _tell_freed(tx: Connection, bill: Bill, *, now: datetime) -> None:
    await operations.open_cases(tx, [
        work_case(
            "CANCELLED_BILL", f"{row['payment_id']}/{bill.bill_id}", admdvs=bill.admdvs, payment_id=row["payment_id"],
            bill_id=bill.bill_id, payer_no=row["payer_no"], amount_fen=row["free_fen"], now=now,
            says=f"缴费流水 {row['payment_id']} 抵缴的 {bill.bill_id} 已变更，"
                 f"余额 {yuan_text(row['free_fen'])} 元待重新抵缴或退费",
        ) for row in await free_bill(tx, bill.bill_id)
    ])


async def next_ordinal(tx: Connection, bill: Bill) -> int:
    """Return the number of a payer's next bill of the same month and kind."""
    newest = await queries.newest_bills(tx, admdvs=bill.admdvs, month=bill.month, kind=bill.kind, payer_nos=[bill.payer_no])
    return newest.get(bill.payer_no, (0, ""))[0] + 1
