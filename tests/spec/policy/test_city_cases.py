"""Every worked case of every city gives its hand-calculated figures, and every row of the law has such a case.

A case file says in TOML who, when, where and how much, what must come out, and in ``why`` the sum worked out by hand.
``kind`` is ``bill`` (the default), ``line`` (one fee line), ``row`` (a setting or limit that nothing reckons with), or a
question that is no bill: ``dues``, ``credit``, ``allowance``, ``waiting``. Amounts are yuan as text, counts are numbers.
"""

from __future__ import annotations

import re
import tomllib
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.spec.policy.cities import HUIZHOU, ZIBO, city_policy
from yibao.kernel.money import fen_to_yuan, yuan_to_fen
from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case, InstitutionFacts, LineGroup, PersonFacts
from yibao.policy.decide import decide
from yibao.policy.decision import Decision, Used
from yibao.policy.law.parameters import RegionPolicy, first_match
from yibao.policy.lines import LineSplit, classify_line
from yibao.policy.pipeline.choosing import choose_benefit
from yibao.policy.reckoning.cases import AllowanceCase, CreditCase, DuesCase, Question, Reckoned, WaitingCase

FOLDER = Path(__file__).parent / "cases"
CITIES = {"zibo": ZIBO, "huizhou": HUIZHOU}
QUESTIONS: dict[str, type[Question]] = {
    "dues": DuesCase,
    "credit": CreditCase,
    "allowance": AllowanceCase,
    "waiting": WaitingCase,
}
OF_CASE = {
    "id", "kind", "rules", "on", "insutype", "med_type", "person", "age", "level", "facts", "lines", "counters",
    "expect", "why", "key",
}  # fmt: skip
OF_PERSON = set(PersonFacts.__struct_fields__) - {"psn_type", "age"}

Entry = dict[str, Any]


@cache
def entries(city: str) -> tuple[Entry, ...]:
    """Return every case of a city, file by file."""
    return tuple(
        case
        for file in sorted((FOLDER / city).glob("*.toml"))
        for case in tomllib.loads(file.read_text(encoding="utf-8"))["case"]
    )


def cities() -> list[str]:
    """Return the names of the cities that have cases."""
    return sorted(f.name for f in FOLDER.iterdir() if f.is_dir() and any(f.glob("*.toml")))


def everything() -> list[Any]:
    """Return one test parameter for each case of each city, named by its place and its rules."""
    return [
        pytest.param(city, entry, id=f"{city}-{number}-{'+'.join(entry['rules'])}")
        for city in cities()
        for number, entry in enumerate(entries(city), 1)
    ]


def law_of(city: str) -> RegionPolicy:
    """Return the packaged law of a city, whose folder has its name or its code."""
    return city_policy(CITIES.get(city, city))


def plain(value: Any) -> Any:
    """Turn amounts written in yuan into fen, lists into tuples; leave all else as it is."""
    if isinstance(value, str) and re.fullmatch(r"\d+\.\d\d", value):
        return yuan_to_fen(Decimal(value))
    if isinstance(value, list):
        return tuple(value)
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    return value


def facts_of(entry: Entry) -> Entry:
    """Return the further facts of a case, wherever the file names them."""
    beside = {key: value for key, value in entry.items() if key not in OF_CASE}
    return {key: plain(value) for key, value in {**beside, **entry.get("facts", {})}.items()}


def line_of(line: Entry) -> LineGroup:
    """Return a group of lines; what is neither fully own, over the limit nor first-pay is in scope."""
    amount, own, over, first = (yuan_to_fen(Decimal(line.get(k, "0"))) for k in ("amount", "own", "over", "first"))
    return LineGroup(amount, own, over, first, amount - own - over - first, line.get("group", ""))


def bill_of(entry: Entry, law: RegionPolicy) -> Case:
    """Return the bill that a case describes."""
    facts = facts_of(entry)
    person = {key: facts.pop(key) for key in list(facts) if key in OF_PERSON}
    kind = facts.pop("institution_kind", "1")
    traits = facts.pop("traits", ())
    return Case(
        admdvs=law.admdvs,
        service_on=entry["on"],
        insutype=entry["insutype"],
        med_type=entry["med_type"],
        person=PersonFacts(entry["person"], entry.get("age", 40), **person),
        institution=InstitutionFacts("H00000000001", kind, entry.get("level", "1"), traits),
        lines=tuple(line_of(line) for line in entry["lines"]),
        counters=plain(entry.get("counters", {})),
        **facts,
    )


def question_of(entry: Entry, law: RegionPolicy) -> Question:
    """Return the question that a case describes."""
    who = {"psn_type": entry.get("person", ""), "age": entry.get("age", 40)}
    asked = {"admdvs": law.admdvs, "on": entry["on"], "insutype": entry["insutype"], **who, **facts_of(entry)}
    return QUESTIONS[entry["kind"]](**asked)


def money(decision: Decision, name: str) -> str:
    """Return one figure of a decision as yuan: a part of it, or what a head field of the wire reports."""
    value = getattr(decision, name) if name in decision.__struct_fields__ else decision.fund(name)
    assert isinstance(value, int), f"{name} is no amount"
    return str(fen_to_yuan(value))


def gate_of(entry: Entry, law: RegionPolicy) -> Entry:
    """Return what must be known or recognised before the benefit of a bill is granted."""
    benefit = choose_benefit(bill_of(entry, law), law)
    assert not isinstance(benefit, Refusal), benefit
    wanted = {name: bool(benefit.row.extra.get(name, False)) for name in ("needs_disease", "needs_recognition")}
    return {name: value for name, value in wanted.items() if value}


def found_in_bill(decision: Decision, entry: Entry, law: RegionPolicy) -> Entry:
    """Return what the decision says of everything that is expected; ``counted`` lists all counters that moved."""
    expect, found = entry["expect"], {}
    for name in expect:
        if name == "counters":
            counted = {change.code: str(fen_to_yuan(change.delta)) for change in decision.counters}
            found[name] = {code: counted.get(code, "0.00") for code in expect[name]}
        elif name == "funds":
            paid = {share.fund_pay_type: str(fen_to_yuan(share.amount)) for share in decision.funds}
            found[name] = {code: paid.get(code, "0.00") for code in expect[name]}
        elif name == "counted":
            found[name] = sorted(change.code for change in decision.counters if change.delta)
        elif name == "gate":
            found[name] = gate_of(entry, law)
        elif name in ("benefit", "clr_type", "year"):
            found[name] = getattr(decision, name)
        else:
            found[name] = money(decision, name)
    return found


def found_in_answer(answer: Reckoned, expect: Entry) -> Entry:
    """Return what the answer says of everything that is expected: counts as numbers, fen as yuan, days as days."""
    amounts, dates = dict(answer.amounts), dict(answer.dates)
    found: Entry = {}
    for name, value in expect.items():
        if isinstance(value, date):
            found[name] = dates[name]
        else:
            found[name] = amounts[name] if isinstance(value, int) else str(fen_to_yuan(amounts[name]))
    return found


def assert_adds_up(decision: Decision) -> None:
    """The bill equals its four parts and its payers; the person's part equals account and cash; nothing is negative."""
    d = decision
    assert d.amount == d.own + d.over + d.first_pay + d.in_scope
    assert d.amount == d.fund_total + d.person_part + d.hospital_part
    assert d.fund_total == sum(share.amount for share in d.funds)
    assert d.person_part == d.account_pay + d.cash
    assert min(d.fund_total, d.person_part, d.account_pay, d.cash, d.deductible, *(f.amount for f in d.funds), 0) == 0


def split_line(entry: Entry, law: RegionPolicy) -> LineSplit:
    """Split the fee line of a case by the region's defaults."""
    amount = yuan_to_fen(Decimal(entry["lines"][0]["amount"]))
    split = classify_line(
        policy=law,
        service_on=entry["on"],
        insutype=entry["insutype"],
        amount=amount,
        price=amount * 10_000,
        quantity=10_000,
        **entry["facts"],
    )
    assert isinstance(split, LineSplit), split
    return split


def rows_in_force(entry: Entry, law: RegionPolicy) -> tuple[Used, ...]:
    """Return what holds of a key on the day of a case: the first row of a benefit, or every row with a condition."""
    day, key, facts = entry["on"], entry["key"], entry.get("facts", {})
    if "benefit" in facts:
        of_day = law.law_on(day)
        assert of_day is not None
        rows = of_day.benefits[entry["insutype"], facts["benefit"]].rows.get(key, ())
        return tuple(row.used for row in rows[:1])
    said = facts.get("condition", "")
    return tuple(r.used for r in law.rows_on(day) if r.key == key and r.used.condition == said)


def refused_by(entry: Entry, law: RegionPolicy) -> tuple[Used, ...]:
    """Return the row of the law that orders the refusal of a bill, none where the law is only silent."""
    benefit = choose_benefit(bill_of(entry, law), law)
    if isinstance(benefit, Refusal):
        return ()
    row = first_match(benefit.law.rows.get("refusal", ()), benefit.facts)
    return () if row is None else (row.used,)


def judge(city: str, entry: Entry) -> tuple[Entry, tuple[Used, ...]]:
    """Run a case; return what was found of everything expected, and the rows the trace names."""
    law, expect, kind = law_of(city), entry["expect"], entry.get("kind", "bill")
    if kind == "line":
        split = split_line(entry, law)
        return {name: str(fen_to_yuan(getattr(split, name))) for name in expect}, split.used
    if kind == "row":
        named = rows_in_force(entry, law)
        return {"value": "；".join(used.value for used in named)}, named
    result = decide(question_of(entry, law) if kind in QUESTIONS else bill_of(entry, law), law)
    if isinstance(result, Refusal):
        return {"refused": result.code}, () if kind in QUESTIONS else refused_by(entry, law)
    named = tuple(used for step in result.steps for used in step.used)
    if isinstance(result, Reckoned):
        return found_in_answer(result, expect), named
    assert_adds_up(result)
    return found_in_bill(result, entry, law), named


@pytest.mark.parametrize(("city", "entry"), everything())
def test_case(city: str, entry: Entry) -> None:
    """The figures are those worked out by hand, and the trace names every rule the case is about."""
    found, named = judge(city, entry)
    assert found == entry["expect"], entry["why"]
    missing = set(entry["rules"]) - {used.rule for used in named}
    assert not missing or ("refused" in entry["expect"] and not named), f"the trace does not name {sorted(missing)}"


@pytest.mark.parametrize("city", cities())
def test_every_case_is_told(city: str) -> None:
    """Each case has a name of its own, names its rules, expects something and shows the sum."""
    names = [entry["id"] for entry in entries(city)]
    assert len(set(names)) == len(names), sorted(n for n in names if names.count(n) > 1)
    assert all(entry["rules"] and entry["expect"] and entry["why"] for entry in entries(city))


@pytest.mark.parametrize("city", cities())
def test_every_rule_has_a_case(city: str) -> None:
    """Every rule of the city's law, settings included, is named by at least one case."""
    told = {rule for entry in entries(city) for rule in entry["rules"]}
    assert sorted({row.used.rule for row in law_of(city).rows} - told) == []


@pytest.mark.parametrize("city", cities())
def test_every_row_is_reached_by_a_case(city: str) -> None:
    """Every single row (level, person, period, identity) stands in the trace of at least one case."""
    reached = {used for entry in entries(city) for used in judge(city, entry)[1]}
    left = [f"{row.used.rule} {row.place}" for row in law_of(city).rows if row.used not in reached]
    assert not left, "\n".join(left)
