"""What programs read: one JSON value, exact numbers, comparable bytes, an exit code for each kind of failure."""

from __future__ import annotations

import json
from decimal import Decimal

import msgspec
import pytest
import typer

from yibao.entrypoints.cli.output import (
    REFUSED,
    UNAVAILABLE,
    USAGE,
    known_failures,
    stop_refused,
    to_json,
)
from yibao.infra.config import SettingsInvalid
from yibao.infra.database import Unavailable
from yibao.infra.postgres import PostgresFailed
from yibao.kernel.refusal import refuse


class Sample(msgspec.Struct):
    amount: Decimal
    digest: bytes


def test_decimals_are_numbers_and_bytes_are_hexadecimal() -> None:
    text = to_json({"rows": [Sample(Decimal("120.50"), b"\x00\xff")]})
    assert "120.50" in text
    assert json.loads(text) == {"rows": [{"amount": 120.5, "digest": "00ff"}]}


@pytest.mark.parametrize(("error", "code", "kind"), [
    (SettingsInvalid(["YIBAO_PORT：应为整数"]), USAGE, "settings"),
    (Unavailable("数据库没有应答"), UNAVAILABLE, "unavailable"),
    (PostgresFailed("没有启动"), UNAVAILABLE, "unavailable"),
])
def test_each_kind_of_failure_has_its_exit_code(
    error: Exception, code: int, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(typer.Exit) as ended, known_failures(as_json=True):
        raise error
    assert ended.value.exit_code == code
    answer = json.loads(capsys.readouterr().out)
    assert answer == {"ok": False, "kind": kind, "message": str(error)}


def test_a_defect_is_not_hidden() -> None:
    with pytest.raises(AssertionError, match="broken"), known_failures(as_json=True):
        raise AssertionError("broken")


def test_a_refusal_lists_its_faults(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        stop_refused(refuse("SETTLEMENT_NOT_FOUND", "没有这笔结算", received="1"), as_json=True)
    assert ended.value.exit_code == REFUSED
    assert json.loads(capsys.readouterr().out)["faults"][0]["code"] == "SETTLEMENT_NOT_FOUND"
