"""Decide the receipts of a claim by the law of their days: catalogue, who somebody was, what was filed, what the year used.

The facts are those of a settlement at a hospital; only they come from papers, and nobody pays from an account. Receipts
are decided in the order of service, each on the counters that the ones before it leave.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from yibao.domains.applications.model import Trauma
from yibao.domains.catalogue.model import ItemTerm
from yibao.domains.catalogue.queries import terms_on_days
from yibao.domains.claims import queries
from yibao.domains.claims.kinds import words
from yibao.domains.claims.model import SALE, STAY, Bill, Claim, Line
from yibao.domains.encounters.visit_classes import visit_classes
from yibao.infra.database import Connection
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.case import Case, InstitutionFacts, LineGroup
from yibao.policy.decide import decide
from yibao.policy.decision import Decision
from yibao.policy.law.parameters import RegionPolicy, first_match
from yibao.policy.lines import LineSplit, classify_line
from yibao.policy.pipeline.choosing import choose_benefit
from yibao.usecases.claims.duplicates import filing_faults
from yibao.usecases.claims.window_of import days_of
from yibao.usecases.entitlement.standing_faults import standing_faults
from yibao.usecases.filings.case_facts import CaseWords, case_words, filing_facts
from yibao.usecases.settlement.counters import OUTLIVES_YEAR, kept_code, law_counters, year_of
from yibao.usecases.settlement.judging import person_of
from yibao.usecases.settlement.maternity import refuse_kind, sex_faults
from yibao.usecases.visits.fee_line import group_of

_OWN_COST = "03"
_DISCHARGE = "discharge_date"
_NEW_STAY = "-"
"""Stands for the stay while a claim is only calculated: no counter of it can be there yet."""


class SplitLine(msgspec.Struct, frozen=True):
    """A line with the catalogue's term (None where it is not held) and its split."""

    line: Line
    term: ItemTerm | None
    split: LineSplit


class Without(msgspec.Struct, frozen=True):
    """What is left out of a person's year: what a decision that is looked at again has used up.

    Attributes:
        used: (year, kept code) -> fen. stays: benefit years of its stays.
    """

    used: Mapping[tuple[int, str], int] = {}
    stays: tuple[int, ...] = ()


class DecidedBill(msgspec.Struct, frozen=True):
    """A receipt with the case made of it and the law's decision; ``pregnancy`` is the filing whose counters it uses."""

    bill: Bill
    lines: tuple[SplitLine, ...]
    case: Case
    decision: Decision
    pregnancy: str
    psn_type: str


async def decide_bills(
    tx: Connection, claim: Claim, bills: Sequence[Bill], lines: Sequence[Line], *, policy: RegionPolicy,
    without: Without = Without(),
) -> list[DecidedBill] | Refusal:
    """Decide all receipts of a claim in the order of service, or refuse with every fault found."""
    by_bill: dict[int, list[Line]] = {}
    for line in lines:
        by_bill.setdefault(line.ordinal, []).append(line)
    used: Counter[tuple[int, str]] = Counter({key: -fen for key, fen in without.used.items()})
    stays: Counter[int] = Counter({year: -without.stays.count(year) for year in without.stays})
    decided: list[DecidedBill] = []
    faults: list[Fault] = []
    for bill in sorted(bills, key=lambda b: (days_of(b)[1], b.begin_at, b.ordinal)):
        one = await _decide(tx, claim, bill, by_bill.get(bill.ordinal, []), policy=policy, used=used, stays=stays)
        if isinstance(one, Refusal):
            faults += one.faults
            continue
        decided.append(one)
        for change in one.decision.counters:
            code = kept_code(change.code, stay=f"{_NEW_STAY}{bill.ordinal}", pregnancy=one.pregnancy)
            used[year_of(code, one.decision.year), code] += change.delta
        if bill.care == STAY and one.decision.in_scope > 0:
            stays[one.decision.year] += 1
    return Refusal(tuple(faults)) if faults else decided


async def _decide(
    tx: Connection, claim: Claim, bill: Bill, lines: Sequence[Line], *, policy: RegionPolicy,
    used: Mapping[tuple[int, str], int], stays: Mapping[int, int],
) -> DecidedBill | Refusal:
    at = f"bills[{bill.ordinal - 1}]"
    first, last = days_of(bill)
    row = await queries.find_facts(
        tx, psn_no=bill.psn_no, insutype=claim.insutype, at=bill.fixmedins_code, first=first, last=last)
    if row is None:
        return refuse("PERSON_NOT_FOUND", "没有该参保人", field="psn_no", received=bill.psn_no, remedy="请核对人员编号")
    facts = {**dict(row), "med_type": bill.med_type, "maternity": bill.maternity}
    split = await _split(tx, claim, bill, lines, policy=policy, at=at)
    filed = case_words(
        filing_facts(row), fixmedins_code=bill.fixmedins_code, med_type=bill.med_type,
        trauma=Trauma(True, False) if bill.is_accident else None)
    faults = _person_faults(facts, claim, bill, at=at)
    faults += filing_faults(bill, has_referral=bool(row["filed_referred_from"]), at=at)
    faults += split.faults if isinstance(split, Refusal) else ()
    faults += filed.faults if isinstance(filed, Refusal) else ()
    if faults or isinstance(split, Refusal) or isinstance(filed, Refusal):
        return Refusal(tuple(faults))
    case = _case(facts, claim, bill, split, filed, service_on=last)
    service_on = _service_day(case, bill, split, policy)
    if isinstance(service_on, Refusal):
        return service_on
    case = _in_year(case, facts, bill, filed, service_on=service_on, used=used, stays=stays)
    refused = refuse_kind(case, policy)
    decision = refused or decide(case, policy, trace=True)
    if isinstance(decision, Refusal):
        return Refusal(tuple(msgspec.structs.replace(f, field=f"{at}.{f.field}".rstrip(".")) for f in decision.faults))
    return DecidedBill(bill, tuple(split), case, decision, filed.pregnancy_id, row["psn_type"])


def _person_faults(facts: dict[str, Any], claim: Claim, bill: Bill, *, at: str) -> list[Fault]:
    first, last = days_of(bill)
    died_on = facts["died_on"]
    if bill.care == STAY and died_on is not None and died_on >= first:
        died_on = None  # Who dies in hospital is insured to the last day of the stay.
    faults = standing_faults(
        insutype=claim.insutype, status=facts["relation_status"], status_reason=facts["relation_reason"],
        benefit_from=facts["benefit_from"], benefit_to=facts["benefit_to"], died_on=died_on, on=last)
    if facts["admdvs"] is not None and facts["admdvs"] != claim.admdvs:
        faults.append(Fault("OTHER_REGION", f"就医时参保地是{facts['admdvs']}", f"{at}.begin_at", f"{first}",
                            "请到当时的参保地申请"))
    recognised = facts["recognised"] or ()
    if bill.med_type in visit_classes().needs_recognition and bill.disease_code not in recognised:
        faults.append(Fault("DISEASE_NOT_RECOGNISED", "就医时没有该病种的有效慢特病认定", f"{at}.disease_code", bill.disease_code,
                            "请核对病种，或按普通门诊申报"))
    return faults + sex_faults(facts, psn_no=bill.psn_no)  # type: ignore[arg-type]


async def _split(
    tx: Connection, claim: Claim, bill: Bill, lines: Sequence[Line], *, policy: RegionPolicy, at: str
) -> list[SplitLine] | Refusal:
    """Split every line by the catalogue and the law of its own day; what has no code stays with the person."""
    if not lines:
        return refuse("LINES_MISSING", "尚未录入费用明细", field=f"{at}.lines", received=bill.bill_no, remedy="请按费用清单录入")
    total = sum(line.amount_fen for line in lines)
    if total != bill.total_fen:
        return refuse("TOTAL_DIFFERS", "票据金额与明细合计不一致", field=f"{at}.total_fen", received=bill.bill_no,
                      remedy="请核对票据和清单")
    terms = await terms_on_days(
        tx, admdvs=claim.admdvs, wanted=((x.item_code, x.occurred_on) for x in lines if x.item_code), level=bill.level)
    kept: list[SplitLine] = []
    faults: list[Fault] = []
    for n, line in enumerate(lines):
        term = terms.get((line.item_code, line.occurred_on))
        if line.item_code and term is None:
            faults.append(Fault("ITEM_NOT_IN_CATALOGUE", f"医疗目录编码不在{line.occurred_on}的医保目录中",
                                f"{at}.lines[{n}].item_code",
                                line.item_code, "请核对国家编码；目录外的项目请不填编码"))
            continue
        split = _split_line(line, term, policy, claim=claim, bill=bill)
        if isinstance(split, Refusal):
            faults += split.faults
            continue
        kept.append(SplitLine(line, term, split))
    return Refusal(tuple(faults)) if faults else kept


def _split_line(
    line: Line, term: ItemTerm | None, policy: RegionPolicy, *, claim: Claim, bill: Bill
) -> LineSplit | Refusal:
    if term is None:
        return classify_line(
            policy=policy, service_on=line.occurred_on, insutype=claim.insutype, list_type=line.list_type,
            class_level=_OWN_COST, amount=line.amount_fen, price=line.price_micro, quantity=line.quantity_e4)
    return classify_line(
        policy=policy, service_on=line.occurred_on, insutype=claim.insutype, list_type=term.list_type,
        class_level=term.class_level, amount=line.amount_fen, price=line.price_micro, quantity=line.quantity_e4,
        first_pay=term.first_pay, price_limit=term.limit_micro, restricted=term.restricted, hosp_appr_flag=line.approval,
        group=group_of(negotiated=term.negotiated), med_type=bill.med_type)


def _case(
    facts: dict[str, Any], claim: Claim, bill: Bill, split: Sequence[SplitLine], filed: CaseWords, *, service_on: date
) -> Case:
    """Return the case as of the last day; what hangs on the year comes with ``_in_year``."""
    recognised = tuple(facts["recognised"] or ())
    is_special = bill.care == SALE
    remote = words().networked.get(bill.remote, bill.remote) if bill.rate == "networked" else bill.remote
    return Case(
        admdvs=claim.admdvs, service_on=service_on, insutype=claim.insutype, med_type=bill.med_type,
        person=person_of(facts, service_on),  # type: ignore[arg-type]
        institution=InstitutionFacts(code=bill.fixmedins_code, kind=bill.kind, level=bill.level, traits=tuple(bill.traits)),
        lines=_groups(split),
        disease_code=bill.disease_code if is_special or bill.disease_code in recognised else "",
        account_balance=facts["balance_fen"] or 0, recognised=recognised, remote=remote,
        remote_place=bill.remote_place, referred_from=filed.referred_from, maternity=bill.maternity,
        pregnancy_months=bill.pregnancy_months, foetuses=bill.foetuses, provider=filed.provider, cause=filed.cause,
        maternity_filing=filed.maternity_filing,
    )


def _groups(split: Sequence[SplitLine]) -> tuple[LineGroup, ...]:
    sums: dict[str, list[int]] = {}
    for one in split:
        x = one.split
        parts = (one.line.amount_fen, x.own, x.over, x.first_pay, x.in_scope)
        group = group_of(negotiated=one.term.negotiated) if one.term else ""
        sums[group] = [a + b for a, b in zip(sums.get(group, [0] * len(parts)), parts, strict=True)]
    return tuple(
        LineGroup(amount, own, over, first, scope, group)
        for group, (amount, own, over, first, scope) in sorted(sums.items())
    )


def _service_day(case: Case, bill: Bill, split: Sequence[SplitLine], policy: RegionPolicy) -> date | Refusal:
    """Return the day whose law and year count: of a stay as the law's ``benefit_year`` says, else the day of the visit."""
    if bill.care != STAY:
        return days_of(bill)[0]
    benefit = choose_benefit(case, policy)
    if isinstance(benefit, Refusal):
        return benefit
    row = first_match(benefit.law.rows.get("benefit_year", ()), benefit.facts)
    if row is None or row.word == _DISCHARGE:
        return case.service_on
    days = [one.line.occurred_on for one in split]
    if min(days).year != max(days).year:
        return refuse(
            "COSTS_OF_TWO_YEARS", "参保地规定费用归属发生日所在年度，两个年度的费用不能在一张票据中计算",
            field=f"bills[{bill.ordinal - 1}].lines", received=bill.bill_no, basis=f"{row.used.rule} {row.used.source}".strip(),
            remedy="请按年度分为两张票据录入")
    return min(max(days), case.service_on)


def _in_year(
    case: Case, facts: dict[str, Any], bill: Bill, filed: CaseWords, *, service_on: date,
    used: Mapping[tuple[int, str], int], stays: Mapping[int, int],
) -> Case:
    """Return the case with day of service, counters and number of the stay in its benefit year."""
    kept: Counter[str] = Counter()
    for year, code, fen in zip(
        facts["counter_years"] or (), facts["counter_codes"] or (), facts["counter_used"] or (), strict=True
    ):
        if year in (OUTLIVES_YEAR, service_on.year):
            kept[code] += fen
    for (year, code), fen in used.items():
        if year in (OUTLIVES_YEAR, service_on.year):
            kept[code] += fen
    counters = law_counters(kept.items(), stay=f"{_NEW_STAY}{bill.ordinal}", pregnancy=filed.pregnancy_id)
    others = sum(year == service_on.year for year in facts["other_stay_years"] or ()) + stays.get(service_on.year, 0)
    return msgspec.structs.replace(
        case, service_on=service_on, person=person_of(facts, service_on),  # type: ignore[arg-type]
        counters={code: fen for code, fen in counters.items() if fen}, admission=others + 1)
