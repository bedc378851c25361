"""The coverage table says what is so: working is what a test drives to its effect, everything else is named."""

from __future__ import annotations

from pathlib import Path

from tests.spec.interface.marks import driven
from yibao.entrypoints.gateway import interface
from yibao.entrypoints.gateway.describe import interface_pages
from yibao.entrypoints.gateway.offer import standings
from yibao.entrypoints.gateway.registry import offered

DOCS = Path(__file__).parents[3] / "docs/interface"


def test_the_working_rows_are_exactly_those_that_a_test_drives_to_their_effect() -> None:
    working = {s.infno for s in standings() if s.kind == "working"}
    marked = set(driven())
    assert sorted(working - marked) == [], "offered as working, but no test drives them"
    assert sorted(marked - working) == [], "driven by a test, but not offered as working"


def test_everything_with_a_field_table_stands_in_the_table_and_nothing_else_is_offered() -> None:
    with_table = {t.infno for t in interface.load().transactions.values() if t.field_table != "none"}
    assert {s.infno for s in standings()} == with_table
    assert sorted(set(offered()) - with_table) == []


def test_every_refusal_by_name_has_its_own_reason() -> None:
    without = [s.infno for s in standings() if s.kind == "refused" and "没有这项业务" in s.says]
    assert without == [], "say in not_offered.csv why these are refused"


def test_the_pages_are_those_that_the_tables_give() -> None:
    pages = interface_pages()
    changed = [name for name, text in pages.items()
               if not (DOCS / name).is_file() or (DOCS / name).read_text("utf-8") != text]
    left = [path.name for path in DOCS.glob("*.md") if path.name not in pages]
    assert changed + left == [], "run `yibao interface pages`"
