"""The thirty-six points in which cities differ, each shown by a city that has it: a new city needs data, not code.

Cities whose files are packaged are asked by them; the others by a small law written from what is published of them.
Every figure is worked out by hand beside it.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from tests.spec.policy.sample_law import ask, bill, fen, law_of, packaged, parameter, resident, yuan
from yibao.kernel.refusal import Refusal
from yibao.policy.decision import Decision
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.cases import AllowanceCase, CreditCase, DuesCase, WaitingCase
from yibao.policy.reckoning.clearing import ClearingPeriod, clearing_period

ZIBO, HUIZHOU = "370300", "441300"
QINGYUAN, ANYANG, CHENGDU, BENGBU, YUBEI = "441800", "410500", "510100", "340300", "500112"
NOW = "2025-06-01"


def pool(decision: Decision) -> str:
    return yuan(decision.fund("hifp_pay"))


def deductible(decision: Decision) -> str:
    return yuan(decision.deductible)


def dues(law: RegionPolicy, on: str, **facts: Any) -> dict[str, str]:
    case = DuesCase(admdvs=law.admdvs, on=date.fromisoformat(on), insutype="310", psn_type="1101", **facts)
    return {name: yuan(amount) for name, amount in ask(case, law).amounts}


def test_all_thirty_six_points_have_their_test() -> None:
    numbers = {name[6:8] for name in globals() if name.startswith("test_v")}
    assert numbers == {f"{n:02d}" for n in range(1, 37)}


# ------------------------------------------------------------------ deductible


@pytest.mark.parametrize(("level", "expected"), [("1", ["300.00", "150.00", "0.00"]), ("3", ["700.00", "350.00", "0.00"])])
def test_v01_deductible_by_level_admission_and_person(level: str, expected: list[str]) -> None:
    """Zibo: 300/500/700, half at the second admission, none from the third; a child 100 at every level."""
    law = packaged(ZIBO)
    assert [deductible(bill(law, NOW, "9000", level=level, admission=n)) for n in (1, 2, 3)] == expected
    assert deductible(resident(law, NOW, "9000", level=level, psn_type="1402", age=8)) == "100.00"


def test_v01_printed_figures_step_and_floor_and_yearly_total() -> None:
    """Beijing prints 1300, then 650; Neijiang takes off 100 each time down to 300; Changsha stops at 2000 a year."""
    beijing = law_of(
        "北京市",
        parameter("deductible", '"1300元"', "admission = { below = 2 }", counter='"never.counted"'),
        parameter("deductible", '"650元"', "admission = { from = 2 }", counter='"never.counted"'),
    )
    assert [deductible(bill(beijing, NOW, "9000", admission=n)) for n in (1, 2, 5)] == ["1300.00", "650.00", "650.00"]
    neijiang = law_of(
        "内江市",
        parameter("deductible", '"500元"', counter='"never.counted"'),
        parameter("deductible_step", '"100元"'),
        parameter("deductible_floor", '"300元"'),
    )
    assert [deductible(bill(neijiang, NOW, "9000", admission=n)) for n in (1, 3, 4)] == ["500.00", "300.00", "300.00"]
    changsha = law_of(
        "长沙市",
        parameter("deductible", '"900元"', counter='"never.counted"'),
        parameter("deductible_year_cap", '"2000元"', counter='"inpatient.deductibles"'),
    )
    third = bill(changsha, NOW, "9000", admission=3, used={"inpatient.deductibles": "1800"})
    assert (deductible(third), [c.code for c in third.counters]) == ("200.00", ["inpatient.deductibles"])


def test_v02_deductible_kept_per_year_and_shared_over_levels() -> None:
    """Zibo outpatients: level 1 asks 100, level 2 asks 500 a year; 100 borne at level 1 leaves 400."""
    law, used = packaged(ZIBO), {"ordinary_outpatient.deductible": "100"}
    assert deductible(bill(law, NOW, "1000", level="1", med_type="11")) == "100.00"
    assert deductible(bill(law, NOW, "1000", level="2", med_type="11", used=used)) == "400.00"
    assert deductible(bill(law, NOW, "1000", level="1", med_type="11", used=used)) == "0.00"


@pytest.mark.parametrize(("amount", "expected"), [("6000", "2000.00"), ("30000", "6000.00"), ("60000", "10000.00")])
def test_v03_deductible_as_a_share_of_the_total_with_floor_and_ceiling(amount: str, expected: str) -> None:
    """Anhui, out of the province: 20 % of the whole bill, own cost included, from 2000 to 10000."""
    decision = resident(packaged(BENGBU), "2024-06-01", amount, own="500", remote="referred", remote_place="outside")
    assert deductible(decision) == expected


@pytest.mark.parametrize(("level", "expected"), [("1", "404.20"), ("3", "970.08")])
def test_v04_deductible_as_a_share_of_the_average_wage(level: str, expected: str) -> None:
    """Chengdu 2009: 8084 × 5 % = 404.20, 8084 × 12 % = 970.08."""
    assert deductible(bill(packaged(CHENGDU), "2009-06-01", "30000", level=level)) == expected


def test_v05_deductible_lifted_or_halved_by_identity_age_and_disease() -> None:
    """Zibo: none for a low-income person in a designated hospital; Neijiang: half from 70 on, after step and floor."""
    law = packaged(ZIBO)
    assert deductible(resident(law, NOW, "9000", identities=("2303",), traits=("designated",))) == "0.00"
    assert deductible(resident(law, NOW, "9000", identities=("2303",))) == "700.00"
    neijiang = law_of(
        "内江市",
        parameter("deductible", '"1000元"', counter='"never.counted"'),
        parameter("deductible_step", '"100元"'),
        parameter("deductible_floor", '"300元"'),
        parameter("deductible_factor", '"50%"', "age = { from = 70 }"),
    )
    assert [deductible(bill(neijiang, NOW, "9000", age=72, admission=n)) for n in (1, 2)] == ["500.00", "450.00"]
    assert deductible(bill(neijiang, NOW, "9000", age=69)) == "1000.00"


# ------------------------------------------------------------------ remote


def test_v06_remote_has_another_deductible() -> None:
    """Huizhou: 650 at home, 1000 registered, 1600 not registered (level 3)."""
    kinds = ("", "registered", "unregistered")
    got = [deductible(bill(packaged(HUIZHOU), NOW, "9000", remote=kind, paid_months=12)) for kind in kinds]
    assert got == ["650.00", "1000.00", "1600.00"]


def test_v07_remote_first_pay() -> None:
    """Zibo: nothing for the registered, 10 % for a journey, 20 % when nobody was told: of 30000, 3000 and 6000."""
    kinds = ("registered", "temporary", "unregistered")
    got = [bill(packaged(ZIBO), NOW, "30000", remote=kind, remote_place="outside") for kind in kinds]
    assert [yuan(d.first_pay) for d in got] == ["0.00", "3000.00", "6000.00"]
    assert (deductible(got[1]), pool(got[1])) == ("700.00", "21303.00")  # (27000 − 700) × 81 %


def test_v08_remote_lowers_the_ratio_in_points() -> None:
    """Anhui: 65 % less 10 referred, less 20 otherwise; 30000 less 6000 deductible and 4000 own = 20000."""
    law, place = packaged(BENGBU), {"own": "4000", "remote_place": "outside"}
    assert pool(resident(law, "2024-06-01", "30000", remote="referred", **place)) == "11000.00"
    assert pool(resident(law, "2024-06-01", "30000", remote="unregistered", **place)) == "9000.00"


def test_v09_remote_has_its_own_ratio_table() -> None:
    """Huizhou employees: 95 % referred, 70 % by own choice, 50 % at a hospital without a contract."""
    law, common = packaged(HUIZHOU), {"paid_months": 12}
    referred = bill(law, NOW, "11000", remote="referred", **common)
    chosen = bill(law, NOW, "11600", remote="own_choice", **common)
    elsewhere = bill(law, NOW, "11600", remote="own_choice", traits=("non_contracted",), **common)
    assert [pool(d) for d in (referred, chosen, elsewhere)] == ["9500.00", "7000.00", "5000.00"]


# ------------------------------------------------------------------ ratio


def test_v10_ratio_by_level() -> None:
    """Zibo 2025: 89, 85, 81 % of 10000 above the deductible."""
    costs = {"1": "10300", "2": "10500", "3": "10700"}
    got = [pool(bill(packaged(ZIBO), NOW, cost, level=level)) for level, cost in costs.items()]
    assert got == ["8900.00", "8500.00", "8100.00"]


def test_v11_ratio_by_amount_band_and_level() -> None:
    """Zibo before 2024, level 3: (10000 − 700) × 74 % + 40000 × 80 % + 10000 × 90 % = 6882 + 32000 + 9000."""
    assert pool(bill(packaged(ZIBO), "2021-06-01", "60000")) == "47882.00"


def test_v12_retired_have_points_more() -> None:
    """Zibo outpatients 2025, level 2: active 70 %, retired 75 % of 1000 above the deductible."""
    law = packaged(ZIBO)
    assert pool(bill(law, NOW, "1500", level="2", med_type="11")) == "700.00"
    assert pool(bill(law, NOW, "1500", level="2", med_type="11", psn_type="1201", age=65)) == "750.00"


def test_v13_retired_bear_a_share_of_the_own_part() -> None:
    """Zibo before 2024: half of the active's own share, 87/90/95 % at level 3; Beijing 60 %: 1 − 0.6 × 15 % = 91 %."""
    old = bill(packaged(ZIBO), "2021-06-01", "60000", psn_type="1201", age=65)
    assert pool(old) == "53591.00"  # 9300 × 87 % + 40000 × 90 % + 10000 × 95 %
    beijing = law_of("北京市", parameter("pool_ratio", '"85%"'), parameter("own_factor", '"60%"', 'person = "retired"'))
    assert pool(bill(beijing, NOW, "1000", psn_type="1201")) == "910.00"
    assert pool(bill(beijing, NOW, "1000")) == "850.00"


def test_v14_ratio_by_a_formula_of_age() -> None:
    """Chengdu 2009, 75 % + 0.2 % × age: at 40, 83 % of (30000 − 404.20); at 50, 85 %, cut at 46336."""
    law = packaged(CHENGDU)
    assert pool(bill(law, "2009-06-01", "30000", level="1", age=40)) == "24564.51"
    assert pool(bill(law, "2009-06-01", "60000", level="3", age=50)) == "46336.00"


def test_v15_ratio_by_months_of_payment() -> None:
    """Huizhou: 50 % before the sixth month, 95 % from it on; 10000 − 650 = 9350."""
    got = [pool(bill(packaged(HUIZHOU), NOW, "10000", paid_months=months)) for months in (5, 6)]
    assert got == ["4675.00", "8882.50"]


def test_v16_ratio_by_kind_of_enrolment() -> None:
    """Chongqing residents, level 3: first grade 40 %, second 45 % of 5000 − 800."""
    grades = ("grade_1", "grade_2")
    got = [pool(resident(packaged(YUBEI), NOW, "5000", med_type="52", enrolment_kind=g)) for g in grades]
    assert got == ["1680.00", "1890.00"]


def test_v17_bonuses_for_referral_add_up() -> None:
    """Zibo: +2 up to level 3, +5 down to level 1; Nanchang adds 5 for the family doctor to whatever else is due."""
    law = packaged(ZIBO)
    assert pool(bill(law, NOW, "10700", referred_from="2")) == "8300.00"
    assert pool(bill(law, NOW, "10300", level="1", referred_from="3")) == "9400.00"
    nanchang = law_of(
        "南昌市",
        '[traits]\nfamily_doctor = "签约家庭医生"\n',
        parameter("pool_bonus", '"5个百分点"', 'trait = "family_doctor"', group='"doctor"'),
        parameter("pool_bonus", '"5个百分点"', 'person = "retired"', group='"retired"'),
    )
    assert pool(bill(nanchang, NOW, "1000", traits=("family_doctor",), psn_type="1201")) == "900.00"
    assert pool(bill(nanchang, NOW, "1000", traits=("family_doctor",))) == "850.00"


def test_v18_single_lines_have_their_own_ratio() -> None:
    """Jiangxi: negotiated drugs 70 %; 2000 × 70 % + (8000 − 500) × 80 %. Zibo special drugs: 80 % above 20000."""
    jiangxi = law_of(
        "江西省",
        parameter("deductible", '"500元"', counter='"never.counted"'),
        parameter("line_ratio", '"70%"', 'group = "negotiated"'),
    )
    decision = bill(jiangxi, NOW, "10000", groups={"negotiated": "2000"})
    assert (deductible(decision), pool(decision)) == ("500.00", "7400.00")
    special = bill(packaged(ZIBO), NOW, "50000", med_type="18", groups={"special_drug": "50000"})
    assert yuan(special.fund("hifmi_pay")) == "24000.00"


# ------------------------------------------------------------------ limits


def test_v19_limit_on_the_cost_that_counts() -> None:
    """Anyang: 300 a month for each disease, 70 % of it; the month's second bill finds nothing left, July does."""
    law, common = packaged(ANYANG), {"med_type": "14", "disease_code": "M03900"}
    first = resident(law, "2025-06-01", "500", **common)
    (counter,) = first.counters
    assert (pool(first), counter.code, yuan(counter.delta)) == ("210.00", "chronic_hypertension.cost@2025-06", "300.00")
    used = {counter.code: "300"}
    assert pool(resident(law, "2025-06-20", "500", used=used, **common)) == "0.00"
    assert pool(resident(law, "2025-07-01", "500", used=used, **common)) == "210.00"


def test_v20_caps_on_payment_are_shared_between_benefits() -> None:
    """Zibo: inpatient and chronic care share 160000 a year; the two-disease cap lies inside the outpatient cap."""
    law = packaged(ZIBO)
    assert pool(bill(law, NOW, "10700", used={"inpatient_chronic.pool": "159000"})) == "1000.00"
    chronic = bill(law, NOW, "10700", med_type="14", disease_code="M05400", used={"inpatient_chronic.pool": "159500"})
    assert pool(chronic) == "500.00"
    both = {"med_type": "11", "level": "1", "disease_code": "M03900"}
    got = resident(law, "2021-06-01", "1000", used={"ordinary_outpatient.pool": "900"}, **both)
    assert pool(got) == "100.00"


def test_v21_cap_follows_an_index_with_a_lag() -> None:
    """Huizhou: 2 % of the average wage of two years before, to whole yuan: 101423 × 2 % = 2028.46 → 2028."""
    law = law_of(
        "惠州市",
        parameter("index", '"101423元"', index='"wage"'),
        parameter(
            "pool_cap",
            '{ share = "2%", of = "index.wage", years_back = 2, rounding = "half_up_yuan" }',
            counter='"ordinary_outpatient.pool"',
        ),
    )
    assert pool(bill(law, NOW, "9000")) == "2028.00"
    printed = [bill(packaged(HUIZHOU), f"{y}-06-01", "9000", med_type="11", account_kind="with_account") for y in (2024, 2025)]
    assert [pool(d) for d in printed] == ["2028.00", "2086.00"]


@pytest.mark.parametrize(
    ("years", "claim_free", "expected"),
    [(4, False, "250000.00"), (6, False, "256000.00"), (40, False, "300000.00"), (6, True, "259000.00")],
)
def test_v22_cap_is_raised_by_loyalty(years: int, claim_free: bool, expected: str) -> None:
    """Jiangxi: 3000 more for each year after the fourth and for a year without claims, at most 20 % of 250000."""
    rises = 'plus = "3000元", per = "continuous_years", beyond = 4, at_most = "300000元"'
    law = law_of(
        "江西省",
        parameter("pool_cap", f'{{ amount = "253000元", {rises} }}', "claim_free = true", counter='"pool"'),
        parameter("pool_cap", f'{{ amount = "250000元", {rises} }}', counter='"pool"'),
    )
    assert pool(bill(law, NOW, "900000", continuous_years=years, claim_free=claim_free)) == expected


# ------------------------------------------------------------------ layers


def test_v23_large_amounts_above_the_cap() -> None:
    """Qingyuan: 200000 ÷ 80 % = 250000 used up; (300000 − 800 − 250000) × 95 %. Xuzhou: 90 % to 69, 95 % from 70."""
    decision = bill(packaged(QINGYUAN), NOW, "300000")
    assert (pool(decision), yuan(decision.fund("hifob_pay"))) == ("200000.00", "46740.00")
    layer = {"fund": '"330100"', "field": '"hifob_pay"', "base": '"above_cap"'}
    xuzhou = law_of(
        "徐州市",
        parameter("pool_cap", '"80000元"', counter='"pool"', feeds="true"),
        parameter("layer", '"large"', title='"大额"', **layer),
        parameter("layer_ratio", '"95%"', "age = { from = 70 }", layer='"large"'),
        parameter("layer_ratio", '"90%"', layer='"large"'),
        order='["pool", "large", "cash"]',
    )
    got = [yuan(bill(xuzhou, NOW, "110000", age=age).fund("hifob_pay")) for age in (69, 70)]
    assert got == ["9000.00", "9500.00"]  # 110000 − 80000 ÷ 80 % = 10000


def test_v24_serious_illness_counts_the_year_and_favours_the_poor() -> None:
    """Zibo residents: above 18000 of own cost 60 %, whatever the bills it came from; the poor above 9000 65 %.

    120700 at level 3: (120700 − 700) × 60 % = 72000, own 48700, (48700 − 18000) × 60 % = 18420. The second
    stay bears 350: own 48490, all of it above the deductible: × 60 % = 29094. The poor: 39700 × 65 %.
    """
    law = packaged(ZIBO)
    first = resident(law, NOW, "120700")
    used = {c.code: yuan(c.delta) for c in first.counters}
    second = resident(law, NOW, "120700", admission=2, used=used)
    poor = resident(law, NOW, "120700", identities=("2303",))
    got = [yuan(d.fund("hifmi_pay")) for d in (first, second, poor)]
    assert got == ["18420.00", "29094.00", "25805.00"]


def test_v25_account_pays_before_the_pool() -> None:
    """Shanghai: the account first, then the own band of 1500, then the pool: 5000 − 800 − 1500 = 2700 × 70 %."""
    law = law_of(
        "上海市",
        parameter("deductible", '"1500元"', counter='"outpatient.deductible"'),
        parameter("pool_ratio", '"70%"'),
        parameter("account.pays", '"in_scope"'),
        parameter("account.first_limit", '"800元"'),
        order='["own_account", "pool", "cash"]',
    )
    decision = bill(law, NOW, "5000", balance="2000")
    assert (yuan(decision.account_pay), deductible(decision), pool(decision)) == ("800.00", "1500.00", "1890.00")
    assert yuan(decision.cash) == "2310.00"


def test_v26_shared_account_inside_or_beside() -> None:
    """The national default keeps it inside ``acct_pay``, as Zibo and Huizhou do; a region says so by a dated row."""
    day = date.fromisoformat(NOW)
    for city in (ZIBO, HUIZHOU):
        row = packaged(city).setting("account.shared_inside_acct_pay", day)
        assert row is not None
        assert row.number == 1
    beside = law_of("某市", parameter("account.shared_inside_acct_pay", "false"))
    row = beside.setting("account.shared_inside_acct_pay", day)
    assert row is not None
    assert row.number == 0


def test_v27_civil_servants_by_rank() -> None:
    """Zibo: 80 % of the own part without the deductible, (2467 − 700) × 80 %; Nanchang by rank 96 and 98 %."""
    law = packaged(ZIBO)
    assert yuan(bill(law, NOW, "10000", rank="141").fund("cvlserv_pay")) == "1413.60"
    assert yuan(bill(law, NOW, "10000").fund("cvlserv_pay")) == "0.00"
    layer = {"fund": '"320100"', "field": '"cvlserv_pay"', "base": '"own"'}
    nanchang = law_of(
        "南昌市",
        parameter("layer", '"servants"', 'rank = ["131", "141"]', title='"公务员补助"', **layer),
        parameter("layer_ratio", '"98%"', 'rank = "131"', layer='"servants"'),
        parameter("layer_ratio", '"96%"', layer='"servants"'),
        order='["pool", "servants", "cash"]',
    )
    got = [yuan(bill(nanchang, NOW, "5000", rank=rank).fund("cvlserv_pay")) for rank in ("131", "141", "")]
    assert got == ["980.00", "960.00", "0.00"]


def test_v28_assistance_in_layers_and_in_the_citys_order() -> None:
    """Yubei 2023, straight after the pool: (50000 − 34790) × 70 % = 10647, then (4563 − 3000) × 60 % = 937.80.

    Zibo, after serious illness, of 30000 that the pool has left: (30000 − 9000) × 65 % = 13650, then
    16350 × 75 % = 12262.50; what remains is below 5000.
    """
    yubei = resident(packaged(YUBEI), "2023-06-01", "52000", own="2000", level="2", identities=("2305",))
    assert [yuan(f.amount) for f in yubei.funds if f.field == "maf_pay"] == ["10647.00", "937.80"]
    zibo = resident(packaged(ZIBO), "2025-12-01", "30000", identities=("2303",), already={"hifp_pay": 0})
    assert [yuan(zibo.fund(field)) for field in ("hifmi_pay", "maf_pay")] == ["13650.00", "12262.50"]


# ------------------------------------------------------------------ maternity


def test_v29_delivery_by_ratio_lump_floor_and_share_of_the_spouse() -> None:
    """Zibo: residents at least 3000 or the whole bill; employees 100 %; the spouse 50 %; abortions a lump."""
    law, delivery = packaged(ZIBO), {"med_type": "52", "maternity": "birth"}
    amounts = ("2500", "5000", "6000")
    got = [pool(resident(law, NOW, amount, **delivery)) for amount in amounts]
    assert got == ["2500.00", "3000.00", "3180.00"]  # (6000 − 700) × 60 %
    assert pool(bill(law, NOW, "5000", **delivery)) == "5000.00"
    assert pool(bill(law, NOW, "5000", identities=("spouse_claim",), **delivery)) == "2500.00"
    abortion = {"med_type": "51", "maternity": "abortion"}
    got = [pool(bill(law, NOW, "900", pregnancy_months=months, **abortion)) for months in (3, 4)]
    assert got == ["400.00", "800.00"]


def test_v30_allowance_by_wage_days_and_divisor() -> None:
    """Zibo 2024, caesarean: 98 + 15 days, 7069 × 113 ÷ 30. Elsewhere a year's wage by days: 8500 × 12 ÷ 365 × 98."""
    law = packaged(ZIBO)
    common = {"insutype": "310", "psn_type": "1101", "paid_months": 24}
    case = AllowanceCase(admdvs=ZIBO, on=date(2024, 6, 1), wage=fen("7069"), maternity="caesarean", **common)
    answer = ask(case, law)
    assert (answer.amount("days"), yuan(answer.amount("allowance"))) == (113, "26626.57")
    yearly = law_of("上海市", parameter("allowance_divisor", '"12/365"'), parameter("allowance_days", '"98天"'))
    case = AllowanceCase(admdvs="990000", on=date(2025, 6, 1), wage=fen("8500"), maternity="birth", **common)
    assert yuan(ask(case, yearly).amount("allowance")) == "27386.30"


# ------------------------------------------------------------------ enrolment


@pytest.mark.parametrize(("missed", "paid_back", "months"), [(0, 0, 3), (3, 0, 6), (3, 3, 3), (5, 5, 6)])
def test_v31_waiting_time_and_its_repair(missed: int, paid_back: int, months: int) -> None:
    """Zibo: 3 months, 1 more for each missed year, 1 less for each paid back, 6 at least from four missed years on."""
    case = WaitingCase(
        admdvs=ZIBO, on=date(2025, 6, 1), insutype="390", psn_type="1501", years_missed=missed, paid_back_years=paid_back
    )
    assert ask(case, packaged(ZIBO)).amount("wait_months") == months


def test_v32_newborn_window() -> None:
    """Ninety days: whoever is enrolled on the ninetieth day has benefits from birth, a day later waits three months."""
    born = date(2025, 1, 1)
    for enrolled, months, start in ((date(2025, 4, 1), 0, born), (date(2025, 4, 2), 3, date(2025, 8, 1))):
        case = WaitingCase(admdvs=ZIBO, on=enrolled, insutype="390", psn_type="1401", born_on=born)
        answer = ask(case, packaged(ZIBO))
        assert (answer.amount("wait_months"), dict(answer.dates)["benefit_from"]) == (months, start)


def test_v33_dues_by_kind_and_date_within_a_band() -> None:
    """Huizhou: 10000 × 4.6 % + 2 % and 7402 × 0.1 % in 2024, 5.6 % in 2022; Meizhou: 6694 × 60 % = 4016.4 → 4016."""
    law, kind = packaged(HUIZHOU), {"account_kind": "with_account", "enrolment_kind": "employed"}
    now = dues(law, "2024-06-01", wage=fen("10000"), **kind)
    assert [now[name] for name in ("unit.basic", "person.basic", "unit.large_amount")] == ["460.00", "200.00", "7.40"]
    assert dues(law, "2024-06-01", wage=fen("3000"), **kind)["unit.basic"] == "204.29"  # 4441 × 4.6 %
    assert dues(law, "2022-06-01", wage=fen("10000"), **kind)["unit.basic"] == "560.00"
    meizhou = law_of(
        "梅州市",
        parameter("index", '"6694元"', index='"average_wage"'),
        parameter("dues_floor", '{ share = "60%", of = "index.average_wage", rounding = "half_up_yuan" }'),
        parameter("dues_rate", '"2%"', payer='"person"', part='"basic"'),
    )
    assert dues(meizhou, NOW, wage=fen("3000"))["base"] == "4016.00"


def test_v34_account_credit_by_rate_or_by_age() -> None:
    """Zibo: active 2 % of 11700 = 234; retired 106 below 70, 131 from 70 on."""

    def credit(psn_type: str, age: int, base: int | None = None) -> str:
        case = CreditCase(admdvs=ZIBO, on=date(2025, 6, 1), insutype="310", psn_type=psn_type, age=age, base=base)
        return yuan(ask(case, packaged(ZIBO)).amount("amount"))

    assert [credit("1101", 40, fen("11700")), credit("1201", 69), credit("1201", 70)] == ["234.00", "106.00", "131.00"]


def test_v35_chosen_providers() -> None:
    """Qingyuan: the second chosen provider has its own limit of 400; Huizhou: elsewhere the chosen one's level decides."""
    law = packaged(QINGYUAN)
    got = [pool(bill(law, NOW, "1000", med_type="11", provider=word)) for word in ("first", "second")]
    assert got == ["700.00", "400.00"]
    common = {"med_type": "11", "account_kind": "with_account", "provider": "other"}
    got = [pool(bill(packaged(HUIZHOU), NOW, "1000", referred_from=level, **common)) for level in ("1", "3")]
    assert got == ["850.00", "600.00"]


def test_v36_clearing_period_and_cut_dates() -> None:
    """Zibo clears by calendar month; a region that cuts on the 20th, or by quarter, says so in its file."""

    def period(law: RegionPolicy, on: str) -> tuple[str, str, str]:
        found = clearing_period(law, date.fromisoformat(on))
        assert isinstance(found, ClearingPeriod)
        return found.name, found.begins.isoformat(), found.ends.isoformat()

    assert period(packaged(ZIBO), "2026-02-28") == ("2026-02", "2026-02-01", "2026-03-01")
    cut = law_of("某市", parameter("clearing.period", '"month"'), parameter("clearing.cut_day", '"20日"'))
    assert period(cut, "2026-01-20") == ("2026-01", "2025-12-21", "2026-01-21")
    assert period(cut, "2026-01-21") == ("2026-02", "2026-01-21", "2026-02-21")
    assert period(cut, "2025-12-31") == ("2026-01", "2025-12-21", "2026-01-21")
    quarter = law_of("某市", parameter("clearing.period", '"quarter"'), parameter("clearing.cut_day", '"31日"'))
    assert period(quarter, "2026-02-28") == ("2026Q1", "2026-01-01", "2026-04-01")
    refused = clearing_period(law_of("某市"), date(2026, 1, 1))
    assert isinstance(refused, Refusal)


def test_v36_clearing_kind_and_the_time_to_claim() -> None:
    """Every benefit names the clearing it belongs to; how long a claim may wait is dated law of the region."""
    law = packaged(ZIBO)
    assert [bill(law, NOW, "1000", med_type=kind).clr_type for kind in ("11", "21")] == ["11", "21"]

    def within(city: str, on: str) -> list[str]:
        day = packaged(city).law_on(date.fromisoformat(on))
        assert day is not None
        return [row.used.value for row in day.reckoning["claim_within"] if not row.conditions]

    assert (within(ZIBO, NOW), within(HUIZHOU, NOW)) == (["1 年"], ["12 个月"])
    assert within(HUIZHOU, "2020-06-01") == ["30 天"]
