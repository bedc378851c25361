"""Rules about the person and the visit: sex, age, kind of visit, insurance, level of the institution."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from yibao.kernel.business_time import age_on
from yibao.policy.review.desk import Desk, hit, whole
from yibao.policy.review.facts import Charge, Hit
from yibao.policy.review.rules import MAN, WOMAN, AgeRule, Ages, LevelRule, SexRule, VisitRule

_SEX_WORDS = {MAN: "男", WOMAN: "女"}


def judge_sex(rule: SexRule, desk: Desk, charges: Sequence[Charge]) -> Hit | None:
    """Hit where the person is known to be of the other sex."""
    sex = desk.question.patient.sex
    if sex not in _SEX_WORDS or sex == rule.sex:
        return None
    reason = f"{rule.item_name}限{rule.word}性使用，参保人为{_SEX_WORDS[sex]}性"
    return hit(rule, reason, map(whole, charges))


def fits_age(ages: Ages, *, birth_on: date, day: date) -> bool:
    """Say whether somebody is of an age on a day."""
    if ages.days_max is not None:
        return (day - birth_on).days <= ages.days_max
    years = age_on(birth_on, day)
    return (ages.from_years is None or years >= ages.from_years) and (
        ages.below_years is None or years < ages.below_years
    )


def judge_age(rule: AgeRule, desk: Desk, charges: Sequence[Charge]) -> Hit | None:
    """Hit for the charges of days on which the person is not of the age."""
    birth_on = desk.question.patient.birth_on
    outside = [c for c in charges if not fits_age(rule.ages, birth_on=birth_on, day=c.day)]
    if not outside:
        return None
    years = age_on(birth_on, outside[0].day)
    about = rule.word if rule.word.startswith("参保人") else f"限{rule.word}使用"
    reason = f"{rule.item_name}{'，' if about == rule.word else ''}{about}，参保人收费当日{years}岁"
    return hit(rule, reason, map(whole, outside))


def judge_visit(rule: VisitRule, desk: Desk, charges: Sequence[Charge]) -> Hit | None:
    """Hit where the visit is none of the kinds that the drug is for."""
    if rule.allowed & desk.question.visit.kinds:
        return None
    allowed = f"{rule.word}患者" if rule.kind.name == "visit_kind" else f"{rule.word}保险"
    return hit(rule, f"{rule.item_name}限{allowed}使用，本次就诊不是", map(whole, charges))


def judge_level(rule: LevelRule, desk: Desk, charges: Sequence[Charge]) -> Hit | None:
    """Hit where the institution's level is too low; a pharmacy has none: there the prescription decides."""
    level = desk.question.visit.level
    if not level or level >= rule.level:
        return None
    if rule.first_only and any(not desk.is_billed(c) for c in desk.counted(charges[0].item_code, rule.kind)):
        return None
    when = "首次处方" if rule.first_only else "使用"
    reason = f"{rule.item_name}限{rule.word[:2]}及以上医疗机构{when}，本机构为{_LEVEL_WORDS.get(level, level)}"
    return hit(rule, reason, map(whole, charges))


_LEVEL_WORDS = {"1": "一级", "2": "二级", "3": "三级"}
