"""An amendment says nothing else about what has passed than what was told."""

from __future__ import annotations

from datetime import datetime

import msgspec
import pytest

from yibao.domains.windows.amending import PAST, past_faults
from yibao.domains.windows.model import Plan, Rule, Selector, Track
from yibao.kernel.business_time import SHANGHAI


def at(text: str) -> datetime:
    """Return an instant of business time."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


STOP, RESTART = at("2021-10-10"), at("2021-10-19")
BEFORE, INSIDE, AFTERWARDS = at("2021-10-01"), at("2021-10-14"), at("2021-10-25")
TRACK = Track(code="s", title="结算", stop=STOP, restart=RESTART, business=("outpatient_settlement",),
              last_call=at("2021-10-05"))
REFUSED = Rule(id="R1", disposition="suspend", when=Selector(business=("outpatient_settlement",)), phase=("frozen",), says="暂停")
BILLS = Rule(id="R2", disposition="pay_full_backfill", when=Selector(business=("outpatient_settlement",)),
             phase=("frozen", "after"), says="先垫付后补录", terms={"settle_by": "2021-12-31"})
PLAN = Plan(name="p", admdvs="370300", title="切换", version=1, published_by="x", source="y", tracks=(TRACK,),
            rules=(REFUSED, BILLS))


def with_track(**changed: object) -> Plan:
    """Return the plan with its track changed."""
    return msgspec.structs.replace(PLAN, tracks=(msgspec.structs.replace(TRACK, **changed),))


def with_rules(*rules: Rule) -> Plan:
    """Return the plan with other rules."""
    return msgspec.structs.replace(PLAN, rules=rules)


LATE_RESTART, EARLY_RESTART = at("2021-10-21"), at("2021-10-16")
NEW_BILLS = msgspec.structs.replace(BILLS, id="R3", says="押金", disposition="deposit", terms={}, begin=INSIDE)
ENDED = msgspec.structs.replace(BILLS, end=INSIDE)
MOVED = msgspec.structs.replace(BILLS, terms={"settle_by": "2022-01-31"})
PAST_DAY = msgspec.structs.replace(BILLS, terms={"settle_by": "2021-10-12"})


@pytest.mark.parametrize(
    ("new", "now"),
    [
        (PLAN, INSIDE),
        (with_track(stop=at("2021-10-12")), BEFORE),                    # nothing has stopped yet
        (with_track(restart=LATE_RESTART), INSIDE),                     # the restart moves inside the stop
        (with_track(restart=EARLY_RESTART), INSIDE),
        (with_track(restart=None), INSIDE),                             # to be announced
        (with_rules(REFUSED, ENDED, NEW_BILLS), INSIDE),                # ended now, another from now on
        (with_rules(REFUSED, MOVED), INSIDE),                           # a day that lies ahead moves
        (with_rules(REFUSED, msgspec.structs.replace(BILLS, says="别的")), BEFORE),
        (with_rules(REFUSED, msgspec.structs.replace(BILLS, sentence=("ZB-01",))), AFTERWARDS),
        (with_rules(BILLS), BEFORE),
        (msgspec.structs.replace(PLAN, tracks=()), BEFORE),
    ],
)
def test_what_lies_ahead_may_change(new: Plan, now: datetime) -> None:
    assert past_faults(PLAN, new, at=now) == []


@pytest.mark.parametrize(
    ("new", "now", "field"),
    [
        (with_track(stop=at("2021-10-09")), INSIDE, "tracks[s].stop"),
        (with_track(stop=at("2021-10-20")), INSIDE, "tracks[s].stop"),
        (with_track(restart=at("2021-10-13")), INSIDE, "tracks[s].restart"),
        (with_track(restart=LATE_RESTART), AFTERWARDS, "tracks[s].restart"),
        (with_track(last_call=at("2021-10-07")), at("2021-10-06"), "tracks[s].last_call"),
        (with_track(stop=at("2021-09-30")), BEFORE, "tracks[s].stop"),
        (with_track(business=("inpatient_settlement",)), INSIDE, "tracks[s].business"),
        (msgspec.structs.replace(PLAN, tracks=()), INSIDE, "tracks[s]"),
        (with_rules(REFUSED), INSIDE, "rules[R2]"),                                                  # left out
        (with_rules(REFUSED, msgspec.structs.replace(BILLS, says="别的")), INSIDE, "rules[R2]"),
        (with_rules(REFUSED, PAST_DAY), INSIDE, "rules[R2]"),                                        # a day that has passed
        (with_rules(REFUSED, msgspec.structs.replace(BILLS, end=at("2021-10-12"))), INSIDE, "rules[R2].end"),
        (with_rules(REFUSED, BILLS, msgspec.structs.replace(NEW_BILLS, begin=None)), INSIDE, "rules[R3]"),
        (with_rules(REFUSED, BILLS, msgspec.structs.replace(NEW_BILLS, begin=at("2021-10-11"))), INSIDE, "rules[R3]"),
    ],
)
def test_what_has_passed_may_not(new: Plan, now: datetime, field: str) -> None:
    faults = past_faults(PLAN, new, at=now)
    assert field in [f.field for f in faults], faults
    assert all(f.code == PAST and f.remedy for f in faults)


def test_a_track_that_is_added_begins_later() -> None:
    more = Track(code="t", title="缴费", stop=at("2021-10-13"), restart=RESTART, business=("contribution",))
    late = msgspec.structs.replace(more, stop=at("2021-10-15"))
    added = msgspec.structs.replace(PLAN, tracks=(TRACK, more))
    assert [f.field for f in past_faults(PLAN, added, at=INSIDE)] == ["tracks[t].stop"]
    assert past_faults(PLAN, msgspec.structs.replace(PLAN, tracks=(TRACK, late)), at=INSIDE) == []
