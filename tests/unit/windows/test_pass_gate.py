"""The gate in memory: which plan and which stop an instant falls under, two cities at once, and looking again."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from yibao.domains.windows.model import Asked, Plan, Rule, Selector, Track
from yibao.kernel.business_time import SHANGHAI
from yibao.usecases.windows.pass_gate import LOOK_S, NO_GATE, Gate

BUSINESS = "outpatient_settlement"


def at(text: str) -> datetime:
    """Return an instant of business time."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def plan(name: str, admdvs: str, stop: str, restart: str | None, **more: Any) -> Plan:
    """Return a plan of one track."""
    track = Track(code="s", title="结算", stop=at(stop), restart=at(restart) if restart else None, business=(BUSINESS,), **more)
    rule = Rule(id=f"{name}-R1", disposition="suspend", when=Selector(business=(BUSINESS,)), phase=("frozen",), says="暂停办理")
    return Plan(name=name, admdvs=admdvs, title=name, version=1, published_by="x", source="y", tracks=(track,), rules=(rule,))


EARLY = plan("early", "370300", "2021-01-10", "2021-01-15")
LATE = plan("late", "370300", "2021-10-10", "2021-10-19", last_call=at("2021-10-01"))
THERE = plan("there", "441300", "2021-05-01", None)
GATE = Gate.of([LATE, EARLY, THERE])
HERE = Asked(business=BUSINESS, admdvs="370300", channel="gateway")


def test_of_several_plans_the_last_to_have_begun_counts() -> None:
    names = [
        (p.name if (p := GATE.plan_for("370300", at(day))) else None)
        for day in ("2021-01-09", "2021-01-10", "2021-09-30", "2021-10-01", "2022-01-01")
    ]
    assert names == [None, "early", "early", "late", "late"]
    assert GATE.plan_for("370302", date(2021, 1, 12)) is EARLY, "a county is of its city"
    assert GATE.plan_for("110000", at("2021-10-12")) is None


def test_an_instant_is_in_a_stop_from_its_first_to_before_its_last() -> None:
    inside = {
        "2021-01-09 23:59:59.999": False, "2021-01-10 00:00": True, "2021-01-14 23:59:59.999": True,
        "2021-01-15 00:00": False, "2021-10-12 08:00": True,
    }
    assert {i: GATE.window_on("370300", BUSINESS, at(i)) is not None for i in inside} == inside
    days = {date(2021, 1, 9): False, date(2021, 1, 10): True, date(2021, 1, 14): True, date(2021, 1, 15): False}
    assert {d: GATE.window_on("370300", BUSINESS, d) is not None for d in days} == days
    assert GATE.window_on("441300", BUSINESS, at("2030-01-01")) is not None, "to be announced: it lasts"
    assert GATE.window_on("370300", "query", at("2021-10-12")) is None
    # A restart in the middle of a day leaves part of the day in the stop.
    noon = Gate.of([plan("noon", "370300", "2021-01-10 12:00", "2021-01-12 08:00")])
    part = {date(2021, 1, 10): True, date(2021, 1, 12): True, date(2021, 1, 13): False}
    assert {d: noon.window_on("370300", BUSINESS, d) is not None for d in part} == part
    assert noon.window_on("370300", BUSINESS, at("2021-01-12 08:00")) is None


def test_whoever_is_treated_elsewhere_meets_the_window_of_either_city() -> None:
    away = msgspec.structs.replace(HERE, care_admdvs="441302")
    may = at("2021-05-02")
    assert GATE.ask(HERE, may).refusal is None
    refused = GATE.ask(away, may).refusal
    assert refused is not None
    assert refused.faults[0].basis.startswith("there")
    october = GATE.ask(away, at("2021-10-12")).refusal
    assert october is not None
    assert october.faults[0].basis.startswith("late"), "where the person is insured speaks first"


def test_the_same_question_between_two_instants_has_the_same_answer() -> None:
    first, second = GATE.ask(HERE, at("2021-10-12 08:00")), GATE.ask(HERE, at("2021-10-17 23:00"))
    assert first is second
    assert GATE.ask(HERE, at("2021-10-19 00:00")) is not first


def test_without_plans_nothing_is_stopped_and_nothing_is_read() -> None:
    assert NO_GATE.ask(HERE, at("2021-10-12")).refusal is None
    assert (NO_GATE.is_due, NO_GATE.plans, NO_GATE.plan_for("370300", at("2021-10-12"))) == (False, (), None)


class Seconds:
    """A stopwatch that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the seconds."""
        return self.now


async def test_it_looks_once_a_second_and_at_once_when_told(database: Any) -> None:
    seconds = Seconds()
    gate = Gate(database, seconds=seconds)
    assert gate.is_due
    await gate.fresh()
    assert not gate.is_due
    seconds.now += LOOK_S
    assert not gate.is_due
    seconds.now += 0.001
    assert gate.is_due
    await gate.fresh()
    gate.expire()
    assert gate.is_due


async def test_a_database_that_does_not_answer_leaves_what_is_known() -> None:
    class Broken:
        """A database that is down."""

        def connection(self) -> Any:
            """Lend nothing."""
            raise OSError("down")

    gate = Gate(Broken(), seconds=(seconds := Seconds()))  # type: ignore[arg-type]
    gate._stand(list(Gate.of([LATE])._standing["3703"]))
    await gate.fresh()
    assert gate.ask(HERE, at("2021-10-12")).refusal is not None
    assert not gate.is_due, "it asks again in a second, not with every message"
    seconds.now += LOOK_S + 0.001
    assert gate.is_due
