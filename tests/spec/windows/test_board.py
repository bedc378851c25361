"""The public notice board: what stands still, until when, whom to call, what is known to be wrong, how much is left to do."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.support.window_city import City, at
from tests.support.window_desk import WindowDesk

PROBLEM = {
    "admdvs": "370300", "business": "account_crediting", "title": "部分人员十月份个人账户未划入",
    "says": "新办卡人员的账户尚未对应", "workaround": "不影响看病，划入后可用", "close_by": "2021-10-31", "people": 120,
}


@pytest.fixture(scope="module")
def city(city_at: Any) -> City:
    """Zibo on 9 October 2021, the notice published."""
    opened: City = city_at("2021-10-09 08:00")
    opened.publish("zibo-2021")
    return opened


def board(city: City) -> str:
    return httpx.get(f"{city.base_url}/windows").text


def test_the_board_says_what_stands_and_what_is_left(city: City) -> None:
    before = board(city)
    assert "停机前最后办理：参保和经办业务" in before
    assert "恢复：10月18日（星期一）24:00时起" in before
    assert "3120000" in before
    assert "已知问题" not in before

    city.turn("2021-10-12 10:00")
    till = city.till()
    desk = WindowDesk(city.hall(till.counter.fixmedins_code))
    desk.note(city.patient("zb-active-first"), kind="outpatient", visit_no="MZ1", begin=at("2021-10-12 09:00"),
              end_at=at("2021-10-12 09:15"), total_fen=10_000,
              cash=[{"kind": "payment", "amount_fen": 10_000, "receipt_no": "SJ-1"}])
    stands = board(city)
    assert "暂停：参保和经办业务" in stands
    assert "2021-10-12 当日收 1 件、办结 0 件，尚有 1 件" in stands
    assert '<svg class="days"' in stands

    # The desk tells a problem, puts its day off and ends it; the board follows.
    told = city.hall("review").do("/window-desk/problems", PROBLEM)
    assert "涉及人数：120" in board(city)
    assert "部分人员十月份个人账户未划入" in board(city)
    path = f"/window-desk/problems/{told['problem_id']}"
    moved = city.hall("review").do(path, {"admdvs": "370300", "close_by": "2021-11-15", "people": 80})
    assert (moved["moved"], moved["people"]) == (1, 80)
    assert "已推迟 1 次" in board(city)
    public = httpx.get(f"{city.base_url}/api/v1/known-problems", params={"admdvs": "370300"}).json()
    assert [(p["title"], p["people"], p["close_by"]) for p in public["rows"]] == [(PROBLEM["title"], 80, "2021-11-15")]
    city.hall("review").do(path, {"admdvs": "370300", "outcome": "已全部补划"})
    assert "已知问题" not in board(city)
    again = city.hall("review").refused(path, {"admdvs": "370300", "people": 1})
    assert again["code"] == "PROBLEM_CLOSED"


def test_the_desk_counts_calls_registers_and_days(city: City) -> None:
    city.hall("intake").do("/window-desk/calls", {"admdvs": "370300", "theme": "refund", "says": "垫付怎么退"})
    city.hall("intake").do("/window-desk/calls", {"admdvs": "370300", "theme": "refund"})
    city.hall("intake").do("/window-desk/calls", {"admdvs": "370300", "theme": "when"})
    wrong = city.hall("intake").refused("/window-desk/calls", {"admdvs": "370300", "theme": "weather"})
    assert wrong["code"] == "THEME_UNKNOWN"
    (desk,) = city.hall("review").read("/window-desk", admdvs="370300")["rows"]
    assert [(t["theme"], t["calls"]) for t in desk["themes"]] == [("refund", 2), ("when", 1)]
    assert [(b["kind"], b["rows"], b["open"], b["paid_fen"]) for b in desk["books"]] == [("paid_in_full", 1, 1, 10_000)]
    assert [(e["state"], e["episodes"]) for e in desk["episodes"]] == [("held", 1)]
    assert [(d["on"], d["received"], d["ended"], d["open"]) for d in desk["days"]] == [
        ("2021-10-10", 0, 0, 0), ("2021-10-11", 0, 0, 0), ("2021-10-12", 1, 0, 1)]
    assert all(t["is_stopped"] for t in desk["tracks"])


def test_what_cannot_be_told_is_refused_with_everything_wrong(city: City) -> None:
    bad = PROBLEM | {"business": "weather", "close_by": "2021-10-01", "book": "nothing"}
    refused = city.hall("review").refused("/window-desk/problems", bad)
    assert {f["code"] for f in refused["faults"]} == {"BUSINESS_UNKNOWN", "REGISTER_UNKNOWN", "DAY_PASSED"}
