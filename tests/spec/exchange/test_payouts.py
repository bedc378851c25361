"""Payouts to people: the file, four eyes, the bank's answer with codes, a second attempt; the ledger moves when it is paid."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import date
from typing import Any

import asyncpg
import pytest

from tests.spec.exchange.conftest import NOW, REGION, Exchange
from tests.support.offices import Office
from yibao.domains.exchange.model import PayoutReturn
from yibao.infra.database import Connection, Database
from yibao.kernel.actor import Actor
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal
from yibao.ledger.operations import post
from yibao.ledger.posting import Posting, fund_account
from yibao.ledger.queries import balance_of
from yibao.usecases.payouts.check_payout_file import check_payout_file, withdraw_payout_file
from yibao.usecases.payouts.make_payout_file import make_payout_file
from yibao.usecases.payouts.order_payout import Payout, order_payout, reorder_payout
from yibao.usecases.payouts.take_payout_return import take_payout_return
from yibao.usecases.settlement.shelf import PolicyShelf

MAKER, CHECKER = Actor(login="王经办", channel="cli"), Actor(login="李复核", channel="cli")
GOOD, OTHER_NAME, CLOSED, BAD = "6222000000000001", "6222000000000002", "6222000000000003", "62x"
"""Accounts at the bank: of 张三, of somebody else, closed, and no account at all."""


def payout(payout_id: str, amount_fen: int = 10_000, account: str = GOOD, name: str = "张三", **more: Any) -> Payout:
    asked = {"admdvs": REGION, "purpose": "withdrawal", "psn_no": "P1", "bank_name": "示例银行", "origin": f"o-{payout_id}"}
    return Payout(payout_id=payout_id, payee_name=name, bank_account=account, amount_fen=amount_fen, **{**asked, **more})


class Payer(Exchange):
    """The paying desk and its bank."""

    @property
    def bank(self) -> Office:
        return self.offices[0]

    async def order(self, one: Payout) -> Any:
        """Order a payout and post the debt, as the deed behind it does."""
        async def deed(tx: Connection) -> Any:
            known = await tx.fetchval("select true from exchange.payout where payout_id = $1", one.payout_id)
            done = await order_payout(tx, one, actor=MAKER, now=NOW, ids=RandomIds())
            if not known and not isinstance(done, Refusal):
                await post(tx, Posting(
                    one.psn_no, one.origin, one.admdvs, "withdrawal", NOW, None, None,
                    [fund_account(one.admdvs, "310200"), f"payout:{one.admdvs}"], [-one.amount_fen, one.amount_fen], 0,
                ))
            return done

        return await self.do(deed)

    async def make(self) -> Any:
        return await self.do(lambda tx: make_payout_file(tx, admdvs=REGION, actor=MAKER, now=NOW, ids=RandomIds()))

    async def check(self, file_id: str, actor: Actor = CHECKER) -> Any:
        return await self.do(lambda tx: check_payout_file(tx, file_id=file_id, actor=actor, now=NOW, ids=RandomIds()))

    async def send(self) -> str:
        """Make a file, have it checked, and carry it to the bank."""
        file_id: str = (await self.make()).file_id
        await self.check(file_id)
        await self.round()
        return file_id

    async def take(self, told: PayoutReturn) -> Any:
        return await self.do(lambda tx: take_payout_return(tx, told, actor=CHECKER, now=NOW, ids=RandomIds()))

    async def states(self) -> dict[str, tuple[str, str]]:
        rows = await self.base.fetch("select payout_id, state, code from exchange.payout order by 1")
        return {r["payout_id"]: (r["state"], r["code"]) for r in rows}

    async def ledger(self) -> tuple[int, int]:
        """Return what is owed to people, and what the bank has paid."""
        async with self.base.connection() as tx:
            return await balance_of(tx, f"payout:{REGION}"), await balance_of(tx, f"bank:{REGION}")


@pytest.fixture
def payer(base: Database, shelf: PolicyShelf, office_of: Callable[[str], Office]) -> Payer:
    bank = office_of("bank")
    bank.advance("2024-07-03T10:00")
    bank.act("open_account", account=GOOD, name="张三")
    bank.act("open_account", account=OTHER_NAME, name="李四")
    bank.act("open_account", account=CLOSED, name="张三")
    bank.act("close_account", account=CLOSED)
    return Payer(base, shelf, bank)


async def test_a_payout_goes_out_by_two_people_and_comes_back_paid(payer: Payer) -> None:
    await payer.order(payout("w1", 12_345))
    await payer.order(payout("w2", 655, account="6217000000000009", name="外行户"))
    file = await payer.make()
    assert (file.file_id, file.count, file.amount_fen, file.state) == (f"P{REGION}20240703001", 2, 13_000, "made")
    assert (await payer.check(file.file_id)).state == "sent"
    assert await payer.ledger() == (13_000, 0), "nothing moves before the bank has paid"
    await payer.round()
    assert payer.bank.get("/state")["papers"] == {"account:closed": 1, "account:open": 2, "file:taken": 1}
    assert payer.bank.advance("2024-07-04T10:00") == ["execute"]
    await payer.round()
    assert await payer.states() == {"w1": ("paid", "00"), "w2": ("paid", "00")}
    assert await payer.ledger() == (0, 13_000)
    assert await payer.codes() == []
    assert await payer.breaches() == []
    assert (await payer.base.fetch("select state from exchange.payout_file"))[0][0] == "answered"


async def test_the_files_lines_and_digest_are_what_the_bank_can_reckon(payer: Payer) -> None:
    await payer.order(payout("w1", 12_345))
    file = await payer.make()
    await payer.check(file.file_id)
    body = (await payer.base.fetch("select body from exchange.outbox where kind = 'payout_file'"))[0][0]
    line = f"w1-1\t张三\t{GOOD}\t示例银行\t12345\twithdrawal\to-w1"
    digest = hashlib.new("sm3", f"{line}\n".encode()).hexdigest()
    assert file.digest == digest
    assert f'"digest":"{digest}"' in body


async def test_codes_of_the_bank_say_why_and_another_account_is_tried(payer: Payer) -> None:
    await payer.order(payout("w1", 100, account=OTHER_NAME))
    await payer.order(payout("w2", 200, account=CLOSED))
    await payer.order(payout("w3", 300, account=BAD))
    await payer.order(payout("w4", 400))
    await payer.send()
    payer.bank.advance("2024-07-04T10:00")
    await payer.round()
    assert await payer.states() == {"w1": ("failed", "02"), "w2": ("failed", "03"), "w3": ("failed", "01"), "w4": ("paid", "00")}
    assert (await payer.base.fetch("select reason from exchange.payout where payout_id = 'w2'"))[0][0] == "账户已销户"
    assert await payer.ledger() == (600, 400)

    async def again(payout_id: str, account: str) -> Any:
        return await payer.do(lambda tx: reorder_payout(
            tx, payout_id=payout_id, payee_name="张三", bank_name="示例银行", bank_account=account, actor=MAKER, now=NOW,
            ids=RandomIds()))

    refused = await again("w4", GOOD)
    assert isinstance(refused, Refusal)
    assert refused.code == "PAYOUT_STATE"
    empty = await again("w1", " ")
    assert isinstance(empty, Refusal)
    for payout_id in ("w1", "w2", "w3"):
        assert (await again(payout_id, GOOD)).attempt == 2
    assert await payer.send() == f"P{REGION}20240703002"
    payer.bank.advance("2024-07-05T10:00")
    await payer.round()
    assert {state for state, _code in (await payer.states()).values()} == {"paid"}
    assert await payer.ledger() == (0, 1_000)
    assert await payer.breaches() == []


async def test_the_maker_cannot_check_and_the_database_says_so_too(payer: Payer) -> None:
    await payer.order(payout("w1"))
    file = await payer.make()
    for login in ("王经办", " 王经办 "):
        refused = await payer.check(file.file_id, Actor(login=login, channel="cli"))
        assert isinstance(refused, Refusal)
        assert refused.code == "FOUR_EYES"
    with pytest.raises(asyncpg.CheckViolationError):
        await payer.breaches("update exchange.payout_file set checked_by = made_by")
    assert (await payer.check(file.file_id)).checked_by == "李复核"
    assert (await payer.check(file.file_id)).checked_by == "李复核", "the same again has no effect"
    other = await payer.check(file.file_id, Actor(login="第三人", channel="cli"))
    assert isinstance(other, Refusal)
    assert len(await payer.base.fetch("select from exchange.outbox")) == 1


async def test_a_file_that_was_changed_after_it_was_made_is_not_sent(payer: Payer) -> None:
    await payer.order(payout("w1"))
    file = await payer.make()
    await payer.base.fetch("update exchange.payout_line set line = replace(line, '张三', '李四') returning 1")
    refused = await payer.check(file.file_id)
    assert isinstance(refused, Refusal)
    assert refused.code == "PAYOUT_FILE_CHANGED"
    withdrawn = await payer.do(lambda tx: withdraw_payout_file(
        tx, file_id=file.file_id, actor=CHECKER, now=NOW, ids=RandomIds()))
    assert withdrawn.state == "withdrawn"
    assert await payer.send() == f"P{REGION}20240703002"
    payer.bank.advance("2024-07-04T10:00")
    await payer.round()
    assert await payer.states() == {"w1": ("paid", "00")}
    assert await payer.breaches() == []


async def test_the_same_payout_is_ordered_once(payer: Payer) -> None:
    first = await payer.order(payout("w1"))
    assert await payer.order(payout("w1")) == first
    for other in (payout("w1", 9), payout("w1", account=OTHER_NAME), payout("w1", psn_no="P2")):
        refused = await payer.order(other)
        assert isinstance(refused, Refusal)
        assert refused.code == "PAYOUT_DIFFERS"
    for wrong in (payout("w2", 0), payout("w2", -5), payout("w2", name=" "), payout("w2", account="")):
        assert isinstance(await payer.order(wrong), Refusal)
    assert isinstance(await payer.do(lambda tx: make_payout_file(
        tx, admdvs="441300", actor=MAKER, now=NOW, ids=RandomIds())), Refusal)


def answer(file_id: str, rows: list[tuple[str, str, int]], *, count: int | None = None, digest: str = "") -> dict[str, Any]:
    """Write an answer as the bank would; every option makes it wrong in one way."""
    text = "".join(sorted(f"{line},{code},{amount}\n" for line, code, amount in rows))
    return {
        "file_id": file_id, "admdvs": REGION, "rows": [
            {"line_id": line, "code": code, "amount_fen": amount, "reason": "", "bank_ref": "r"} for line, code, amount in rows
        ], "count": len(rows) if count is None else count, "digest": digest or hashlib.new("sm3", text.encode()).hexdigest(),
    }


WRONG: dict[str, tuple[Callable[[str], dict[str, Any]], str]] = {
    "another digest": (lambda f: answer(f, [("w1-1", "00", 100), ("w2-1", "00", 200)], digest="0" * 64), "RETURN_DIGEST"),
    "another count": (lambda f: answer(f, [("w1-1", "00", 100)], count=2), "RETURN_COUNT"),
    "a line twice": (lambda f: answer(f, [("w1-1", "00", 100), ("w1-1", "00", 100)]), "RETURN_TWICE"),
    "a line nobody ordered": (lambda f: answer(f, [("w1-1", "00", 100), ("x-1", "00", 5)]), "PAYOUT_UNKNOWN"),
    "another amount": (lambda f: answer(f, [("w1-1", "00", 101)]), "PAYOUT_AMOUNT"),
    "a negative amount": (lambda f: answer(f, [("w1-1", "00", -100)]), "PAYOUT_AMOUNT"),
    "no code": (lambda f: answer(f, [("w1-1", "", 100)]), "RETURN_CODE"),
    "a file nobody made": (lambda _f: answer("P1", [("w1-1", "00", 100)]), "PAYOUT_FILE_UNKNOWN"),
    "no rows at all": (lambda f: {"file_id": f, "admdvs": REGION}, "MESSAGE_MALFORMED"),
    "rows of another kind": (lambda f: {**answer(f, []), "rows": [1]}, "MESSAGE_MALFORMED"),
}


@pytest.mark.parametrize("what", WRONG)
async def test_a_wrong_answer_is_a_case_and_moves_nothing(payer: Payer, what: str) -> None:
    make, code = WRONG[what]
    await payer.order(payout("w1", 100))
    await payer.order(payout("w2", 200))
    file_id = await payer.send()
    payer.bank.act("say", kind="payout_return", admdvs=REGION, body=make(file_id))
    await payer.round()
    assert await payer.codes() == [code]
    assert await payer.states() == {"w1": ("sent", ""), "w2": ("sent", "")}
    assert await payer.ledger() == (300, 0)
    payer.bank.advance("2024-07-04T10:00")
    await payer.round()
    assert await payer.ledger() == (0, 300)
    assert await payer.breaches() == []


async def test_answers_in_parts_and_repeated_are_booked_once(payer: Payer) -> None:
    await payer.order(payout("w1", 100))
    await payer.order(payout("w2", 200))
    file_id = await payer.send()

    async def say(rows: list[tuple[str, str, int]]) -> None:
        payer.bank.act("say", kind="payout_return", admdvs=REGION, body=answer(file_id, rows))
        await payer.round()

    await say([("w1-1", "00", 100)])
    assert await payer.ledger() == (200, 100)
    await say([("w1-1", "00", 100)])
    await say([("w1-1", "00", 100), ("w2-1", "02", 200)])
    assert await payer.codes() == []
    await say([("w1-1", "02", 100)])
    assert await payer.codes() == ["PAYOUT_ENDED"]
    assert await payer.states() == {"w1": ("paid", "00"), "w2": ("failed", "02")}
    assert await payer.ledger() == (200, 100)
    assert await payer.breaches() == []


async def test_a_bank_that_answers_wrongly_loses_and_doubles_nothing(payer: Payer) -> None:
    """In its wrong mood the bank damages, repeats, reorders and invents messages; back to normal the books are right."""
    payer.bank.mode("wrong")
    day = 4
    for n in range(6):
        await payer.order(payout(f"w{n}", 1_000 + n))
        await payer.send()
        while date(2024, 7, day).weekday() > 4:
            day += 1
        payer.bank.advance(f"2024-07-{day:02d}T10:00")
        day += 1
        await payer.round()
    payer.bank.mode("normal")
    await payer.round()
    assert {state for state, _code in (await payer.states()).values()} == {"paid"}
    assert await payer.ledger() == (0, 6_015)
    assert await payer.codes() == ["PAYOUT_FILE_UNKNOWN"]
    assert await payer.breaches() == []


async def test_a_file_the_bank_refuses_as_a_whole_goes_with_the_next_one(payer: Payer) -> None:
    await payer.order(payout("w1", 100))
    file_id = await payer.send()
    payer.bank.act("say", kind="file_refused", admdvs=REGION, body={"file_id": file_id, "reason": "摘要不符"})
    await payer.round()
    assert await payer.states() == {"w1": ("ordered", "")}
    payer.bank.advance("2024-07-04T10:00")
    await payer.round()
    assert await payer.codes() == ["PAYOUT_FILE_UNKNOWN"], "it did carry the file out after all: somebody must look"
    assert await payer.ledger() == (100, 0)


async def test_money_for_another_region_is_announced_there(payer: Payer) -> None:
    await payer.order(payout(
        "transfer-T1", 5_000, account="AGENCY-441300", name="惠州市医保中心", purpose="transfer", origin="T1"))
    await payer.send()
    payer.bank.advance("2024-07-04T10:00")
    credit, *_ = [m for m in payer.bank.messages() if m["kind"] == "transfer_credit"]
    assert credit["admdvs"] == "441300"
    assert {**credit["body"], "payment_ref": ""} == {
        "reference": "T1", "amount_fen": 5_000, "admdvs": "441300", "from_admdvs": REGION, "arrived_on": "2024-07-04",
        "payment_ref": "",
    }
    assert credit["body"]["payment_ref"] != ""


HARMS = {
    "a message was taken out": "delete from exchange.outbox where no = 1",
    "a message counts as sent that is not": "update exchange.channel set acked = 0 where party = 'bank'",
    "a payment is not booked": "delete from ledger.posting where posting_id = 'w1-paid'",
    "a payment is booked that was not made": "update exchange.payout set state = 'failed' where payout_id = 'w1'",
    "another amount was ordered": "update exchange.payout set amount_fen = 1 where payout_id = 'w2'",
    "a file says another sum": "update exchange.payout_file set amount_fen = amount_fen + 1",
    "a line is gone": "delete from exchange.payout_line where line_id = 'w1-1'",
    "nobody wrote who checked": "delete from platform.audit_entry where verb = 'check_payout_file'",
    "a debt has no payout": "delete from exchange.payout where payout_id = 'w2'",
    "a case is gone": "delete from exchange.case",
}


async def test_verify_finds_harm(payer: Payer) -> None:
    await payer.order(payout("w1", 100))
    await payer.send()
    payer.bank.advance("2024-07-04T10:00")
    payer.bank.act("say", kind="poem", admdvs=REGION, body={})
    await payer.round()
    await payer.order(payout("w2", 200))
    assert await payer.breaches() == []
    for what, harm in HARMS.items():
        assert await payer.breaches(harm), what


async def test_who_gives_a_payout_another_account_does_not_check_its_file(payer: Payer) -> None:
    await payer.order(payout("w1", 100, account=CLOSED))
    await payer.send()
    payer.bank.advance("2024-07-04T10:00")
    await payer.round()
    await payer.do(lambda tx: reorder_payout(
        tx, payout_id="w1", payee_name="李四", bank_name="示例银行", bank_account=OTHER_NAME, actor=CHECKER, now=NOW,
        ids=RandomIds()))
    file_id = (await payer.make()).file_id
    refused = await payer.check(file_id)
    assert isinstance(refused, Refusal)
    assert refused.code == "FOUR_EYES"
    assert (await payer.check(file_id, Actor(login="第三人", channel="cli"))).state == "sent"
    assert await payer.breaches() == []
