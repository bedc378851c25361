"""The law of one day as one question sees it: its rows, the values they give, and the refusals where it is silent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

from yibao.kernel.money import WHOLE
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.decision import Used
from yibao.policy.law.conditions import Facts
from yibao.policy.law.parameters import DayLaw, RegionPolicy, Row, first_match
from yibao.policy.law.rounding import ROUNDINGS, Rounding
from yibao.policy.law.values import Share, Slope
from yibao.policy.reckoning.cases import AllowanceCase, Asked, WaitingCase

_SUBJECTS = {
    "DuesCase": "缴费",
    "CreditCase": "个人账户划入",
    "AllowanceCase": "生育津贴",
    "WaitingCase": "待遇等待期",
}


class Value(msgspec.Struct, frozen=True):
    """What a row comes to in this case (fen, ten-thousandths or a count), and the dated values behind it."""

    number: int
    used: tuple[Used, ...]


class Lookup:
    """Answers which rows of the day's law apply to one question and what they come to."""

    __slots__ = ("case", "facts", "law", "policy")

    def __init__(self, case: Asked, policy: RegionPolicy, law: DayLaw, person: str) -> None:
        self.case = case
        self.policy = policy
        self.law = law
        self.facts = _facts(case, person)

    def rows(self, key: str) -> tuple[Row, ...]:
        """Return the rows of a key that are in force, whether or not they apply."""
        return self.law.reckoning.get(key, ())

    def first(self, key: str, **more: str) -> Row | None:
        """Return the first row that applies; ``more`` are further facts (``payer``, ``part``)."""
        return first_match(self.rows(key), {**self.facts, **more})

    def number(self, key: str) -> int:
        """Return the number of the row that applies, 0 where the law has none; for plain counts."""
        row = self.first(key)
        return row.number if row is not None and not row.absent else 0

    def value(self, row: Row) -> Value | Refusal:
        """Return what a row comes to, its formula worked out with a single rounding; 0 where it says none."""
        if row.absent:
            return Value(0, (row.used,))
        if row.formula is None:
            return Value(row.number, (row.used,))
        if isinstance(row.formula, Slope):
            return Value(_raised(row.formula, self.facts), (row.used,))
        return self._share(row.formula, row)

    def index(self, name: str, years_back: int = 0) -> Value | Refusal:
        """Return a figure of a dated series: of the day, or of 1 January so many years earlier."""
        on = self.case.on
        day = date(on.year - years_back, 1, 1) if years_back else on
        row = self.policy.index(name, day)
        if row is None:
            return _no_law(self.case, self.policy, f"指数 {name}", day)
        return Value(row.number, (row.used,))

    def rounding(self, part: str) -> tuple[Rounding, tuple[Used, ...]]:
        """Return how payments of a part of the dues are rounded; half up to fen where the law is silent."""
        return _mode(self.first("dues_rounding", part=part))

    def own_rounding(self, part: str) -> tuple[Rounding, tuple[Used, ...]]:
        """Return how something beside the dues (``base``, ``credit``, ``allowance``) is rounded.

        Only a row that names the part counts: whole-yuan dues say nothing about an allowance.
        """
        named = tuple(r for r in self.rows("dues_rounding") if _names_part(r))
        return _mode(first_match(named, {**self.facts, "part": part}))

    def lapsed(self, key: str, **more: str) -> bool:
        """Say whether the region has a rule for this case, but not on this day.

        Payer and part count only where ``more`` names them: a case as a whole has neither.
        """
        facts = {**self.facts, **more}
        return any(
            row.key == key
            and all(c.test(facts[c.dimension]) for c in row.conditions if not _left_open(c.dimension, more))
            for row in self.policy.rows
        )

    def silent(self, what: str, *keys: str, **more: str) -> Refusal:
        """Return the refusal where none of the keys has a row that applies."""
        if any(self.lapsed(key, **more) for key in keys):
            return _no_law(self.case, self.policy, what, self.case.on)
        return refuse(
            "NO_RULE_FOR_CASE",
            f"{self.policy.name}的{what}没有适用于本次情形的规定",
            field=keys[0],
            received=_situation(self.facts),
            remedy="请核对险种、人员类别和参保方式，或由医保部门补充政策参数",
        )

    def _share(self, share: Share, row: Row) -> Value | Refusal:
        kind, _, name = share.of.partition(".")
        if kind == "index":
            base = self.index(name, share.years_back)
            if isinstance(base, Refusal):
                return base
        elif kind == "input" and name in self.case.inputs:
            base = Value(self.case.inputs[name], ())
        else:
            return missing_fact(
                f"inputs.{name or share.of}", f"{row.used.name}按 {share.of} 计算，但未提供该数"
            )
        number = ROUNDINGS[share.rounding][1](base.number * share.ratio, WHOLE)
        if share.at_least is not None:
            number = max(number, share.at_least)
        if share.at_most is not None:
            number = min(number, share.at_most)
        return Value(number, (row.used, *base.used))


def look_up(case: Asked, policy: RegionPolicy) -> Lookup | Refusal:
    """Return the law of the case's day with the case's facts, or why it cannot be asked."""
    law = policy.law_on(case.on)
    if law is None:
        return _no_law(case, policy, subject(case), case.on)
    person = policy.person_class(case.psn_type) if case.psn_type else ""
    if case.psn_type and not person:
        return refuse(
            "PERSON_CLASS_NOT_COVERED",
            f"{policy.name}的政策参数中没有人员类别 {case.psn_type}",
            field="psn_type",
            received=case.psn_type,
            remedy="请核对人员类别，或由医保部门在政策文件中声明",
        )
    return Lookup(case, policy, law, person)


def missing_fact(field: str, reason: str) -> Refusal:
    """Return the refusal where the law asks for a fact that the case does not give."""
    return refuse("FACT_MISSING", reason, field=field, remedy="请补充后重新计算")


def subject(case: Asked) -> str:
    """Return in Chinese what a case asks about."""
    return _SUBJECTS[type(case).__name__]


def _facts(case: Asked, person: str) -> Facts:
    maternal = case if isinstance(case, AllowanceCase) else None
    return {
        "insutype": case.insutype,
        "person": person,
        "age": case.age,
        "identity": case.identities,
        "account_kind": case.account_kind,
        "enrolment_kind": case.enrolment_kind,
        "paid_months": case.paid_months,
        "continuous_years": case.continuous_years,
        "payer": "",
        "part": "",
        "maternity": maternal.maternity if maternal else "",
        "pregnancy_months": maternal.pregnancy_months if maternal else 0,
        "foetuses": maternal.foetuses if maternal else 1,
        "missed_years": case.years_missed if isinstance(case, WaitingCase) else 0,
    }


def _raised(slope: Slope, facts: Facts) -> int:
    raised = slope.start + slope.plus * max(int(facts[slope.per]) - slope.beyond, 0)
    return raised if slope.at_most is None else min(raised, slope.at_most)


def _mode(row: Row | None) -> tuple[Rounding, tuple[Used, ...]]:
    if row is None:
        return ROUNDINGS["half_up"][1], ()
    return ROUNDINGS[row.word][1], (row.used,)


def _left_open(dimension: str, more: Mapping[str, str]) -> bool:
    return dimension in ("payer", "part") and dimension not in more


def _names_part(row: Row) -> bool:
    return any(condition.dimension == "part" for condition in row.conditions)


def _situation(facts: Facts) -> str:
    said = {
        "险种": facts["insutype"],
        "人员类别": facts["person"],
        "年龄": facts["age"],
        "参保方式": facts["enrolment_kind"] or facts["account_kind"],
        "生育类别": facts["maternity"],
    }
    return "，".join(f"{name} {value}" for name, value in said.items() if value)


def _no_law(case: Asked, policy: RegionPolicy, what: str, day: date) -> Refusal:
    return refuse(
        "NO_LAW_FOR_DAY",
        f"{policy.name}未载入 {day.isoformat()} 当日有效的{what}，无法计算{subject(case)}",
        field="on",
        received=case.on.isoformat(),
        remedy="请核对日期，或由医保部门补充当日的政策参数",
    )
