"""What must hold of every decision whatever the bill: identities, order, monotony, splitting; each with its exceptions.

The generated bills reach every benefit of the two cities. Where an exception is named it is a rule of law that says so,
not a tolerance: the only tolerance is the rounding of a fund to the fen, once a bill and fund.
"""

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
from yibao.policy.law.values import Band
from yibao.policy.pipeline.exact import SCALAR
from yibao.policy.pipeline.steps import band_parts

N = int(os.environ.get("YIBAO_PROOF_N", "100"))
SEED = int(os.environ.get("YIBAO_PROOF_SEED", "20211018"))
counted = settings(max_examples=N, deadline=None, database=None, suppress_health_check=list(HealthCheck))

FUNDS = ("hifp_pay", "hifob_pay", "hifmi_pay", "cvlserv_pay", "maf_pay", "oth_pay")
COUNTERS = (
    "ordinary_outpatient.deductible",
    "ordinary_outpatient.pool",
    "chronic_outpatient.deductible",
    "chronic_outpatient.disease",
    "inpatient_chronic.pool",
    "large_amount.paid",
    "serious_illness.base",
    "serious_illness.paid",
    "assistance.base",
    "assistance.paid",
    "civil_servant.base",
)
DISEASES = ("", "M00503", "M01600", "M02101", "M03900", "M04600", "M05400", "M07803", "M08300")
IDENTITIES = ("2301", "2302", "2303", "2304", "2305", "2306", "2360", "60")
MATERNITY = {"52": ("birth", "difficult", "caesarean"), "51": ("prenatal",), "53": ("abortion", "iud", "sterilisation")}
STAYS = ("21", "22", "52")

amounts = st.one_of(st.integers(0, 500), st.integers(0, 500_000), st.integers(0, 50_000_000))


@st.composite
def lines(draw: st.DrawFn) -> LineGroup:
    own, over, first, scope = (draw(amounts) for _ in range(4))
    return LineGroup(own + over + first + scope, own, over, first, scope)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    insutype = draw(st.sampled_from(["310", "390"]))
    kinds = ["1101", "1201"] if insutype == "310" else ["1401", "1501", "1601"]
    med_type = draw(st.sampled_from(["11", "12", "13", "14", "14", "18", *STAYS, *STAYS, "51", "53"]))
    return Case(
        admdvs=draw(st.sampled_from([ZIBO, HUIZHOU])),
        service_on=draw(st.dates(date(2021, 1, 1), date(2027, 12, 31))),
        insutype=insutype,
        med_type=med_type,
        person=PersonFacts(
            draw(st.sampled_from(kinds)),
            draw(st.integers(0, 99)),
            tuple(draw(st.lists(st.sampled_from(IDENTITIES), max_size=1))),
            account_kind=draw(st.sampled_from(["with_account", "pool_only", "none"])),
            paid_months=draw(st.integers(0, 12)),
            rank=draw(st.sampled_from(["", "", "160"])),
        ),
        institution=InstitutionFacts("H00000000001", "1", draw(st.sampled_from("123"))),
        lines=tuple(draw(st.lists(lines(), max_size=4))),
        disease_code=draw(st.sampled_from(DISEASES)),
        counters=draw(st.dictionaries(st.sampled_from(COUNTERS), amounts, max_size=5)),
        account_balance=draw(amounts),
        use_account=draw(st.booleans()),
        recognised=tuple(draw(st.lists(st.sampled_from(DISEASES[1:]), max_size=3, unique=True))),
        admission=draw(st.integers(1, 4)) if med_type in STAYS else 1,
        remote=draw(st.sampled_from(["", "", "registered", "referred", "unregistered"])) if med_type == "21" else "",
        referred_from=draw(st.sampled_from(["", "", "1", "2", "3"])) if med_type == "21" else "",
        maternity=draw(st.sampled_from(MATERNITY.get(med_type, ("",)))),
        pregnancy_months=draw(st.integers(1, 9)) if med_type in MATERNITY else 0,
    )


def decided(case: Case) -> Decision:
    """Decide a case; one that the law refuses is no example."""
    decision = decide(case, city_policy(case.admdvs))
    assume(not isinstance(decision, Refusal))
    assert isinstance(decision, Decision)
    return decision


def named(decision: Decision, *codes: str) -> bool:
    """Say whether a step of these codes changed anything, or would have."""
    return any(step.code in codes for step in decision.steps)


def cut_by_a_cap(decision: Decision) -> bool:
    """Say whether a ceiling took something off."""
    return any(step.code == "pool_cap" and step.amount < step.base for step in decision.steps)


def in_scope_only(case: Case, *scopes: int) -> tuple[Case, ...]:
    """Return the case once for each in-scope amount, with no other cost."""
    return tuple(msgspec.structs.replace(case, lines=(LineGroup(s, 0, 0, 0, s),)) for s in scopes)


def one_after_the_other(cases: tuple[Case, ...]) -> tuple[Decision, ...]:
    """Settle cases of one person and year in order, each with what the earlier ones have counted."""
    counters = dict(cases[0].counters)
    found = []
    for case in cases:
        decision = decided(msgspec.structs.replace(case, counters=dict(counters)))
        for change in decision.counters:
            counters[change.code] = counters.get(change.code, 0) + change.delta
        found.append(decision)
    return tuple(found)


def totals(decisions: tuple[Decision, ...]) -> dict[str, int]:
    """Add up what each fund paid."""
    return {name: sum(d.fund(name) for d in decisions) for name in FUNDS}


# ── the head ──


@pytest.mark.slow
@seed(SEED)
@counted
@given(cases())
def test_shares_sum_to_the_bill(case: Case) -> None:
    """The bill equals its four parts and its payers, nobody bears a negative amount, the steps add up.

    No exception. Funds stay within the in-scope cost except where a rule pays beyond it: a floor, a lump, a layer for
    cost out of scope; they never pay more than the bill.
    """
    d = decided(case)
    assert d.amount == sum(line.amount for line in case.lines)
    assert d.amount == d.own + d.over + d.first_pay + d.in_scope
    assert d.amount == d.fund_total + d.person_part + d.hospital_part
    assert d.fund_total == sum(f.amount for f in d.funds) == sum(d.fund(name) for name in FUNDS)
    assert d.person_part == d.account_pay + d.cash
    assert min(d.account_pay, d.cash, d.deductible, *(f.amount for f in d.funds), 0) == 0
    if not named(d, "pool_floor", "lump"):
        assert d.deductible + d.fund("hifp_pay") <= d.in_scope
        assert d.fund_total - d.fund("oth_pay") - d.fund("maf_pay") <= d.in_scope
    assert d.fund_total <= d.amount
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
@given(cases(), st.sampled_from(COUNTERS[:5]), st.integers(1, 100_000))
def test_a_fuller_counter_never_hurts_the_right_side(case: Case, counter: str, more: int) -> None:
    """More deductible already borne never lowers the pool's part; more ceiling used up never raises it.

    Only of the pool: what its ceiling cuts, the large-amount fund may pay at a higher ratio than the pool had.
    """
    before = decided(case).fund("hifp_pay")
    fuller = msgspec.structs.replace(
        case, counters={**case.counters, counter: case.counters.get(counter, 0) + more}
    )
    after = decided(fuller).fund("hifp_pay")
    assert after >= before if counter.endswith(".deductible") else after <= before


# ── a larger bill ──


@pytest.mark.slow
@seed(SEED)
@counted
@given(cases(), amounts)
def test_a_larger_bill_in_scope_never_pays_less(case: Case, more: int) -> None:
    """Add in-scope cost and the funds together never pay less, nor does the person bear less.

    No exception in these two cities, floors and ceilings included: no deductible here is a share of the bill and no band
    pays less than nothing. Where a deductible is a share of the whole bill, the first half does not hold.
    """
    larger = msgspec.structs.replace(case, lines=(*case.lines, LineGroup(more, 0, 0, 0, more)))
    before, after = decided(case), decided(larger)
    assert after.fund_total >= before.fund_total
    assert after.person_part >= before.person_part


@pytest.mark.slow
@seed(SEED)
@counted
@given(cases(), amounts)
def test_more_of_the_same_bill_in_scope_never_pays_less(case: Case, moved: int) -> None:
    """Move own cost into scope, the total unchanged, and the funds together never pay less.

    Exception: funds that pay for cost out of scope (assistance of the destitute, the commercial cover of one year).
    """
    own = sum(line.own for line in case.lines)
    moved = min(moved, own)
    head = [sum(getattr(line, part) for line in case.lines) for part in ("amount", "over", "first_pay", "in_scope")]
    amount, over, first, scope = head
    bills = [LineGroup(amount, own - x, over, first, scope + x) for x in (0, moved)]
    before, after = (decided(msgspec.structs.replace(case, lines=(bill,))) for bill in bills)
    assume(not {"2301", "2304", "60"} & set(case.person.identities))
    assert after.fund_total >= before.fund_total


# ── a bill in two parts ──


@pytest.mark.slow
@seed(SEED)
@counted
@given(cases(), st.integers(0, 30_000_000), st.integers(0, 30_000_000))
def test_splitting_changes_only_what_deductibles_say(case: Case, first: int, second: int) -> None:
    """Two bills instead of one: each fund pays the same but for its rounding, as long as the deductibles are the same.

    Exceptions: rules that look at one bill, which are lumps, floors, and bands of the older law that begin with each
    stay. Where a second stay bears a deductible of its own, the pool pays its share of the difference less, no more.
    """
    whole, *parts = in_scope_only(case, first + second, first, second)
    if case.med_type in STAYS:
        parts[1] = msgspec.structs.replace(parts[1], admission=case.admission + 1)
    one, two = one_after_the_other((whole,)), one_after_the_other(tuple(parts))
    assume(not named(one[0], "lump", "pool_floor"))
    banded = case.admdvs == ZIBO and case.insutype == "310" and case.med_type in STAYS and case.service_on.year < 2024
    assume(not banded)
    more_borne = sum(d.deductible for d in two) - one[0].deductible
    once, twice = totals(one), totals(two)
    if more_borne == 0:
        bases = 2 * len(FUNDS)  # a fen of the pool moves the base of every later layer by a fen
        assert all(abs(once[name] - twice[name]) <= bases for name in FUNDS), (once, twice)
    elif not any(cut_by_a_cap(d) for d in (*one, *two)):
        less = (once["hifp_pay"] - twice["hifp_pay"]) * 10_000
        assert abs(less - one[0].pool_ratio * more_borne) <= 2 * 10_000


# ── the order of a day ──


@pytest.mark.slow
@seed(SEED)
@counted
@given(cases(), amounts, amounts)
def test_order_of_like_bills_does_not_change_the_year(case: Case, first: int, second: int) -> None:
    """Two bills of a day of the same kind: in either order every fund pays the year the same, but for its rounding.

    No exception: deductibles, ceilings and layers all count the year. The number of an admission stays with its bill.
    """
    a, b = in_scope_only(case, first, second)
    assert_same_year(one_after_the_other((a, b)), one_after_the_other((b, a)))


@pytest.mark.slow
@seed(SEED)
@counted
@given(cases(), cases(), amounts, amounts)
def test_order_of_unlike_bills_does_not_change_the_year(case: Case, other: Case, first: int, second: int) -> None:
    """Two bills of a day of any kinds: in either order every fund pays the year the same, but for its rounding.

    Exceptions, where the law itself takes the one that comes first: a ceiling that is reached, and a yearly deductible
    that both bear, for their ratios and standards differ.
    """
    of_same_person = {
        name: getattr(case, name) for name in ("admdvs", "service_on", "insutype", "person", "counters", "recognised")
    }
    other = msgspec.structs.replace(other, **of_same_person)
    (a,), (b,) = in_scope_only(case, first), in_scope_only(other, second)
    forth, back = one_after_the_other((a, b)), one_after_the_other((b, a))
    assume(not any(cut_by_a_cap(d) for d in (*forth, *back)))
    assume([d.deductible for d in forth] == [d.deductible for d in reversed(back)])
    assert_same_year(forth, back)


def assert_same_year(forth: tuple[Decision, ...], back: tuple[Decision, ...]) -> None:
    """A fen of the pool moves the base of every later layer by a fen; nothing else may differ."""
    year, turned = totals(forth), totals(back)
    assert all(abs(year[name] - turned[name]) <= 2 * len(FUNDS) for name in FUNDS), (year, turned)


@given(first=st.integers(0, 20_000_000), second=st.integers(0, 20_000_000), before=st.integers(0, 10_000_000))
def test_serious_illness_of_a_day_in_either_order(first: int, second: int, before: int) -> None:
    """Serious illness counts the year: two bills in either order pay the same to the fen, no exception."""
    case = Case(
        admdvs=ZIBO,
        service_on=date(2026, 5, 1),
        insutype="390",
        med_type="14",
        person=PersonFacts("1501", 40),
        institution=InstitutionFacts("H00000000001", "1", "2"),
        lines=(),
        disease_code="M07803",
        counters={"serious_illness.base": before},
    )
    a, b = in_scope_only(case, first, second)
    assert totals(one_after_the_other((a, b))) == totals(one_after_the_other((b, a)))


# ── deciding ──


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
    parts = band_parts(tuple(bands), start, start + length, SCALAR)
    found = {band.ratio: part for part, band in parts if part}
    counted_singly: dict[int, int] = {}
    for fen in range(start, start + length):
        for band in bands:
            if band.upper is None or fen < band.upper:
                counted_singly[band.ratio] = counted_singly.get(band.ratio, 0) + 1
                break
    assert found == counted_singly
