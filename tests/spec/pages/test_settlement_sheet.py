"""A settlement is explained line by line and step by step, and sums to its result."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from tests.spec.pages import world
from tests.spec.pages.test_inspector import words
from yibao.infra.database import Database

SHEET = f"/institution/settlements/{world.SETTLED}"
REFUND = "202611220900000000009"


@pytest.fixture
async def refunded(filled: Database) -> AsyncIterator[None]:
    """Refund the settlement for the time of one test."""
    async with filled.transaction() as tx:
        await world.insert_settlement(
            tx, setl_id=REFUND, at=world.NOW - timedelta(minutes=5), sign=-1, origin=world.SETTLED
        )
        await tx.execute("update settlements.settlement set state = 'reversed' where setl_id = $1", world.SETTLED)
    yield
    async with filled.transaction() as tx:
        await tx.execute("delete from settlements.settlement where setl_id = $1", REFUND)
        await tx.execute("update settlements.settlement set state = 'active' where setl_id = $1", world.SETTLED)


async def test_result_is_said_in_one_sentence(ours: httpx.AsyncClient) -> None:
    page = words((await ours.get(SHEET)).text)
    assert "总费用 266.25 元，医保基金支付 90.27 元，个人账户支付 120.00 元，本人支付现金 55.98 元。" in page
    assert "城镇职工基本医疗保险统筹基金 90.27 个人账户 120.00 个人现金 55.98" in page


async def test_every_line_says_how_it_was_split_and_why(ours: httpx.AsyncClient) -> None:
    page = words((await ours.get(SHEET)).text)
    for line in (
        "缬沙坦胶囊 XC09CAX138A001010178445 甲类 25.6 × 2 51.20 0.00 0.00 0.00 51.20",
        "恩格列净片 XA10BAE046A001010100001 乙类 限制使用 42.35 × 3 127.05 0.00 0.00 12.71 114.34 先自付 10%",
        "普通门诊诊查费 001102000010000-110200001 甲类 20 × 1 20.00 0.00 5.00 0.00 15.00 限价 15",
        "营养制剂 XB05ZZZ000A001010100002 丙类 68 × 1 68.00 68.00 0.00 0.00 0.00 不在目录支付范围内",
        "合计 266.25 68.00 5.00 12.71 180.54",
    ):
        assert line in page, line


async def test_every_step_shows_base_rule_date_clause_source_and_counter(ours: httpx.AsyncClient) -> None:
    page = words((await ours.get(SHEET)).text)
    for shown in (
        "统筹基金支付 90.27 (180.54 − 0.00) × 50% ＝ 90.27 计算基数 180.54 · 本年度累计：结算前 510.00，结算后 600.27",
        "门诊起付标准 300.00 元 官方文件 ZB-201 适用：一级、二级医疗机构，在职；自 2026-01-01 起 "
        "第八条第一款；来源：示例市人民政府文件〔2025〕1号",
    ):
        assert shown in page, shown


async def test_every_line_names_the_dated_values_it_rests_on(ours: httpx.AsyncClient) -> None:
    page = words((await ours.get(SHEET)).text)
    weak = "⚠ 示例参数，非当地现行政策"
    assert f"目录类别：乙类，先行自付 10%，自 2025-01-01 起；示例数据 {weak}" in page
    assert f"目录类别：甲类，自 2025-01-01 起；国家目录 支付标准：15 元；示例数据 {weak}" in page


async def test_weak_values_are_marked_where_they_are_used(ours: httpx.AsyncClient) -> None:
    html = (await ours.get(SHEET)).text
    lines, steps = html[:html.index("<footer")].split('aria-labelledby="steps"')
    assert lines.count("⚠ 示例参数，非当地现行政策") == 2
    assert steps.count("⚠ 示例参数，非当地现行政策") == 2
    assert steps.count('<li class="weak">') == 2


async def test_sums_are_shown_and_hold(ours: httpx.AsyncClient) -> None:
    page = words((await ours.get(SHEET)).text)
    assert "医疗费总额 ＝ 基金支付 ＋ 个人负担 ＋ 医院负担 266.25 266.25 相等" in page
    assert page.count("相等") == 5
    assert "不等" not in page


@pytest.mark.usefixtures("refunded")
async def test_refund_is_shown_with_its_sign_and_both_sides_are_linked(ours: httpx.AsyncClient) -> None:
    origin = await ours.get(SHEET)
    assert "已撤销" in origin.text
    assert REFUND in origin.text
    html = (await ours.get(f"/institution/settlements/{REFUND}")).text
    assert "总费用 −266.25 元" in words(html)
    assert f"本单冲回 <a href=\"{SHEET}\">" in html
    assert "不等" not in html
    assert "结算时的政策版本已不在库中" in html


@pytest.mark.usefixtures("refunded")
async def test_list_sums_settlements_and_refunds(ours: httpx.AsyncClient) -> None:
    page = words((await ours.get("/institution/settlements")).text)
    assert "结算单 2 总费用 0.00 基金 0.00 个人账户 0.00 个人现金 0.00" in page
    found = words((await ours.get("/institution/settlements", params={"q": world.SETTLED})).text)
    assert "共 2 笔" in found


async def test_patient_s_name_is_masked_on_the_sheet(ours: httpx.AsyncClient) -> None:
    html = (await ours.get(SHEET)).text
    assert "张*敏" in html
    assert world.NAME not in html
