"""Freezing, withdrawing, inheriting, families, interest and the statement. Amounts by hand beside each."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from datetime import date
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.spec.personal_accounts.conftest import CHECKER, MAKER, REGION, Region, noon
from yibao.entrypoints.cli.main import app
from yibao.kernel.actor import Actor
from yibao.kernel.refusal import Refusal
from yibao.ledger.operations import move_account
from yibao.ledger.posting import account_posting
from yibao.policy.reckoning.interest import interest_of
from yibao.usecases.personal_accounts import commands as c
from yibao.usecases.personal_accounts.account_statement import Statement, account_statement
from yibao.usecases.personal_accounts.bind_family import bind_family, unbind_family
from yibao.usecases.personal_accounts.credit_interest import InterestCredited, credit_interest
from yibao.usecases.personal_accounts.freeze_account import freeze_account, release_account
from yibao.usecases.personal_accounts.inherit_account import inherit_account, propose_inheritance
from yibao.usecases.personal_accounts.set_channel import set_channel
from yibao.usecases.personal_accounts.withdraw_account import (
    decide_withdrawal,
    propose_withdrawal,
    withdraw_account,
)

NOW = noon(date(2025, 3, 10))
PAYEE = {"payee_name": "甲", "bank_name": "示例银行", "bank_account": "620000001"}


class RolledBack(Exception):
    """Leaves a transaction that refused."""


def do(region: Region, deed: Any, command: Any, *, actor: Actor = MAKER, **more: Any) -> Any:
    """Do a deed as the way in does: a refusal leaves nothing behind."""
    kept: list[Any] = []

    async def within(tx: Any) -> None:
        kept.append(await deed(tx, command, actor=actor, now=NOW, ids=region.ids, shelf=region.shelf, **more))
        if isinstance(kept[0], Refusal):
            raise RolledBack

    with contextlib.suppress(RolledBack):
        region.run(within)
    return kept[0]


def codes(answer: Any) -> set[str]:
    """Return the codes of a refusal."""
    assert isinstance(answer, Refusal), answer
    return {f.code for f in answer.faults}


def moved(region: Region, psn_no: str, amount: int, posting_id: str, on: date) -> None:
    """Move an account by hand on a day."""
    region.run(lambda tx: move_account(tx, account_posting(
        "correction", psn_no=psn_no, posting_id=posting_id, admdvs=REGION, posted_at=noon(on), amount=amount,
        other=f"opening:{REGION}")))


@pytest.fixture(autouse=True)
def _books_hold(region: Region) -> Iterator[None]:
    yield
    assert region.breaches() == []


def test_freeze_and_release(region: Region) -> None:
    psn_no = region.person(balance=100)
    freeze = c.FreezeAccount(psn_no=psn_no, cause="court", document="(2025)冻1号")
    state = do(region, freeze_account, freeze)
    assert (state.is_frozen, state.balance_fen, region.version(psn_no)) == (True, 100, 1)
    assert codes(do(region, freeze_account, freeze)) == {"ALREADY_FROZEN"}
    assert do(region, release_account, c.ReleaseAccount(psn_no=psn_no, document="解1号")).is_frozen is False
    assert codes(do(region, release_account, c.ReleaseAccount(psn_no=psn_no, document="解1号"))) == {"NOT_FROZEN"}
    bad = c.FreezeAccount(psn_no=psn_no, cause="whim", document=" ")
    assert codes(do(region, freeze_account, bad)) == {"FREEZE_CAUSE_UNKNOWN", "DOCUMENT_MISSING"}
    assert codes(do(region, freeze_account, c.FreezeAccount(psn_no="x", cause="court", document="d"))) == {"ACCOUNT_NOT_FOUND"}


def test_a_withdrawal_needs_two_people_and_empties_the_account(region: Region) -> None:
    psn_no = region.person(balance=12_345)
    region.relation(psn_no, ends=date(2025, 2, 1), status="4", cause="emigration")
    command = c.WithdrawAccount(psn_no=psn_no, cause="emigration", document="护照", **PAYEE)
    made = do(region, propose_withdrawal, command)
    assert (made.state, made.amount_fen, region.balance(psn_no)) == ("proposed", 12_345, 12_345)
    assert codes(do(region, propose_withdrawal, command)) == {"WITHDRAWAL_OPEN"}
    decide = c.DecideWithdrawal(psn_no=psn_no, withdrawal_id=made.withdrawal_id, approve=True)
    assert codes(do(region, decide_withdrawal, decide)) == {"FOUR_EYES"}
    moved(region, psn_no, 55, "late", date(2025, 3, 10))    # arrives between proposal and approval: paid out as well
    done = do(region, decide_withdrawal, decide, actor=CHECKER)
    assert (done.state, done.amount_fen, region.balance(psn_no)) == ("approved", 12_400, 0)
    payout = region.fetch("select amount_fen, state, purpose from exchange.payout where payout_id = $1",
                          f"wd-{made.withdrawal_id}")
    assert [tuple(row) for row in payout] == [(12_400, "ordered", "withdrawal")]
    assert codes(do(region, decide_withdrawal, decide, actor=CHECKER)) == {"WITHDRAWAL_DECIDED"}


def test_a_rejected_withdrawal_moves_nothing(region: Region) -> None:
    psn_no = region.person(balance=700)
    region.relation(psn_no, ends=date(2025, 2, 1), status="4")
    made = do(region, propose_withdrawal, c.WithdrawAccount(psn_no=psn_no, cause="military", document="入伍通知书", **PAYEE))
    decide = c.DecideWithdrawal(psn_no=psn_no, withdrawal_id=made.withdrawal_id, approve=False, note="材料不全")
    assert do(region, decide_withdrawal, decide, actor=CHECKER).state == "rejected"
    assert region.balance(psn_no) == 700


def test_what_came_between_proposal_and_approval_is_seen(region: Region) -> None:
    """Dead meanwhile: it is the heirs'. And the same person is the same however the name is typed."""
    psn_no = region.person(balance=700)
    region.relation(psn_no, ends=date(2025, 2, 1), status="4")
    made = do(region, propose_withdrawal, c.WithdrawAccount(psn_no=psn_no, cause="military", document="入伍通知书", **PAYEE))
    decide = c.DecideWithdrawal(psn_no=psn_no, withdrawal_id=made.withdrawal_id, approve=True)
    again = Actor(login=f" {MAKER.login.upper()} ", channel="cli", regions=(REGION,))
    assert codes(do(region, decide_withdrawal, decide, actor=again)) == {"FOUR_EYES"}
    region.execute("update people.person set died_on = '2025-03-01' where psn_no = $1", psn_no)
    assert codes(do(region, decide_withdrawal, decide, actor=CHECKER)) == {"PERSON_DEAD"}
    assert region.balance(psn_no) == 700


def test_an_heir_who_died_meanwhile_gets_nothing_into_an_account(region: Region) -> None:
    dead, heir = region.person(balance=900), region.person(balance=1)
    region.relation(heir)
    region.execute("update people.person set died_on = '2025-03-01' where psn_no = $1", dead)
    made = do(region, propose_inheritance, c.InheritAccount(psn_no=dead, document="公证书", heir_no=heir))
    region.execute("update people.person set died_on = '2025-03-05' where psn_no = $1", heir)
    region.execute("update enrolment.relation set status = '4', paused_on = '2025-02-01', end_cause = 'death' where psn_no = $1",
                   heir)
    decide = c.DecideWithdrawal(psn_no=dead, withdrawal_id=made.withdrawal_id, approve=True)
    assert codes(do(region, decide_withdrawal, decide, actor=CHECKER)) == {"HEIR_HAS_NO_ACCOUNT"}
    assert (region.balance(dead), region.balance(heir)) == (900, 1)


def test_every_fault_of_a_withdrawal_is_told(region: Region) -> None:
    psn_no = region.person(balance=0)
    region.relation(psn_no)
    bad = c.WithdrawAccount(psn_no=psn_no, cause="holiday", document="", payee_name="", bank_name="b", bank_account="")
    assert codes(do(region, propose_withdrawal, bad)) == {
        "ACCOUNT_EMPTY", "CAUSE_NOT_ALLOWED", "STILL_ENROLLED", "DOCUMENT_MISSING", "PAYEE_INCOMPLETE"}


def test_a_frozen_account_is_not_paid_out(region: Region) -> None:
    psn_no = region.person(balance=10)
    region.relation(psn_no, ends=date(2025, 2, 1), status="4")
    do(region, freeze_account, c.FreezeAccount(psn_no=psn_no, cause="court", document="d"))
    command = c.WithdrawAccount(psn_no=psn_no, cause="military", document="d", **PAYEE)
    assert codes(do(region, withdraw_account, command, checker=CHECKER)) == {"ACCOUNT_FROZEN"}


def test_an_heir_gets_the_account_into_the_own_or_through_the_bank(region: Region) -> None:
    dead, dead_too, heir = region.person(balance=900), region.person(balance=80), region.person(balance=1)
    region.relation(heir)
    alive = c.InheritAccount(psn_no=dead, document="公证书", heir_no=heir)
    assert codes(do(region, propose_inheritance, alive)) == {"PERSON_ALIVE"}
    region.execute("update people.person set died_on = '2025-03-01' where psn_no = any($1::text[])", [dead, dead_too])
    done = do(region, inherit_account, alive, checker=CHECKER)
    assert (done.state, region.balance(dead), region.balance(heir)) == ("approved", 0, 901)
    paid = do(region, inherit_account, c.InheritAccount(psn_no=dead_too, document="公证书", **PAYEE), checker=CHECKER)
    assert (paid.amount_fen, region.balance(dead_too)) == (80, 0)
    nobody = c.InheritAccount(psn_no=dead, document="公证书", heir_no="nobody")
    assert codes(do(region, propose_inheritance, nobody)) == {"ACCOUNT_EMPTY", "HEIR_NOT_FOUND"}


def test_a_minor_is_bound_with_the_guardians_consent(region: Region) -> None:
    parent, child = region.person(balance=10), region.person(born=date(2015, 5, 5))
    bad = c.BindFamily(psn_no=parent, member_no=child, kinship="child", consent="")
    answer = do(region, bind_family, bad)
    assert codes(answer) == {"CONSENT_MISSING"}
    assert "监护人" in answer.sentence()
    good = c.BindFamily(psn_no=parent, member_no=child, kinship="child", consent="监护人同意书")
    assert do(region, bind_family, good).is_minor is True
    assert codes(do(region, bind_family, good)) == {"ALREADY_BOUND"}
    unbind = c.UnbindFamily(psn_no=parent, member_no=child)
    assert do(region, unbind_family, unbind).end_on == date(2025, 3, 10)
    assert codes(do(region, unbind_family, unbind)) == {"NOT_BOUND"}


def test_a_channel_is_set_and_set_anew(region: Region) -> None:
    psn_no = region.person(balance=1)
    for card in ("K1", "K2"):
        do(region, set_channel, c.SetChannel(psn_no=psn_no, kind="card", card_no=card))
    kept = region.fetch("select card_no, changed_by from personal_accounts.channel where psn_no = $1", psn_no)
    assert [tuple(row) for row in kept] == [("K2", "maker")]
    assert codes(do(region, set_channel, c.SetChannel(psn_no=psn_no, kind="cash"))) == {"CHANNEL_UNKNOWN"}


def test_interest_by_hand() -> None:
    # 1000.00 yuan the whole of 2025 (365 days) at 0.35 %: 3.50 yuan.
    assert interest_of(100_000 * 365, 35, year=2025) == 350
    # 1000.00 from 2 July 2025 on, 183 days (2 July to 31 December): 100000 x 183 x 0.0035 / 365 = 175.479... -> 175 fen.
    assert interest_of(100_000 * 183, 35, year=2025) == 175
    # In a leap year the day is a 366th: the whole year again makes 3.50.
    assert interest_of(100_000 * 366, 35, year=2024) == 350


def test_a_year_of_interest_is_credited_once(region: Region) -> None:
    whole, half, poor, new = (region.person(balance=0) for _ in range(4))
    moved(region, whole, 100_000, "a", date(2023, 6, 1))
    moved(region, half, 100_000, "b", date(2024, 7, 2))     # 2 July to 31 December 2024: 183 days
    moved(region, half, -50_000, "c", date(2024, 12, 31))   # the last day closes with half of it
    moved(region, poor, 100, "d", date(2024, 1, 1))         # 100 x 366 x 0.0035 / 366 = 0.35 fen -> 0
    moved(region, new, 100_000, "e", date(2025, 1, 1))      # not of that year
    early = region.batch(lambda db: credit_interest(db, admdvs=REGION, year=2025, now=NOW, shelf=region.shelf))
    assert codes(early) == {"YEAR_NOT_OVER"}
    for _ in range(2):
        done = region.batch(lambda db: credit_interest(db, admdvs=REGION, year=2024, now=NOW, shelf=region.shelf, chunk=2))
        assert isinstance(done, InterestCredited)
        assert done.rate_e4 == 35
    # half: (100000 x 183 - 50000 x 1) x 0.0035 / 366 = 18250000 x 0.0035 / 366 = 174.52... -> 175
    assert [region.balance(p) for p in (whole, half, poor, new)] == [100_350, 50_175, 100, 100_000]


def test_a_statement_is_the_ledger(region: Region) -> None:
    psn_no = region.person(balance=1000)
    moved(region, psn_no, 250, "a", date(2024, 3, 31))
    moved(region, psn_no, -300, "b", date(2024, 4, 1))
    moved(region, psn_no, 70, "c", date(2024, 5, 1))
    told = region.run(lambda tx: account_statement(tx, psn_no, begin=date(2024, 4, 1), end=date(2024, 5, 1)))
    assert isinstance(told, Statement)
    assert (told.opening_fen, told.in_fen, told.out_fen, told.closing_fen, told.balance_fen) == (1250, 0, 300, 950, 1020)
    assert [(x.amount_fen, x.balance_fen) for x in told.lines] == [(-300, 950)]
    assert told.ties
    assert codes(region.run(lambda tx: account_statement(tx, "nobody"))) == {"ACCOUNT_NOT_FOUND"}


def test_verify_finds_what_somebody_did_to_the_books(region: Region) -> None:
    psn_no = region.person(balance=10)
    assert region.breaches(f"update ledger.personal_account set is_frozen = true where psn_no = '{psn_no}'")
    assert region.breaches(f"update ledger.personal_account set balance_fen = 11 where psn_no = '{psn_no}'")
    assert region.breaches(
        "insert into personal_accounts.credit (psn_no, month, admdvs, outcome, relation_id, psn_type, amount_fen, "
        f"first_seen_at, decided_at, run_no, policy_version) values ('{psn_no}', '2024-07-01', '370300', 'credited', 'r', "
        "'1101', 5, now(), now(), 1, 'v')")
    assert region.breaches(
        "insert into ledger.posting (psn_no, posting_id, admdvs, kind, posted_at, accounts, amounts) values "
        f"('other', 'x', '370300', 'correction', now(), array['account:{psn_no}', 'opening:370300'], array[1, -1])")


def test_the_command_line_does_all_of_it(region: Region) -> None:
    region.execute("update enrolment.relation set paused_on = '2025-01-01', status = '4' where paused_on is null")
    psn_no, heir = region.person(balance=500), region.person(balance=0)
    region.relation(psn_no)
    region.relation(heir)
    region.due(psn_no, date(2025, 2, 1), base=500_000)

    def run(*words: str, code: int = 0) -> dict[str, Any]:
        environment = {**os.environ, "YIBAO_DATABASE_URL": region.url}
        result = CliRunner().invoke(app, ["account", *words, "--json"], env=environment)
        assert result.exit_code == code, result.output
        return dict(json.loads(result.stdout))

    told = run("credit", REGION, "2025-02")["credited"]
    assert (told["run_no"], told["credited_fen"], told["reasons"]) == (1, 10_000, {"BASE_MISSING": 1})
    assert run("held", REGION, "2025-02")["held"][0]["psn_no"] == heir
    assert run("statement", psn_no)["statement"]["closing_fen"] == 10_500
    assert run("arrears", REGION, "2025-03")["credited"][0]["held"] == 1
    run("freeze", psn_no, "--operator", "a", "--cause", "court", "--document", "d")
    run("release", psn_no, "--operator", "b", "--document", "d")
    run("share", psn_no, heir, "--operator", "a", "--kinship", "child", "--consent", "d", "--once", "12.50")
    run("unshare", psn_no, heir, "--operator", "a")
    run("bind", psn_no, heir, "--operator", "a", "--kinship", "child", "--consent", "d")
    run("unbind", psn_no, heir, "--operator", "a")
    refused = run("withdraw", psn_no, "--operator", "a", "--cause", "military", "--document", "d", "--payee", "p", "--bank",
                  "b", "--account", "1", code=1)
    assert refused["faults"][0]["code"] == "STILL_ENROLLED"
    region.execute("update people.person set died_on = '2025-03-01' where psn_no = $1", psn_no)
    region.execute("update enrolment.relation set paused_on = '2025-03-01', status = '4', end_cause = 'death' "
                   "where psn_no = $1", psn_no)
    made = run("inherit", psn_no, "--operator", "a", "--document", "d", "--heir", heir)["withdrawal"]
    run("approve", psn_no, made["withdrawal_id"], "--operator", "a", code=1)
    assert run("approve", psn_no, made["withdrawal_id"], "--operator", "b")["withdrawal"]["state"] == "approved"
    assert region.balance(heir) == 10_500
    assert run("interest", REGION, "2023")["interest"]["year"] == 2023
    assert CliRunner().invoke(app, ["account", "credit", REGION, "soon"]).exit_code == 2
