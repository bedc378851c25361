"""What a unit that paid too late owes on top: its own bill, a due for each due that was late."""

from __future__ import annotations

from datetime import date, datetime

from yibao.domains.contributions import operations, queries
from yibao.domains.contributions.model import Bill, Due
from yibao.domains.contributions.rules import bill_name
from yibao.infra.database import Connection
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.cases import DuesCase
from yibao.policy.reckoning.surcharge import NO_SURCHARGE, Surcharge, surcharge_on
from yibao.usecases.contributions.bills import next_ordinal, send_bill, work_case
from yibao.usecases.deadlines.clocks import payable_until
from yibao.usecases.settlement.shelf import PolicyShelf

CHARGED = """
select split_part(c.due_id, '-surcharge-', 1) as due_id, c.psn_no, sum(c.total_fen)::bigint as fen
from contributions.due d join contributions.due c on c.psn_no = d.psn_no and c.kind = 'correction'
  and starts_with(c.due_id, d.due_id || '-surcharge-') and c.state not in ('cancelled', 'refunded')
where d.bill_id = $1 group by 1, 2
"""


def surcharge_of(due: Due, policy: RegionPolicy, *, due_on: date, paid_on: date) -> Surcharge | Refusal:
    """Return the surcharge on one due that was to be paid until ``due_on``; only units owe one (the law's rows say so)."""
    if due.payer_kind != "unit":
        return NO_SURCHARGE
    case = DuesCase(admdvs=due.admdvs, on=due_on, insutype=due.insutype, enrolment_kind="employed")
    return surcharge_on(case, policy, due.total_fen, due_on=due_on, paid_on=paid_on)


async def charge_late(tx: Connection, bill: Bill, *, now: datetime, ids: Ids, shelf: PolicyShelf) -> Bill | None:
    """Bill the surcharge of a bill that was paid after its last day; None where nothing is owed for it.

    A bill of arrears bears the surcharge up to the day it holds until; only the days after that one are charged here. A bill
    that is paid a second time, because its payment was taken back, owes what is more than was charged the first time.
    Days that a window lost, and months that its plan lets be paid later, cost nothing.
    """
    since = bill.pay_until or bill.due_on
    policy = shelf.of(bill.admdvs)
    if bill.paid_on is None or bill.paid_on <= since or bill.payer_kind != "unit" or isinstance(policy, Refusal):
        return None
    if bill.kind not in ("regular", "back"):
        return None
    if bill.kind == "regular":
        since = await payable_until(tx, admdvs=bill.admdvs, bill_id=bill.bill_id, due_on=since, insutype="310", month=bill.month)
        if bill.paid_on <= since:
            return None
    ordinal = await next_ordinal(tx, _blank(bill, "", 1, 0, 0, now))
    name = bill_name(bill.admdvs, bill.month, bill.payer_no, ordinal, "surcharge")
    charged = {(row["psn_no"], row["due_id"]): int(row["fen"]) for row in await tx.fetch(CHARGED, bill.bill_id)}
    dues = []
    for due in await queries.list_dues_of_bill(tx, bill.bill_id):
        found = surcharge_of(due, policy, due_on=since, paid_on=bill.paid_on)
        fen = found.amount - charged.get((due.psn_no, due.due_id), 0) if isinstance(found, Surcharge) else 0
        if fen > 0:
            dues.append(_due(due, fen, name, now=now, version=policy.version))
    if not dues:
        return None
    total = sum(d.total_fen for d in dues)
    made = _blank(bill, name, ordinal, len(dues), total, now)
    await operations.add_dues(tx, dues)
    await operations.add_bill(tx, made)
    await operations.open_cases(tx, [work_case(
        "LATE_SURCHARGE", bill.bill_id, admdvs=bill.admdvs, bill_id=name, payer_no=bill.payer_no, amount_fen=total, now=now,
        says=f"{bill.bill_id} 应于 {since} 前缴清，{bill.paid_on} 缴清，滞纳金 {yuan_text(total)} 元",
    )])
    return await send_bill(tx, made, now=now, ids=ids)


def _blank(bill: Bill, name: str, ordinal: int, count: int, amount_fen: int, now: datetime) -> Bill:
    on = bill.paid_on or bill.due_on
    return Bill(
        name, bill.admdvs, bill.payer_kind, bill.payer_no, bill.payer_name, "surcharge", bill.month, ordinal, count,
        amount_fen, "open", on, on, None, [], "", now,
    )


def _due(due: Due, fen: int, bill_id: str, *, now: datetime, version: str) -> Due:
    return Due(
        due.psn_no, f"{due.due_id}-surcharge-{bill_id.rsplit('-', 1)[1]}", due.admdvs, due.relation_id, due.insutype,
        due.month, 0, "correction", due.payer_kind, due.payer_no, 0, ["unit.surcharge"], [fen], due.funds[:1], fen, 0,
        bill_id, "assessed", now, None, None, None, None, None, None, version,
    )
