"""Two regions of one deployment that know each other by messages only, and a bank between them."""

from __future__ import annotations

import asyncio
import json
from datetime import date
from typing import Any

import msgspec
import pytest

from tests.support.service_desk import AGENCY, HUIZHOU, ZIBO, Clerk, Town, at, law
from yibao.domains.transfers.model import Run
from yibao.entrypoints.exchange.running import follow_bank, relay_once
from yibao.infra.database import Database
from yibao.kernel.identity_number import make
from yibao.usecases.enrolment.count_years import count_years
from yibao.usecases.transfers.commands import (
    AssignMoney,
    CancelTransfer,
    ChangeForm,
    ConfirmRetirementPlace,
    EnrolmentPaper,
    TransferCredit,
    TransferIn,
    TransferOut,
    TransferRefused,
    TransferRequest,
    TransferSheet,
)
from yibao.usecases.transfers.receive_money import assign_money, receive_money
from yibao.usecases.transfers.receive_sheet import receive_refusal, receive_sheet
from yibao.usecases.transfers.retirement_place import confirm_retirement_place
from yibao.usecases.transfers.transfer_in import cancel_transfer, transfer_in
from yibao.usecases.transfers.transfer_out import answer_request, follow_payouts, transfer_out

DAY = "2025-03-03"
HANDLERS: dict[str, tuple[Any, Any]] = {
    "transfer_request": (answer_request, TransferRequest), "transfer_sheet": (receive_sheet, TransferSheet),
    "transfer_refused": (receive_refusal, TransferRefused),
}
_serial = iter(range(500, 999))


class Mover:
    """Somebody with a past in Zibo and a new job in Huizhou."""

    def __init__(
        self, town: Town, *, months: int = 12, balance_fen: int = 123_456, left: date | None = date(2025, 1, 1),
        state: str = "arrived", psn_type: str = "1101", overlap: int = 0,
    ) -> None:
        self.town = town
        self.certno = make("370302", date(1985, 5, 5), next(_serial))
        self.name = f"迁移者{self.certno[-4:]}"
        self.old, _ = town.person(self.name, region=ZIBO, certno=self.certno, balance_fen=balance_fen)
        town.relation(self.old, begin=date(2024, 1, 1), until=left, psn_type=psn_type)
        town.dues(self.old, date(2024, 1, 1), months, state=state)
        self.new, _ = town.person(self.name, region=HUIZHOU, certno=self.certno)
        begin = date(2025, 1, 1) if not overlap else date(2024, 13 - overlap, 1)
        town.relation(self.new, begin=begin, until=None)
        town.dues(self.new, begin, 2 + overlap)

    def ask(self, clerk: Clerk, on: str = DAY) -> Any:
        return clerk.do(transfer_in, TransferIn(psn_no=self.new, other_admdvs=ZIBO, other_name="淄博市医保中心"), on=on)

    def sides(self) -> dict[str, Any]:
        rows = self.town.fetch(
            "select * from transfers.transfer where psn_no = any($1::text[]) order by asked_at", [self.old, self.new])
        return {row["direction"]: row for row in rows}

    def balances(self) -> tuple[int, int]:
        rows = {r["psn_no"]: r["balance_fen"] for r in self.town.fetch(
            "select psn_no, balance_fen from ledger.personal_account where psn_no = any($1::text[])", [self.old, self.new])}
        return rows.get(self.old, 0), rows.get(self.new, 0)


def carry(town: Town, *, on: str) -> None:
    """Let the platform's own relay carry what waits between the regions."""
    async def run() -> list[Any]:
        database = await Database.open(town.url, role=AGENCY, size=2)
        try:
            return await relay_once(database, addresses={}, now=at(on), ids=town.ids, shelf=law())
        finally:
            await database.close()

    (done,) = asyncio.run(run())
    assert (done.party, done.cases, done.error) == ("region", 0, "")


def deliver_again(town: Town, zibo: Clerk, huizhou: Clerk, *, on: str) -> int:
    """Hand every letter there ever was to its handler once more; return how many there were."""
    rows = town.fetch("select kind, body from exchange.outbox where party = 'region' order by no")
    for row in rows:
        handler, command = HANDLERS[row["kind"]]
        letter = msgspec.convert(json.loads(row["body"]), command)
        (zibo if letter.admdvs == ZIBO else huizhou).do(handler, letter, on=on)
    return len(rows)


@pytest.fixture(scope="module")
def zibo(town: Town) -> Clerk:
    return town.clerk("赵淄博", region=ZIBO)


@pytest.fixture(scope="module")
def huizhou(town: Town) -> Clerk:
    return town.clerk("何惠州", region=HUIZHOU)


def paid_by_bank(town: Town, mover: Mover) -> None:
    """The bank pays the payout file of the old region; only its outcome is written here."""
    town.run(
        ("insert into exchange.payout_file (file_id, admdvs, count, amount_fen, digest, state, made_by, made_at, checked_by, "
         "checked_at, answered_at) select 'F' || payout_id, admdvs, 1, amount_fen, '', 'answered', 'a', ordered_at, 'b', "
         "ordered_at, ordered_at from exchange.payout where psn_no = $1", (mover.old,)),
        ("update exchange.payout set state = 'paid', file_id = 'F' || payout_id, ended_at = ordered_at where psn_no = $1",
         (mover.old,)))


def credit(mover: Mover, amount_fen: int, **more: Any) -> TransferCredit:
    reference = mover.sides()["in"]["reference"]
    given = {"reference": reference, "payment_ref": f"BK-{reference}", "amount_fen": amount_fen, **more}
    return TransferCredit(admdvs=HUIZHOU, from_admdvs=ZIBO, arrived_on=date(2025, 3, 6), **given)


def test_years_and_account_go_with_the_person(town: Town, zibo: Clerk, huizhou: Clerk) -> None:
    """Twelve months paid in 2024 and 1 234.56 yuan; two months of 2025 paid in the new place: fourteen in all."""
    mover = Mover(town)
    asked = mover.ask(huizhou)
    # out: 10 working days after Monday 3 March = 17 March; in: 5 more = 24 March
    assert (asked.state, asked.due_on) == ("asked", date(2025, 3, 24))
    carry(town, on="2025-03-04")
    sides = mover.sides()
    assert (sides["out"]["state"], sides["out"]["months"], sides["out"]["account_fen"]) == ("sent", 12, 123_456)
    assert sides["out"]["due_on"] == date(2025, 3, 18), "ten working days after Tuesday the 4th"
    assert (sides["in"]["state"], sides["in"]["counted"], sides["in"]["overlapping"]) == ("merged", 12, 0)
    assert sides["in"]["due_on"] == date(2025, 3, 11), "five working days after the sheet"
    assert mover.balances() == (0, 0)
    years = huizhou.do(count_years, mover.new, on=DAY, insutype="310", until=date(2025, 3, 1))
    assert (years.actual_months, years.transferred_months, years.total_months) == (2, 12, 14)
    (payout,) = town.fetch("select * from exchange.payout where psn_no = $1", mover.old)
    assert (payout["amount_fen"], payout["bank_account"], payout["purpose"], payout["origin"]) == (
        123_456, f"AGENCY-{HUIZHOU}", "transfer", sides["in"]["reference"])
    booked = huizhou.do(receive_money, credit(mover, 123_456), on="2025-03-06")
    assert booked.state == "booked"
    assert mover.balances() == (0, 123_456)
    assert mover.sides()["in"]["state"] == "closed"
    legs = town.fetch("select kind, accounts, amounts from ledger.posting "
                      "where psn_no = any($1::text[]) and kind like 'transfer%'", [mover.old, mover.new])
    assert {(r["kind"], n, a) for r in legs for n, a in zip(r["accounts"], r["amounts"], strict=True)} == {
        ("transfer_out", f"account:{mover.old}", -123_456), ("transfer_out", f"payout:{ZIBO}", 123_456),
        ("transfer_in", f"account:{mover.new}", 123_456), ("transfer_in", f"bank:{HUIZHOU}", -123_456)}
    assert zibo.do(follow_payouts, on="2025-03-07", admdvs=ZIBO) == []
    paid_by_bank(town, mover)
    assert [t.state for t in zibo.do(follow_payouts, on="2025-03-07", admdvs=ZIBO)] == ["closed"]


def test_the_worker_closes_a_transfer_once_the_bank_has_paid(town: Town, zibo: Clerk) -> None:
    mover = Mover(town)
    zibo.do(transfer_out, TransferOut(psn_no=mover.old, other_admdvs=HUIZHOU, other_name="惠州市医保中心"), on=DAY)

    async def follow() -> int:
        database = await Database.open(town.url, role=AGENCY, size=2)
        try:
            return await follow_bank(database, now=at("2025-03-07"), ids=town.ids, shelf=law())
        finally:
            await database.close()

    state = "select state from transfers.transfer where psn_no = $1 and direction = 'out'"
    asyncio.run(follow())
    assert town.fetch(state, mover.old)[0]["state"] == "sent"
    paid_by_bank(town, mover)
    assert asyncio.run(follow()) == 1
    assert town.fetch(state, mover.old)[0]["state"] == "closed"
    assert asyncio.run(follow()) == 0


def test_who_applies_at_the_old_place_need_not_apply_at_the_new_one(town: Town, zibo: Clerk, huizhou: Clerk) -> None:
    mover = Mover(town)
    out = zibo.do(transfer_out, TransferOut(psn_no=mover.old, other_admdvs=HUIZHOU, other_name="惠州市医保中心"), on=DAY)
    carry(town, on="2025-03-04")
    told = mover.sides()["in"]
    assert (told["state"], told["reference"], told["counted"]) == ("merged", out.reference, 12)
    huizhou.do(receive_money, credit(mover, 123_456), on="2025-03-06")
    assert mover.balances() == (0, 123_456)


def test_the_same_message_again_changes_nothing(town: Town, zibo: Clerk, huizhou: Clerk) -> None:
    mover = Mover(town)
    mover.ask(huizhou)
    carry(town, on="2025-03-04")
    huizhou.do(receive_money, credit(mover, 123_456), on="2025-03-06")
    before = town.fetch("select psn_no, posting_id from ledger.posting order by 1, 2"), town.fetch(
        "select psn_no, credit_id from enrolment.year_credit order by 1, 2")
    assert deliver_again(town, zibo, huizhou, on="2025-03-07") >= 2
    huizhou.do(receive_money, credit(mover, 123_456), on="2025-03-07")
    assert before == (town.fetch("select psn_no, posting_id from ledger.posting order by 1, 2"), town.fetch(
        "select psn_no, credit_id from enrolment.year_credit order by 1, 2"))
    assert huizhou.refused(receive_money, credit(mover, 1), on="2025-03-07") == ["PAYMENT_DIFFERS"]


def test_a_month_paid_in_both_places_counts_once(town: Town, zibo: Clerk, huizhou: Clerk) -> None:
    """Zibo January to December 2024, Huizhou from October 2024 on: three months overlap, nine are new; 5 + 9 = 14."""
    mover = Mover(town, overlap=3)
    mover.ask(huizhou)
    carry(town, on="2025-03-04")
    told = mover.sides()["in"]
    assert (told["months"], told["counted"], told["overlapping"]) == (12, 9, 3)
    years = huizhou.do(count_years, mover.new, on=DAY, insutype="310", until=date(2025, 3, 1))
    assert (years.actual_months, years.transferred_months, years.total_months) == (5, 9, 14)


OBSTACLES = {
    "TRANSFER_UNPAID": ({"state": "sent"}, "缴清"), "TRANSFER_IN_TRANSIT": ({"state": "paid"}, "等待到账"),
    "RELATION_OPEN": ({"left": None}, "停保"), "TRANSFER_RETIRED": ({"psn_type": "1201"}, "异地安置"),
}


@pytest.mark.parametrize("code", OBSTACLES)
def test_who_cannot_leave_yet_is_told_why_and_what_to_do(town: Town, zibo: Clerk, huizhou: Clerk, code: str) -> None:
    more, remedy = OBSTACLES[code]
    mover = Mover(town, **more)
    out = TransferOut(psn_no=mover.old, other_admdvs=HUIZHOU, other_name="惠州市医保中心")
    assert code in zibo.refused(transfer_out, out, on=DAY)
    mover.ask(huizhou)
    carry(town, on="2025-03-04")
    sides = mover.sides()
    assert {side["state"] for side in sides.values()} == {"refused"}
    assert remedy in sides["in"]["reason"]
    assert mover.balances() == (123_456, 0)
    assert town.fetch("select count(*) from exchange.payout where psn_no = $1", mover.old)[0][0] == 0


def test_every_obstacle_is_told_at_once(town: Town, zibo: Clerk) -> None:
    mover = Mover(town, state="sent", left=None)
    town.run(("update ledger.personal_account set is_frozen = true where psn_no = $1", (mover.old,)))
    out = TransferOut(psn_no=mover.old, other_admdvs=HUIZHOU, other_name="惠州市医保中心")
    assert zibo.refused(transfer_out, out, on=DAY) == [
        "RELATION_OPEN", "TRANSFER_UNPAID", "ACCOUNT_FROZEN", "NOTHING_TO_TRANSFER"]


def test_after_the_arrears_are_paid_it_works(town: Town, zibo: Clerk, huizhou: Clerk) -> None:
    mover = Mover(town, state="sent")
    mover.ask(huizhou)
    carry(town, on="2025-03-04")
    town.run(("update contributions.due set state = 'arrived', paid_on = '2025-03-05', arrived_on = '2025-03-06' "
              "where psn_no = $1", (mover.old,)))
    mover.ask(huizhou, on="2025-03-07")
    carry(town, on="2025-03-07")
    assert {s["state"] for s in mover.sides().values()} == {"sent", "merged"}


def test_nobody_by_that_name_is_an_answer_too(town: Town, zibo: Clerk, huizhou: Clerk) -> None:
    psn_no, _ = town.person("无此人", region=HUIZHOU)
    town.relation(psn_no, begin=date(2025, 1, 1), until=None)
    huizhou.do(transfer_in, TransferIn(psn_no=psn_no, other_admdvs=ZIBO, other_name="淄博市医保中心"), on=DAY)
    carry(town, on="2025-03-04")
    (row,) = town.fetch("select state, reason from transfers.transfer where psn_no = $1", psn_no)
    assert row["state"] == "refused"
    assert "都相符" in row["reason"]


def test_without_an_account_the_sheet_closes_it(town: Town, zibo: Clerk, huizhou: Clerk) -> None:
    mover = Mover(town, balance_fen=0)
    mover.ask(huizhou)
    carry(town, on="2025-03-04")
    assert {s["state"] for s in mover.sides().values()} == {"closed"}


MONEY = {
    "one fen short": ({"amount_fen": 123_455}, "不符"), "one fen over": ({"amount_fen": 123_457}, "不符"),
    "another reference": ({"amount_fen": 123_456, "reference": "404"}, "没有这个编号"),
}


@pytest.mark.parametrize("case", MONEY)
def test_money_that_fits_nothing_waits_for_somebody(town: Town, zibo: Clerk, huizhou: Clerk, case: str) -> None:
    more, says = MONEY[case]
    mover = Mover(town)
    mover.ask(huizhou)
    carry(town, on="2025-03-04")
    kept = huizhou.do(receive_money, credit(mover, **more), on="2025-03-06")
    assert kept.state == "open"
    assert says in kept.reason
    assert mover.balances() == (0, 0)
    assign = AssignMoney(payment_ref=kept.payment_ref, admdvs=HUIZHOU, reference=mover.sides()["in"]["reference"])
    if more["amount_fen"] == 123_456:
        assert huizhou.refused(assign_money, assign, on="2025-03-07", maker="何惠州") == ["FOUR_EYES"]
        assert huizhou.do(assign_money, assign, on="2025-03-07", maker="林受理").state == "closed"
        assert mover.balances() == (0, 123_456)
        assert huizhou.refused(assign_money, assign, on="2025-03-07", maker="林受理") == ["TRANSFER_MONEY_NOT_FOUND"]
    else:
        assert huizhou.refused(assign_money, assign, on="2025-03-07", maker="林受理") == ["TRANSFER_MONEY_DIFFERS"]


def test_money_before_the_sheet_is_booked_with_it(town: Town, zibo: Clerk, huizhou: Clerk) -> None:
    mover = Mover(town)
    mover.ask(huizhou)
    early = huizhou.do(receive_money, credit(mover, 123_456), on="2025-03-04")
    assert (early.state, "尚未收到" in early.reason) == ("open", True)
    carry(town, on="2025-03-05")
    assert mover.sides()["in"]["state"] == "closed"
    assert mover.balances() == (0, 123_456)
    twice = huizhou.do(receive_money, credit(mover, 123_456, payment_ref="BK-2"), on="2025-03-06")
    assert (twice.state, "重复付款" in twice.reason) == ("open", True)
    assert mover.balances() == (0, 123_456)


def test_no_money_is_refused(town: Town, huizhou: Clerk) -> None:
    nothing = TransferCredit(reference="1", amount_fen=0, admdvs=HUIZHOU, from_admdvs=ZIBO, arrived_on=date(2025, 3, 6))
    assert huizhou.refused(receive_money, nothing, on=DAY) == ["AMOUNT_NOT_POSITIVE"]


def paper_transfer(town: Town, huizhou: Clerk) -> tuple[str, str, str, str]:
    """Ask a region that is not on the network, with both papers; return number, person, identity number and name."""
    certno = make("510104", date(1980, 1, 1), next(_serial))
    psn_no, _ = town.person("成都来人", region=HUIZHOU, certno=certno)
    town.relation(psn_no, begin=date(2025, 1, 1), until=None)
    ask = {"psn_no": psn_no, "other_admdvs": "510100", "other_name": "成都市医保局"}
    assert huizhou.refused(transfer_in, TransferIn(**ask), on=DAY) == ["CERTIFICATE_MISSING", "CHANGE_FORM_MISSING"]
    done = huizhou.do(transfer_in, TransferIn(
        **ask, certificate=EnrolmentPaper(certificate_no="CD-1", issued_by="成都市医保局", issued_on=date(2025, 2, 20)),
        change_form=ChangeForm(from_insutype="310", to_insutype="310", reason="就业变动", changed_on=date(2025, 1, 1)),
    ), on=DAY)
    kinds = town.fetch("select kind from transfers.paper where transfer_id = $1 order by kind", done.transfer_id)
    assert [k["kind"] for k in kinds] == ["certificate", "change_form"]
    return done.reference, psn_no, certno, "成都来人"


def sheet(reference: str, certno: str, name: str, /, **more: Any) -> TransferSheet:
    given: dict[str, Any] = {
        "reference": reference, "admdvs": HUIZHOU, "from_admdvs": "510100", "name": name, "cert_type": "01", "certno": certno,
        "insutype": "310",
        "runs": [Run(date(2020, 1, 1), date(2022, 1, 1), "510100"), Run(date(2021, 7, 1), date(2023, 1, 1), "510100")],
        "unnamed_months": 6, "account_fen": 0, "issued_on": date(2025, 3, 1), **more}
    return TransferSheet(**given)


def test_a_region_off_the_network_needs_two_papers_and_a_typed_sheet(town: Town, huizhou: Clerk) -> None:
    """Two runs of 24 and 18 months that share six, and six without a name: 42 named rows, 36 months, 42 counted in all."""
    reference, psn_no, certno, name = paper_transfer(town, huizhou)
    done = huizhou.do(receive_sheet, sheet(reference, certno, name), on="2025-03-10")
    assert (done.state, done.counted, done.overlapping, done.months) == ("closed", 42, 6, 48)
    years = huizhou.do(count_years, psn_no, on=DAY, insutype="310", until=date(2025, 3, 1))
    assert years.transferred_months == 42


BAD_SHEETS = {
    "SHEET_FROM_ELSEWHERE": {"from_admdvs": "510200"}, "SHEET_OF_ANOTHER": {"name": "别人"},
    "SHEET_INSUTYPE": {"insutype": "390"},
    "SHEET_NEGATIVE": {"account_fen": -1}, "SHEET_MONTHS": {"runs": [Run(date(2022, 1, 1), date(2022, 1, 1), "510100")]},
    "SHEET_FUTURE": {"runs": [Run(date(2025, 2, 1), date(2025, 4, 1), "510100")]},
}


@pytest.mark.parametrize("code", BAD_SHEETS)
def test_a_sheet_that_cannot_be_is_refused_whole(town: Town, huizhou: Clerk, code: str) -> None:
    reference, psn_no, certno, name = paper_transfer(town, huizhou)
    assert huizhou.refused(receive_sheet, sheet(reference, certno, name, **BAD_SHEETS[code]), on="2025-03-10") == [code]
    assert town.fetch("select count(*) from enrolment.year_credit where psn_no = $1", psn_no)[0][0] == 0


def test_a_sheet_of_nobody_and_a_cancelled_question(town: Town, huizhou: Clerk) -> None:
    reference, _psn_no, certno, name = paper_transfer(town, huizhou)
    assert huizhou.refused(receive_sheet, sheet("404", certno, name), on=DAY) == ["TRANSFER_NOT_FOUND"]
    cancel = CancelTransfer(transfer_id=reference, reason="不转了")
    assert huizhou.do(cancel_transfer, cancel, on=DAY).state == "cancelled"
    assert huizhou.refused(receive_sheet, sheet(reference, certno, name), on=DAY) == ["TRANSFER_STATE"]
    assert huizhou.refused(cancel_transfer, cancel, on=DAY) == ["TRANSFER_STATE"]


def test_one_question_at_a_time(town: Town, huizhou: Clerk) -> None:
    mover = Mover(town)
    mover.ask(huizhou)
    again = TransferIn(psn_no=mover.new, other_admdvs=ZIBO, other_name="淄博市医保中心")
    assert huizhou.refused(transfer_in, again, on=DAY) == ["TRANSFER_RUNNING"]
    here = TransferIn(psn_no=mover.new, other_admdvs=HUIZHOU, other_name="本市")
    assert huizhou.refused(transfer_in, here, on=DAY) == ["TRANSFER_SAME_REGION"]


def test_a_region_cannot_touch_the_other_one_s_people(town: Town, zibo: Clerk, huizhou: Clerk) -> None:
    mover = Mover(town)
    out = TransferOut(psn_no=mover.old, other_admdvs=HUIZHOU, other_name="惠州市医保中心")
    assert huizhou.refused(transfer_out, out, on=DAY) == ["PERSON_NOT_FOUND"]
    come = TransferIn(psn_no=mover.new, other_admdvs=ZIBO, other_name="淄博市医保中心")
    assert zibo.refused(transfer_in, come, on=DAY) == ["PERSON_NOT_FOUND"]


def test_who_bears_the_retired_benefit_is_confirmed_by_two(town: Town, zibo: Clerk, huizhou: Clerk) -> None:
    mover = Mover(town)
    mover.ask(huizhou)
    carry(town, on="2025-03-04")
    asks = ConfirmRetirementPlace(psn_no=mover.new, bearing_admdvs=HUIZHOU, basis="惠州市退休待遇地确认办法")
    assert huizhou.refused(confirm_retirement_place, asks, on=DAY, maker="何惠州") == ["FOUR_EYES"]
    done = huizhou.do(confirm_retirement_place, asks, on=DAY, maker="林受理")
    assert (done.is_here, done.months_here, done.months_total) == (True, 2, 14)
    elsewhere = ConfirmRetirementPlace(psn_no=mover.new, bearing_admdvs=ZIBO, basis="按缴费最长地")
    assert huizhou.do(confirm_retirement_place, elsewhere, on="2025-03-10", maker="林受理").is_here is False
    rows = town.fetch("select bearing_admdvs, is_live from transfers.retirement_place where psn_no = $1 "
                      "order by confirmed_at", mover.new)
    assert [(r["bearing_admdvs"], r["is_live"]) for r in rows] == [(HUIZHOU, False), (ZIBO, True)]
    newcomer, _ = town.person("新来者", region=HUIZHOU)
    town.relation(newcomer, begin=date(2025, 3, 1), until=None)
    nothing = ConfirmRetirementPlace(psn_no=newcomer, bearing_admdvs=HUIZHOU, basis="申请")
    assert huizhou.refused(confirm_retirement_place, nothing, on=DAY, maker="林受理") == ["NOTHING_PAID_HERE"]


def test_a_sheet_of_somebody_who_is_not_enrolled_here_is_a_case(town: Town, zibo: Clerk) -> None:
    mover = Mover(town)
    town.run(("update people.person set certno = certno || 'X' where psn_no = $1", (mover.new,)))
    zibo.do(transfer_out, TransferOut(psn_no=mover.old, other_admdvs=HUIZHOU, other_name="惠州市医保中心"), on=DAY)
    with pytest.raises(AssertionError):
        carry(town, on="2025-03-04")  # one case
    (case,) = town.fetch("select code from exchange.case where kind = 'transfer_sheet'")
    assert case["code"] == "TRANSFER_NOT_FOUND"


HARMS = {
    "money that was never booked": "delete from ledger.posting where kind = 'transfer_in'",
    "money booked for nobody": "update ledger.posting set posting_id = posting_id || 'x' where kind = 'transfer_in'",
    "a transfer out without its posting": "delete from ledger.posting where kind = 'transfer_out'",
    "a payout of another sum": "update exchange.payout set amount_fen = amount_fen + 1",
    "a month that vanished": "update enrolment.year_credit set months = months + 1 where first_month is null",
    "a transfer that got more than it did": "update transfers.transfer set account_fen = account_fen + 9, received_fen = "
                                            "received_fen + 9 where direction = 'in' and received_fen > 0",
}


@pytest.mark.parametrize("harm", HARMS)
def test_verify_finds_harm(town: Town, harm: str) -> None:
    """After the tests above there are transfers in every state."""
    assert town.breaches() == {}
    assert town.breaches(HARMS[harm])
