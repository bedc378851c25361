"""What holds for an episode by its facts alone."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from yibao.domains.dispensing.supply_limits import supply_limit
from yibao.domains.episodes.model import Cash, Episode
from yibao.domains.episodes.rules import (
    allowed_cash,
    cash_words,
    place_of,
    refuse_change,
    refuse_return,
    settle_by_of,
)
from yibao.kernel.business_time import SHANGHAI

RESTART = datetime(2021, 10, 19, tzinfo=SHANGHAI)


def episode(**facts: Any) -> Episode:
    """Return an episode about which only the given facts matter."""
    at = datetime(2021, 10, 11, 9, tzinfo=SHANGHAI)
    known: dict[str, Any] = {
        "psn_no": "1", "episode_id": "E1", "admdvs": "370300", "care_admdvs": "370300", "fixmedins_code": "H1",
        "kind": "stay", "visit_no": "ZY1", "insutype": "310", "visit_class": "inpatient",
        "business": "inpatient_settlement", "begin_at": at, "position": "P5", "disposition": "deposit", "rule_id": "R1",
        "plan": "p", "plan_version": 1, "noted_at": at, "noted_by": "x", "received_at": at, "channel": "api",
    }
    return Episode(**(known | facts))


def cash(kind: str, amount: int) -> Cash:
    """Return a cash row."""
    return Cash("1", "E1", 1, "370300", "H1", kind, amount, "", "", RESTART, "x")


@pytest.mark.parametrize(("terms", "restart", "last"), [
    ({"settle_by": "2021-12-31"}, None, date(2021, 12, 31)),
    # Within three months from the 19th: the last day is 18 January.
    ({"months": 3}, RESTART, date(2022, 1, 18)),
    # A month from 31 January: to the day before 28 February.
    ({"months": 1}, datetime(2021, 1, 31, tzinfo=SHANGHAI), date(2021, 2, 27)),
    ({"months": 3}, None, None),
    ({}, RESTART, None),
])
def test_the_last_day_of_a_backfill(terms: dict[str, Any], restart: datetime | None, last: date | None) -> None:
    assert settle_by_of(terms, restart) == last


@pytest.mark.parametrize(("disposition", "terms", "total", "deposit", "paid", "codes"), [
    ("deposit", {"share": 5000}, 10000, 5000, 5000, []),
    ("deposit", {"share": 5000}, 10001, 5001, 5001, ["DEPOSIT_ABOVE_SHARE"]),
    ("deposit", {"share": 10000}, 10000, 10000, 10001, ["CASH_ABOVE_BILL"]),
    ("hold_open", {"deposit": False}, 10000, 0, 1, ["CASH_NOT_ALLOWED"]),
    ("hold_open", {}, 10000, 0, 10000, []),
    ("convert_self_pay", {}, 10000, 0, 1, ["CASH_NOT_ALLOWED"]),
    ("pay_full_backfill", {}, 0, 0, 999, []),
    ("convert_self_pay", {}, 10000, 0, 0, []),
])
def test_cash_that_may_be_taken(
    disposition: str, terms: dict[str, Any], total: int, deposit: int, paid: int, codes: list[str]
) -> None:
    faults = allowed_cash(disposition=disposition, terms=terms, total_fen=total, deposit_fen=deposit, paid_fen=paid)
    assert [f.code for f in faults] == codes


def test_money_goes_back_once_and_only_where_there_is_some() -> None:
    given = episode(paid_fen=500, deposit_fen=500)
    assert refuse_return(given, [cash("deposit", 500)]) is None
    back = refuse_return(given, [cash("deposit", 500), cash("return", -500)])
    assert back is not None
    assert back.code == "DEPOSIT_RETURNED"
    nothing = refuse_return(episode(), [])
    assert nothing is not None
    assert nothing.code == "NOTHING_TO_RETURN"
    assert refuse_return(episode(state="lapsed", paid_fen=500), [cash("payment", 500)]) is None


@pytest.mark.parametrize(("state", "refused"), [
    ("held", False), ("entered", False), ("lapsed", True), ("settled", True), ("claimed", True), ("returned", True),
    ("withdrawn", True),
])
def test_what_has_ended_is_not_changed(state: str, refused: bool) -> None:
    assert (refuse_change(episode(state=state), "收款") is not None) is refused


def test_cash_in_words() -> None:
    assert cash_words(episode(state="settled", paid_fen=500000, due_fen=149000, back_fen=351000)) == (
        "已交5000.00元，应付1490.00元，退回3510.00元")
    assert cash_words(episode(state="settled", paid_fen=100, due_fen=350, topup_fen=250)) == (
        "已交1.00元，应付3.50元，补交2.50元")
    assert cash_words(episode()) == "未收款"


@pytest.mark.parametrize(("home", "care", "place"), [
    ("370300", "370302", "local"), ("370300", "370100", "province"), ("370300", "440100", "cross")])
def test_where_somebody_is_treated(home: str, care: str, place: str) -> None:
    assert place_of(home, care) == place


@pytest.mark.parametrize(("visit_class", "on", "days"), [
    ("chronic", date(2021, 8, 9), 30), ("chronic", date(2021, 8, 10), 84), ("negotiated", date(2021, 10, 1), 30),
    ("outpatient", date(2021, 10, 1), None)])
def test_days_of_medicine_by_the_law_of_the_day(visit_class: str, on: date, days: int | None) -> None:
    row = supply_limit("370300", visit_class, on)
    assert (row.days if row is not None else None) == days
