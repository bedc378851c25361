"""Clocks of days and of working days under the terms of plans; every day counted by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

from yibao.domains.deadlines.model import Term
from yibao.domains.deadlines.rules import due_after
from yibao.domains.services.items import service_book
from yibao.domains.services.model import Pause
from yibao.kernel.deadline import OPEN
from yibao.policy.reckoning.collection import Season
from yibao.usecases.deadlines.clocks import payable_with, season_with
from yibao.usecases.deadlines.working_days import due_of

CALENDAR = service_book().calendar
NOTED = datetime(2021, 9, 29, tzinfo=UTC)


def term(what: str, way: str = "window", *, rule: str = "R1", begin: str = "2021-10-10", end: str | None = "2021-10-19",
         until: str | None = None, kind: str = "extension", **more: object) -> Term:
    """Return an extension of the Zibo stop, unless said otherwise."""
    return Term(
        admdvs="370300", plan="p", version=1, rule=rule, kind=kind, what=what, business=[],
        way=way if kind == "extension" else "", begin_on=date.fromisoformat(begin),
        end_on=date.fromisoformat(end) if end else None, until_on=date.fromisoformat(until) if until else None,
        noted_at=NOTED, **more,  # type: ignore[arg-type]
    )


def test_working_days_leave_out_the_window_and_count_the_make_up_day() -> None:
    accepted = date(2021, 10, 8)  # Friday, the first day after the National Day
    # 9 Oct (Saturday, worked) 1, 11-15 Oct 2-6, 18-21 Oct 7-10.
    assert due_of(CALENDAR, [], clock="application", begun_on=accepted, working_days=10).due_on == date(2021, 10, 21)
    due = due_of(CALENDAR, [term("application")], clock="application", begun_on=accepted, working_days=10)
    # 9 Oct 1, then nothing until 19 Oct 2, 20 3, 21 4, 22 5, 25 6, 26 7, 27 8, 28 9, 29 10.
    assert (due.due_on, due.was_on) == (date(2021, 10, 29), date(2021, 10, 21))
    assert [(m.was_on, m.due_on, m.rule) for m in due.moves] == [(date(2021, 10, 21), date(2021, 10, 29), "R1")]


def test_a_pause_of_its_own_inside_the_window_is_not_made_up_for_twice() -> None:
    own = [Pause(date(2021, 10, 12), date(2021, 10, 22))]
    due = due_of(CALENDAR, [term("application")], clock="application", begun_on=date(2021, 10, 8), working_days=10, own=own)
    # By its own pause alone: 9 Oct 1, 11 Oct 2, 22 Oct 3, 25-29 4-8, 1-2 Nov 9-10. With the window 11 Oct is lost too: 3 Nov.
    assert (due.was_on, due.due_on) == (date(2021, 11, 2), date(2021, 11, 3))


def test_a_window_without_an_end_leaves_the_clock_open_and_an_earlier_limit_alone() -> None:
    unknown = [term("application", end=None)]
    assert due_of(CALENDAR, unknown, clock="application", begun_on=date(2021, 10, 8), working_days=10).due_on == OPEN
    # One working day from 8 October is the worked Saturday, before the stop.
    assert due_of(CALENDAR, unknown, clock="application", begun_on=date(2021, 10, 8), working_days=1).due_on == date(2021, 10, 9)
    # Begun after a window that is over: nothing.
    later = due_of(CALENDAR, [term("application")], clock="application", begun_on=date(2021, 10, 19), working_days=2)
    assert (later.due_on, later.moves) == (date(2021, 10, 21), ())


def test_two_rules_of_one_plan_do_not_add_their_days() -> None:
    both = [term("claim", rule="R1"), term("claim", rule="R2", end="2021-10-21")]
    # Nine days by the first rule, eleven by the second: eleven, not twenty.
    assert due_after(date(2021, 10, 20), both).due_on == date(2021, 10, 31)


def test_days_first_then_the_fixed_day() -> None:
    both = [term("claim", "fixed", rule="R9", until="2021-12-31"), term("claim", rule="R1")]
    due = due_after(date(2021, 12, 28), both)
    # 28 December and nine days are 6 January, later than the fixed day.
    assert due.due_on == date(2022, 1, 6)
    assert [m.rule for m in due.moves] == ["R1"]
    assert [m.rule for m in due_after(date(2021, 10, 20), both).moves] == ["R1", "R9"]


def test_the_last_day_of_dues() -> None:
    october, november, due = date(2021, 10, 1), date(2021, 11, 1), date(2021, 10, 25)
    assert payable_with([], due, insutype="310", month=october).due_on == due
    assert payable_with([term("due")], due, insutype="310", month=october).due_on == date(2021, 11, 3)
    # November's clock began after the restart.
    assert payable_with([term("due")], date(2021, 11, 25), insutype="310", month=november).due_on == date(2021, 11, 25)
    waiver = term("310", kind="waiver", until="2021-11-30", first_month=october, until_month=november, is_wide=True)
    assert payable_with([term("due"), waiver], due, insutype="310", month=october).due_on == date(2021, 11, 30)
    assert payable_with([waiver], due, insutype="310", month=october).due_on == date(2021, 11, 30)
    assert payable_with([waiver], due, insutype="390", month=october).due_on == due
    assert payable_with([waiver], date(2021, 11, 25), insutype="310", month=november).due_on == date(2021, 11, 25)


def test_the_residents_season() -> None:
    season = Season(date(2021, 9, 1), date(2021, 12, 31), "L1")
    by_days = season_with([term("season")], season, admdvs="370300", year=2022)
    assert by_days == Season(date(2021, 9, 1), date(2022, 1, 9), "L1、R1")
    assert season_with([term("season")], season, admdvs="441300", year=2022) == season
    # Over before the stop, and named: the year 2021 is paid for until 28 February.
    over = Season(date(2020, 9, 1), date(2020, 12, 31), "L1")
    named = term("season", "fixed", begin="2021-01-25", end="2021-02-03", until="2021-02-28", year=2021)
    assert season_with([named], over, admdvs="370300", year=2021) == Season(date(2020, 9, 1), date(2021, 2, 28), "L1、R1")
    assert season_with([named], season, admdvs="370300", year=2022) == season
    assert season_with([named], None, admdvs="370300", year=2021) is None
