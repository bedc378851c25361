"""``yibao filing`` as a person at the agency uses it: text for people, one JSON value for programs, exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from tests.spec.filings.conftest import Agency, look
from tests.support.filing_desk import chronic, day, filed
from tests.support.till import Till
from yibao.entrypoints.cli.main import app

PatientOf = Callable[[str], dict[str, Any]]


@pytest.fixture
def typed(world_url: str) -> Callable[..., Result]:
    """Return a function that runs ``yibao filing`` as somebody types it."""

    def run(*arguments: str) -> Result:
        environment = {"YIBAO_DATABASE_URL": world_url, "COLUMNS": "240"}
        return CliRunner().invoke(app, ["filing", *arguments], env=environment, catch_exceptions=False)

    return run


def test_what_waits_is_listed_decided_and_gone(
    desks: Mapping[str, Till], patient_of: PatientOf, typed: Callable[..., Result]
) -> None:
    patient, till = patient_of("zb-active-first"), desks["zb2"]
    filing = filed(till, "2503", chronic(patient, till, ("M04600", "冠心病")))
    waiting = typed("list", "--state", "filed", "--kind", "chronic", "--region", "370300")
    assert waiting.exit_code == 0
    assert all(word in waiting.stdout for word in (filing, "待审核", "冠心病", patient["psn_no"]))
    approved = typed("approve", filing, "--operator", "周审核")
    assert (approved.exit_code, "已通过：冠心病" in approved.stdout) == (0, True)
    assert filing not in typed("list", "--state", "filed").stdout
    again = typed("approve", filing, "--operator", "周审核")
    assert again.exit_code == 1
    assert "不能再审核" in again.stderr


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("list", "--kind", "gift"), 2, "不认识的 gift"),
        (("list", "--state", "open"), 2, "不认识的 open"),
        (("approve", "1", "--operator", "周"), 1, "没有这条备案"),
        (("cancel", "1", "--operator", "周", "--reason", "误"), 1, "没有这条备案"),
        (("cancel", "1", "--operator", "周", "--reason", ""), 1, "须写明理由"),
        (("injury", "99", "--kind", "accident", "--operator", "周"), 1, "没有该人员编号的参保人"),
        (("injury", "99", "--kind", "accident", "--operator", "周", "--from", "昨天"), 2, "日期应写作"),
        (("maternity", "99", "--operator", "周"), 1, "没有该人员编号的参保人"),
    ],
)
def test_what_cannot_be(typed: Callable[..., Result], arguments: tuple[str, ...], exit_code: int, words: str) -> None:
    result = typed(*arguments)
    assert (result.exit_code, words in result.stderr) == (exit_code, True), result.output
    as_json = typed(*arguments, "--json")
    assert as_json.exit_code == exit_code
    assert json.loads(as_json.stdout)["ok"] is False


def test_registrations_are_refused_by_name(patient_of: PatientOf, agency: Agency, desks: Mapping[str, Till]) -> None:
    man, woman = patient_of("hz-active-first"), patient_of("hz-pool-only")
    operator = ("--operator", "吴登记")
    assert agency("maternity", man["psn_no"], *operator)["faults"][0]["code"] == "REGISTRATION_SEX"
    pharmacy = desks["hz-pharmacy"].counter.fixmedins_code
    answer = agency("maternity", woman["psn_no"], "--institution", pharmacy, *operator)
    assert answer["faults"][0]["code"] == "PRENATAL_UNKNOWN"
    for arguments, code in (
        (("--kind", "gift"), "INJURY_KIND_UNKNOWN"),
        (("--kind", "work_injury"), "INJURY_DATE_MISSING"),
        (("--kind", "accident", "--injured-on", day(1), "--from", day(1)), "INJURED_IN_FUTURE"),
        (("--kind", "accident", "--from", day(0), "--to", day(-1)), "PERIOD_REVERSED"),
    ):
        assert agency("injury", man["psn_no"], *arguments, *operator)["faults"][0]["code"] == code


def test_a_registration_is_taken_back_with_its_reason(patient_of: PatientOf, agency: Agency, world_url: str) -> None:
    woman, operator = patient_of("hz-pool-only"), ("--operator", "吴登记")
    number = agency("maternity", woman["psn_no"], *operator)["filing"]["filing_id"]
    assert agency("cancel", number, *operator, "--reason", "登记有误")["ok"]
    assert agency("cancel", number, *operator, "--reason", "登记有误")["faults"][0]["code"] == "FILING_CANCELLED"
    assert agency("maternity", woman["psn_no"], *operator)["ok"]
    trail = look(world_url, "select verb, actor, channel from platform.audit_entry where object = $1 order by at", number)
    assert trail == [("file_maternity", "吴登记", "cli"), ("cancel_filing", "吴登记", "cli")]
