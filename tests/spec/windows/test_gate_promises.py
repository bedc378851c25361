"""What the notice promises is what every way in does, to the millisecond: the notice's promises are unfolded by code of their
own, and held against the gate and against the question that each way in asks of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import msgspec
import pytest

from yibao.domains.institutions.model import Institution
from yibao.domains.windows.model import Asked, Judged, Plan
from yibao.domains.windows.reading import read_plan
from yibao.domains.windows.shipped import plan_text
from yibao.domains.windows.tables import NEVER, businesses, channels, ways
from yibao.kernel.business_time import SHANGHAI
from yibao.usecases.notices.promises import Promise, promises
from yibao.usecases.windows import business_of
from yibao.usecases.windows.pass_gate import Gate

NOTICES = ("zibo-2021", "huizhou-2021")
OTHERS = ("shenzhen-2021", "lanzhou-2021", "bozhou-2021", "changsha-2021", "wuhan-2021")
LONG_AGO, LATER = datetime(2020, 1, 1, tzinfo=SHANGHAI), datetime(2023, 1, 1, tzinfo=SHANGHAI)
TICK = timedelta(milliseconds=1)


def plan_of(name: str) -> Plan:
    """Return a plan of the package."""
    text = plan_text(name)
    assert text is not None
    plan = read_plan(text)
    assert isinstance(plan, Plan), plan
    return plan


def instants(promise: Promise) -> Iterator[datetime]:
    """Yield the first and the last instant of a promise."""
    yield promise.begin or LONG_AGO
    yield (promise.end or LATER) - TICK


def kept(promise: str, judged: Judged) -> bool:
    """Say whether a judgement keeps a promise."""
    if promise == "refused":
        return judged.refusal is not None and judged.refusal.code == "WINDOW_STOPPED"
    if judged.refusal is not None:
        return promise == "staged"
    if promise == "registered":
        return judged.intake != ""
    if judged.snapshot_at is not None:
        return promise == "open"  # answered, with the words that it is as of the stop
    return promise == "staged" or (judged.intake == "" and (judged.advice != ()) == (promise == "advised"))


def others(plan: Plan, promise: Promise, told: list[Promise]) -> list[str]:
    """Return the channels that a promise to everybody is about: those that no other promise of the business names."""
    named = {p.channel for p in told if p.business == promise.business}
    kind = businesses()[promise.business].kind
    return [c.code for c in channels().values() if kind in c.kinds and c.code not in named]


@pytest.mark.parametrize("name", [*NOTICES, *OTHERS])
def test_the_gate_keeps_every_promise_at_its_first_and_last_instant(name: str) -> None:
    plan = plan_of(name)
    gate, told = Gate.of([plan]), promises(plan)
    broken, checked = [], 0
    for promise in told:
        for channel in [promise.channel] if promise.channel else others(plan, promise, told):
            asked = Asked(business=promise.business, admdvs=plan.admdvs, channel=channel, **promise.facts)  # type: ignore[arg-type]
            for at in instants(promise):
                checked += 1
                judged = gate.ask(asked, at)
                if not kept(promise.promise, judged):
                    broken.append((promise.business, channel, at.isoformat(), promise.promise, judged.refusal, judged.advice))
    assert not broken, broken[:10]
    assert checked > 500
    assert {p.business for p in told} == {b for t in plan.tracks for b in t.business}


HOSPITAL = Institution(
    fixmedins_code="H00000000001", admdvs="", region="", name="某医院", uscc="", kind="1", hosp_lv=None, level="2",
    traits=frozenset(), agreement_no="", agreement_from=LONG_AGO.date(), agreement_to=LATER.date(), suspended_on=None,
)


def questions(plan: Plan) -> Iterator[tuple[str, str, Asked]]:
    """Yield the question that each way in of the program asks, in the plan's city."""
    sender = msgspec.structs.replace(HOSPITAL, admdvs=plan.admdvs, region=plan.admdvs)
    for (kind, name), business in ways().items():
        if business == NEVER or kind == "item":
            continue
        asked = {
            "transaction": lambda n: business_of.asked_by_message(n, {}, insured_place=plan.admdvs, sender=sender),
            "operation": lambda n: business_of.asked_by_operation(n, {}, admdvs=plan.admdvs),
            "message": lambda n: business_of.asked_by_party(*n.split("/"), {}, admdvs=plan.admdvs),
            "batch": lambda n: business_of.asked_by_verb(n, admdvs=plan.admdvs),
            "page": lambda n: business_of.asked_by_page(n, admdvs=plan.admdvs),
        }[kind](name)
        assert asked is not None, (kind, name)
        yield kind, name, asked


@pytest.mark.parametrize("name", NOTICES)
def test_every_way_in_does_what_the_notice_says_at_each_boundary(name: str) -> None:
    plan = plan_of(name)
    gate, told = Gate.of([plan]), promises(plan)
    broken, seen = [], set()
    for kind, way, asked in questions(plan):
        found = [p for p in told if p.business == asked.business and p.channel == asked.channel and not p.facts]
        found = found or [p for p in told if p.business == asked.business and not p.channel and not p.facts]
        for promise in found:
            for at in instants(promise):
                seen.add(kind)
                if not kept(promise.promise, gate.ask(asked, at)):
                    broken.append((kind, way, asked.business, asked.channel, at.isoformat(), promise.promise))
        if not found and gate.ask(asked, LONG_AGO).refusal is not None:
            broken.append((kind, way, asked.business, asked.channel, "", "never stopped"))
    assert not broken, broken[:10]
    assert seen == {"transaction", "operation", "message", "batch", "page"}


@pytest.mark.parametrize(
    ("name", "inside", "goes_on"),
    [
        # "暂停办理…基数申报、参保登记、信息变更、增减员、医保缴费、查询、个人账户划拨等业务": nothing goes on
        ("zibo-2021", datetime(2021, 10, 14, 12, tzinfo=SHANGHAI), set()),
        # "自2021年1月25日起，意外伤害审批业务暂由医院办理": that, by the institutions' own message
        ("huizhou-2021", datetime(2021, 1, 28, 12, tzinfo=SHANGHAI), {("transaction", "2507")}),
    ],
)
def test_inside_the_stop_nothing_goes_on_but_what_the_notice_leaves_open(
    name: str, inside: datetime, goes_on: set[tuple[str, str]]
) -> None:
    plan = plan_of(name)
    gate = Gate.of([plan])
    found = {(k, n) for k, n, asked in questions(plan) if gate.ask(asked, inside).refusal is None}
    papers = {(k, n) for k, n, asked in questions(plan) if gate.ask(asked, inside).intake}
    assert found - papers == goes_on
