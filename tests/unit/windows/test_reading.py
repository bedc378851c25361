"""A plan's text becomes facts, or every fault with its line and what may stand there."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.unit.windows.plans import HEAD, SMALL, plan_of
from yibao.domains.windows.reading import read_plan
from yibao.domains.windows.terms import day_of
from yibao.domains.windows.words import instant_says, read_instant, restart_says, wrong_weekdays
from yibao.kernel.refusal import Refusal


def faults_of(text: str) -> list[tuple[str, str]]:
    """Return where each fault stands and what it received."""
    refusal = read_plan(text)
    assert isinstance(refusal, Refusal)
    return [(f.field, f.received) for f in refusal.faults]


def test_times_are_of_business_time_and_24_00_is_the_next_midnight() -> None:
    track = plan_of().track("care")
    assert track is not None
    # midnight in Shanghai is 16:00 the day before in UTC
    assert track.stop == datetime(2021, 10, 9, 16, 0, tzinfo=UTC)
    assert track.restart == datetime(2021, 10, 18, 16, 0, tzinfo=UTC)


def test_a_restart_to_be_announced_has_no_instant_and_says_so() -> None:
    track = plan_of().track("desk")
    assert track is not None
    assert track.restart is None
    assert restart_says(track) == "另行公告"


def test_a_family_stands_for_its_businesses_and_a_minus_takes_one_out() -> None:
    plan = plan_of(SMALL.replace('business = ["settlement", "institution", "remote"]\nlast',
                                 'business = ["settlement", "-prescription"]\nlast'))
    track = plan.track("care")
    assert track is not None
    assert "inpatient_settlement" in track.business
    assert "prescription" not in track.business
    assert "remote_filing" not in track.business


def test_terms_keep_their_types() -> None:
    rule = plan_of().rule("M1")
    assert rule is not None
    assert str(day_of(rule, "settle_by")) == "2021-12-31"
    assert day_of(rule, "from") is None


@pytest.mark.parametrize(("good", "bad", "where", "received"), [
    ('stop = "2021-10-10 00:00"', 'stop = "10月10日"', "[[track]] care stop", "10月10日"),
    ('stop = "2021-10-10 00:00"', 'stop = "2021-02-30 00:00"', "[[track]] care stop", "2021-02-30 00:00"),
    ('stop = "2021-10-10 00:00"', 'stop = "2021-10-10 24:30"', "[[track]] care stop", "2021-10-10 24:30"),
    ('disposition = "hold_open"', 'disposition = "hold"', "[[rule]] M2 disposition", "hold"),
    ('phase = ["last_call"]', 'phase = ["before"]', "[[rule]] M3 phase", "before"),
    ('when.position = ["P1"]', 'when.position = ["P10"]', "[[rule]] M3 when.position", "P10"),
    ('when.position = ["P1"]', 'when.transaction = ["9999"]', "[[rule]] M3 when.transaction", "9999"),
    ('when.position = ["P1"]', 'when.colour = ["red"]', "[[rule]] M3 when.colour", ""),
    ('"remote_outpatient", "remote_inpatient"]\nwhen.position = ["P7"', '"teeth"]\nwhen.position = ["P7"',
     "[[rule]] M4 when.business", "teeth"),
    ('terms.settle_by = "2021-12-31"', 'terms.settle_by = "year end"', "[[rule]] M1 terms.settle_by", "year end"),
    ('terms.settle_by = "2021-12-31"', 'terms.share = 5000', "[[rule]] M1 terms.share", ""),
    ('id = "S1"', 'id = "M1"', "[[rule]] M1", ""),
    ('admdvs = "370300"', 'admdvs = "Zibo"', "admdvs", "Zibo"),
    ('says = "先挂账"\n', '', "[[rule]] M2 says", ""),
])
def test_a_fault_is_named_with_its_line(good: str, bad: str, where: str, received: str) -> None:
    assert good in SMALL
    text = SMALL.replace(good, bad, 1)
    found = [(field, got) for field, got in faults_of(text) if where in field]
    assert found, faults_of(text)
    field, got = found[0]
    assert got == received
    line = int(field.split()[1])
    if bad:
        key = bad.split("\n")[-1].split("=")[0].strip() if "\n" in bad else bad.split("=")[0].strip()
        stands = text.split("\n")[line - 1]
        assert key.split(".")[0] in stands or stands == "[[rule]]" or "when.business" in stands


def test_all_faults_are_told_at_once() -> None:
    text = SMALL.replace('"hold_open"', '"hold"').replace('"3120000"', "3120000")
    assert len(faults_of(text)) == 2


def test_broken_toml_names_its_line() -> None:
    [(field, _)] = faults_of(HEAD.replace('version = 1', 'version = '))
    assert field == "第 5 行"


@pytest.mark.parametrize(("text", "right"), [
    ("10月10日（星期日）00:00时起", []), ("2021年10月18日(星期一)24:00", []), ("10月18日（周二）", ["星期一"]),
    ("2月30日（星期一）", ["没有这一天"]), ("10月10日", []),
])
def test_weekdays_are_checked_against_the_calendar(text: str, right: list[str]) -> None:
    assert [is_ for _, is_ in wrong_weekdays(text, 2021)] == right


def test_an_end_at_midnight_is_said_as_24_00() -> None:
    midnight = read_instant("2021-10-18 24:00")
    assert midnight is not None
    assert instant_says(midnight, is_end=True) == "10月18日（星期一）24:00"
    assert instant_says(midnight) == "10月19日（星期二）00:00"
