"""Reads a region's payment file into terms; everything wrong with it is one fault with all its lines."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from yibao.kernel.money import to_scaled, yuan_to_fen
from yibao.policy.payment.terms import (
    DIP,
    DRG_POINTS,
    DRG_RATE,
    Coefficient,
    DiseaseAmount,
    OutlierTerms,
    Packet,
    Pool,
    Terms,
    Way,
    YearEndTerms,
)

_METHODS = (DRG_RATE, DRG_POINTS, DIP)


class PaymentFault(Exception):
    """A payment file that cannot be read, with its place."""


def read_terms(text: str, tables: Mapping[str, str]) -> Terms:
    """Return the terms of a payment file.

    Args:
        text: the region's TOML file.
        tables: file name -> CSV text of weights and packets it may name.

    Raises:
        PaymentFault: something is missing, of the wrong kind or contradicts something else.
    """
    try:
        data = tomllib.loads(text)
        return Terms(
            admdvs=data["admdvs"], name=data["name"], ways=tuple(_way(row) for row in data.get("way", ())),
            pools=tuple(_pool(row, tables) for row in data.get("pool", ())),
            coefficients=tuple(
                Coefficient(row["from"], row.get("level", ""), row.get("fixmedins_code", ""), _e4(row["ratio"]))
                for row in data.get("coefficient", ())
            ),
            outlier=_outlier(data["outlier"]), year_end=_year_end(data["year_end"]),
            by_disease=tuple(_disease(row) for row in data.get("by_disease", ())),
        )
    except KeyError as error:
        raise PaymentFault(f"payment file: {error.args[0]} is missing") from error
    except (tomllib.TOMLDecodeError, ValueError, InvalidOperation, TypeError) as error:
        raise PaymentFault(f"payment file: {error}") from error


def _way(row: Mapping[str, Any]) -> Way:
    return Way(row["from"], frozenset(row["institution_kinds"]), frozenset(row["med_types"]), row["clr_way"])


def _pool(row: Mapping[str, Any], tables: Mapping[str, str]) -> Pool:
    method = row["method"]
    if method not in _METHODS:
        raise ValueError(f"unknown method {method}")
    is_rate, is_dip = method == DRG_RATE, method == DIP
    return Pool(
        year=row["year"], name=row["name"], insutypes=frozenset(row["insutypes"]), fund_type=row["fund_type"],
        method=method, rate_fen=_fen(row["rate_yuan"]) if is_rate else 0,
        points_per_weight=int(row["points_per_weight"]) if method == DRG_POINTS else 0,
        value=Fraction(0) if is_rate else Fraction(_fen(row["point_value_yuan"])),
        value_max=Fraction(_fen(row["point_value_max_yuan"])) if "point_value_max_yuan" in row else None,
        budget_fen=_fen(row["budget_yuan"]), is_budget_hard=row["is_budget_hard"], scheme=row.get("scheme", ""),
        weights={} if is_dip else _weights(_table(tables, row["weights"])),
        packets=tuple(_packet(r) for r in _table(tables, row["packets"])) if is_dip else (),
        source=row.get("source", ""), is_assumed=row.get("mark") == "assumed",
    )


def _table(tables: Mapping[str, str], name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(tables[name], newline="")))


def _weights(rows: list[dict[str, str]]) -> dict[str, int]:
    found = {row["drg"]: _e4(row["weight"]) for row in rows}
    if len(found) != len(rows) or any(weight <= 0 for weight in found.values()):
        raise ValueError("a group has two weights, or one that is not above 0")
    return found


def _packet(row: Mapping[str, str]) -> Packet:
    procedures = tuple(sorted(row["procedures"].split("+"))) if row["procedures"] else ()
    return Packet(
        row["packet"], row["name"], row["kind"], row["diagnosis"], row["treatment"], procedures, _e4(row["score"])
    )


def _outlier(row: Mapping[str, Any]) -> OutlierTerms:
    return OutlierTerms(
        _e4(row["high_multiple"]), _e4(row["high_share"]), _e4(row["low_multiple"]), row["long_stay_days"],
        _e4(row["ungrouped_share"]),
    )


def _year_end(row: Mapping[str, Any]) -> YearEndTerms:
    return YearEndTerms(_e4(row["cost_floor"]), _e4(row["overrun_max"]), _e4(row["overrun_share"]))


def _disease(row: Mapping[str, Any]) -> DiseaseAmount:
    return DiseaseAmount(
        row["from"], row["code"], row["name"], tuple(row["diagnoses"]), tuple(row.get("procedures", ())),
        _fen(row["amount_yuan"]),
    )


def _fen(text: str) -> int:
    return yuan_to_fen(Decimal(text))


def _e4(text: str) -> int:
    return to_scaled(Decimal(text), 4)
