"""What must hold of every decision whatever the bill: identities, monotone ceilings, purity, trial = settlement."""

from __future__ import annotations

import os
from datetime import date

import msgspec
import pytest
from hypothesis import HealthCheck, assume, given, seed, settings
from hypothesis import strategies as st

from tests.spec.policy.cities import HUIZHOU, ZIBO, city_policy
from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case, InstitutionFacts, LineGroup, PersonFacts
from yibao.policy.decide import decide
from yibao.policy.decision import Decision
from yibao.policy.explain import differences
from yibao.policy.steps import band_parts
from yibao.policy.values import Band

N = int(os.environ.get("YIBAO_PROOF_N", "100"))
SEED = int(os.environ.get("YIBAO_PROOF_SEED", "20211018"))
counted = settings(max_examples=N, deadline=None, database=None, suppress_health_check=list(HealthCheck))

amounts = st.one_of(st.integers(0, 500), st.integers(0, 500_000), st.integers(0, 50_000_000))
COUNTERS = (
    "ordinary_outpatient.deductible",
    "ordinary_outpatient.pool",
    "chronic_outpatient.deductible",
    "chronic_outpatient.disease",
    "inpatient_chronic.pool",
)
DISEASES = ("", "M00503", "M01600", "M02101", "M03900", "M04600", "M05400", "M07803", "M08300")


@st.composite
def lines(draw: st.DrawFn) -> LineGroup:
    own, over, first, scope = (draw(amounts) for _ in range(4))
    return LineGroup(own + over + first + scope, own, over, first, scope)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    insutype = draw(st.sampled_from(["310", "390"]))
    kinds = ["1101", "1201"] if insutype == "310" else ["1401", "1501", "1601"]
    return Case(
        admdvs=draw(st.sampled_from([ZIBO, HUIZHOU])),
        service_on=draw(st.dates(date(2021, 1, 1), date(2027, 12, 31))),
        insutype=insutype,
        med_type=draw(st.sampled_from(["11", "12", "13", "14"])),
        person=PersonFacts(
            draw(st.sampled_from(kinds)),
            draw(st.integers(0, 99)),
            account_kind=draw(st.sampled_from(["with_account", "pool_only", "none"])),
            paid_months=draw(st.integers(0, 12)),
        ),
        institution=InstitutionFacts("H00000000001", "1", draw(st.sampled_from("123"))),
        lines=tuple(draw(st.lists(lines(), max_size=4))),
        disease_code=draw(st.sampled_from(DISEASES)),
        counters=draw(st.dictionaries(st.sampled_from(COUNTERS), amounts, max_size=5)),
        account_balance=draw(amounts),
        use_account=draw(st.booleans()),
        recognised=tuple(draw(st.lists(st.sampled_from(DISEASES[1:]), max_size=3, unique=True))),
    )


def decided(case: Case) -> Decision:
    decision = decide(case, city_policy(case.admdvs))
    assume(not isinstance(decision, Refusal))
    assert isinstance(decision, Decision)
    return decision


@pytest.mark.slow
@seed(SEED)
@counted
@given(cases())
def test_identities_of_the_head(case: Case) -> None:
    """The bill equals its four parts and its payers; nobody bears a negative amount; the steps add up."""
    d = decided(case)
    assert d.amount == sum(line.amount for line in case.lines)
    assert d.amount == d.own + d.over + d.first_pay + d.in_scope
    assert d.amount == d.fund_total + d.person_part + d.hospital_part
    assert d.fund_total == sum(f.amount for f in d.funds) == d.fund("hifp_pay")
    assert d.person_part == d.account_pay + d.cash
    assert min(d.fund_total, d.account_pay, d.cash, d.deductible) >= 0
    assert d.deductible + d.fund_total <= d.in_scope
    assert d.account_pay <= (case.account_balance if case.use_account and case.insutype == "310" else 0)
    assert differences(d) == ()


@pytest.mark.slow
@seed(SEED)
@counted
@given(cases())
def test_no_counter_passes_its_ceiling(case: Case) -> None:
    """A visit adds to a counter only within the ceiling that it reports."""
    for change in decided(case).counters:
        assert change.delta > 0
        assert change.cap is None or case.counters.get(change.code, 0) + change.delta <= change.cap


@pytest.mark.slow
@seed(SEED)
@counted
@given(cases(), st.sampled_from(COUNTERS), st.integers(1, 100_000))
def test_a_fuller_counter_never_hurts_the_right_side(case: Case, counter: str, more: int) -> None:
    """More deductible already borne never lowers the fund's part; more ceiling used up never raises it."""
    before = decided(case).fund_total
    fuller = msgspec.structs.replace(
        case, counters={**case.counters, counter: case.counters.get(counter, 0) + more}
    )
    after = decided(fuller).fund_total
    assert after >= before if counter.endswith(".deductible") else after <= before


@pytest.mark.slow
@seed(SEED)
@counted
@given(cases())
def test_deciding_is_pure_and_a_trial_equals_the_settlement(case: Case) -> None:
    """Asked twice, with or without its trace, from the stored facts: the same amounts; the case is untouched."""
    facts = msgspec.json.encode(case)
    first = decided(case)
    policy = city_policy(case.admdvs)
    again = decide(msgspec.json.decode(facts, type=Case), policy)
    bare = decide(case, policy, trace=False)
    assert again == first
    assert bare == msgspec.structs.replace(first, steps=())
    assert msgspec.json.encode(case) == facts


@given(
    uppers=st.lists(st.integers(1, 10_000), unique=True, max_size=5).map(sorted),
    start=st.integers(0, 12_000),
    length=st.integers(0, 12_000),
    is_open=st.booleans(),
)
def test_bands_share_out_every_fen_once(uppers: list[int], start: int, length: int, is_open: bool) -> None:
    """Fen by fen: each lies in the one band that holds it, or above a closed last band."""
    bands = [Band(upper, number) for number, upper in enumerate(uppers)]
    if is_open or not bands:
        bands.append(Band(None, len(bands)))
    found = {band.ratio: part for part, band in band_parts(tuple(bands), start, start + length)}
    counted_singly: dict[int, int] = {}
    for fen in range(start, start + length):
        for band in bands:
            if band.upper is None or fen < band.upper:
                counted_singly[band.ratio] = counted_singly.get(band.ratio, 0) + 1
                break
    assert found == counted_singly
