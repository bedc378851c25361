"""Each kind of rule hits what its row says, and nothing beside it. Items and values are rows of the published tables."""

from __future__ import annotations

from datetime import date

import pytest

from tests.unit.review.charges import ELSEWHERE, at, book, charge, codes, drug, judged

MONITORING, WARD_BED = "001103000010000", "001109000010000"  # 急诊监护费 含监护、床位、诊查、护理; 普通病房床位费: 单日
DELIVERY, FETAL = "003314000020000", "003112010260000"       # 单胎顺产接生 and 胎心监测: 6小时
EAR, SKIN = "003305010170000", "003316030300000"             # 分期耳廓成形术 and 游离皮片移植术: 单次就诊
HEATING, VENTILATOR = "001107000010000", "003106030010000"   # 病房取暖费 1 a day; 呼吸机辅助呼吸 24 hours a day
HBA1C, FRUCTOSAMINE = "002503020030000", "002503020020000"   # once in 15 days; once in 7 days
TRAINING, BALANCE = "003402000210000", "003402000240000"     # 减重支持系统训练 30 days; 平衡功能训练 90 days
CANCER, STOMACH = "003310010230000", "003310020060000"       # 贲门癌扩大根治术, 胃癌扩大根治术: 胃肠手术组
VAGINAL, SPERM = "002202020010000", "002501040040000"        # 经阴道B超检查: women; 精液常规检查: men
TOOTH, NEWBORN, WORK = "003105120040000", "003112020030000", "003402000320000"


def test_the_tables_hold_what_their_readme_says() -> None:
    kinds: dict[str, int] = {}
    for rule in book().rules.values():
        kinds[rule.kind.name] = kinds.get(rule.kind.name, 0) + 1
    # services + drugs + derived restrictions, as the source counts them
    assert kinds["duplicate_charge"] == 900
    assert kinds["sex"] == 390 + 481
    assert kinds["same_incision_group"] == 378
    assert kinds["frequency"] == 67
    assert kinds["period_frequency"] == 14
    assert kinds["piece_alone"] == 114
    assert kinds["age"] == 31 + 282 + 102
    assert kinds["insurance"] == 12 + 8
    assert kinds["visit_kind"] == 35 + 11
    assert kinds["hospital_level"] == 61 + 1
    assert kinds["paid_course"] == 11 + 30 + 8


class TestDuplicateCharge:
    def test_an_included_item_on_the_same_day_is_hit(self) -> None:
        bed = charge(WARD_BED, at(2, 20), price=45)
        (hit,) = judged(charge(MONITORING, at(2, 8), price=200), bed, only=("R01",))
        assert hit.rule_id == f"R01-{MONITORING}-{WARD_BED}"
        assert [(b.charge, b.amount_fen) for b in hit.broken] == [(bed, 4500)]
        assert "急诊监护费" in hit.reason
        assert "第7批" in hit.basis

    def test_the_next_day_is_another_day(self) -> None:
        assert judged(charge(MONITORING, at(2)), charge(WARD_BED, at(3)), only=("R01",)) == ()

    def test_each_alone_is_fine(self) -> None:
        assert judged(charge(WARD_BED, at(2))) == ()

    def test_another_institution_on_the_same_day_is_fine(self) -> None:
        earlier = charge(MONITORING, at(2), institution=ELSEWHERE, visit="V0")
        assert judged(charge(WARD_BED, at(2, 20)), history=(earlier,), only=("R01",)) == ()

    def test_within_six_hours_is_hit_and_six_hours_later_is_not(self) -> None:
        delivery = charge(DELIVERY, at(2, 10))
        assert codes(judged(delivery, charge(FETAL, at(2, 15, 59)), only=("R01",))) == ["R01"]
        assert codes(judged(delivery, charge(FETAL, at(2, 4, 1)), only=("R01",))) == ["R01"]
        assert judged(delivery, charge(FETAL, at(2, 16)), only=("R01",)) == ()

    def test_in_one_visit_days_do_not_matter(self) -> None:
        assert codes(judged(charge(EAR, at(2)), charge(SKIN, at(20)), only=("R01",))) == ["R01"]
        other = charge(EAR, at(2), visit="V0")
        assert judged(charge(SKIN, at(2, 20)), history=(other,), only=("R01",)) == ()

    def test_where_the_included_item_was_settled_before_the_later_one_is_hit_with_the_lesser_amount(self) -> None:
        whole = charge(MONITORING, at(2, 20), price=200)
        (hit,) = judged(whole, history=(charge(WARD_BED, at(2, 8), price=45),), only=("R01",))
        assert [(b.charge, b.amount_fen) for b in hit.broken] == [(whole, 4500)]

    def test_what_was_returned_is_not_charged(self) -> None:
        bed = charge(WARD_BED, at(2, 9))
        assert judged(charge(MONITORING, at(2)), bed, charge(WARD_BED, at(2, 10), times=-1), only=("R01",)) == ()


class TestFrequency:
    def test_two_a_day_are_one_too_many(self) -> None:
        (hit,) = judged(charge(HEATING, at(2, 8), price=4), charge(HEATING, at(2, 20), price=4), only=("R02",))
        assert [(b.charge.at.hour, b.quantity_e4, b.amount_fen) for b in hit.broken] == [(20, 10_000, 400)]
        assert len(hit.involved) == 1

    def test_one_a_day_for_ten_days_is_fine(self) -> None:
        assert judged(*(charge(HEATING, at(d)) for d in range(1, 11)), only=("R02",)) == ()

    def test_midnight_divides_days_in_china(self) -> None:
        assert judged(charge(HEATING, at(2, 23, 59)), charge(HEATING, at(3, 0, 0)), only=("R02",)) == ()

    def test_25_hours_of_a_day_are_one_too_many(self) -> None:
        assert judged(charge(VENTILATOR, at(2), times=24), only=("R02",)) == ()
        (hit,) = judged(charge(VENTILATOR, at(2), times=25, price=8), only=("R02",))
        assert hit.broken[0].quantity_e4 == 10_000
        assert hit.broken[0].amount_fen == 800

    def test_what_was_settled_uses_the_day_up(self) -> None:
        history = (charge(HEATING, at(2, 7)),)
        assert codes(judged(charge(HEATING, at(2, 8)), history=history, only=("R02",))) == ["R02"]

    def test_what_was_settled_elsewhere_does_not(self) -> None:
        history = (charge(HEATING, at(2, 7), institution=ELSEWHERE, visit="V0"),)
        assert judged(charge(HEATING, at(2, 8)), history=history, only=("R02",)) == ()

    def test_a_returned_charge_does_not_count(self) -> None:
        twice = (charge(HEATING, at(2, 8)), charge(HEATING, at(2, 9)))
        assert judged(*twice, charge(HEATING, at(2, 10), times=-1), only=("R02",)) == ()


class TestPeriodFrequency:
    def test_again_on_the_fourteenth_day_is_hit_on_the_fifteenth_not(self) -> None:
        first = charge(HBA1C, at(1))
        assert codes(judged(first, charge(HBA1C, at(15)), only=("R03",))) == ["R03"]     # 14 days between
        assert judged(first, charge(HBA1C, at(16)), only=("R03",)) == ()                 # 15 days between

    def test_other_institutions_count(self) -> None:
        history = (charge(FRUCTOSAMINE, at(1), institution=ELSEWHERE, visit="V0"),)
        assert codes(judged(charge(FRUCTOSAMINE, at(7)), history=history, only=("R03",))) == ["R03"]
        assert judged(charge(FRUCTOSAMINE, at(8)), history=history, only=("R03",)) == ()

    def test_a_late_upload_before_a_settled_one_is_hit_too(self) -> None:
        history = (charge(FRUCTOSAMINE, at(7), visit="V0"),)
        assert codes(judged(charge(FRUCTOSAMINE, at(3)), history=history, only=("R03",))) == ["R03"]


class TestPaidCourse:
    def test_the_31st_day_is_hit(self) -> None:
        thirty = [charge(TRAINING, at(d)) for d in range(1, 31)]
        assert judged(*thirty, only=("R04",)) == ()
        (hit,) = judged(*thirty, charge(TRAINING, at(31), price=50), only=("R04",))
        assert [(b.charge.day, b.amount_fen) for b in hit.broken] == [(date(2026, 3, 31), 5000)]

    def test_two_charges_of_one_day_are_one_paid_day(self) -> None:
        days = [charge(TRAINING, at(d)) for d in range(1, 31)]
        assert judged(*days, charge(TRAINING, at(30, 15)), only=("R04",)) == ()

    def test_a_drug_lasts_the_days_of_its_prescription(self) -> None:
        fourteen = drug("丁苯酞软胶囊", at(1), days=20)                                # paid for 20 days
        assert judged(fourteen, only=("R04",)) == ()
        (hit,) = judged(drug("丁苯酞软胶囊", at(1), days=25, times=5, price=100), only=("R04",))
        assert hit.broken[0].quantity_e4 == 10_000                                     # 5 of 25 days: 1 of 5 boxes
        assert hit.broken[0].amount_fen == 10_000

    def test_a_new_course_begins_after_the_gap(self) -> None:
        history = tuple(drug("丁苯酞软胶囊", at(1, month=m), days=20, visit="V0") for m in (1,))
        again = drug("丁苯酞软胶囊", at(1, month=6), days=20)                           # 132 days after the last one
        assert judged(again, history=history, only=("R04",)) == ()
        soon = drug("丁苯酞软胶囊", at(1, month=2), days=5)
        assert codes(judged(soon, history=history, only=("R04",))) == ["R04"]

    def test_what_counts_in_one_stay_does_not_count_earlier_stays(self) -> None:
        history = tuple(drug("注射用重组人脑利钠肽", at(d), visit="V0") for d in (1, 2, 3))
        stay = [drug("注射用重组人脑利钠肽", at(d)) for d in (10, 11, 12)]             # 单次住院支付不超过3天
        assert judged(*stay, history=history, only=("R04",), kinds=("inpatient",)) == ()
        fourth = drug("注射用重组人脑利钠肽", at(13))
        assert codes(judged(*stay, fourth, history=history, only=("R04",), kinds=("inpatient",))) == ["R04"]

    def test_a_span_runs_from_the_first_day(self) -> None:
        history = (charge("003402000050000", at(1, month=1)),)                          # 手功能评定 总时间不超过90天
        assert judged(charge("003402000050000", at(31)), history=history, only=("R04",)) == ()     # day 89
        hits = judged(charge("003402000050000", at(1, month=4)), history=history, only=("R04",))    # day 90: one gap
        assert codes(hits) == ["R04"]


class TestSameIncision:
    def test_a_second_operation_at_the_full_price_is_hit_for_what_is_above_the_share(self) -> None:
        dear = charge(CANCER, at(2, 10), price=3000)
        second = charge(STOMACH, at(2, 11), price=2000)
        (hit,) = judged(dear, second, only=("R05",))
        assert [(b.charge, b.amount_fen) for b in hit.broken] == [(second, 100_000)]    # 2000 - 50 %
        assert hit.involved == (dear,)
        assert "胃肠手术组" in hit.reason

    def test_one_charged_at_its_share_of_the_limit_is_fine(self) -> None:
        second = charge(STOMACH, at(2, 11), price=1000, limit=2000)
        assert judged(charge(CANCER, at(2, 10), price=3000), second, only=("R05",)) == ()

    def test_another_day_or_one_operation_alone_is_fine(self) -> None:
        assert judged(charge(CANCER, at(2)), charge(STOMACH, at(3)), only=("R05",)) == ()
        assert judged(charge(CANCER, at(2)), only=("R05",)) == ()

    def test_without_a_share_the_amount_is_unknown(self) -> None:
        (hit,) = judged(charge(CANCER, at(2), price=9), charge(STOMACH, at(2)), only=("R05",), share=None)
        assert hit.amount_fen is None


class TestSexAndAge:
    def test_an_item_for_women_charged_to_a_man(self) -> None:
        (hit,) = judged(charge(VAGINAL, at(2), price=120, name="经阴道B超检查"), sex="1")
        assert hit.rule_id == f"R06-{VAGINAL}"
        assert hit.amount_fen == 12_000
        assert hit.reason == "经阴道B超检查限女性使用，参保人为男性"
        assert hit.severity == "1"

    @pytest.mark.parametrize("sex", ["2", "0", "9"])
    def test_a_woman_or_somebody_of_unknown_sex_is_not_accused(self, sex: str) -> None:
        assert judged(charge(VAGINAL, at(2)), sex=sex) == ()

    def test_an_item_for_men_charged_to_a_woman(self) -> None:
        assert codes(judged(charge(SPERM, at(2)))) == ["R06"]
        assert judged(charge(SPERM, at(2)), sex="1") == ()

    def test_a_drug_is_known_by_its_name(self) -> None:
        assert codes(judged(drug("艾附暖宫丸", at(2)), sex="1")) == ["R06"]
        assert judged(drug("艾附暖宫丸(自制)", at(2)), sex="1") == ()

    def test_a_service_that_bears_a_drugs_name_is_no_drug(self) -> None:
        assert judged(charge("X1", at(2), name="艾附暖宫丸"), sex="1") == ()

    def test_children_are_below_18(self) -> None:
        child, grown = date(2008, 3, 3), date(2008, 3, 2)
        assert judged(charge(TOOTH, at(2)), birth_on=child) == ()
        assert codes(judged(charge(TOOTH, at(2)), birth_on=grown)) == ["R07"]           # 18 on that day

    def test_newborns_are_at_most_28_days_old(self) -> None:
        assert judged(charge(NEWBORN, at(29)), birth_on=date(2026, 3, 1)) == ()
        assert codes(judged(charge(NEWBORN, at(30)), birth_on=date(2026, 3, 1))) == ["R07"]

    def test_each_day_has_its_own_age(self) -> None:
        first, second = charge(NEWBORN, at(29)), charge(NEWBORN, at(30))
        (hit,) = judged(first, second, birth_on=date(2026, 3, 1))
        assert [b.charge for b in hit.broken] == [second]

    def test_training_for_work_is_for_those_of_working_age(self) -> None:
        assert judged(charge(WORK, at(2)), birth_on=date(1980, 1, 1)) == ()
        assert codes(judged(charge(WORK, at(2)), birth_on=date(1950, 1, 1))) == ["R07"]
        assert codes(judged(charge(WORK, at(2)), birth_on=date(2012, 1, 1))) == ["R07"]

    def test_a_drug_from_an_age_on(self) -> None:
        old_enough, too_young = date(2020, 3, 2), date(2020, 3, 3)                      # 6岁及以上
        assert judged(drug("盐酸替洛利生片", at(2)), birth_on=old_enough) == ()
        assert codes(judged(drug("盐酸替洛利生片", at(2)), birth_on=too_young)) == ["R07"]


class TestVisit:
    def test_a_drug_of_work_injury(self) -> None:
        assert codes(judged(drug("氢醌乳膏", at(2)))) == ["R08"]
        assert judged(drug("氢醌乳膏", at(2)), kinds=("work_injury",)) == ()

    def test_a_drug_of_maternity(self) -> None:
        assert codes(judged(drug("地诺前列酮栓", at(2)), kinds=("inpatient",))) == ["R08"]
        assert judged(drug("地诺前列酮栓", at(2)), kinds=("inpatient", "maternity")) == ()

    def test_a_drug_for_in_patients(self) -> None:
        assert codes(judged(drug("ω-3鱼油脂肪乳注射液", at(2)))) == ["R09"]
        assert codes(judged(drug("ω-3鱼油脂肪乳注射液", at(2)), kinds=("emergency",))) == ["R09"]
        assert judged(drug("ω-3鱼油脂肪乳注射液", at(2)), kinds=("inpatient",)) == ()

    def test_a_drug_for_emergencies_or_in_patients(self) -> None:
        assert codes(judged(drug("安宫牛黄丸", at(2)))) == ["R09"]
        assert judged(drug("安宫牛黄丸", at(2)), kinds=("emergency",)) == ()

    def test_the_level_of_the_institution(self) -> None:
        assert codes(judged(drug("艾迪注射液", at(2)), level="1")) == ["R10"]
        for level in ("2", "3", ""):                                                    # "" a pharmacy: unknown
            assert judged(drug("艾迪注射液", at(2)), level=level) == ()

    def test_only_the_first_prescription_needs_the_level(self) -> None:
        assert codes(judged(drug("度拉糖肽注射液", at(2)), level="1")) == ["R10"]
        earlier = (drug("度拉糖肽注射液", at(1, month=1), institution=ELSEWHERE, visit="V0"),)
        assert judged(drug("度拉糖肽注射液", at(2)), level="1", history=earlier) == ()


class TestPieces:
    def test_a_piece_alone_and_pieces_of_the_kind_alone(self) -> None:
        jade, rose = (drug(n, at(2), list_type="102", rx="R1") for n in ("玉竹", "玫瑰花"))
        assert codes(judged(jade)) == ["R11"]
        (hit,) = judged(jade, rose)
        assert len(hit.broken) == 2

    def test_beside_another_piece_of_the_prescription_it_is_paid(self) -> None:
        jade = drug("玉竹", at(2), list_type="102", rx="R1")
        other = drug("麻黄", at(2), list_type="102", rx="R1")
        assert judged(jade, other) == ()
        elsewhere = drug("麻黄", at(2), list_type="102", rx="R2")
        assert codes(judged(jade, elsewhere)) == ["R11"]

    def test_a_drug_of_that_name_is_no_piece(self) -> None:
        assert judged(drug("玉竹", at(2))) == ()


class TestOrderedFrequency:
    def test_more_than_ordered(self) -> None:
        three = [charge("009", at(2, h), frequency="bid") for h in (8, 12, 18)]
        (hit,) = judged(*three)
        assert hit.rule_id == "R12-009"
        assert hit.severity == "3"
        assert hit.broken[0].quantity_e4 == 10_000

    def test_as_ordered_as_needed_or_without_an_order(self) -> None:
        assert judged(*(charge("009", at(2, h), frequency="BID") for h in (8, 18))) == ()
        assert judged(*(charge("009", at(2, h), frequency="prn") for h in (8, 12, 18))) == ()
        assert judged(*(charge("009", at(2, h)) for h in (8, 12, 18))) == ()

    def test_a_drugs_frequency_is_no_number_of_charges(self) -> None:
        assert judged(drug("某药", at(2), times=20, frequency="tid")) == ()

    def test_once_a_week(self) -> None:
        assert codes(judged(charge("009", at(2), frequency="qw"), charge("009", at(8), frequency="qw"))) == ["R12"]
        assert judged(charge("009", at(2), frequency="qw"), charge("009", at(9), frequency="qw")) == ()


class TestWhatIsJudged:
    def test_charges_before_the_rules_are_not(self) -> None:
        early = charge(VAGINAL, at(2).replace(year=2024))
        assert judged(early, sex="1") == ()

    def test_the_history_alone_is_never_hit(self) -> None:
        assert judged(history=(charge(VAGINAL, at(2)), charge(HEATING, at(2), times=5)), sex="1") == ()

    def test_only_the_rules_asked_for(self) -> None:
        bill = (charge(VAGINAL, at(2)), charge(HEATING, at(2), times=2))
        assert codes(judged(*bill, sex="1")) == ["R02", "R06"]
        assert codes(judged(*bill, sex="1", only=("R06",))) == ["R06"]
        assert codes(judged(*bill, sex="1", only=(f"R02-{HEATING}",))) == ["R02"]
