"""One field at a time: what each type takes, and what it refuses."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yibao.entrypoints.gateway.checks import (
    ABSENT,
    BadNumber,
    Doubtful,
    Wrong,
    compile_check,
    parse_integer,
    parse_number,
)
from yibao.entrypoints.gateway.interface import Field
from yibao.kernel.business_time import SHANGHAI

TABLES = {
    "flag": {"0": "否", "1": "是"}, "two": {"01": "甲", "02": "乙", "12": "丙"}, "dept": {"A02": "全科医疗科", "A03": "内科"},
}


def field(kind: str, **about: Any) -> Field:
    """Return a field of a type."""
    given_about = {
        "name": "x", "name_zh": "某项", "type": kind, "max_len": None, "scale": None, "code_table": "", "closed": False,
        "required": False, "note": "", **about,
    }
    return Field(**given_about)


def clean(described: Field, value: Any) -> Any:
    """Return what the check of a field makes of a value."""
    return compile_check(described, TABLES)(value)


def wrong(described: Field, value: Any) -> str:
    """Return the code with which the check refuses a value."""
    with pytest.raises(Wrong) as caught:
        clean(described, value)
    assert caught.value.reason
    assert caught.value.remedy
    return caught.value.code


EVERY_TYPE = ("string", "number", "date", "datetime", "boolean", "list", "object", "bytes")


@pytest.mark.parametrize("kind", EVERY_TYPE)
@pytest.mark.parametrize("empty", [None, "", "null", "  "])
def test_nothing_is_nothing_in_every_type(kind: str, empty: Any) -> None:
    """Null, empty text, blanks and the word null count as absent."""
    taken = clean(field(kind), empty)
    assert taken is ABSENT


@pytest.mark.parametrize(("value", "taken"), [
    ("a", "a"), (" a ", "a"), ("a b", "a b"), (5, "5"), (Decimal("5.0"), "5"), (Decimal("5.25"), "5.25"), (10**25, str(10**25)),
    ("两\n行", "两\n行"), ("12345678", "12345678"),
])
def test_text(value: Any, taken: str) -> None:
    """Text is trimmed; numbers become their digits."""
    assert clean(field("string"), value) == taken


@pytest.mark.parametrize("value", [True, [], ["a"], {}, {"a": 1}, BadNumber("NaN")])
def test_text_is_no_structure(value: Any) -> None:
    """Lists, objects, truths and no-numbers are no text."""
    assert wrong(field("string"), value) == "FIELD_TYPE"


@pytest.mark.parametrize("character", ["\x00", "\x1f", "\x7f", "\ud800", "\u202e", "\u200b", "\ufeff", "\u2066"])
def test_invisible_characters_are_refused_by_number(character: str) -> None:
    """Control characters, surrogates, direction marks."""
    assert wrong(field("string"), f"a{character}b") == "FIELD_CHARACTER"


@given(st.text(alphabet=st.characters(categories=("Lo", "Lu", "Ll", "Nd", "Po")), min_size=1, max_size=40))
def test_length_counts_characters(text: str) -> None:
    """Chinese characters count one each; the limit itself is allowed."""
    kept = text.strip()
    if kept in ("", "null"):
        return
    assert clean(field("string", max_len=len(text)), text) == kept
    assert wrong(field("string", max_len=len(kept) - 1), kept) == "FIELD_TOO_LONG" if len(kept) > 1 else True


@pytest.mark.parametrize(("value", "taken"), [
    ("1", "1"), (1, "1"), ("01", "1"), (Decimal("1.0"), "1"), ("是", "1"),
])
def test_codes_of_one_digit(value: Any, taken: str) -> None:
    """A leading zero more, a number, the name."""
    assert clean(field("string", code_table="flag", closed=True, max_len=3), value) == taken


@pytest.mark.parametrize(("value", "taken"), [("1", "01"), (2, "02"), ("012", "12"), ("12", "12"), ("乙", "02")])
def test_codes_of_two_digits(value: Any, taken: str) -> None:
    """A leading zero less; the code as it stands comes first."""
    assert clean(field("string", code_table="two", closed=True), value) == taken


def test_unknown_codes_are_refused_where_the_table_is_closed() -> None:
    """An open table takes them with a warning."""
    assert wrong(field("string", code_table="flag", closed=True), "7") == "FIELD_CODE"
    with pytest.raises(Doubtful) as caught:
        clean(field("string", code_table="flag"), "7")
    assert caught.value.value == "7"
    assert wrong(field("string", code_table="flag", max_len=3), "7777") == "FIELD_TOO_LONG"
    with pytest.raises(Doubtful):
        clean(field("string", code_table="dept", max_len=3, quirks={"max_len": "100"}), "急诊内科诊区")


def test_a_prefix_makes_a_longer_code_known() -> None:
    """Regions number below the national code."""
    known = field("string", code_table="two", quirks={"code_prefix": "2"})
    assert clean(known, "0199") == "0199"
    with pytest.raises(Doubtful):
        clean(known, "9901")


@pytest.mark.parametrize(("value", "taken"), [
    ("12.30", "12.30"), (12, "12"), (Decimal("0.10"), "0.10"), ("-0.01", "-0.01"), ("+5", "5"), ("1.2000", "1.20"),
    (Decimal("1E+2"), "100"), ("0", "0"), ("99999999999999.99", "99999999999999.99"),
])
def test_amounts(value: Any, taken: str) -> None:
    """Sixteen digits, two of them decimals; zeros behind do not count."""
    found = clean(field("number", max_len=16, scale=2), value)
    assert found == Decimal(taken)
    assert isinstance(found, Decimal)


@pytest.mark.parametrize("value", [
    "1.234", Decimal("0.001"), "100000000000000", Decimal("1E+20"), "1e5", "1,234", "12元", "１２", "0x10", "1_000", ".5", "5.",
    BadNumber("NaN"), 10**70, "9" * 70, Decimal("1E-300"), "--1", "\x00",
])
def test_no_amounts(value: Any) -> None:
    """More decimals or digits than stated, or no plain decimal number."""
    assert wrong(field("number", max_len=16, scale=2), value) in ("FIELD_NUMBER", "FIELD_CHARACTER")


@given(st.decimals(min_value=-10**13, max_value=10**13, places=2))
def test_every_amount_of_two_decimals_comes_through_exactly(amount: Decimal) -> None:
    """As a JSON number and as text."""
    assert clean(field("number", max_len=16, scale=2), amount) == amount
    assert clean(field("number", max_len=16, scale=2), f"{amount:f}") == amount


@pytest.mark.parametrize("value", [True, [], {}])
def test_a_number_is_no_structure(value: Any) -> None:
    """A truth is no number either."""
    assert wrong(field("number"), value) == "FIELD_TYPE"


@pytest.mark.parametrize("value", ["2026-03-02", "2026-03-02 23:59:59", "2026-03-02T01:02:03", "2026-03-02 01:02:03.0"])
def test_days(value: str) -> None:
    """A time of day is cut off, not carried over."""
    assert clean(field("date"), value) == date(2026, 3, 2)


def test_instants_are_of_business_time() -> None:
    """A lone date is its midnight in China."""
    assert clean(field("datetime"), "2026-03-02") == datetime(2026, 3, 2, tzinfo=SHANGHAI)
    assert clean(field("datetime"), "2026-03-02 08:09:10") == datetime(2026, 3, 2, 8, 9, 10, tzinfo=SHANGHAI)


@pytest.mark.parametrize("kind", ["date", "datetime"])
@pytest.mark.parametrize("value", [
    "2026-02-30", "2026-13-01", "20260302", "2026-3-2", "02/03/2026", "2026-W01-1", "2026-03-02 25:00:00", "yesterday",
    "2026-03-02 08:00", "2026-03-02 08:00:00+08:00", "0000-01-01", 20260302,
])
def test_no_dates(kind: str, value: Any) -> None:
    """Only the two written forms of the interface are dates."""
    assert wrong(field(kind), value) == "FIELD_DATE"


@pytest.mark.parametrize(("value", "taken"), [(True, True), ("true", True), ("0", False), (0, False), (1, True)])
def test_truths(value: Any, taken: bool) -> None:
    """Words and digits are taken."""
    assert clean(field("boolean"), value) is taken
    assert wrong(field("boolean"), "yes") == "FIELD_TYPE"


def test_lists_and_objects() -> None:
    """A single text is a list of one; a list of one object is that object."""
    assert clean(field("list"), ["a", 1, None]) == ["a", "1"]
    assert clean(field("list"), "a") == ["a"]
    assert wrong(field("list"), [{"a": 1}]) == "FIELD_TYPE"
    assert clean(field("object"), [{"a": 1}]) == {"a": 1}
    assert wrong(field("object"), [1, 2]) == "FIELD_TYPE"


def test_extension_content_is_text_or_the_object() -> None:
    """``exp_content`` is JSON text; some send the object."""
    assert clean(field("string", name="exp_content", max_len=4000), {"a": "1"}) == '{"a":"1"}'
    assert wrong(field("string", name="memo"), {"a": "1"}) == "FIELD_TYPE"


def test_numbers_beyond_reason_are_kept_as_their_text() -> None:
    """The decoder never spends time or memory on them; the field's check refuses them by name."""
    assert parse_number("1e999999999") == BadNumber("1e999999999")
    assert isinstance(parse_number("1e" + "9" * 40), BadNumber)
    assert isinstance(parse_integer("9" * 5000), BadNumber)
    assert parse_integer("12") == 12
    assert parse_number("0.10") == Decimal("0.10")
