"""Changes each parameter of the two cities in memory, one at a time; worked cases must notice every change.

A parameter is one thing a policy file says: the value of a row, a bound or ratio of its bands, a day, a condition, a
code, a counter, a rounding, a place in an order, a code of a word. Words for readers (names, clauses, sources) are none.
A change that no file could hold (refused at load) is replaced by another one, for a condition at last by leaving it out;
what no other value can replace without a refusal counts as ``refused_at_load``.
"""

from __future__ import annotations

import copy
import re
import tomllib
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Any

from tests.proofs.platform import Platform, Result
from tests.proofs.worked_cases import WorkedCase, all_cases
from tests.spec.policy.cities import HUIZHOU, ZIBO, city_files
from yibao.policy.law.loading import BadPolicy, load_policy
from yibao.policy.law.parameters import RegionPolicy

CITIES = (ZIBO, HUIZHOU)
_FOR_READERS = {"name", "title", "clause", "note", "mark", "source", "reliability", "rule", "key", "rows", "layer", "condition",
                "remedy"}
_WITHOUT_EFFECT = {
    ("pool_bonus", "group"): "only tells bonuses apart that meet in one bill, which none of these cities has",
    ("pool_cap", "optional"): "only speaks where no row fits",
    ("claim_within", "priority"): "informative: nobody chooses",
}
_WORDS = {"person_classes": "psn_type", "diseases": "codes"}
_EVERY = {
    "level": ("1", "2", "3"),
    "institution_kind": ("1", "2"),
    "account_kind": ("with_account", "pool_only", "none"),
    "class_level": ("01", "02", "03"),
    "insutype": ("310", "390", "510"),
    "med_type": ("21", "52"),
}
_NUMBER = re.compile(r"^(-?\d+(?:\.\d+)?)(.*)$")
_DAY = timedelta(days=1)

Document = dict[str, Any]


@dataclass(frozen=True)
class Parameter:
    """One changeable thing: where it stands, and what to call it in a report."""

    city: str
    file: str
    path: tuple[str | int, ...]
    rule: str
    key: str

    def __str__(self) -> str:
        """Return file, rule, key and the path inside the row."""
        inside = ".".join(str(step) for step in self.path[2:] if step != "rows")
        return f"{self.city}/{self.file} {self.rule} {self.key} {inside}".strip()


def run(n: int, seed: int, _platform: Platform | None = None) -> Result:
    """Change ``n`` parameters drawn by the seed (0: every one) and run the worked cases on each change."""
    parameters = [p for city in CITIES for p in parameters_of(city)]
    chosen = Random(seed).sample(parameters, n) if 0 < n < len(parameters) else parameters
    done = {"parameters": len(parameters), "changed": 0, "caught": 0, "refused_at_load": 0, "cases": len(cases())}
    wrong = {"uncaught": 0, "cases_failing_unchanged": 0}
    sound = {case.id for case in cases()}
    for case in all_cases():
        if case.id not in sound:
            wrong["cases_failing_unchanged"] += 1
            print(f"  fails without any change: {case.id}")
    missed: list[Parameter] = []
    for parameter in chosen:
        fate = caught(parameter)
        done["changed"] += 1
        done["caught"] += fate == "caught"
        done["refused_at_load"] += fate == "refused"
        if fate == "uncaught":
            missed.append(parameter)
            print(f"  no case notices: {parameter}")
    wrong["uncaught"] = len(missed)
    for place, count in sorted(Counter(f"{p.city}/{p.file} {p.rule}" for p in missed).items()):
        print(f"  {count:4d} unnoticed in {place}")
    return Result(done, wrong)


def caught(parameter: Parameter) -> str:
    """Return ``caught``, ``uncaught`` or ``refused`` (no change of it can be loaded)."""
    for files in changes(parameter):
        try:
            policy = load_policy(files)
        except BadPolicy:
            continue
        return "uncaught" if noticed(parameter, policy) is None else "caught"
    left_out = without(parameter)
    if left_out is not None:
        with suppress(BadPolicy):
            return "refused" if noticed(parameter, load_policy(left_out)) is None else "caught"
    return "refused"


def noticed(parameter: Parameter, policy: RegionPolicy) -> WorkedCase | None:
    """Return the first worked case that fails under a changed law; those that name the rule are asked first."""
    mine = [case for case in cases() if case.city == parameter.city]
    mine.sort(key=lambda case: parameter.rule not in case.rules)
    return next((case for case in mine if not holds(case, policy)), None)


def holds(case: WorkedCase, policy: RegionPolicy) -> bool:
    """Say whether a case gives what its author worked out."""
    try:
        case.check(policy)
    except Exception:  # whatever goes wrong under a changed law is noticed by the case
        return False
    return True


@cache
def cases() -> tuple[WorkedCase, ...]:
    """Return all worked cases of both cities that hold under the law as it is; no other could notice a change."""
    laws = {city: load_policy(city_files(city)) for city in CITIES}
    return tuple(case for case in all_cases() if holds(case, laws[case.city]))


# ── what can be changed ──


@cache
def documents(city: str) -> dict[str, Document]:
    """Return the parsed files of a city."""
    return {name: tomllib.loads(text) for name, text in city_files(city).items()}


def parameters_of(city: str) -> list[Parameter]:
    """List every parameter of a city in the order of its files."""
    found = []
    for file in sorted(documents(city)):
        document = documents(city)[file]
        for section, field in _WORDS.items():
            for word, entry in document.get(section, {}).items():
                for place in range(len(entry[field])):
                    found.append(Parameter(city, file, (section, word, field, place), f"{section}.{word}", section))
        for number, block in enumerate(document.get("parameter", [])):
            common = Parameter(city, file, ("parameter", number), _rule_of(block), block["key"])
            found += [_at(common, path) for path in _leaves(block)]
            for place, row in enumerate(block["rows"]):
                mine = Parameter(city, file, ("parameter", number, "rows", place), _rule_of(block, row), block["key"])
                found += [_at(mine, path) for path in _leaves(row)]
    return found


def _rule_of(block: Document, row: Document | None = None) -> str:
    rows = [row] if row is not None else block["rows"]
    return str(rows[0].get("rule", block.get("rule", "")))


def _at(parameter: Parameter, path: tuple[str | int, ...]) -> Parameter:
    return Parameter(parameter.city, parameter.file, parameter.path + path, parameter.rule, parameter.key)


def _leaves(table: Document) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of everything in a block or row that is no text for readers; an order is one parameter."""
    for name, value in table.items():
        if name in _FOR_READERS or (table.get("key"), name) in _WITHOUT_EFFECT or (name == "counter" and _idle(table)):
            continue
        if isinstance(value, dict):
            yield from ((name, *path) for path in _leaves(value))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for place, entry in enumerate(value):
                yield from ((name, place, *path) for path in _leaves(entry) if not _parts_nothing(value, place, path))
        elif name != "code":
            yield (name,)


def _idle(table: Document) -> bool:
    """Say whether a counter counts nothing, because all that it would count is absent."""
    rows = table.get("rows", [table])
    return all(row.get("value", table.get("value")) == "不设" for row in rows)


def _parts_nothing(bands: list[Document], place: int, path: tuple[str | int, ...]) -> bool:
    """Say whether a bound lies between two bands of one ratio."""
    return path == ("to",) and place + 1 < len(bands) and bands[place]["ratio"] == bands[place + 1]["ratio"]


# ── how it is changed ──


def changes(parameter: Parameter) -> Iterator[dict[str, str]]:
    """Yield the city's files with the parameter changed, one way after the other."""
    original = documents(parameter.city)[parameter.file]
    holder, last = _holder(original, parameter.path)
    texts = city_files(parameter.city)
    for new in _other_values(parameter, holder[last]):
        changed = copy.deepcopy(original)
        where, _ = _holder(changed, parameter.path)
        where[last] = new
        yield {**texts, parameter.file: written(changed)}


def without(parameter: Parameter) -> dict[str, str] | None:
    """Return the city's files without a condition; None for what is no condition."""
    if "when" not in parameter.path or parameter.path[-1] in ("from", "below"):
        return None
    changed = copy.deepcopy(documents(parameter.city)[parameter.file])
    where, last = _holder(changed, parameter.path)
    del where[last]
    return {**city_files(parameter.city), parameter.file: written(changed)}


def _holder(document: Document, path: tuple[str | int, ...]) -> tuple[Any, str | int]:
    where: Any = document
    for step in path[:-1]:
        where = where[step]
    return where, path[-1]


def _other_values(parameter: Parameter, value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif parameter.path[-1] == "priority":
        yield -value - 1
    elif isinstance(value, int):
        # A range that grows may only reach what another row already takes; one that shrinks leaves something out.
        yield from (value - 1, value + 1) if parameter.path[-1] == "below" else (value + 1, value - 1)
    elif isinstance(value, date):
        yield from (value + _DAY, value - _DAY) if parameter.path[-1] == "from" else (value - _DAY, value + _DAY)
    elif isinstance(value, list):
        yield from _other_lists(parameter, value)
    elif parameter.path[0] in _WORDS:
        yield "99" if value.isdigit() else "Z99.9"
    elif "when" in parameter.path:
        name = str(parameter.path[-1])
        others = [word for word in (*_EVERY.get(name, ()), *_words_in_use(parameter.city, name)) if word != value]
        yield from others
        yield list(dict.fromkeys(others))
    else:
        yield from _other_texts(parameter, str(value))


def _other_texts(parameter: Parameter, text: str) -> Iterator[str]:
    number = _NUMBER.match(text)
    if number and number[2] in ("元", "%", "个百分点", "个月", "天", "年", "次"):
        figure, unit = number.groups()
        step = "1" if unit != "元" else str(max(1, int(float(figure)) // 10))
        for sign in ("+", "-") if figure in ("0", "50", "45") else ("-", "+"):
            yield f"{_added(figure, sign, step)}{unit}"
    elif text == "不设":
        yield from ("10元", "100%", "1元")
    elif parameter.path[-1] in ("counter", "paid_counter", "window"):
        yield from (word for word in _words_in_use(parameter.city, str(parameter.path[-1]), parameter.key) if word != text)
        yield from ("never.counted", "perturbed.counter", "month", "year")
    else:
        yield from (word for word in _words_in_use(parameter.city, str(parameter.path[-1]), parameter.key) if word != text)
        yield from ("half_up_yuan", "down", "care", "999997", "perturbed", "oth_pay", "own", "discharge_date", "keep", "none")


def _added(figure: str, sign: str, step: str) -> str:
    digits = len(figure.partition(".")[2])
    scale = 10**digits
    whole = int(figure.replace(".", "")) + (1 if sign == "+" else -1) * int(step) * scale
    text = f"{'-' if whole < 0 else ''}{abs(whole) // scale}"
    return f"{text}.{abs(whole) % scale:0{digits}d}" if digits else text


def _other_lists(parameter: Parameter, value: list[Any]) -> Iterator[list[Any]]:
    if parameter.key == "order" and parameter.path[-1] == "value":
        for place in range(len(value) - 1):
            swapped = list(value)
            swapped[place : place + 2] = reversed(swapped[place : place + 2])
            yield swapped
        return
    if len(value) > 1:
        yield value[1:]
        yield value[:-1]
    name = str(parameter.path[-1])
    yield from ([word] for word in (*_EVERY.get(name, ()), *_words_in_use(parameter.city, name)) if word not in value)


@cache
def _words_in_use(city: str, name: str, key: str = "") -> tuple[str, ...]:
    """Return the words that rows of the city use under a name (of rows with the same key, if one is given)."""
    found: dict[str, None] = {}
    for document in documents(city).values():
        for block in document.get("parameter", []):
            if key and block["key"] != key:
                continue
            for table in (block, *block["rows"]):
                for holder in (table, table.get("when", {})):
                    word = holder.get(name)
                    for one in word if isinstance(word, list) else [word]:
                        if isinstance(one, str):
                            found[one] = None
    return tuple(found)


# ── written again as TOML ──


def written(document: Document) -> str:
    """Write a document as a policy file: tables first, then one block for each parameter, a row to a line."""
    lines = [f"{name} = {_inline(value)}" for name, value in document.items() if not isinstance(value, (dict, list))]
    for name, value in document.items():
        if isinstance(value, dict):
            lines += ["", f"[{name}]", *(f"{_key(word)} = {_inline(entry)}" for word, entry in value.items())]
    for block in document.get("parameter", []):
        lines += ["", "[[parameter]]"]
        lines += [f"{name} = {_inline(value)}" for name, value in block.items() if name != "rows"]
        lines += ["rows = [", *(f"  {_inline(row)}," for row in block["rows"]), "]"]
    return "\n".join(lines) + "\n"


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{_key(name)} = {_inline(entry)}" for name, entry in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(_inline(entry) for entry in value) + "]"
    return _quoted(value) if isinstance(value, str) else str(value)


def _key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else _quoted(name)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


