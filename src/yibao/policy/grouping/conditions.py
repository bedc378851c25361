"""The words of an entry rule, each as one test: ``主诊断匹配、主手术匹配`` is two of them, and both must hold."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec

BY_MAIN_DIAGNOSIS = "主诊断匹配"
LIST = "0"
SECOND_LIST = "1"


class SchemeFault(Exception):
    """The tables of a scheme contradict each other or use a word that nobody knows."""


class Facts(msgspec.Struct, gc=False):
    """A case as the rules read it: codes in the scheme's own spelling, unknown ones still in their place.

    Attributes:
        main: the main diagnosis.
        diagnoses: all diagnoses, the main one first.
        procedures: all procedures, the main one first.
        operations: those of them that count as an operation.
        first_is_operation: whether the main procedure counts as one.
        weight: weight at birth in grams, 0 if not known.
    """

    main: str
    diagnoses: tuple[str, ...]
    procedures: tuple[str, ...]
    operations: tuple[str, ...]
    first_is_operation: bool
    is_male: bool
    is_female: bool
    is_infant: bool
    is_newborn: bool
    weight: int


class Found(msgspec.Struct, frozen=True, gc=False):
    """What made a condition hold: pairs of list number (``""`` where there is none) and code."""

    diagnoses: tuple[str, ...] = ()
    procedures: tuple[tuple[str, str], ...] = ()


YES = Found()

Diagnoses = frozenset[str]
Procedures = Mapping[str, frozenset[str]]
Sites = Mapping[str, str]
Test = Callable[[Facts, Diagnoses, Procedures, Sites], Found | None]
"""Looks at the case and at the lists of the MDC or ADRG: diagnoses, procedures by list number, trauma sites."""


class Condition(msgspec.Struct, frozen=True, gc=False):
    """One word of an entry rule. ``needs`` says in Chinese what the case would have to have."""

    word: str
    test: Test
    needs: str


def conditions_of(rule: str) -> tuple[Condition, ...]:
    """Return the conditions of an entry rule, in its order.

    Raises:
        SchemeFault: a word of the rule is not known.
    """
    return tuple(_condition(word) for word in rule.split("、"))


def _main_diagnosis(facts: Facts, diagnoses: Diagnoses, _p: Procedures, _s: Sites) -> Found | None:
    return Found((facts.main,)) if facts.main in diagnoses else None


def _any_diagnosis(facts: Facts, diagnoses: Diagnoses, _p: Procedures, _s: Sites) -> Found | None:
    return next((Found((code,)) for code in facts.diagnoses if code in diagnoses), None)


def _two_sites(facts: Facts, _d: Diagnoses, _p: Procedures, sites: Sites) -> Found | None:
    first_of_site: dict[str, str] = {}
    for code in facts.diagnoses:
        if code in sites:
            first_of_site.setdefault(sites[code], code)
    return Found(tuple(first_of_site.values())) if len(first_of_site) > 1 else None


def _main_procedure(facts: Facts, _d: Diagnoses, procedures: Procedures, _s: Sites) -> Found | None:
    if facts.procedures and facts.procedures[0] in procedures.get(LIST, ()):
        return Found((), ((LIST, facts.procedures[0]),))
    return None


def _in_list(facts: Facts, procedures: Procedures, number: str) -> tuple[str, str] | None:
    listed = procedures.get(number, frozenset())
    return next(((number, code) for code in facts.procedures if code in listed), None)


def _two_procedures(facts: Facts, _d: Diagnoses, procedures: Procedures, _s: Sites) -> Found | None:
    first, second = _in_list(facts, procedures, LIST), _in_list(facts, procedures, SECOND_LIST)
    return Found((), (first, second)) if first and second else None


def _has_operation(facts: Facts, _d: Diagnoses, _p: Procedures, _s: Sites) -> Found | None:
    return Found((), (("", facts.procedures[0]),)) if facts.first_is_operation else None


def _no_operation(facts: Facts, _d: Diagnoses, _p: Procedures, _s: Sites) -> Found | None:
    return None if facts.operations else YES


_PLAIN: dict[str, tuple[Test, str]] = {
    BY_MAIN_DIAGNOSIS: (_main_diagnosis, "主要诊断须在列表内"),
    "某一诊断匹配": (_any_diagnosis, "须有一个诊断在列表内"),
    "多诊断匹配": (_two_sites, "诊断须涉及两个或以上创伤部位"),
    "主手术匹配": (_main_procedure, "第一手术操作须在列表0内"),
    "双手术匹配": (_two_procedures, "须有一个手术操作在列表0内、一个在列表1内"),
    "存在手术": (_has_operation, "第一手术操作须是有效手术"),
    "无手术": (_no_operation, "不得有任何有效手术"),
    "无条件": (lambda _f, _d, _p, _s: YES, ""),
    "男性": (lambda f, _d, _p, _s: YES if f.is_male else None, "性别须为男（1）"),
    "女性": (lambda f, _d, _p, _s: YES if f.is_female else None, "性别须为女（2）"),
    "婴儿": (lambda f, _d, _p, _s: YES if f.is_infant else None, "年龄须为0岁"),
    "新生儿": (lambda f, _d, _p, _s: YES if f.is_newborn else None, "年龄天数须在新生儿范围内"),
}
_BELOW = re.compile(r"体重小于(\d+)克")
_BETWEEN = re.compile(r"体重(\d+)至(\d+)克")
_ABOVE = re.compile(r"体重大于(\d+)克")
_LISTS = re.compile(r"手术列表([\d且或()]+)")


def _condition(word: str) -> Condition:
    if word in _PLAIN:
        test, needs = _PLAIN[word]
        return Condition(word, test, needs)
    if match := _BELOW.fullmatch(word):
        return _weight(word, 1, int(match[1]))
    if match := _BETWEEN.fullmatch(word):
        return _weight(word, int(match[1]), int(match[2]))
    if match := _ABOVE.fullmatch(word):
        # The groups' names say ">2499g" for what the rule calls 大于2500克: the limit itself belongs here.
        return _weight(word, int(match[1]), None)
    if match := _LISTS.fullmatch(word):
        return _formula(word, match[1])
    raise SchemeFault(f"unknown word in an entry rule: {word}")


def _weight(word: str, low: int, high: int | None) -> Condition:
    """Return the condition ``low <= weight < high``; a weight that is not known is 0 and never fits."""

    def test(facts: Facts, _d: Diagnoses, _p: Procedures, _s: Sites) -> Found | None:
        return YES if facts.weight >= low and (high is None or facts.weight < high) else None

    return Condition(word, test, f"出生体重须{f'小于{high}克' if low <= 1 else _span(low, high)}")


def _span(low: int, high: int | None) -> str:
    return f"不小于{low}克" if high is None else f"不小于{low}克且小于{high}克"


def _formula(word: str, text: str) -> Condition:
    """Return the condition of a formula like ``(1且2)或(1且3且4)``: every procedure may serve for every list."""
    wanted = [part.strip("()").split("且") for part in text.split("或")]
    if not all(number.isdecimal() for part in wanted for number in part):
        raise SchemeFault(f"unreadable formula of procedure lists: {word}")

    def test(facts: Facts, _d: Diagnoses, procedures: Procedures, _s: Sites) -> Found | None:
        for numbers in wanted:
            found = [_in_list(facts, procedures, number) for number in numbers]
            if all(found):
                return Found((), tuple(pair for pair in found if pair))
        return None

    return Condition(word, test, f"手术操作须满足列表{text}")
