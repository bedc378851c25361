"""Rule tables that cannot be read stop the reading and name the row; a region's row is the one of the day."""

from __future__ import annotations

from datetime import date

import pytest

from tests.unit.review.charges import DATA, book
from yibao.policy.review.loading import BadRules, load_regions, load_rules, region_on

FILES = {f.name: f.read_text(encoding="utf-8") for f in DATA.iterdir() if f.suffix in (".csv", ".toml")}
SERVICE = "9,{},001,甲,{},乙,{},{},\n"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (SERVICE.format("fashion", "", "女", ""), "unknown kind 'fashion'"),
        (SERVICE.format("sex", "", "妇", ""), "cannot read '妇'"),
        (SERVICE.format("age", "", "老人", ""), "cannot read '老人'"),
        (SERVICE.format("duplicate_charge", "002", "偶尔", ""), "unknown window"),
        (SERVICE.format("frequency", "", "两", "日"), "cannot read '两'"),
        (SERVICE.format("period_frequency", "", "1", "一月"), "unknown period '一月'"),
        (SERVICE.format("paid_course", "", "很久", ""), "neither days nor a known sentence"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(row: str, said: str) -> None:
    whole = FILES["service_rules.csv"] + row
    with pytest.raises(BadRules, match=rf"service_rules.csv:{whole.count(chr(10))}: .*{said}"):
        load_rules({**FILES, "service_rules.csv": whole})


def test_two_different_rules_of_one_name_are_refused() -> None:
    rows = SERVICE.format("sex", "", "女", "") + SERVICE.format("sex", "", "男", "")
    with pytest.raises(BadRules, match="two rules are called R06-001"):
        load_rules({**FILES, "service_rules.csv": FILES["service_rules.csv"] + rows})


def test_the_version_follows_the_content() -> None:
    assert load_rules(FILES).version == book().version
    changed = {**FILES, "kinds.toml": FILES["kinds.toml"].replace("gap_days = 90", "gap_days = 91")}
    assert load_rules(changed).version != book().version


def test_every_rule_is_found_by_its_item_and_known_by_name() -> None:
    rules = book()
    assert all(rule in rules.by_item[rule.item] for rule in rules.rules.values())
    assert rules.known("R06")
    assert rules.known("R06-002202020010000")
    assert not rules.known("R99")


def test_a_region_has_the_newest_row_in_force() -> None:
    older = '[[region]]\nadmdvs = "1"\nvalid_from = 2025-01-01\nappeal_days = 10\ncollegial_days = 5\n'
    older += 'same_incision_share = 5000\nsource = "x"\n'
    rows = load_regions(older + older.replace("2025", "2026").replace("= 10", "= 7"))
    assert [getattr(region_on(rows, "1", date(y, 6, 1)), "appeal_days", None) for y in (2024, 2025, 2026)] == [None, 10, 7]
    assert region_on(rows, "2", date(2026, 6, 1)) is None
