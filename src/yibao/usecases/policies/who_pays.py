"""Who pays what of a bill as it grows: the counter's own decisions over a row of amounts, by benefit and level."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import msgspec

from yibao.policy.case import Case, InstitutionFacts, LineGroup, PersonFacts
from yibao.policy.decide import decide
from yibao.policy.decision import Decision
from yibao.policy.law.parameters import RegionPolicy
from yibao.usecases.policies.lawbook import Entry, Lawbook

HIGHEST = 50_000_000
"""The largest bill shown, in fen."""
SHOWN = (100_000, 1_000_000, 5_000_000, 10_000_000, 20_000_000, HIGHEST)
"""Bills given in numbers beside the chart, in fen."""
PERSON = "person"
PAYERS: Mapping[str, str] = {
    "hifp_pay": "统筹基金",
    "hifob_pay": "大额补助",
    "hifmi_pay": "大病保险",
    "cvlserv_pay": "公务员补助",
    "hifes_pay": "企业补充",
    "maf_pay": "医疗救助",
    "hifdm_pay": "伤残补助",
    "oth_pay": "其他支付",
    PERSON: "个人",
}
"""Payers in the order in which they are stacked, with their Chinese names."""

_STEPS = 96
_LEVELS = {"1": "一级", "2": "二级", "3": "三级"}
_ADULT, _YEARS, _MONTHS = 40, 10, 120
_ANY_DISEASE = "M99900"
"""A disease of which no group speaks: the general rows apply."""


class Curve(msgspec.Struct, frozen=True):
    """What each payer pays of each bill at one level.

    Attributes:
        label: the level or levels, ``""`` where levels do not matter.
        bills: in-scope cost of each bill, fen, ascending from 0.
        paid: payer to what it pays of each bill, fen; payers that never pay are left out.
        numbers: the same for the bills of ``SHOWN``.
    """

    label: str
    bills: tuple[int, ...]
    paid: Mapping[str, tuple[int, ...]]
    numbers: Mapping[str, tuple[int, ...]]


class Picture(msgspec.Struct, frozen=True):
    """Who pays what in one benefit of one insurance.

    Attributes:
        insutype: the insurance.
        benefit: the benefit's code.
        title: benefit and insurance in Chinese.
        person: for which person class.
        day: by the law of which day.
        curves: one for each level that differs.
    """

    insutype: str
    benefit: str
    title: str
    person: str
    day: date
    curves: tuple[Curve, ...]


def amounts() -> tuple[int, ...]:
    """Return the bills that are decided for a curve, fen: closer together where they are small."""
    return tuple(HIGHEST * step * step // (_STEPS * _STEPS) for step in range(_STEPS + 1))


def picture(book: Lawbook, insutype: str, benefit: str, *, on: date) -> Picture | None:
    """Return who pays what of an ordinary bill in a benefit, None where none is decided.

    Args:
        on: by the law of this day; where there is none any more, by the last one before.
    """
    policy = book.policy
    rows = [r for r in book.of("benefit") if r.row.word == benefit and insutype in (r.codes("insutype") or ())]
    for day in (on, *sorted((d for d in policy.starts if d < on), reverse=True)):
        in_force = [r for r in rows if r.start <= day <= r.end]
        for row in sorted(in_force, key=lambda r: (len(r.when), str(_first(r.when.get("med_type", ""))))):
            for psn_type, name in _persons(book, insutype):
                cases = {
                    level: case
                    for level in _LEVELS
                    if (case := _case(book, row, insutype, psn_type, level, day)) and _pays(case, policy, benefit)
                }
                if cases:
                    title = f"{row.row.extra.get('title', benefit)}（{_INSURANCES.get(insutype, insutype)}）"
                    return Picture(insutype, benefit, title, name, day, tuple(_curves(cases, policy)))
    return None


_INSURANCES = {"310": "职工", "390": "居民", "510": "生育"}


def _persons(book: Lawbook, insutype: str) -> Iterator[tuple[str, str]]:
    """Yield a psn_type of each person class, those first that rows of this insurance name, and the widest of them."""
    words = book.policy.words
    own: set[str] = set()
    others: set[str] = set()
    for row in book.entries:
        insutypes = row.codes("insutype")
        if insutypes is not None:
            (own if insutype in insutypes else others).update(row.codes("person") or ())
    ranked = sorted(words.persons, key=lambda p: (p in others - own, p not in own, -len(words.persons[p])))
    for word in ranked:
        yield words.persons[word][0].ljust(4, "0"), words.names[f"person.{word}"]


def _curves(cases: Mapping[str, Case], policy: RegionPolicy) -> Iterator[Curve]:
    """Yield a curve for each group of levels that pay alike."""
    found: dict[tuple[Any, ...], list[str]] = {}
    curves: dict[tuple[Any, ...], Curve] = {}
    for level, case in cases.items():
        paid, numbers = _paid(case, policy, amounts()), _paid(case, policy, SHOWN)
        key = (tuple(sorted(paid.items())), tuple(sorted(numbers.items())))
        found.setdefault(key, []).append(_LEVELS[level])
        curves[key] = Curve("", amounts(), paid, numbers)
    for key, levels in found.items():
        label = "" if len(levels) == len(_LEVELS) else "、".join(levels) + "医疗机构"
        yield msgspec.structs.replace(curves[key], label=label)


def _paid(case: Case, policy: RegionPolicy, bills: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    decisions = [_decision(case, policy, bill) for bill in bills]
    paid = {field: tuple(d.fund(field) for d in decisions) for field in PAYERS if field != PERSON}
    rest = [bill - sum(paid[field][n] for field in paid) for n, bill in enumerate(bills)]
    return {**{field: sums for field, sums in paid.items() if any(sums)}, PERSON: tuple(rest)}


def _decision(case: Case, policy: RegionPolicy, bill: int) -> Decision:
    group = case.lines[0].group
    decided = decide(msgspec.structs.replace(case, lines=(LineGroup(bill, 0, 0, 0, bill, group),)), policy, trace=False)
    if not isinstance(decided, Decision):
        raise AssertionError(f"a bill of {bill} is refused, another is not: {decided}")
    return decided


def _pays(case: Case, policy: RegionPolicy, benefit: str) -> bool:
    decided = decide(case, policy, trace=False)
    return isinstance(decided, Decision) and decided.benefit == benefit


def _case(book: Lawbook, row: Entry, insutype: str, psn_type: str, level: str, day: date) -> Case | None:
    """Return an ordinary case that a benefit is for, None where the benefit is not for this level."""
    if not row.allows("level", level):
        return None
    when = {dimension: _first(wanted) for dimension, wanted in row.when.items()}
    disease = ""
    if "disease" in when:
        disease = book.policy.words.diseases[when["disease"]][0].rstrip("*")
    elif row.row.extra.get("needs_disease"):
        disease = _ANY_DISEASE
    person = PersonFacts(
        psn_type, int(when.get("age", _ADULT)), account_kind=when.get("account_kind", "with_account"),
        paid_months=_MONTHS, continuous_years=_YEARS,
    )  # fmt: skip
    traits = (when["trait"],) if "trait" in when else ()
    institution = InstitutionFacts("H00000000000", when.get("institution_kind", "1"), level, traits)
    more: dict[str, Any] = {
        field: "" if when[field] in ("home", "none") else when[field]
        for field in (
            "remote", "remote_place", "referred_from", "maternity", "provider", "pregnancy_months", "cause",
            "maternity_filing",
        )
        if field in when
    }
    return Case(
        admdvs=book.policy.admdvs, service_on=day, insutype=insutype, med_type=when.get("med_type", "11"),
        person=person, institution=institution, lines=(LineGroup(100, 0, 0, 0, 100, _group(book, row)),),
        disease_code=disease, **more,
    )  # fmt: skip


def _group(book: Lawbook, row: Entry) -> str:
    """Return the group of lines that a benefit is made for, ``""`` for ordinary lines."""
    groups = {
        word
        for other in book.of("line_ratio")
        if other.codes("benefit") == frozenset((row.row.word,))
        for word in other.codes("group") or ()
    }
    return min(groups) if len(groups) == 1 and row.row.word in groups else ""


def _first(wanted: Any) -> Any:
    """Return one value that fits a condition."""
    if isinstance(wanted, dict):
        return wanted.get("from", 0)
    return wanted[0] if isinstance(wanted, list) else wanted
