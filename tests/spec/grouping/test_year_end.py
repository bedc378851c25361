"""Closing a year: worked out by one, approved by another when it is over, paid or taken back like any claim."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from tests.spec.grouping.conftest import Denied, Desk, Office, this_month
from tests.support.lists import changed, on_database
from tests.support.till import Refused
from yibao.infra.database import Database
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal
from yibao.usecases.grouping.close_year import ClosedYear, approve_year
from yibao.usecases.verification.verify_books import verify_books

REGION, FUND = "370300", "310100"
YEAR = int(this_month()[:4])
NEXT_YEAR = datetime(YEAR + 1, 2, 1, 2, tzinfo=UTC)
ONE, OTHER = "计算员", "审批员"


def compute(desk: Desk, operator: str = ONE) -> dict[str, Any]:
    """Work out the year and return the employees' pool."""
    years = desk.run("payment", "compute-year", "--region", REGION, "--year", str(YEAR), "--operator", operator)["years"]
    [found] = [y for y in years if y["close"]["fund_type"] == FUND]
    return dict(found)


def approve_later(desk: Desk, close_id: str, operator: str) -> ClosedYear | str:
    """Approve a year as if it were over; return what came of it or the code of the refusal (rolled back)."""

    async def run() -> ClosedYear | Refusal:
        database = await Database.open(desk.url, role=None, size=1)
        try:
            async with database.connection() as connection:
                transaction = connection.transaction()
                await transaction.start()
                answer = await approve_year(connection, close_id=close_id, operator=operator, now=NEXT_YEAR, ids=RandomIds())
                await (transaction.rollback() if isinstance(answer, Refusal) else transaction.commit())
                return answer
        finally:
            await database.close()

    answer = asyncio.run(run())
    return answer.code if isinstance(answer, Refusal) else answer


@pytest.fixture(scope="module")
def settled(zibo: Office, desk: Desk) -> dict[str, Any]:
    """Settle and group one stay that no group takes; return its settlement."""
    info, content = zibo.settle(Decimal(9000))
    lone = changed(changed(content, "diseinfo.0.diag_code", "A00.000"), "diseinfo.0.diag_name", "霍乱")
    zibo.accept(changed(lone, "oprninfo", []))
    desk.group(REGION)
    return dict(info)


def paid_fen(desk: Desk, setl_id: str) -> int:
    [row] = on_database(desk.url, "select fund_types, fund_amounts from settlements.settlement where setl_id = $1", setl_id)
    return int(dict(zip(*row, strict=True)).get(FUND, 0))


def breaches(desk: Desk) -> list[str]:
    """Return the titles of the checks of ``yibao verify`` that do not hold."""

    async def run() -> list[str]:
        connection = await asyncpg.connect(desk.url)
        try:
            async with connection.transaction(isolation="repeatable_read", readonly=True):
                return [found.says for found in await verify_books(connection, replay=3) if found.breaches]
        finally:
            await connection.close()

    return asyncio.run(run())


def test_a_year_from_working_out_to_the_claim(zibo: Office, desk: Desk, settled: dict[str, Any]) -> None:
    """An ungrouped stay is due 80 % of what the fund paid; half of the overrun up to 120 % of the due is shared.

    Paid p: due 0.8 p; shared overrun min(p, 0.96 p) − 0.8 p = 0.16 p, half of it 0.08 p: 0.88 p stay, 0.12 p come back.
    """
    paid = paid_fen(desk, settled["setl_id"])
    assert paid > 0
    year = compute(desk)
    [line] = year["lines"]
    due = round(paid * 0.8)
    assert abs(line["due_fen"] - due) <= 1
    assert abs(line["final_fen"] - round(paid * 0.88)) <= 2
    assert line["adjust_fen"] == line["final_fen"] - paid < 0

    close_id = year["close"]["close_id"]
    with pytest.raises(Denied, match="YEAR_NOT_OVER"):
        desk.run("payment", "approve-year", close_id, "--operator", OTHER)
    assert approve_later(desk, close_id, ONE) == "FOUR_EYES"
    assert approve_later(desk, close_id, " ") == "OPERATOR_MISSING"
    assert approve_later(desk, "0", OTHER) == "CLOSE_NOT_FOUND"

    again = compute(desk)["close"]["close_id"]  # takes the place of the first one
    assert approve_later(desk, close_id, OTHER) == "YEAR_STATE"

    more, _ = zibo.settle()  # a stay without a list changes the year
    assert approve_later(desk, again, OTHER) == "YEAR_HAS_MOVED"
    zibo.reverse(more["setl_id"])
    approved = approve_later(desk, again, OTHER)
    assert isinstance(approved, ClosedYear)
    [last] = approved.lines
    [claim] = on_database(desk.url, "select * from clearing.claim where claim_id = $1", last.claim_id)
    assert (claim["kind"], claim["payable_fen"], claim["fund_type"], claim["fixmedins_code"]) == (
        "year_end", last.adjust_fen, FUND, zibo.code)
    assert approve_later(desk, again, OTHER) == "YEAR_STATE"
    states = on_database(desk.url, "select state from records.settlement_list where setl_id = $1", settled["setl_id"])
    assert states[0]["state"] == "accepted"  # nobody grouped it, so the institution may still correct it

    with pytest.raises(Refused, match="已完成年终清算"):
        zibo.till.call("3602", {"data": {
            "setl_id": settled["setl_id"], "psn_no": settled["psn_no"], "exit_rea": "病情复杂"}})
    assert breaches(desk) == []
    on_database(desk.url, "update grouping.year_line set claim_id = '' where claim_id = $1", last.claim_id)
    assert [title for title in breaches(desk) if "年终清算" in title] != []
    on_database(desk.url, "update grouping.year_line set claim_id = $1 where close_id = $2", last.claim_id, again)

    # The year is closed: the pool is not worked out again, nothing is grouped anew, no exit is taken.
    rest = desk.run("payment", "compute-year", "--region", REGION, "--year", str(YEAR), "--operator", ONE)["years"]
    assert FUND not in {y["close"]["fund_type"] for y in rest}
    assert desk.group(REGION)["closed"] == 1
    shown = desk.run("payment", "show-year", "--region", REGION, "--year", str(YEAR))["years"]
    assert sorted(y["close"]["state"] for y in shown if y["close"]["fund_type"] == FUND) == ["approved", "dropped"]


@pytest.mark.parametrize(("words", "code"), [
    (("--region", "110000", "--year", "2026", "--operator", ONE), "NOT_PAID_BY_GROUP"),
    (("--region", REGION, "--year", "2001", "--operator", ONE), "NO_POOL"),
    (("--region", REGION, "--year", "2026", "--operator", ""), "OPERATOR_MISSING"),
])
def test_a_year_that_cannot_be_worked_out_is_refused(desk: Desk, words: tuple[str, ...], code: str) -> None:
    with pytest.raises(Denied, match=code):
        desk.run("payment", "compute-year", *words)
