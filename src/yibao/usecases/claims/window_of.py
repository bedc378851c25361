"""What a window says of a receipt: whether it is to be claimed by hand or settled where the person was treated."""

from __future__ import annotations

from datetime import date

import msgspec

from yibao.domains.claims.kinds import words
from yibao.domains.claims.model import SALE, STAY, Bill
from yibao.domains.encounters.visit_classes import visit_classes
from yibao.domains.windows.gate import money_rule, position_of
from yibao.domains.windows.model import Asked, Plan, Rule
from yibao.domains.windows.terms import day_of
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault
from yibao.usecases.windows.pass_gate import Gate

BY_HAND = "manual_reimburse"
_TRANSIT = "contribution_in_transit"
_PAYS_LATER = ("pay_full_backfill", "hold_open", "deposit", "capture_credential", "convert_self_pay", "cancel_and_reregister")


class Found(msgspec.Struct, frozen=True):
    """The plan and rule behind a receipt; ``rate`` is what it promises."""

    plan: str
    rule: str
    rate: str


def window_of(
    bill: Bill, gate: Gate, *, insutype: str, cause: str, today: date, at: str
) -> tuple[Found | None, list[Fault]]:
    """Return the rule of a window that a receipt falls under, and the fault of one that is to be backfilled instead.

    A receipt of an institution here that the plan promises to settle there is claimed by hand only after the last day of
    that; without a last day, whenever the person prefers.
    """
    plan = gate.plan_for(bill.admdvs, bill.begin_at) or gate.plan_for(bill.admdvs, bill.end_at)
    rule = _rule(plan, bill, insutype=insutype, cause=cause) if plan else None
    if plan is None or rule is None:
        return None, []
    if rule.disposition == BY_HAND:
        return Found(plan.name, rule.id, str(rule.terms.get("rate", "plain"))), _season_faults(plan, rule, today=today, at=at)
    until = day_of(rule, "settle_by")
    if bill.fixmedins_code and not bill.remote_place and rule.disposition in _PAYS_LATER and until and today <= until:
        return None, [Fault(
            "BACKFILL_FIRST", "停机期间的这次就医由就诊机构补录结算，不能手工报销", f"{at}.bill_no", bill.bill_no,
            f"请在{until}前到就诊机构补录结算；逾期未能补录的再申请手工报销", f"{plan.name} {rule.id}")]
    return Found(plan.name, rule.id, ""), []


def _season_faults(plan: Plan, rule: Rule, *, today: date, at: str) -> list[Fault]:
    """Return the fault of claiming before or after the days that the plan names for it."""
    first, last = day_of(rule, "from"), day_of(rule, "to")
    if (first is None or today >= first) and (last is None or today <= last):
        return []
    days = "至".join(f"{day}" for day in (first, last) if day) if first and last else f"{first}起" if first else f"{last}以前"
    return [Fault("CLAIM_OUT_OF_SEASON", f"停机方案规定的手工报销受理时间是{days}", f"{at}.bill_no", f"{today}",
                  "请在受理时间内申请" if last is None or today <= last else "请联系参保地经办机构", f"{plan.name} {rule.id}")]


def _rule(plan: Plan, bill: Bill, *, insutype: str, cause: str) -> Rule | None:
    business = _business(bill)
    track = plan.track_of(business)
    if track is None:
        return None
    position = position_of(
        track, begin=bill.begin_at, end=bill.end_at, is_remote=bool(bill.remote_place), is_filed=bill.remote in words().filed)
    asked = Asked(
        business=business, admdvs=bill.admdvs, channel="gateway", care_admdvs=bill.care_admdvs, insutype=insutype,
        institution="pharmacy" if bill.care == SALE else "hospital", visit_class=_visit_class(bill), position=position,
        cause=_TRANSIT if cause == "transit" else "",
    )
    return money_rule(plan, asked) if position or asked.cause else None


def _business(bill: Bill) -> str:
    if bill.remote_place:
        return "remote_inpatient" if bill.care == STAY else "remote_outpatient"
    if bill.care == STAY:
        return "maternity_settlement" if bill.maternity else "inpatient_settlement"
    if bill.care == SALE:
        return "pharmacy_sale"
    return "chronic_settlement" if bill.med_type in visit_classes().needs_recognition else "outpatient_settlement"


def _visit_class(bill: Bill) -> str:
    if bill.care == SALE:
        return "drug"
    if bill.care == STAY:
        return "maternity" if bill.maternity else "inpatient"
    return "chronic" if bill.med_type in visit_classes().needs_recognition else "outpatient"


def days_of(bill: Bill) -> tuple[date, date]:
    """Return first and last day of the care of a receipt."""
    return business_date(bill.begin_at), business_date(bill.end_at)
