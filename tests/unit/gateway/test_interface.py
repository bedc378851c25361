"""The interface tables: complete, consistent, and read as they are meant."""

from __future__ import annotations

import time
from importlib.resources import files

import pytest

from yibao.entrypoints.gateway import interface
from yibao.entrypoints.gateway.interface import Interface, Node
from yibao.entrypoints.gateway.validation import Validator


@pytest.fixture(scope="module")
def loaded() -> Interface:
    """Return the package's interface."""
    return interface.load()


def _forms(loaded: Interface) -> list[tuple[str, Node]]:
    return [(t.infno, part) for t in loaded.transactions.values() for form in t.inputs for part in form.walk()]


def test_all_tables_are_there(loaded: Interface) -> None:
    """Two hundred and seventy transactions; every one with a table has a form or an output."""
    assert len(loaded.transactions) == 270
    for transaction in loaded.transactions.values():
        if transaction.field_table == "full":
            assert transaction.inputs or transaction.output, transaction.infno


def test_rules_quirks_and_variants_point_at_fields(loaded: Interface) -> None:
    """A rule over a field that no table has would never fire."""
    rules = 0
    for infno, node in _forms(loaded):
        for rule in node.rules:
            rules += 1
            for name in (rule.field, *rule.others):
                assert not name or node.find(name), (infno, node.path, name)
    reader = interface._Reader(files("yibao") / "data" / "interface")
    assert rules == sum(len(found) for found in reader.rules.values())
    fields = {(infno, f.name) for infno, node in _forms(loaded) for f in node.fields}
    names = {name for _, name in fields}
    nodes = {node.name for _, node in _forms(loaded)}
    for (infno, _node, name), quirks in reader.quirks.items():
        if infno in ("*", "envelope") or name in ("*", "") or infno.endswith("_alt"):
            assert name in names | {"*", ""} or infno == "envelope", (infno, name, quirks)
        else:
            assert (infno, name) in fields or name in nodes, (infno, name, quirks)


def test_trees_follow_the_paths(loaded: Interface) -> None:
    """Nodes below nodes, lists marked, stated containers known."""
    [root] = loaded.transactions["3101"].inputs
    patients = root.children[0].children[0]
    assert (patients.path, patients.is_list, patients.stated, patients.required) == ("data.patient_dtos[]", True, True, True)
    assert {child.name for child in patients.children[0].children} == {
        "fsi_diagnose_dtos", "fsi_order_dtos", "fsi_operation_dtos",
    }
    assert loaded.transactions["3504"].inputs[0].children[0].names == ("purcinfo", "selinfo")
    assert len(loaded.transactions["7101"].inputs) == 2


def test_spelling_variants_are_one_field(loaded: Interface) -> None:
    """1901 accepts parentValue for parent_value."""
    [root] = loaded.transactions["1901"].inputs
    found = root.children[0].find("parentValue")
    assert found is not None
    assert found.name == "parent_value"


def test_where_sources_differ_the_longest_length_counts(loaded: Interface) -> None:
    """caty: 10 in one source, 6 in two."""
    found = loaded.transactions["2201"].inputs[0].children[0].find("caty")
    assert found is not None
    assert found.max_len == 10


def test_download_columns_are_in_order(loaded: Interface) -> None:
    """The TXT of 3202 begins with the person."""
    assert [f.name for f in loaded.transactions["3202"].outfile][:4] == ["psn_no", "mdtrt_id", "setl_id", "msgid"]


def test_code_texts(loaded: Interface) -> None:
    """A code's name, or nothing."""
    assert loaded.code_text("insutype", "390") == "城乡居民基本医疗保险"
    assert loaded.code_text("insutype", "1") == ""
    assert loaded.code_text("no table", "1") == ""


def test_everything_compiles_in_well_under_a_second() -> None:
    """Reading and compiling happen once, at start."""
    started = time.process_time()
    interface.load.__wrapped__()
    Validator(interface.load()).compile_all()
    assert time.process_time() - started < 2.0
