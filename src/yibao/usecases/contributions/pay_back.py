"""Arrears and back-payment: what is owed of earlier months, with the surcharge up to the day it will be paid, as one bill."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time

import msgspec

from yibao.domains.contributions import members, queries
from yibao.domains.contributions.model import UNPAID, Due
from yibao.domains.contributions.rules import month_after, months_between
from yibao.domains.deadlines.model import Term
from yibao.domains.deadlines.queries import terms_of
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.collection import last_day
from yibao.policy.reckoning.surcharge import NO_SURCHARGE
from yibao.usecases.contributions.assessing import kind_of, payer_of
from yibao.usecases.contributions.cards import EMPLOYEES, Deck
from yibao.usecases.contributions.late import surcharge_of
from yibao.usecases.contributions.make_bill import BillMade, move_to_bill
from yibao.usecases.contributions.new_dues import Writer
from yibao.usecases.deadlines.clocks import payable_with
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

OWED = """
select psn_no, due_id from contributions.due
where payer_no = $1 and insutype in ('310', '330', '390', '410') and kind in ('regular', 'back') and state in ('assessed', 'sent')
  and month >= $2 and month < $3 and (cardinality($4::text[]) = 0 or psn_no = any($4))
  and psn_no in (select psn_no from enrolment.relation where emp_no = $1 union select $1
                 union select psn_no from people.person where household_no = $1)
order by psn_no, due_id
"""
REGION_OF = """
select coalesce((select admdvs from enrolment.employer where emp_no = $1), (select admdvs from people.person where psn_no = $1),
                (select min(admdvs) from people.person where household_no = $1))
"""


class PayBack(msgspec.Struct, frozen=True, kw_only=True):
    """Whose arrears are to be paid and when.

    Attributes:
        payer_no: employer, person or household; psn_nos: only these persons, whose months that were never assessed are
            assessed now; none: what is assessed and unpaid of everybody.
        first, before: months, half-open. pay_on: the day up to which the surcharge is reckoned; the bill holds until then.
    """

    payer_no: str
    first: date
    before: date
    pay_on: date
    psn_nos: tuple[str, ...] = ()


async def pay_back(
    tx: Connection, command: PayBack, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> BillMade | Refusal:
    """Make one bill of arrears: unpaid dues of the months and, for named persons, months that nobody assessed.

    Each due bears the surcharge the law of its last day names, from that day (as windows moved it)
    to ``pay_on``. The bills the dues stood on
    are cancelled or made anew. Refused where nothing is owed, or where a month cannot be assessed: all of it, or nothing.
    """
    admdvs = await tx.fetchval(REGION_OF, command.payer_no)
    policy = shelf.of(admdvs or "")
    if isinstance(policy, Refusal) or admdvs is None:
        return refuse("PAYER_NOT_FOUND", "没有这个缴费人", field="payer_no", received=command.payer_no,
                      remedy="请核对单位或人员编号")
    if command.first >= command.before:
        return refuse("PERIOD_WRONG", "补缴的起始月份应早于终止月份", field="first", received=command.first.isoformat())
    refusal = await _assess_missing(tx, command, policy, now=now)
    if refusal is not None:
        return refusal
    keys = await tx.fetch(OWED, command.payer_no, command.first, command.before, list(command.psn_nos))
    dues = await queries.take_dues_by_key(tx, [(r["psn_no"], r["due_id"]) for r in keys])
    dues = [d for d in dues if d.state in UNPAID]
    if not dues:
        return refuse("NOTHING_OWED", "这段时间没有欠缴", field="payer_no", received=command.payer_no, remedy="请核对月份和人员")
    surcharges = _surcharges(dues, policy, command.pay_on, await terms_of(tx, [admdvs]))
    if isinstance(surcharges, Refusal):
        return surcharges
    until = datetime.combine(command.pay_on, time(12), SHANGHAI)
    made = await move_to_bill(tx, dues, payer_kind=dues[0].payer_kind, payer_no=command.payer_no, kind="back",
                              surcharges=surcharges, now=now, ids=ids, pay_until=until)
    await write_trail(tx, actor, verb="pay_back", object_id=made.bill.bill_id, admdvs=admdvs, state=made, now=now, ids=ids)
    return made


def _surcharges(
    dues: Iterable[Due], policy: RegionPolicy, pay_on: date, terms: Sequence[Term]
) -> dict[str, int] | Refusal:
    found: dict[str, int] = {}
    for due in dues:
        insutype = "310" if due.insutype in ("330", "410") else due.insutype
        by_law = last_day(policy, due.month, insutype=insutype)
        until = payable_with(terms, by_law, insutype=insutype, month=due.month).due_on
        answer = surcharge_of(due, policy, due_on=until, paid_on=pay_on) if pay_on > until else NO_SURCHARGE
        if isinstance(answer, Refusal):
            return answer
        found[due.key] = answer.amount
    return found


async def _assess_missing(
    tx: Connection, command: PayBack, policy: RegionPolicy, *, now: datetime
) -> Refusal | None:
    faults = []
    for month in months_between(command.first, command.before):
        writer = Writer(
            admdvs=policy.admdvs, kind="back", month=month, months=1, period=f"{month:%Y%m}", now=now, version=policy.version,
            due_on=last_day(policy, month, insutype=EMPLOYEES),
        )
        deck = Deck(policy, insutype=EMPLOYEES, month=month)
        for psn_no in command.psn_nos:
            refusal = await _assess_one(tx, command, psn_no, writer, deck)
            if refusal is not None:
                faults += list(refusal.faults)
        await writer.write(tx)
    return Refusal(tuple(faults)) if faults else None


async def _assess_one(
    tx: Connection, command: PayBack, psn_no: str, writer: Writer, deck: Deck
) -> Refusal | None:
    month = writer.month
    rows = await members.find_members(
        tx, psn_no, admdvs=writer.admdvs, insutype=EMPLOYEES, month=month, before=month_after(month))
    row = rows[0] if rows else None
    if row is None or row["has_due"] is not None:
        return None
    kind = kind_of(row)
    payer_kind, payer_no = payer_of(row, kind)
    if payer_no != command.payer_no:
        return refuse("OTHER_PAYER", f"{month:%Y-%m} 由 {payer_no or '未登记的单位'} 缴费", field="psn_nos", received=psn_no,
                      remedy="请由该月的参保单位办理补缴")
    cards = deck.cards(deck.member(
        psn_type=row["psn_type"], account_kind=row["account_kind"], enrolment_kind=kind, wage_fen=row["wage_fen"],
        identities=tuple(row["identities"] or ()), birth_on=row["birth_on"]))
    if isinstance(cards, Refusal):
        return cards
    for card in cards:
        writer.add(psn_no, row["relation_id"], card, payer_kind=payer_kind, payer_no=payer_no, pay_from=writer.today)
    return None
