"""A visit that a hospital's own system settled over HTTP is found and explained on its pages, to the fen."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import httpx
import pytest
from playwright.async_api import Browser

from tests.spec.conftest import base_url, till, till_for, world, world_url
from tests.spec.pages.conftest import token_in
from tests.spec.pages.test_inspector import rows, words
from tests.support.till import Refused, Till

pytestmark = pytest.mark.slow

__all__ = ["base_url", "till", "till_for", "world", "world_url"]  # the served platform, used here as fixtures

WEAK = "⚠ 示例参数，非当地现行政策"


def office_of(world: dict[str, Any], till: Till) -> dict[str, str]:
    """Return the log-in of the office at the till's institution."""
    code = till.counter.fixmedins_code
    pages = next(i["pages"] for i in world["institutions"] if i["fixmedins_code"] == code)
    return {"login": pages["login"], "password": pages["password"]}


@pytest.fixture
def office(world: dict[str, Any], till: Till) -> Iterator[httpx.Client]:
    """Return the browser of the insurance office, logged in."""
    with httpx.Client(base_url=world["base_url"]) as client:
        form = token_in(client.get("/institution/login").text)
        answer = client.post("/institution/login", data=office_of(world, till) | {"form_token": form})
        assert answer.status_code == 303
        yield client


def settle(world: dict[str, Any], till: Till, *, with_refund: bool = False) -> list[dict[str, Any]]:
    """Settle the visit of the first patient of the till's region; return the heads of the replies."""
    patient = next(
        p for p in world["patients"] if p["insuplc_admdvs"][:4] == till.counter.region[:4] and p["balance"]
    )
    place = patient["insuplc_admdvs"]
    bill = till.prepare(patient, patient["visit"])
    wrong = {"data": bill["data"] | {"medfee_sumamt": 1}}
    with pytest.raises(Refused):
        till.call("2207", wrong, insured_place=place)
    heads = [till.call("2207", bill, insured_place=place)["setlinfo"] | {"certno": patient["certno"]}]
    if with_refund:
        keys = {k: heads[0][k] for k in ("setl_id", "mdtrt_id", "psn_no")}
        heads.append(till.call("2208", {"data": keys}, insured_place=place)["setlinfo"])
    return heads


def test_sheet_sums_to_the_settlement_and_shows_every_step(world: dict[str, Any], till: Till, office: httpx.Client) -> None:
    (head,) = settle(world, till)
    html = office.get(f"/institution/settlements/{head['setl_id']}").text
    page = words(html)
    amounts = {name: f"{Decimal(str(head[name])):,.2f}" for name in (
        "medfee_sumamt", "fund_pay_sumamt", "acct_pay", "psn_cash_pay")}
    assert (
        f"总费用 {amounts['medfee_sumamt']} 元，医保基金支付 {amounts['fund_pay_sumamt']} 元，"
        f"个人账户支付 {amounts['acct_pay']} 元，本人支付现金 {amounts['psn_cash_pay']} 元" in page
    )
    assert page.count("相等") == 5
    assert "不等" not in page
    assert "不一致" not in page
    assert re.search(r"现金支付 " + re.escape(amounts["psn_cash_pay"]), page), "the last step yields the cash"
    assert html.count("<code>ZB-") + html.count("<code>P-") + html.count('class="val"') > 3
    assert len(re.findall("来源：", page)) >= 3
    lines = html[html.index('aria-labelledby="lines"'):html.index('aria-labelledby="steps"')]
    body = words(lines[lines.index("<tbody>"):lines.index("</tbody>")])
    assert body.count("目录类别") == lines.count('data-label="项目"'), "every line names the class it was listed in"
    assert re.search("先行自付比例（目录未另行规定时）：1[05]%.{5,40} ZB-415", body), "a default ratio names its rule"
    assert body.count(WEAK) >= body.count("示例数据") + body.count("ZB-415") > 0
    steps = words(html[html.index('aria-labelledby="steps"'):html.index('aria-labelledby="checks"')])
    assert steps.count(WEAK) == steps.count("推定") + steps.count("可靠度 L") > 0
    formulas = re.findall(r'<p class="formula">([^<]*)</p>', html)
    assert len(formulas) >= 7
    assert all(" = " in formula or "支付" in formula for formula in formulas), "each step says its calculation in numbers"
    assert f"= {amounts['psn_cash_pay'].replace(',', '')}" in formulas[-1]


def test_every_message_of_the_visit_is_found_refusals_too(world: dict[str, Any], till: Till, office: httpx.Client) -> None:
    (head,) = settle(world, till)
    found: list[str] = []
    for _ in range(200):  # the log of queries and refusals is written within half a second
        found = rows(office.get("/institution/messages", params={"q": head["mdtrt_id"]}).text)
        if len(found) == 5:
            break
    assert found == ["2207", "2207", "2204", "2203", "2201"] or found == ["2207", "2207", "2204", "2203A"[:4], "2201"]
    assert rows(office.get("/institution/messages", params={"q": head["setl_id"]}).text) == ["2207"]
    assert rows(office.get("/institution/messages", params={"q": head["medins_setl_id"]}).text) == ["2207"]
    form = token_in(office.get("/institution/messages").text)
    answer = office.post("/institution/messages", data={"q": head["certno"], "form_token": form})
    assert answer.headers["location"] == f"/institution/messages?q={head['psn_no']}"


def test_refusal_of_the_gateway_is_shown_reason_by_reason(world: dict[str, Any], till: Till, office: httpx.Client) -> None:
    with pytest.raises(Refused) as refusal:
        till.call("2201", {"data": {"psn_no": "", "insutype": "999", "begntime": "yesterday"}})
    link = None
    for _ in range(200):
        link = re.search(r"/institution/messages/view\?entry=\w+",
                         office.get("/institution/messages?infno=2201&outcome=refused&all=1").text)
        if link:
            break
    assert link
    html = office.get(link[0]).text
    box = html[html.index('aria-labelledby="why"'):].split("</section>")[0]
    told = str(refusal.value)
    assert box.count("<li>") == len(re.findall(r"(?:^|；)\d+\. ", told)) > 3
    for field in ("data.begntime", "data.psn_no"):
        assert field in box


def test_refund_of_the_real_platform_is_explained_with_its_sign(world: dict[str, Any], till: Till, office: httpx.Client) -> None:
    head, refund = settle(world, till, with_refund=True)
    page = words(office.get(f"/institution/settlements/{refund['setl_id']}").text)
    assert f"总费用 −{Decimal(str(head['medfee_sumamt'])):,.2f} 元" in page
    assert "不等" not in page
    assert "不一致" not in page
    assert "以下为原结算的计算过程" in page


async def test_real_sheet_in_a_browser(world: dict[str, Any], till: Till, browser: Browser) -> None:
    """Keeps the pictures that the documentation shows."""
    (head,) = settle(world, till)
    for mode, width, height in (("desk", 1280, 1000), ("phone", 390, 800), ("elder", 390, 800)):
        context = await browser.new_context(
            locale="zh-CN", timezone_id="Asia/Shanghai", viewport={"width": width, "height": height}
        )
        if mode == "elder":
            await context.add_cookies([{"name": "yibao_elder", "value": "1", "url": world["base_url"]}])
        page = await context.new_page()
        await page.goto(f"{world['base_url']}/institution/login")
        for name, value in office_of(world, till).items():
            await page.fill(f"#{name}", value)
        await page.click("main button")
        shots = {"messages": "/institution/messages", "settlement": f"/institution/settlements/{head['setl_id']}",
                 "message": f"/institution/messages/view?msgid={head['medins_setl_id']}"}
        for name, path in shots.items():
            await page.goto(world["base_url"] + path)
            assert await page.locator("main h1").is_visible()
            if folder := os.environ.get("YIBAO_SCREENSHOTS"):
                await page.screenshot(path=f"{folder}/real-{mode}-{name}.png")
        await context.close()
