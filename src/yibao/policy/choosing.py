"""Finds the law for a case: which benefit kind, and which row of each of its parameters. Refuses, never guesses."""

from __future__ import annotations

import msgspec

from yibao.kernel.money import share
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.case import Case
from yibao.policy.conditions import Facts
from yibao.policy.parameters import BenefitLaw, CapLaw, DayLaw, RegionPolicy, Row, first_match
from yibao.policy.rounding import ROUNDINGS, Rounding


class Benefit(msgspec.Struct, frozen=True):
    """The benefit kind of a case, with what the gate must know about it.

    Attributes:
        code: ``ordinary_outpatient``, ``chronic_outpatient``, ``two_disease`` ...
        title: Chinese name.
        clr_type: clearing kind of the wire.
        needs_recognition: only for people recognised for the disease of the visit.
        row: the row of the policy that chose it.
        facts: what conditions look at.
        law: the parameters in force.
    """

    code: str
    title: str
    clr_type: str
    needs_recognition: bool
    row: Row
    facts: Facts
    law: BenefitLaw


class Cap(msgspec.Struct, frozen=True):
    """A ceiling that applies to the case: its limit in fen (None: no ceiling) and the row that sets it."""

    counter: str
    name: str
    limit: int | None
    row: Row
    others: tuple[Row, ...] = ()


class Rules(msgspec.Struct, frozen=True):
    """The row of each parameter that applies to the case."""

    deductible: Row
    item_limit: Row | None
    pool_ratio: Row
    pool_bonus: Row | None
    caps: tuple[Cap, ...]
    fund: Row
    rounding: Row
    round: Rounding
    order: Row
    account_pays: Row | None


def choose_benefit(case: Case, policy: RegionPolicy) -> Benefit | Refusal:
    """Return the benefit kind that the region grants for this case.

    Refuses when no law is loaded for the day, when the region does not know the class of person or does
    not offer the visit class, or when the benefit needs a disease and none is named.
    """
    if case.admdvs != policy.admdvs:
        raise AssertionError(f"case of region {case.admdvs} asked under the law of {policy.admdvs}")
    law = policy.law_on(case.service_on)
    if law is None:
        return _no_law(case, policy, "医保政策")
    person = policy.person_class(case.person.psn_type)
    if not person:
        return refuse(
            "PERSON_CLASS_NOT_COVERED",
            f"{policy.name}政策未规定该人员类别的门诊待遇",
            received=case.person.psn_type,
            remedy="请核对参保登记的人员类别",
        )
    facts = _facts(case, person)
    row = first_match(law.choosing.get(case.insutype, ()), facts)
    if row is None:
        return _not_offered(case, policy, law)
    if row.extra.get("needs_disease") and not case.disease_code:
        return refuse(
            "DISEASE_CODE_MISSING",
            f"{row.extra['title']}结算须有病种编码",
            field="dise_codg",
            remedy="请在就诊信息中填写已认定的病种编码",
            basis=row.used.rule,
        )
    facts["benefit"] = row.word
    return Benefit(
        code=row.word,
        title=str(row.extra.get("title", row.word)),
        clr_type=str(row.extra.get("clr_type", "")),
        needs_recognition=bool(row.extra.get("needs_recognition", False)),
        row=row,
        facts=facts,
        law=law.benefits[case.insutype, row.word],
    )


def find_rules(case: Case, benefit: Benefit, policy: RegionPolicy) -> Rules | Refusal:
    """Return the row of each parameter of the benefit that applies to the case.

    Refuses when a parameter has no row on that day, or none that fits this person and institution.
    """
    law, facts = benefit.law, benefit.facts
    if law.missing:
        return _no_law(case, policy, f"{benefit.title}的{'、'.join(law.missing)}")
    deductible = first_match(law.deductible, facts)
    ratio = first_match(law.pool_ratio, facts)
    fund = first_match(law.fund, facts)
    rounding = first_match(law.rounding, facts)
    order = first_match(law.order, facts)
    if deductible is None:
        return _no_rule(case, benefit, policy, "deductible", "起付标准")
    if ratio is None:
        return _no_rule(case, benefit, policy, "pool_ratio", "统筹支付比例")
    if fund is None or rounding is None or order is None:
        return _no_rule(case, benefit, policy, "fund", "支付基金、取整方式或支付顺序")
    caps = _find_caps(case, benefit, policy)
    if isinstance(caps, Refusal):
        return caps
    return Rules(
        deductible=deductible,
        item_limit=first_match(law.item_limit, facts) if law.item_limit else None,
        pool_ratio=ratio,
        pool_bonus=first_match(law.pool_bonus, facts) if law.pool_bonus else None,
        caps=caps,
        fund=fund,
        rounding=rounding,
        round=ROUNDINGS[rounding.word][1],
        order=order,
        account_pays=first_match(law.account_pays, facts) if law.account_pays else None,
    )


def _find_caps(case: Case, benefit: Benefit, policy: RegionPolicy) -> tuple[Cap, ...] | Refusal:
    found = []
    for cap in benefit.law.caps:
        row = first_match(cap.rows, benefit.facts)
        if row is None:
            if not cap.optional:
                return _no_rule(case, benefit, policy, "pool_cap", cap.name)
            continue
        found.append(_cap(case, cap, row, benefit.facts))
    return tuple(found)


def _cap(case: Case, cap: CapLaw, row: Row, facts: Facts) -> Cap:
    if row.absent:
        return Cap(cap.counter, row.used.name, None, row)
    if "each_other_disease" not in row.extra or len(facts["recognised_all"]) < 2:
        return Cap(cap.counter, row.used.name, row.number, row)
    rows = {}
    for code in (case.disease_code, *case.recognised):
        other = first_match(cap.rows, {**facts, "disease": code})
        if other is not None and not other.absent:
            rows[other.place] = other
    highest, *others = sorted(rows.values(), key=lambda r: -r.number)
    part = int(row.extra["each_other_disease"])
    limit = highest.number + sum(share(other.number, part) for other in others)
    return Cap(cap.counter, row.used.name, limit, highest, tuple(others))


def _facts(case: Case, person: str) -> Facts:
    recognised = case.recognised
    if case.disease_code and case.disease_code not in recognised:
        recognised = (case.disease_code, *recognised)
    return {
        "insutype": case.insutype,
        "med_type": case.med_type,
        "benefit": "",
        "person": person,
        "age": case.person.age,
        "identity": case.person.identities,
        "account_kind": case.person.account_kind,
        "paid_months": case.person.paid_months,
        "level": case.institution.level,
        "institution_kind": case.institution.kind,
        "trait": case.institution.traits,
        "disease": case.disease_code,
        "recognised_all": recognised,
    }


def _not_offered(case: Case, policy: RegionPolicy, law: DayLaw) -> Refusal:
    ever = any(
        r.key == "benefit" and r.allows("insutype", case.insutype) and r.allows("med_type", case.med_type)
        for r in policy.rows
    )
    if ever and not any(r.allows("med_type", case.med_type) for r in law.choosing.get(case.insutype, ())):
        return _no_law(case, policy, "该医疗类别的待遇")
    return refuse(
        "BENEFIT_NOT_OFFERED",
        f"{policy.name}尚未开通该险种、医疗类别在此类机构的结算",
        field="med_type",
        received=f"insutype={case.insutype}，med_type={case.med_type}，机构类型={case.institution.kind}",
        remedy="请核对险种类型、医疗类别和机构类型",
    )


def _no_law(case: Case, policy: RegionPolicy, what: str) -> Refusal:
    return refuse(
        "NO_LAW_FOR_DAY",
        f"{policy.name}未载入 {case.service_on.isoformat()} 当日有效的{what}，无法结算",
        received=case.service_on.isoformat(),
        remedy="请核对费用发生日期，或由医保部门补充当日的政策参数",
    )


def _no_rule(case: Case, benefit: Benefit, policy: RegionPolicy, key: str, what: str) -> Refusal:
    facts = benefit.facts
    if any(r.key == key and r.applies(facts) for r in policy.rows):
        return _no_law(case, policy, f"{benefit.title}的{what}")
    return refuse(
        "NO_RULE_FOR_CASE",
        f"{policy.name}{benefit.title}的{what}没有适用于本次就诊的规定",
        received=f"人员类别 {facts['person']}，机构级别 {facts['level']}，机构类型 {facts['institution_kind']}",
        remedy="请核对人员类别和医疗机构级别，或由医保部门补充政策参数",
    )
