"""A hospital finds and reads its own messages."""

from __future__ import annotations

import re

import httpx
import pytest

from tests.spec.pages import world
from tests.spec.pages.conftest import token_in

LIST = "/institution/messages"
VIEW = "/institution/messages/view"
SETTLED_MSGID = world.msgid(world.OURS, world.NOW.replace(hour=8, minute=10), 7)


def words(html: str) -> str:
    """Return the text of a page without markup, blanks joined."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def rows(html: str) -> list[str]:
    """Return the transaction numbers of the list, top first."""
    table = html.split("<tbody>")[1].split("</tbody>")[0] if "<tbody>" in html else ""
    return [part.split(">")[1][:4] for part in table.split('class="lead"><a ')[1:]]


@pytest.mark.parametrize(("number", "transactions"), [
    pytest.param(SETTLED_MSGID, ["2207", "2207"], id="msgid"),
    pytest.param(world.PSN, ["2207", "2207", "2207", "2204", "2201", "1101"], id="person"),
    pytest.param(world.VISIT, ["2207", "2207", "2207", "2204", "2201"], id="visit"),
    pytest.param(world.VISIT_NO, ["2207", "2207", "2207", "2204", "2201"], id="visit number of the hospital"),
    pytest.param(world.SETTLED, ["2207", "2207"], id="settlement"),
])
async def test_any_number_finds_its_messages(ours: httpx.AsyncClient, number: str, transactions: list[str]) -> None:
    assert rows((await ours.get(LIST, params={"q": number})).text) == transactions


async def test_search_form_leads_to_a_link_that_can_be_kept(ours: httpx.AsyncClient) -> None:
    form = (await ours.get(LIST)).text
    answer = await ours.post(LIST, data={
        "q": "  ", "infno": "2207", "outcome": "refused", "from": "2026-11-01", "to": "", "form_token": token_in(form),
    })
    assert answer.headers["location"] == f"{LIST}?infno=2207&outcome=refused&from=2026-11-01"
    assert rows((await ours.get(answer.headers["location"])).text) == ["2207"]


@pytest.mark.parametrize(("query", "total"), [
    ({}, 39), ({"infno": "2207", "all": "1"}, 3), ({"outcome": "refused", "all": "1"}, 2),
    ({"outcome": "replayed", "all": "1"}, 1), ({"from": "2026-11-22", "to": "2026-11-22"}, 39),
    ({"from": "2026-11-23"}, 0), ({"to": "2026-11-21"}, 0), ({"q": world.PSN, "outcome": "answered"}, 4),
    ({"outcome": "no such outcome", "all": "1"}, 39),
])
async def test_filters_narrow_the_list_and_its_sums(
    ours: httpx.AsyncClient, query: dict[str, str], total: int
) -> None:
    page = words((await ours.get(LIST, params=query)).text)
    assert f"共 {total} 条" in page
    assert f"报文 {total} 成功" in page


async def test_sums_count_by_outcome(ours: httpx.AsyncClient) -> None:
    assert "报文 39 成功 28 拒绝 2 重发应答 1 暂不可用 8 95% 耗时" in words((await ours.get(LIST)).text)


async def test_only_the_last_week_is_listed_until_somebody_asks_for_more(ours: httpx.AsyncClient) -> None:
    html = (await ours.get(LIST)).text
    assert 'value="2026-11-16"' in html
    assert 'value="2026-11-22"' in html


async def test_pages_follow_each_other_and_keep_the_search(ours: httpx.AsyncClient) -> None:
    first = (await ours.get(LIST, params={"all": "1", "size": "50"})).text
    assert "第 1 / 1 页" in words(first)
    beyond = words((await ours.get(LIST, params={"all": "1", "page": "9"})).text)
    assert "没有符合条件的报文" in beyond
    assert "共 39 条" in beyond


@pytest.mark.parametrize(("query", "sentence"), [
    ({"from": "31-02-2026"}, "开始日期应为“年-月-日”"), ({"to": "2026-02-31"}, "结束日期应为“年-月-日”"),
    ({"from": "2026-12-01", "to": "2026-11-01"}, "开始日期晚于结束日期"),
    ({"from": "9999-12-31", "to": "9999-12-31"}, "开始日期应为"), ({"from": "0001-01-01"}, "开始日期应为"),
])
async def test_wrong_dates_are_said_with_a_link_to_the_field(
    ours: httpx.AsyncClient, query: dict[str, str], sentence: str
) -> None:
    form = (await ours.get(LIST)).text
    answer = await ours.post(LIST, data=query | {"form_token": token_in(form)})
    html = (await ours.get(answer.headers["location"])).text
    field = "to" if "结束日期应" in sentence else "from"
    assert f'<a href="#{field}">{sentence}' in html
    assert "<title>错误：" in html


async def test_message_is_shown_decoded_with_names_and_code_texts(ours: httpx.AsyncClient) -> None:
    page = words((await ours.get(VIEW, params={"msgid": SETTLED_MSGID})).text)
    for shown in (
        "2207 门诊结算 成功", "险种类型 insutype 310 职工基本医疗保险", "医疗类别 med_type 11 普通门诊",
        "医疗费总额 medfee_sumamt 266.25", "人员姓名 psn_name 张*敏", "310100 城镇职工基本医疗保险统筹基金",
        "处理耗时 12.0 毫秒", "经办人姓名 opter_name 李会计",
    ):
        assert shown in page, shown


async def test_raw_message_keeps_numbers_as_they_were_written(ours: httpx.AsyncClient) -> None:
    html = (await ours.get(VIEW, params={"msgid": SETTLED_MSGID})).text
    assert "&#34;medfee_sumamt&#34;: 266.25," in html
    assert "&#34;certno&#34;: &#34;3703**********" in html


async def test_visit_is_told_as_one_story_and_repeats_are_linked(ours: httpx.AsyncClient) -> None:
    page = words((await ours.get(VIEW, params={"msgid": SETTLED_MSGID})).text)
    story = page[page.index("同一就诊"):page.index("同一报文ID")]
    assert re.findall(r"\b(2\d{3}) \S+ (\S+)", story) == [
        ("2201", "成功"), ("2204", "成功"), ("2207", "拒绝"), ("2207", "成功"), ("2207", "重发应答"),
    ]
    assert "同一报文ID 1 条" in page


async def test_refusal_shows_every_reason_its_code_and_the_trace(ours: httpx.AsyncClient) -> None:
    html = (await ours.get(VIEW, params={"entry": "t2"})).text
    box = html[html.index('aria-labelledby="why"'):]
    box = box[:box.index("</section>")]
    assert "AMOUNT_DIFFERS" in box
    assert box.count("<li>") == 2
    assert "a1b2c3d4" in box
    assert "data.medfee_sumamt：医疗费总额与已上传明细之和不一致" in box


async def test_markup_in_a_message_is_shown_as_text(ours: httpx.AsyncClient) -> None:
    html = (await ours.get(VIEW, params={"entry": "t2"})).text
    assert "<script>document" not in html
    assert "<img src=x" not in html
    assert "&lt;script&gt;document.title" in html


async def test_message_that_is_no_json_is_shown_as_masked_text(ours: httpx.AsyncClient) -> None:
    html = (await ours.get(VIEW, params={"entry": "t4"})).text
    assert "不是可识别的报文" in html
    assert "张*敏" in html
    assert r"broken \xff\xfe" in html


async def test_every_page_says_that_values_are_examples(ours: httpx.AsyncClient) -> None:
    for path in ("/", "/ui", "/institution/login", LIST, f"/institution/settlements/{world.SETTLED}", "/none"):
        html = (await ours.get(path, follow_redirects=True)).text
        foot = html[html.index("<footer"):]
        assert "示例参数，非当地现行政策" in foot
        assert "淄博市（370300）、惠州市（441300）" in foot
