"""What changed between two versions, in words."""

from __future__ import annotations

from tests.unit.windows.plans import SMALL, plan_of
from yibao.domains.windows.comparing import compare_plans
from yibao.kernel.refusal import Refusal
from yibao.usecases.windows.compare_plans import compare_plans as compare_texts


def says(changed: str) -> list[str]:
    """Return in words what changed from the small plan."""
    return [c.says for c in compare_plans(plan_of(), plan_of(changed))]


def test_the_same_text_has_no_changes() -> None:
    assert says(SMALL) == []


def test_a_moved_restart_says_from_when_to_when_and_by_how_much() -> None:
    assert says(SMALL.replace('restart = "2021-10-18 24:00"\nnormal = "2021-10-20 08:00"',
                              'restart = "2021-10-20 24:00"\nnormal = "2021-10-20 24:00"')) == [
        "结算的恢复时间由10月18日（星期一）24:00改为10月20日（星期三）24:00（推迟 2 天）",
        "结算的全面恢复时间由10月20日（星期三）08:00改为10月21日（星期四）00:00（推迟 16 小时）",
    ]


def test_a_restart_that_is_announced_at_last() -> None:
    assert says(SMALL.replace('restart = "待公告"\nrestart_says = "另行公告"', 'restart = "2021-11-01 08:00"')) == [
        "经办的恢复时间由待公告改为11月1日（星期一）08:00"]


def test_a_moved_time_names_the_businesses_it_concerns() -> None:
    [change] = compare_plans(plan_of(), plan_of(SMALL.replace('stop = "2021-10-05 18:00"', 'stop = "2021-10-06 18:00"')))
    assert (change.kind, change.what, change.name, change.field) == ("moved", "track", "desk", "stop")
    assert "enrolment" in change.business
    assert "inpatient_settlement" not in change.business


def test_rules_added_removed_and_changed() -> None:
    without = SMALL[:SMALL.index('\n[[rule]]\nid = "M5"')]
    assert says(without) == ["取消规则 M5（补办备案）：可以补办备案"]
    back = [c.says for c in compare_plans(plan_of(without), plan_of())]
    assert back == ["新增规则 M5（补办备案）：可以补办备案"]
    assert says(SMALL.replace('"hold_open"', '"capture_credential"')) == ["规则 M2 的处置方式由“挂账”改为“留存凭证补录”"]
    assert says(SMALL.replace('says = "先挂账"', 'says = "先签字挂账"')) == ["规则 M2 的说明由“先挂账”改为“先签字挂账”"]


def test_a_business_that_moves_to_another_track() -> None:
    moved = SMALL.replace('"remote"]\nlast', '"remote", "-referral"]\nlast').replace(
        '"linked"]\nstop', '"linked", "referral"]\nstop')
    assert says(moved) == ["结算不再包括转诊转院备案", "经办增加转诊转院备案"]


def test_a_telephone_that_changes() -> None:
    assert says(SMALL.replace('phone = "3120000"', 'phone = "3120001"')) == ["咨询电话 医保 有变：3120000 → 3120001"]


def test_plans_of_two_regions_are_not_compared() -> None:
    refusal = compare_texts(SMALL, SMALL.replace('"370300"', '"441300"'))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "PLANS_OF_DIFFERENT_REGIONS"
