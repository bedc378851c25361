"""Reads a file of worked examples: a CSV whose inputs, parameters and expected results are JSON, numbers taken exactly."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec

from yibao.kernel.money import to_scaled, yuan_to_fen

COLUMNS = ("id", "inputs", "policy_params", "expected")
"""Columns that a file must have; all others are labels, or facts where a row names a region."""

_EXPLAINING = frozenset(
    {
        "note",
        "rule",
        "retired_rule",
        "dedc_formula",
        "ratio_formula",
        "referral_bonus",
        "referred_from_level",
        "continuous_months",
        "continuous_months_min",
        "rloc_type",
        "limit_period",
        "limit_on",
        "cap_shared_with",
        "kind",
        "age",
        "hifmi_base_includes",
    }
)
"""Keys that say where a figure comes from: their effect is already inside the figures."""


class FileFault(Exception):
    """The file is no table of worked examples; the sentence says in Chinese what is wrong."""


class RowFault(Exception):
    """One row cannot be computed; the sentence says in Chinese why. The other rows go on."""


class ExampleRow(msgspec.Struct, frozen=True):
    """One row: its id, its labels by column, and the three JSON cells as they stand."""

    id: str
    labels: Mapping[str, str]
    inputs: str
    params: str
    expected: str


class Given:
    """The values of one JSON object, read by name and kind; what nobody asked for is told at the end.

    Every reader treats null like an absent key. Amounts are yuan in the file and fen here; ratios are fractions in
    the file and ten-thousandths here.
    """

    def __init__(self, values: Mapping[str, Any], place: str) -> None:
        self._values = values
        self._place = place
        self._read: set[str] = set()
        self._inner: dict[str, Given] = {}

    def has(self, key: str) -> bool:
        """Say whether the key is there and not null."""
        self._read.add(key)
        return self._values.get(key) is not None

    def keys(self) -> tuple[str, ...]:
        """Return every key of the object, in the order of the file; all count as read."""
        self._read.update(self._values)
        return tuple(self._values)

    def named_like(self, *words: str) -> str:
        """Return the first key that holds one of the words and is not null, ``""`` if none does."""
        return next((key for key in self._values if any(w in key.lower() for w in words) and self.has(key)), "")

    def money(self, key: str) -> int:
        """Return an amount in fen, 0 if it is absent.

        Raises:
            RowFault: it is no number, is finer than a fen, or is negative.
        """
        if not self.has(key):
            return 0
        value = self._number(key)
        if value < 0:
            raise RowFault(f"{self._name(key)} 不能为负数，收到 {value}")
        try:
            return yuan_to_fen(value)
        except ValueError:
            raise RowFault(f"{self._name(key)} 的金额只能到分，收到 {value}") from None

    def ratio(self, key: str) -> int:
        """Return a fraction in ten-thousandths, 0 if it is absent; it may be negative or above one.

        Raises:
            RowFault: it is no number, or has more than four decimals.
        """
        if not self.has(key):
            return 0
        value = self._number(key)
        try:
            return to_scaled(value, 4)
        except ValueError:
            raise RowFault(f"{self._name(key)} 的比例只能到四位小数，收到 {value}") from None

    def count(self, key: str) -> int:
        """Return a whole number that is not negative, 0 if it is absent."""
        if not self.has(key):
            return 0
        value = self._number(key)
        if value != int(value) or value < 0:
            raise RowFault(f"{self._name(key)} 应为不小于 0 的整数，收到 {value}")
        return int(value)

    def truth(self, key: str) -> bool:
        """Return a truth, False if it is absent; accepts true, false, 1, 0, 是, 否."""
        if not self.has(key):
            return False
        value = self._values[key]
        if str(value) not in _TRUTHS:
            raise RowFault(f"{self._name(key)} 应为 true 或 false，收到 {value!r}")
        return _TRUTHS[str(value)]

    def text(self, key: str) -> str:
        """Return a text without surrounding blanks, ``""`` if it is absent; a number becomes its text."""
        return str(self._values[key]).strip() if self.has(key) else ""

    def tiers(self, key: str) -> tuple[tuple[int | None, int], ...]:
        """Return bands as (upper bound in fen or None, ratio in ten-thousandths), ``()`` if absent."""
        if not self.has(key):
            return ()
        value = self._values[key]
        shape = f"{self._name(key)} 应写作 [[上限或 null, 比例], …]"
        if not isinstance(value, list) or not all(isinstance(band, list) and len(band) == 2 for band in value):
            raise RowFault(f"{shape}，收到 {value!r}")
        bands: list[tuple[int | None, int]] = []
        for upper, ratio in value:
            band = self._within({"上限": upper, "比例": ratio}, f"{key}[{len(bands) + 1}]")
            if ratio is None:
                raise RowFault(f"{shape}，比例不能为 null")
            bands.append((band.money("上限") if band.has("上限") else None, band.ratio("比例")))
        return tuple(bands)

    def moneys(self, key: str) -> tuple[int, ...]:
        """Return a list of amounts in fen, ``()`` if absent."""
        return tuple(entry.money("值") for entry in self._each(key))

    def ratios(self, key: str) -> tuple[int, ...]:
        """Return a list of fractions in ten-thousandths, ``()`` if absent."""
        return tuple(entry.ratio("值") for entry in self._each(key))

    def inner(self, key: str) -> Given:
        """Return an inner object, an empty one if it is absent."""
        value = self._values.get(key) if self.has(key) else {}
        if not isinstance(value, dict):
            raise RowFault(f"{self._name(key)} 应为对象，收到 {value!r}")
        return self._within(value, key)

    def is_object(self, key: str) -> bool:
        """Say whether the key holds an inner object."""
        return self.has(key) and isinstance(self._values[key], dict)

    def inners(self, key: str) -> tuple[Given, ...]:
        """Return a list of inner objects, ``()`` if absent; a single object counts as a list of one."""
        value = self._values.get(key) if self.has(key) else []
        entries = [value] if isinstance(value, dict) else value
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise RowFault(f"{self._name(key)} 应为对象的列表，收到 {value!r}")
        return tuple(self._within(entry, f"{key}[{n}]") for n, entry in enumerate(entries, 1))

    def unread(self) -> tuple[str, ...]:
        """Return the full names of the keys that nobody read and that are no explanation."""
        own = [self._name(k) for k in self._values if k not in self._read and k not in _EXPLAINING]
        return (*own, *(name for inner in self._inner.values() for name in inner.unread()))

    def _each(self, key: str) -> tuple[Given, ...]:
        value = self._values.get(key) if self.has(key) else []
        if not isinstance(value, list):
            raise RowFault(f"{self._name(key)} 应为列表，收到 {value!r}")
        return tuple(self._within({"值": entry}, f"{key}[{n}]") for n, entry in enumerate(value, 1))

    def _within(self, values: Mapping[str, Any], key: str) -> Given:
        return self._inner.setdefault(key, Given(values, self._name(key)))

    def _name(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key

    def _number(self, key: str) -> Decimal:
        value = exact_number(self._values[key])
        if value is None:
            raise RowFault(f"{self._name(key)} 应为数字，收到 {self._values[key]!r}")
        if value.adjusted() > _DIGITS_MOST:
            raise RowFault(f"{self._name(key)} 超出可计算的范围，收到 {value}")
        return value


_DIGITS_MOST = 11
"""A number of a thousand times a thousand million yuan is no bill: it would only fill the memory."""

_TRUTHS = {"True": True, "true": True, "1": True, "是": True, "False": False, "false": False, "0": False, "否": False}


def exact_number(value: object) -> Decimal | None:
    """Return a JSON number, or a number written as text, exactly; None for anything else."""
    if isinstance(value, Decimal):
        return value if value.is_finite() else None
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    if isinstance(value, str):
        try:
            number = Decimal(value.strip())
        except InvalidOperation:
            return None
        return number if number.is_finite() else None
    return None


def read_rows(text: str) -> tuple[ExampleRow, ...]:
    """Return the rows of a file in their order.

    Args:
        text: the CSV; a leading byte-order mark does not matter, blank lines are passed over.

    Raises:
        FileFault: there is no header with the needed columns, or the quoting is broken.
    """
    try:
        reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
        missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise FileFault(f"表头缺少 {'、'.join(missing)}；应有 {'、'.join(COLUMNS)}")
        return tuple(_row(cells, reader.line_num) for cells in reader)
    except csv.Error as error:
        raise FileFault(f"不是有效的 CSV（{error}）") from error


def read_object(cell: str, column: str) -> dict[str, Any]:
    """Return one JSON cell as an object whose numbers are exact.

    Raises:
        RowFault: it is no JSON object, or holds something that is no number (NaN, Infinity).
    """
    try:
        value = json.loads(cell, parse_float=Decimal, parse_int=Decimal, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise RowFault(f"{column} 不是有效的 JSON（{error}）") from None
    if not isinstance(value, dict):
        raise RowFault(f"{column} 应为 JSON 对象，收到 {cell[:60]}")
    return value


def _no_number(word: str) -> object:
    raise ValueError(f"{word} 不是数字")


def _row(cells: Mapping[str | None, Any], line: int) -> ExampleRow:
    known = {name: (value or "").strip() for name, value in cells.items() if name is not None}
    return ExampleRow(
        id=known["id"] or f"第 {line} 行",
        labels={name: value for name, value in known.items() if name not in COLUMNS},
        inputs=known["inputs"],
        params=known["policy_params"] or "{}",
        expected=known["expected"],
    )
