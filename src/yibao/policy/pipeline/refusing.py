"""Refusals of the choice of rows: what is missing, on which day, and what to do about it.

Their fields are bare names of the wire (``med_type``): the law does not know which message asks. Whoever settles says
where they stand in its messages (``places`` of a way to settle).
"""

from __future__ import annotations

from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.case import Case
from yibao.policy.law.conditions import Facts
from yibao.policy.law.parameters import DayLaw, RegionPolicy, Row


def no_law(case: Case, policy: RegionPolicy, what: str) -> Refusal:
    """Return the refusal of a case for whose day something has no law."""
    return refuse(
        "NO_LAW_FOR_DAY",
        f"{policy.name}未载入 {case.service_on.isoformat()} 当日有效的{what}，无法结算",
        field="begntime",
        received=case.service_on.isoformat(),
        remedy="请核对费用发生日期，或由医保部门补充当日的政策参数",
    )


def no_rule(case: Case, title: str, policy: RegionPolicy, facts: Facts, key: str, what: str) -> Refusal:
    """Return the refusal of a case that no row of a key fits; one that fits on another day is missing law."""
    if any(r.key == key and r.applies(facts) for r in policy.rows):
        return no_law(case, policy, f"{title}的{what}")
    return refuse(
        "NO_RULE_FOR_CASE",
        f"{policy.name}{title}的{what}没有适用于本次就诊的规定",
        field="med_type",
        received=f"人员类别 {facts['person']}，机构级别 {facts['level']}，机构类型 {facts['institution_kind']}",
        remedy="请核对人员类别和医疗机构级别，或由医保部门补充政策参数",
    )


def not_covered(case: Case, policy: RegionPolicy) -> Refusal:
    """Return the refusal of a person whose class the region does not know."""
    return refuse(
        "PERSON_CLASS_NOT_COVERED",
        f"{policy.name}政策未规定该人员类别的待遇",
        field="psn_type",
        received=case.person.psn_type,
        remedy="请核对参保登记的人员类别",
    )


def not_offered(case: Case, policy: RegionPolicy, law: DayLaw) -> Refusal:
    """Return the refusal of a visit class that the region does not offer, or not on that day."""

    def is_for(row: Row) -> bool:
        return row.allows("med_type", case.med_type) and row.allows("cause", case.cause)

    ever = any(r.key == "benefit" and r.allows("insutype", case.insutype) and is_for(r) for r in policy.rows)
    if ever and not any(is_for(r) for r in law.choosing.get(case.insutype, ())):
        return no_law(case, policy, "该医疗类别的待遇")
    return refuse(
        "BENEFIT_NOT_OFFERED",
        f"{policy.name}尚未开通该险种、医疗类别在此类机构的结算",
        field="med_type",
        received=f"insutype={case.insutype}，med_type={case.med_type}，机构类型={case.institution.kind}",
        remedy="请核对险种类型、医疗类别和机构类型",
    )


def not_payable(case: Case, row: Row) -> Refusal:
    """Return the refusal that a row of the law orders; its word in capitals is the code."""
    return refuse(
        row.word.upper(),
        str(row.extra["title"]),
        field="med_type",
        received=case.med_type,
        remedy=str(row.extra["remedy"]),
        basis=row.used.rule,
    )


def disease_missing(title: str, rule: str) -> Refusal:
    """Return the refusal of a visit that must name its disease."""
    return refuse(
        "DISEASE_CODE_MISSING",
        f"{title}结算须有病种编码",
        field="dise_codg",
        remedy="请在就诊信息中填写已认定的病种编码",
        basis=rule,
    )
