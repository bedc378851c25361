"""The line of a block, a row and a field of a policy file, whatever the layout; and what is said when it is not known."""

from __future__ import annotations

import pytest

from tests.spec.policy.cities import HUIZHOU, ZIBO, city_files, city_policy
from yibao.policy.law.loading import BadPolicy, load_policy
from yibao.policy.law.positions import Positions, line_of, split_place

TEXT = '''format = 1 # [[parameter]] in a remark
note = """
[[parameter]]
"""
[words."two words"]
name = "a ] } # \\" string"
codes = ["1",
  # a remark
  "2"]

[[parameter]]
key = 'first'
when = { level = "1",  age = { from = 6 } }
rows = [
  { rule = "A", value = "1元", when = { person = "x" } },
  # { rule = "left out" },
  { rule = "B", at = 2025-01-01 07:30:00, from = 2025-01-01, bands = [
    { to = "9元" },
    {}], last = 'x' },
]
[parameter.more]
deep.er = 1
[[parameter]]
rows = [{ value = -1.5e3 }, { value = true }]
'''


@pytest.mark.parametrize(
    ("block", "row", "field", "line"),
    [
        (0, 0, "format", 1),
        (0, 0, "words.two words", 5),
        (0, 0, "words.two words.codes", 7),
        (0, 0, "nothing", 0),
        (1, 0, "", 11),
        (1, 0, "key", 12),
        (1, 1, "", 15),
        (1, 1, "when.person", 15),
        (1, 1, "when.age", 13),
        (1, 1, "key", 12),
        (1, 2, "", 17),
        (1, 2, "from", 17),
        (1, 2, "last", 19),
        (1, 2, "missing", 17),
        (1, 2, "more.deep.er", 22),
        (2, 0, "", 23),
        (2, 2, "value", 24),
        (3, 1, "value", 0),
    ],
)
def test_a_field_is_found_where_it_is_written(block: int, row: int, field: str, line: int) -> None:
    assert Positions(TEXT).line(block, row, field) == line
    assert Positions(TEXT.replace("\n", "\r\n")).line(block, row, field) == line


def test_what_the_scanner_cannot_follow_is_told_by_its_block() -> None:
    text = 'note = 1\n[[parameter]]\n"\\u0061" = 1\nrows = [\n  { from = 2025-01-01 },\n]\n'
    assert Positions(text).line(1, 1, "from") == 2
    assert Positions(text.replace('"\\u0061"', "a")).line(1, 1, "from") == 5
    assert Positions(text + "broken = = 1").line(1, 1, "from") == 2
    assert Positions(text).line(2, 1, "from") == 0


@pytest.mark.parametrize("city", [ZIBO, HUIZHOU])
def test_every_row_of_the_cities_is_found_on_its_line(city: str) -> None:
    files = city_files(city)
    positions = {file: Positions(text) for file, text in files.items()}
    for row in city_policy(city).rows:
        for field, written in (("rule", row.used.rule), ("clause", row.used.clause), ("name", row.used.name)):
            file, line = line_of(positions, row.place, field)
            assert written in files[file].split("\n")[line - 1], (row.place, field, line)


def test_a_place_says_file_block_and_row() -> None:
    spot = split_place("a b.toml 第 3 个 [[parameter]] fund 第 12 行")
    assert spot is not None
    assert (spot.file, spot.block, spot.row) == ("a b.toml", 3, 12)
    assert split_place("a.toml") is None
    assert line_of({}, "a.toml 第 3 个 [[parameter]] fund 第 1 行") == (
        "a.toml 第 3 个 [[parameter]] fund 第 1 行", 0,
    )  # fmt: skip


def test_the_line_the_toml_reader_names_is_taken_over() -> None:
    for text, line in (("a = 1\nb = = 2\n", 2), ("a = 1\nb = [\n", 2)):
        with pytest.raises(BadPolicy) as caught:
            load_policy({"x.toml": text})
        (fault,) = (f for f in caught.value.faults if f.file == "x.toml")
        assert (fault.line, bool(fault.proposal)) == (line, True)


def test_another_row_is_named_by_its_line_too() -> None:
    files = dict(city_files(ZIBO))
    file = "10-employee-outpatient.toml"
    row = next(line for line in files[file].split("\n") if 'rule = "ZB-208", when = { level = "1" }' in line)
    files[file] = files[file].replace(row, row + "\n" + row, 1)
    first = files[file].split("\n").index(row) + 1
    with pytest.raises(BadPolicy) as caught:
        load_policy(files)
    (fault,) = caught.value.faults
    assert (fault.file, fault.line) == (file, first + 1)
    assert f"{file} 第 {first} 行" in fault.message
