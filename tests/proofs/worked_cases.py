"""Every worked case of the two cities as one list: the tests' own functions, asked of whatever law is given.

A case is a test of ``tests/spec/policy`` with its parameters; it reads the packaged law through ``city_policy``, and here
that word is given another law for the time of one call. Nothing is worked out anew, so nothing can be recorded from the
engine.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import product
from types import ModuleType
from typing import Any
from unittest import mock

from tests.spec.policy import (
    test_city_cases,
    test_first_pay_defaults,
    test_huizhou,
    test_zibo,
    visit,
)
from tests.spec.policy.cities import HUIZHOU, ZIBO
from yibao.policy.law.parameters import RegionPolicy

_READS_THE_LAW: tuple[ModuleType, ...] = (test_city_cases, test_first_pay_defaults, visit)
_RULE = re.compile(r"[A-Z]{2}-[A-Z0-9]+")


@dataclass(frozen=True)
class WorkedCase:
    """One case: where it stands, whose law it asks, the rules it is about, and how to run it.

    Attributes:
        check: runs the case under a law; raises when the figures are not those of its author.
    """

    id: str
    city: str
    rules: frozenset[str]
    check: Callable[[RegionPolicy], None]


def all_cases() -> Iterator[WorkedCase]:
    """Yield every worked case of both cities."""
    for city in test_city_cases.cities():
        for entry in test_city_cases.entries(city):
            law = test_city_cases.CITIES.get(city, city)
            if law in (ZIBO, HUIZHOU):
                run = _under(test_city_cases.test_case, {"city": city, "entry": entry})
                yield WorkedCase(f"{city} {entry['id']}", law, frozenset(entry["rules"]), run)
    for city, tests in (
        (ZIBO, (test_zibo.test_zibo, test_zibo.test_zibo_refuses_instead_of_guessing)),
        (HUIZHOU, (test_huizhou.test_huizhou, test_huizhou.test_huizhou_refuses_instead_of_guessing)),
    ):
        for test in tests:
            for number, arguments in enumerate(_arguments(test)):
                yield WorkedCase(f"{test.__name__} {number}", city, _rules_in(arguments), _under(test, arguments))
    for number, arguments in enumerate(_arguments(test_first_pay_defaults.test_class_b)):
        run = _under(test_first_pay_defaults.test_class_b, arguments)
        yield WorkedCase(f"test_class_b {number}", arguments["city"], _rules_in(arguments), run)


def _under(test: Callable[..., None], arguments: dict[str, Any]) -> Callable[[RegionPolicy], None]:
    def run(policy: RegionPolicy) -> None:
        def law_of(_: str) -> RegionPolicy:
            return policy

        with ExitStack() as stack:
            for module in _READS_THE_LAW:
                stack.enter_context(mock.patch.object(module, "city_policy", law_of))
            test(**arguments)

    return run


def _arguments(test: Callable[..., None]) -> Iterator[dict[str, Any]]:
    """Yield the keyword arguments of every call that ``parametrize`` makes."""
    lists = []
    for mark in test.pytestmark:  # type: ignore[attr-defined]
        names, values = mark.args[:2]
        split = [n.strip() for n in names.split(",")] if isinstance(names, str) else list(names)
        lists.append([dict(zip(split, v if len(split) > 1 else (v,), strict=True)) for v in values])
    for chosen in product(*lists):
        yield {name: value for part in chosen for name, value in part.items()}


def _rules_in(arguments: dict[str, Any]) -> frozenset[str]:
    return frozenset(v for v in arguments.values() if isinstance(v, str) and _RULE.fullmatch(v))
