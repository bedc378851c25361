"""Shapes of codes and values in catalogue files; examples are of the published lists or of the standards' text."""

from __future__ import annotations

from datetime import date

import pytest

from yibao.domains.catalogue import rules
from yibao.domains.catalogue.model import BadCell
from yibao.domains.catalogue.parts import PARTS


def first_column(part: str, name: str = "code") -> rules.Parser:
    return next(column.parse for column in PARTS[part].columns if column.name == name)


@pytest.mark.parametrize(
    ("part", "code"),
    [
        ("drugs", "XA01ABD075A002010100483"), ("drugs", "ZA01AAA0001010100001"), ("pieces", "T990000001"),
        ("services", "001102000000100"), ("services", "001102000000100-A1"),
        ("consumables", "C0325090899900000001"), ("consumables", "C03250908999000000010000001"),
        ("diagnoses", "A00"), ("diagnoses", "A00.000"), ("diagnoses", "A00.000x001"),
        ("diagnoses", "A01.000x005+J17.0*"), ("diagnoses", "I10.x00x002"),
        ("procedures", "00.0100"), ("procedures", "01.6x00"), ("procedures", "03.1x00x001"),
        ("procedures", "17.912A0"), ("procedures", "86.700x0013"),
        ("chronic_diseases", "M03900"), ("tcm_classes", "BEA"), ("tcm_classes", "A03.06.01."), ("tcm_classes", "M912"),
    ],
)
def test_codes_of_the_national_lists_are_taken(part: str, code: str) -> None:
    assert first_column(part)(code) == code


@pytest.mark.parametrize(
    ("part", "code"),
    [
        ("drugs", "XA01ABD075A0020101004"), ("drugs", "YA01ABD075A002010100483"), ("drugs", "XA01ABD075A00201010048é"),
        ("drugs", "XA01ABD075A002010100483\n"), ("pieces", "X990000001"), ("services", "01102000000100"),
        ("services", "００１１０２００００００１００"), ("consumables", "C032509089990000000"),
        ("diagnoses", "a00.000"), ("diagnoses", "A0.000"), ("diagnoses", "A00."), ("diagnoses", "A00.000 "),
        ("procedures", "0.0100"), ("procedures", "47.01.00"), ("chronic_diseases", "M0390"),
        ("chronic_diseases", "M039001"), ("tcm_classes", "bea"),
    ],
)
def test_other_codes_are_refused_with_an_example(part: str, code: str) -> None:
    verdict = first_column(part)(code)
    assert isinstance(verdict, BadCell)
    assert "形如" in verdict.remedy


@pytest.mark.parametrize(
    ("text", "micro"),
    [("0", 0), ("3.72", 3_720_000), ("0.000001", 1), ("16184.47", 16_184_470_000), ("12", 12_000_000)],
)
def test_prices_become_millionths_of_a_yuan(text: str, micro: int) -> None:
    assert rules.price(text) == micro


@pytest.mark.parametrize("text", ["-1", "1.0000001", "1e3", "NaN", "Infinity", "１２", "1,000", ".5", "5.", " 5", "+5"])
def test_what_is_no_price_is_refused(text: str) -> None:
    assert isinstance(rules.price(text), BadCell)


@pytest.mark.parametrize(("text", "ratio"), [("0", 0), ("1000", 1000), ("10000", 10_000)])
def test_ratios_are_ten_thousandths(text: str, ratio: int) -> None:
    assert rules.ratio(text) == ratio


@pytest.mark.parametrize("text", ["10001", "-1", "0.1", "10%", "²", "999999999999"])
def test_what_is_no_ratio_is_refused(text: str) -> None:
    assert isinstance(rules.ratio(text), BadCell)


def test_days_must_exist() -> None:
    assert rules.day("2024-02-29") == date(2024, 2, 29)
    for text in ("2025-02-29", "2025-2-1", "20250201", "2025-13-01", "٢٠٢٥-01-01"):
        assert isinstance(rules.day(text), BadCell), text


@pytest.mark.parametrize(
    ("code", "origin", "is_refused"),
    [
        ("T990000001", "demo", False), ("T990000001", "national", True), ("T001700001", "demo", True),
        ("C0325090899900000001", "demo", False), ("C0325090890100000001", "demo", True),
        ("C0325090890100000001", "national", False), ("XA01ABD075A002010100483", "demo", True),
    ],
)
def test_invented_rows_keep_to_the_reserved_codes_and_real_ones_out(code: str, origin: str, is_refused: bool) -> None:
    assert (rules.check_reserved({"code": code, "origin": origin}) is not None) == is_refused
