"""The examples on the pages are messages that the gateway takes, and replies that the output tables describe."""

from __future__ import annotations

import json
from typing import Any

import pytest

from yibao.entrypoints.gateway import interface
from yibao.entrypoints.gateway.decode import decode
from yibao.entrypoints.gateway.examples import example_of
from yibao.entrypoints.gateway.interface import Node
from yibao.entrypoints.gateway.offer import standings
from yibao.entrypoints.gateway.reading import Reader
from yibao.entrypoints.gateway.validation import Validator

BEYOND_THE_TABLE = {
    "2303": {"setl_id"},                 # null until settled, as 2206 has it
    "2305": {"age", "brdy", "certno", "clr_type", "clr_way", "cvlserv_flag", "gend", "insutype", "mdtrt_cert_type",
             "med_type", "naty", "psn_cert_type", "psn_name", "psn_no", "psn_type"},  # as 2208 has them
    "5102": {"data"},                    # one of the two known clients reads data, the other feedetail
    "5203": {"psn_cash_pay"},            # the name that every settlement reply has beside cash_payamt
    "5205": {"sin_dos_dscr", "used_frqu_dscr", "prd_days", "medc_way_dscr", "acord_dept_codg", "acord_dept_name",
             "orders_dr_code", "orders_dr_name", "memo"},  # as 5204 has them
    "2505": {"trt_dcla_detl_sn"},        # a known client reads it in output itself, the table has it in result
}
"""Names that a reply carries although its table lacks them, each with its reason; clients ignore what they do not know."""
OFFERED = [s.infno for s in standings() if s.kind != "refused"]


@pytest.fixture(scope="module")
def reader() -> Reader:
    """A reader of messages as the gateway has it."""
    validator = Validator(interface.load())
    validator.compile_all()
    return Reader(validator)


@pytest.mark.parametrize("infno", OFFERED)
def test_the_example_is_read_without_a_fault(infno: str, reader: Reader) -> None:
    example = example_of(infno)
    assert example is not None, "run python -m tests.spec.interface.write_examples"
    reading = reader.read(decode(json.dumps(example.request).encode()), "")
    reader.validate(reading)
    assert [f"{f.field}: {f.reason}" for f in reading.problems.faults] == []


@pytest.mark.parametrize("infno", OFFERED)
def test_the_reply_says_nothing_that_the_output_table_does_not_know(infno: str) -> None:
    example = example_of(infno)
    assert example is not None, "run python -m tests.spec.interface.write_examples"
    if example.reply is None or example.reply["output"] in (None, {}):
        return
    assert example.reply["infcode"] == 0
    output = interface.load().transactions[infno].output
    assert output is not None
    unknown = {path.rsplit(".", 1)[-1] for path in _unknown(example.reply["output"], output)}
    assert unknown == BEYOND_THE_TABLE.get(infno, set())
    assert _missing(example.reply["output"], output) == []


def _unknown(value: Any, node: Node) -> list[str]:
    """Return the names in a reply that its table does not have."""
    node = _listed(value, node)
    rows = value if isinstance(value, list) else [value]
    found: list[str] = []
    for row in rows:
        for name, inner in row.items():
            child = next((c for c in node.children if c.name == name), None)
            if child is not None and inner is not None:
                found += _unknown(inner, child)
            elif child is None and node.find(name) is None:
                found.append(f"{node.path}.{name}")
    return found


def _missing(value: Any, node: Node) -> list[str]:
    """Return the fields that the table says are never null, and are."""
    node = _listed(value, node)
    rows = value if isinstance(value, list) else [value]
    found: list[str] = []
    for row in rows:
        found += [f"{node.path}.{f.name}" for f in node.fields if f.required and row.get(f.name) is None]
        for child in node.children:
            if row.get(child.name):
                found += _missing(row[child.name], child)
    return found


def _listed(value: Any, node: Node) -> Node:
    """Return the node of the rows where the output itself is a list."""
    return node.children[0] if isinstance(value, list) and not node.is_list and node.children else node
