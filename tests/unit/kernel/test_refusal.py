"""A refusal says what was wrong, where, with what, and what to do."""

from __future__ import annotations

from yibao.kernel.refusal import Fault, Refusal, refuse


def test_one_fault_is_one_sentence() -> None:
    refusal = refuse("TOTAL_DIFFERS", "医疗费总额与明细合计不一致", field="data.medfee_sumamt", received="10.00",
                     remedy="请核对明细")
    assert refusal.code == "TOTAL_DIFFERS"
    assert refusal.sentence() == "data.medfee_sumamt：医疗费总额与明细合计不一致（收到：10.00），请核对明细"


def test_a_field_that_the_reason_names_is_not_said_twice() -> None:
    assert Fault("X", "psn_no不能为空", field="psn_no").sentence() == "psn_no不能为空"


def test_a_bare_reason_stands_alone() -> None:
    assert refuse("X", "交易尚未开通").sentence() == "交易尚未开通"


def test_several_faults_are_numbered_and_the_first_names_the_refusal() -> None:
    refusal = Refusal((Fault("A", "甲"), Fault("B", "乙", field="f")))
    assert refusal.code == "A"
    assert refusal.sentence() == "1. 甲；2. f：乙"
