"""Reads the rule tables (text of CSV and TOML files) into a rule book; a row that cannot be read stops the reading."""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from typing import Any

import msgspec

from yibao.policy.review.rules import (
    MAN,
    WOMAN,
    AgeRule,
    Ages,
    Course,
    CourseRule,
    FrequencyRule,
    IncisionRule,
    Kind,
    LevelRule,
    OrderFrequency,
    PairRule,
    PieceRule,
    Rule,
    RuleBook,
    SexRule,
    VisitRule,
)

_SEXES = {"男": MAN, "女": WOMAN}
_LEVELS = {"二级": "2", "三级": "3"}
_VISITS = {"住院": frozenset({"inpatient"}), "急诊或住院": frozenset({"inpatient", "emergency"})}
_INSURANCES = {"工伤": frozenset({"work_injury"}), "生育": frozenset({"maternity"})}
_WINDOWS = {"单日": ("day", 0), "单次就诊": ("visit", 0), "同一小时": ("clock_hour", 0)}
_FIRST_ONLY = "首次处方"
_OF_STAY, _SPAN = "/单次住院", "/总时间"
_HOURS = re.compile(r"(\d+)小时")
_DAYS = re.compile(r"(\d+)天")
_FROM_AGE = re.compile(r"(\d+)岁及以上")
_UNITS_OF_A_DAY = ("日", "天", "小时")

Row = Mapping[str, str]


class BadRules(Exception):
    """The tables hold something that cannot be read; the message names the row."""


class _Reader:
    """Reads rows into rules with the words of ``kinds.toml``."""

    def __init__(self, words: Mapping[str, Any]) -> None:
        self._source: str = words["source"]
        self.kinds = {name: Kind(name=name, **values) for name, values in words["kinds"].items()}
        self._ages = {
            word: Ages(word, a.get("from_years"), a.get("below_years"), a.get("days_max"))
            for word, a in words["ages"].items()
        }
        gap = words["course"]["gap_days"]
        self._courses = {
            c["says"]: Course(c["days"], c["within"], c["measure"], gap) for c in words["courses"]
        }
        self._gap = gap
        self._make: dict[str, Callable[[dict[str, Any], Row], Rule]] = {
            "sex": lambda base, _: SexRule(**base, sex=_SEXES[base["word"]]),
            "age": lambda base, _: AgeRule(**base, ages=self._age(base["word"])),
            "insurance": lambda base, _: VisitRule(**base, allowed=_INSURANCES[base["word"]]),
            "visit_kind": lambda base, _: VisitRule(**base, allowed=_VISITS[base["word"]]),
            "hospital_level": lambda base, _: _level_rule(base),
            "paid_course": lambda base, _: CourseRule(**base, course=self._course(base["word"])),
            "duplicate_charge": lambda base, row: _pair_rule(base, row),
            "same_incision_group": lambda base, _: IncisionRule(**base, group=base["word"]),
            "frequency": lambda base, row: _frequency_rule(base, row),
            "period_frequency": lambda base, row: _frequency_rule(base, row),
            "piece_alone": lambda base, _: PieceRule(**base),
        }

    def rule(self, row: Row, *, kind: str, item: str, name: str, batch: str, place: str) -> Rule:
        """Return the rule of a row; ``place`` is file and row for the message."""
        known = self.kinds.get(kind)
        if known is None or kind not in self._make:
            raise BadRules(f"{place}: unknown kind {kind!r}")
        parts = [known.code, item]
        if kind == "duplicate_charge":
            parts.append(row["other_code"])
        elif kind == "same_incision_group":
            parts.append(row["value"])
        source = f"{self._source}，第{batch}批" if batch else row.get("source") or self._source
        base: dict[str, Any] = {
            "rule_id": "-".join(parts), "kind": known, "item": item, "item_name": name,
            "word": row.get("value", ""), "source": source, "text": row.get("text") or row.get("note") or "",
        }
        try:
            return self._make[kind](base, row)
        except (KeyError, ValueError) as error:
            raise BadRules(f"{place}: cannot read {row.get('value')!r}: {error}") from error

    def _age(self, word: str) -> Ages:
        found = _FROM_AGE.fullmatch(word)
        return Ages(word, from_years=int(found[1])) if found else self._ages[word]

    def _course(self, word: str) -> Course:
        if word in self._courses:
            return self._courses[word]
        bare = word.removesuffix(_OF_STAY).removesuffix(_SPAN)
        found = _DAYS.fullmatch(bare)
        if found is None:
            raise ValueError("neither days nor a known sentence")
        within = "stay" if word.endswith(_OF_STAY) else "course"
        return Course(int(found[1]), within, "span" if word.endswith(_SPAN) else "paid", self._gap)


def _level_rule(base: dict[str, Any]) -> Rule:
    word = base["word"]
    return LevelRule(**base, level=_LEVELS[word.removesuffix(_FIRST_ONLY)], first_only=word.endswith(_FIRST_ONLY))


def _pair_rule(base: dict[str, Any], row: Row) -> Rule:
    window, hours = _WINDOWS.get(base["word"], ("", 0))
    if not window:
        found = _HOURS.fullmatch(base["word"])
        if found is None:
            raise ValueError("unknown window")
        window, hours = "hours", int(found[1])
    return PairRule(**base, other=row["other_code"], other_name=row["other_name"], window=window, hours=hours)


def _frequency_rule(base: dict[str, Any], row: Row) -> Rule:
    """Read times a day (24 hours a day are at most 24 units of an hour) or times in so many days."""
    times, period = int(row["value"]), row["period"]
    if period in _UNITS_OF_A_DAY:
        return FrequencyRule(**base, times=times)
    found = _DAYS.fullmatch(period)
    if found is None:
        raise ValueError(f"unknown period {period!r}")
    return FrequencyRule(**base, times=times, days=int(found[1]))


def load_rules(files: Mapping[str, str]) -> RuleBook:
    """Compile the rule tables.

    Args:
        files: file name to its text, as they lie in ``data/supervision``.

    Raises:
        BadRules: a row cannot be read, or two rows are the same rule.
    """
    words = tomllib.loads(files["kinds.toml"])
    reader = _Reader(words)
    rules: dict[str, Rule] = {}
    for rule in _rules(reader, files):
        if rule.rule_id in rules and rules[rule.rule_id] != rule:
            raise BadRules(f"two rules are called {rule.rule_id}")
        rules[rule.rule_id] = rule
    by_item: dict[str, list[Rule]] = {}
    included: dict[str, list[PairRule]] = {}
    for rule in rules.values():
        by_item.setdefault(rule.item, []).append(rule)
        if isinstance(rule, PairRule):
            included.setdefault(rule.other, []).append(rule)
    return RuleBook(
        version=_version(files), valid_from=words["valid_from"], kinds=reader.kinds, rules=rules,
        by_item={item: tuple(found) for item, found in by_item.items()},
        included={code: tuple(found) for code, found in included.items()},
        frequencies=_frequencies(files["order_frequency.csv"]),
        visits={kind: frozenset(types) for kind, types in words["visits"].items()},
        items={kind: frozenset(types) for kind, types in words["items"].items()},
        look_back_days=words["course"]["look_back_days"],
    )


def _rules(reader: _Reader, files: Mapping[str, str]) -> Iterator[Rule]:
    for place, row in _rows(files, "service_rules.csv"):
        yield reader.rule(row, kind=row["kind"], item=row["item_code"], name=row["item_name"], batch=row["batch"],
                          place=place)
    for place, row in _rows(files, "drug_rules.csv"):
        yield reader.rule(row, kind=row["kind"], item=row["name"], name=row["name"], batch=row["batch"], place=place)
    for place, row in _rows(files, "drug_restrictions.csv"):
        noted = {**row, "source": "国家医保药品目录（2025年）备注"}
        yield reader.rule(noted, kind=row["kind"], item=row["name"], name=row["name"], batch="", place=place)
    for place, row in _rows(files, "pieces_alone.csv"):
        noted = {**row, "value": "□", "source": "国家医保药品目录（2024年）饮片部分，标注□"}
        yield reader.rule(noted, kind="piece_alone", item=row["name"], name=row["name"], batch="", place=place)


def _rows(files: Mapping[str, str], name: str) -> Iterator[tuple[str, Row]]:
    for number, row in enumerate(csv.DictReader(io.StringIO(files[name])), 2):
        yield f"{name}:{number}", row


def _frequencies(text: str) -> dict[str, OrderFrequency]:
    found: dict[str, OrderFrequency] = {}
    for row in csv.DictReader(io.StringIO(text)):
        frequency = OrderFrequency(
            row["code"], row["name"], int(row["period_days"]), int(row["times"]), row["bounded"] == "1"
        )
        for word in (row["code"].lower(), row["name"], row["alias"]):
            found.setdefault(word, frequency)
    return found


def _version(files: Mapping[str, str]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{len(files[name])}\0".encode() + files[name].encode())
    return digest.hexdigest()


class RegionRow(msgspec.Struct, frozen=True):
    """What a region decides for itself: days to appeal and to ask for a panel, share of a further operation."""

    admdvs: str
    valid_from: date
    appeal_days: int
    collegial_days: int
    same_incision_share: int
    source: str
    assumed: bool = False


def load_regions(text: str) -> tuple[RegionRow, ...]:
    """Read ``regions.toml``, the newest row of a region first."""
    rows = [RegionRow(**row) for row in tomllib.loads(text)["region"]]
    return tuple(sorted(rows, key=lambda row: row.valid_from, reverse=True))


def region_on(rows: tuple[RegionRow, ...], admdvs: str, day: date) -> RegionRow | None:
    """Return what is in force in a region on a day, None if nothing is."""
    return next((row for row in rows if row.admdvs == admdvs and row.valid_from <= day), None)
