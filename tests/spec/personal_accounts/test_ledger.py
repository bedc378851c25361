"""The ledger moves an account and its posting together, exactly once, and never below zero."""

from __future__ import annotations

from datetime import date

import pytest

from tests.spec.personal_accounts.conftest import REGION, Region, noon
from yibao.ledger.operations import move_account, move_accounts
from yibao.ledger.posting import Posting, account_posting
from yibao.usecases.personal_accounts.take_due import TakeDue, give_back_due, take_due, take_dues

AT = noon(date(2024, 7, 3))


def credit(psn_no: str, amount: int, posting_id: str = "c1") -> Posting:
    return account_posting("correction", psn_no=psn_no, posting_id=posting_id, admdvs=REGION, posted_at=AT, amount=amount,
                           other=f"opening:{REGION}")


def test_a_first_credit_opens_the_account_and_moves_the_version(region: Region) -> None:
    psn_no = region.person()
    moved = region.run(lambda tx: move_account(tx, credit(psn_no, 500)))
    assert moved is not None
    assert (moved.balance_fen, moved.is_new) == (500, True)
    assert (region.balance(psn_no), region.ledger(f"account:{psn_no}"), region.version(psn_no)) == (500, 500, 1)
    opened = region.fetch("select opened_on from ledger.personal_account where psn_no = $1", psn_no)
    assert opened[0][0] == date(2024, 7, 3)


def test_the_same_posting_again_moves_nothing_and_another_one_under_its_id_is_a_defect(region: Region) -> None:
    psn_no = region.person(balance=100)
    region.run(lambda tx: move_account(tx, credit(psn_no, 50)))
    again = region.run(lambda tx: move_account(tx, credit(psn_no, 50)))
    assert again is not None
    assert (again.balance_fen, again.is_new) == (150, False)
    assert (region.balance(psn_no), region.version(psn_no)) == (150, 1)
    with pytest.raises(AssertionError):
        region.run(lambda tx: move_account(tx, credit(psn_no, 60)))


@pytest.mark.parametrize(("balance", "taken", "after"), [(100, 100, 0), (100, 101, None), (None, 1, None)])
def test_no_account_falls_below_zero(region: Region, balance: int | None, taken: int, after: int | None) -> None:
    psn_no = region.person(balance=balance)
    moved = region.run(lambda tx: move_account(tx, credit(psn_no, -taken)))
    assert (moved.balance_fen if moved else None) == after
    assert region.balance(psn_no) == (balance if after is None else after)
    assert len(region.fetch("select from ledger.posting where psn_no = $1 and posting_id = 'c1'", psn_no)) == (moved is not None)


def test_a_frozen_account_receives_and_does_not_pay(region: Region) -> None:
    psn_no = region.person(balance=100)
    region.execute("update ledger.personal_account set is_frozen = true where psn_no = $1", psn_no)
    assert region.run(lambda tx: move_account(tx, credit(psn_no, -1, "a"))) is None
    assert region.run(lambda tx: move_account(tx, credit(psn_no, 1, "b"))) is not None
    assert region.run(lambda tx: move_account(tx, credit(psn_no, -2, "c"), even_frozen=True)) is not None
    assert region.balance(psn_no) == 99


def test_many_at_once_are_the_same_as_one_by_one(region: Region) -> None:
    rich, poor, new, frozen = region.person(balance=100), region.person(balance=5), region.person(), region.person(balance=100)
    region.execute("update ledger.personal_account set is_frozen = true where psn_no = $1", frozen)
    postings = [credit(rich, -10), credit(poor, -10), credit(new, 7), credit(frozen, -1)]
    for _ in range(2):
        low = region.run(lambda tx: move_accounts(tx, postings, posted_at=AT))
        assert set(low) == {poor, frozen}
    assert [region.balance(p) for p in (rich, poor, new, frozen)] == [90, 5, 7, 100]
    assert [region.version(p) for p in (rich, poor, new, frozen)] == [1, 0, 1, 0]


def test_nobody_moves_anothers_account(region: Region) -> None:
    psn_no, other = region.person(balance=10), region.person(balance=10)
    posting = account_posting("correction", psn_no=psn_no, posting_id="x", admdvs=REGION, posted_at=AT, amount=-1,
                              other=f"account:{other}")
    with pytest.raises(AssertionError):
        region.run(lambda tx: move_account(tx, posting))


def test_a_due_is_taken_once_and_given_back_once(region: Region) -> None:
    psn_no = region.person(balance=5000)

    def due(verb: object, fen: int = 3500) -> bool:
        return region.run(lambda tx: verb(  # type: ignore[operator]
            tx, psn_no=psn_no, admdvs=REGION, amount_fen=fen, funds=[("419900", fen)], due_id="410-2025-regular", now=AT))

    before = region.ledger(f"fund:{REGION}:419900")
    assert due(take_due)
    assert due(take_due)
    assert (region.balance(psn_no), region.ledger(f"fund:{REGION}:419900")) == (1500, before + 3500)
    assert due(give_back_due)
    assert due(give_back_due)
    assert (region.balance(psn_no), region.ledger(f"fund:{REGION}:419900")) == (5000, before)


def test_many_dues_name_who_could_not_pay(region: Region) -> None:
    rich, poor = region.person(balance=5000), region.person(balance=10)
    dues = [TakeDue(psn_no=p, admdvs=REGION, due_id="d", funds=(("419900", 3500),)) for p in (rich, poor)]
    assert region.run(lambda tx: take_dues(tx, dues, now=AT)) == {poor}
    assert (region.balance(rich), region.balance(poor)) == (1500, 10)


def test_the_books_hold(region: Region) -> None:
    region.execute("update ledger.personal_account set is_frozen = false")  # frozen above without a reason on record
    assert region.breaches() == []
