"""Zibo, November: the accounts are credited after the window; six families of failures, told, repaired and counted down.

Each family is one that real cut-overs reported. Ten people, July 2024 by the law that is loaded; 2 % of 5000.00 is 100.00, a
retiree below 70 gets 106.00.

| day | what happens | held |
|---|---|---|
| 07-20 | first run after the restart: four people get their 100.00, six are held, each for a reason of its own | 6 |
| 07-20 | each of the six has a number in the book, is told why and what helps; the book cannot be closed | 6 |
| 07-25 | the bank has the new card and one card is active: second run, two more | 4 |
| 08-05 | the lump sum is matched, the bank account is there, one insurance is ended: third run, three more | 1 |
| 09-02 | the retiree that an employer had removed is back: fourth run, the last one | 0 |
| 09-02 | the book closes; the burn-down by reason is the table of the runs | 0 |
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from tests.spec.personal_accounts.conftest import Region, noon
from yibao.kernel.actor import Actor
from yibao.kernel.refusal import Refusal
from yibao.usecases.personal_accounts.credit_failures import Followed, burn_down, follow_failures
from yibao.usecases.personal_accounts.credit_month import Credited, credit_month
from yibao.usecases.registers.close_book import CloseBook, close_book

REGION, JULY, PLAN = "370300", date(2024, 7, 1), "zibo-2021"
BASE, HUNDRED, RETIRED = 500_000, 10_000, 10_600
CLERK = Actor(login="clerk.first", channel="cli", regions=(REGION,), roles=("review",))
CHANNEL = ("insert into personal_accounts.channel (psn_no, admdvs, kind, card_no, bank_account, has_finance, is_active, "
           "changed_at, changed_by) values ($1, $2, $3, $4, '', true, $5, now(), 'bank')")


@pytest.fixture(scope="module")
def region(database_url: str) -> Region:
    """Open an empty region."""
    opened = Region(database_url)
    opened.execute("insert into platform.region (admdvs, name) values ($1, '淄博市') on conflict do nothing", REGION)
    return opened


def employee(region: Region, *, card: str | None = None) -> str:
    """Make an employee whose July has arrived."""
    psn_no = region.person(card=card)
    region.relation(psn_no)
    region.due(psn_no, JULY, base=BASE)
    return psn_no


def retiree(region: Region, **more: Any) -> str:
    """Make a retiree of 64."""
    psn_no = region.person(born=date(1960, 3, 1))
    region.relation(psn_no, psn_type="1201", kind="", **more)
    return psn_no


def card_changed(region: Region) -> str:
    psn_no = employee(region, card="NEW1")
    region.execute(CHANNEL, psn_no, REGION, "card", "OLD1", True)
    return psn_no


def card_asleep(region: Region) -> str:
    psn_no = employee(region, card="N2")
    region.execute(CHANNEL, psn_no, REGION, "card", "N2", False)
    return psn_no


def lump_unmatched(region: Region) -> str:
    psn_no = retiree(region)
    region.execute(
        "insert into enrolment.retirement (psn_no, approved_on, admdvs, needed_total, needed_actual, total_months, "
        "actual_months, short_months, completion, rules, relation_id, recorded_at) "
        "values ($1, '2024-06-20', $2, 360, 120, 350, 200, 10, 'lump', '{}', 'r', now())", psn_no, REGION)
    region.due(psn_no, JULY, base=BASE, kind="lump", months=10, state="sent")
    return psn_no


def offsite_without_account(region: Region) -> str:
    psn_no = retiree(region)
    region.execute(CHANNEL, psn_no, REGION, "bank", "", True)
    return psn_no


def double_month(region: Region) -> str:
    psn_no = employee(region)
    region.relation(psn_no, insutype="390", psn_type="1501", kind="resident", ends=date(2024, 12, 1), status="4")
    return psn_no


FAMILIES: dict[str, tuple[Callable[[Region], str], str, str, int]] = {
    "CARD_NOT_MATCHED": (card_changed, "2024-07-25", "update personal_accounts.channel set card_no = 'NEW1' where psn_no = $1",
                         HUNDRED),
    "CARD_NOT_ACTIVE": (card_asleep, "2024-07-25", "update personal_accounts.channel set is_active = true where psn_no = $1",
                        HUNDRED),
    "LUMP_NOT_MATCHED": (lump_unmatched, "2024-08-05",
                         "update contributions.due set state = 'arrived' where psn_no = $1 and kind = 'lump'", RETIRED),
    "OFFSITE_BANK_MISSING": (offsite_without_account, "2024-08-05",
                             "update personal_accounts.channel set bank_account = '62001' where psn_no = $1", RETIRED),
    "DOUBLE_MONTH": (double_month, "2024-08-05",
                     "delete from enrolment.relation where psn_no = $1 and insutype = '390'", HUNDRED),
    "RETIRED_REMOVED": (
        lambda region: retiree(region, ends=date(2024, 6, 1), status="4", cause="dismissed"), "2024-09-02",
        "update enrolment.relation set paused_on = null, status = '1', end_cause = '' where psn_no = $1", RETIRED),
}


def run(region: Region, on: str) -> tuple[Credited, Followed]:
    """Credit July on a day, and bring the book up to it."""
    now = noon(date.fromisoformat(on))
    done = region.batch(lambda db: credit_month(db, admdvs=REGION, month=JULY, now=now, shelf=region.shelf, chunk=3))
    assert isinstance(done, Credited), done
    followed = region.batch(lambda db: follow_failures(
        db, admdvs=REGION, month=JULY, plan=PLAN, actor=CLERK, now=now, ids=region.ids))
    return done, followed


def close(region: Region, on: str) -> Any:
    """Close the book."""
    command = CloseBook(admdvs=REGION, kind="credit_failure", plan=PLAN)
    return region.run(lambda tx: close_book(tx, command, actor=CLERK, now=noon(date.fromisoformat(on)), ids=region.ids))


def test_six_families_of_failures_are_told_repaired_and_counted_down(region: Region) -> None:
    well = [employee(region) for _ in range(4)]
    held = {reason: plant(region) for reason, (plant, *_) in FAMILIES.items()}

    # 07-20: the first run.
    first, followed = run(region, "2024-07-20")
    assert (first.credited, first.credited_fen, first.held) == (4, 4 * HUNDRED, 6)
    assert first.reasons == dict.fromkeys(FAMILIES, 1)
    assert followed == Followed(6, 0)
    rows = {r["psn_no"]: r for r in region.fetch("select * from registers.entry where kind = 'credit_failure'")}
    assert set(rows) == set(held.values())
    for reason, psn_no in held.items():
        (told,) = region.fetch("select text from notices.message where psn_no = $1 and kind = 'credit_failed'", psn_no)
        assert rows[psn_no]["register_no"] in told["text"], reason
        assert "2024年7月" in told["text"]
    assert isinstance(close(region, "2024-07-20"), Refusal), "a book with open rows does not close"

    # Each day what was mended is credited, once, and its row ends; who is not mended waits.
    waiting = 6
    for day, mended in (("2024-07-25", 2), ("2024-08-05", 3), ("2024-09-02", 1)):
        for reason, (_, repaired_on, sql, _) in FAMILIES.items():
            if repaired_on == day:
                region.execute(sql, held[reason])
        done, followed = run(region, day)
        waiting -= mended
        assert (done.credited, done.held, followed) == (mended, waiting, Followed(0, mended)), day
        open_rows = region.fetch("select 1 from registers.entry where kind = 'credit_failure' and state = 'received'")
        assert len(open_rows) == waiting

    # Nobody got more or less than by an undisturbed run, and another run finds nothing.
    assert [region.balance(p) for p in well] == [HUNDRED] * 4
    assert {reason: region.balance(p) for reason, p in held.items()} == {r: f[3] for r, f in FAMILIES.items()}
    again, followed = run(region, "2024-09-03")
    assert (again.credited, again.held, followed) == (0, 0, Followed(0, 0))
    for psn_no in held.values():
        texts = [r["text"] for r in region.fetch(
            "select text from notices.message where psn_no = $1 and kind = 'credit_failed' order by told_at", psn_no)]
        assert len(texts) == 2
        assert "已补划" in texts[1]

    # The burn-down by reason.
    lines = region.run(lambda tx: burn_down(tx, admdvs=REGION, month=JULY))
    assert [line.held for line in lines] == [6, 4, 1, 0, 0]
    assert [sorted(line.reasons) for line in lines[:4]] == [
        sorted(FAMILIES), ["DOUBLE_MONTH", "LUMP_NOT_MATCHED", "OFFSITE_BANK_MISSING", "RETIRED_REMOVED"], ["RETIRED_REMOVED"],
        []]
    closed = close(region, "2024-09-03")
    assert not isinstance(closed, Refusal), closed
    assert closed.rows == 6
    assert region.breaches() == []
