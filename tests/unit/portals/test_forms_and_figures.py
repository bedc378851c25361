"""Form tokens, local links, dates of a search, figures on pages, and reasons out of a refusal."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from yibao.domains.access.model import StaffSession
from yibao.domains.access.passwords import hash_password, matches
from yibao.domains.access.rules import ends_at, is_alive, needs_touch
from yibao.entrypoints.portals.institution.message_pages import quick_ranges
from yibao.entrypoints.portals.institution.search_form import read_search
from yibao.entrypoints.portals.look import rendering
from yibao.entrypoints.portals.look.forms import clean, is_token, local_path, make_token
from yibao.usecases.inspection.show_message import read_reasons

TODAY = date(2026, 3, 1)
START = datetime(2026, 3, 1, 0, 0, tzinfo=UTC)


def test_form_token_is_good_for_its_browser_only_and_new_each_time() -> None:
    first, second = make_token("a"), make_token("a")
    assert first != second
    assert is_token("a", first)
    assert is_token("a", second)
    assert not is_token("b", first)


@pytest.mark.parametrize("token", ["", ".", "x", "x.", ".x", "x.y", "中.文", "a.b.c"])
def test_invented_tokens_are_none(token: str) -> None:
    assert not is_token("a", token)
    assert not is_token("", token)


@pytest.mark.parametrize(("path", "target"), [
    ("/institution/messages?q=1", "/institution/messages?q=1"), ("//evil", "/"), ("https://evil", "/"), ("", "/"),
    ("/\\evil", "/"), ("/a\nb", "/"), ("javascript:x", "/"),
])
def test_links_lead_into_our_own_pages(path: str, target: str) -> None:
    assert local_path(path) == target


def test_typed_text_loses_what_nobody_types() -> None:
    assert clean("  a\x00b\u202e\ud800中 ") == "ab中"
    assert len(clean("x" * 999)) == 200


def test_search_with_nothing_given_looks_at_seven_days() -> None:
    search = read_search({}, today=TODAY).search
    assert (search.from_on, search.to_on) == (date(2026, 2, 23), TODAY)


@pytest.mark.parametrize("fields", [{"q": "x"}, {"all": "1"}, {"from": "2026-01-01"}])
def test_search_with_something_given_is_not_narrowed(fields: dict[str, str]) -> None:
    assert read_search(fields, today=TODAY).search.to_on is None


def test_link_of_a_search_says_all_of_it_and_begins_at_its_first_page() -> None:
    form = read_search({"q": "a b", "infno": "2206a", "outcome": "refused", "to": "2026-02-01", "size": "100", "page": "3"},
                       today=TODAY)
    assert form.link("/x") == "/x?q=a+b&infno=2206A&outcome=refused&to=2026-02-01&size=100"
    assert form.link("/x", page=4).endswith("&page=4")
    assert read_search({"all": "1"}, today=TODAY).link("/x", page=2) == "/x?all=1&page=2"


def test_quick_ranges_are_whole_days_and_months() -> None:
    ranges = {name: (first, last) for name, first, last in quick_ranges(TODAY)}
    assert ranges["今日"] == (TODAY, TODAY)
    assert ranges["近7天"] == (date(2026, 2, 23), TODAY)
    assert ranges["本月"] == (TODAY, TODAY)
    assert ranges["上月"] == (date(2026, 2, 1), date(2026, 2, 28))
    assert ranges["本年"] == (date(2026, 1, 1), TODAY)


@pytest.mark.parametrize(("name", "arguments", "text"), [
    ("yuan", (123456789,), "1,234,567.89"), ("yuan", (-5,), "−0.05"), ("yuan", (0,), "0.00"),
    ("milliseconds", (1234,), "1.2"), ("milliseconds", (123456,), "123"), ("milliseconds", (-3,), "0.0"),
    ("scaled", (25_600000, 6), "25.6"), ("scaled", (20000, 4), "2"), ("scaled", (-5, 1), "−0.5"),
    ("day", (date(2026, 1, 2),), "2026-01-02"), ("instant", (datetime(2026, 1, 1, 16, 0, tzinfo=UTC),), "2026-01-02 00:00:00"),
])
def test_figures_are_written_as_people_read_them(name: str, arguments: tuple[object, ...], text: str) -> None:
    assert rendering._ENVIRONMENT.filters[name](*arguments) == text


@pytest.mark.parametrize(("err_msg", "reasons", "trace"), [
    ("没有这笔结算 [ab12]", ("没有这笔结算",), "ab12"),
    ("1. 一；2. 二；含分号；3. 三 [t]", ("一", "二；含分号", "三"), "t"),
    ("", (), ""), ("data.cnt：数量为2. 5（收到：[x]）", ("data.cnt：数量为2. 5（收到：[x]）",), ""),
])
def test_reasons_are_read_out_of_a_refusal(err_msg: str, reasons: tuple[str, ...], trace: str) -> None:
    assert read_reasons(err_msg) == (reasons, trace)


def test_session_ends_idle_or_old_whichever_is_first() -> None:
    def session(seen_min: int) -> StaffSession:
        return StaffSession("a", "H", "370300", "n", START, START + timedelta(minutes=seen_min))

    assert ends_at(session(0)) == START + timedelta(minutes=15)
    assert ends_at(session(479)) == START + timedelta(hours=8)
    assert is_alive(session(0), START + timedelta(minutes=14, seconds=59))
    assert not is_alive(session(0), START + timedelta(minutes=15))
    assert not needs_touch(session(0), START + timedelta(seconds=59))
    assert needs_touch(session(0), START + timedelta(seconds=60))


def test_passwords_are_kept_as_argon2id_and_strange_hashes_match_nothing() -> None:
    stored = hash_password("电池 staple")
    assert stored.startswith("$argon2id$")
    assert matches(stored, "电池 staple")
    assert not matches(stored, "电池 Staple")
    assert not matches("", "x")
    assert not matches("no hash", "x")
