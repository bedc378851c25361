"""From the counter to the closed file: papers, clocks, two people, the deed behind it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from tests.support.service_desk import HUIZHOU, ZIBO, Clerk, Denied, Town
from yibao.domains.services.items import read_book, service_book
from yibao.domains.services.model import Application
from yibao.kernel.identity_number import make
from yibao.usecases.payouts.reorder_payout import reorder_payout
from yibao.usecases.services.accept_application import (
    accept_application,
    refuse_application,
    register_application,
    return_application,
)
from yibao.usecases.services.commands import (
    OnApplication,
    PaperGiven,
    RateApplication,
    RegisterApplication,
    SubmitApplication,
    SupplementApplication,
    SuspendApplication,
)
from yibao.usecases.services.decide_application import (
    approve_application,
    follow_payments,
    reject_application,
    review_application,
    send_back_application,
)
from yibao.usecases.services.effects import EFFECTS, refuse_body
from yibao.usecases.services.rate_application import rate_application
from yibao.usecases.services.submit_application import (
    submit_application,
    supplement_application,
    withdraw_application,
)
from yibao.usecases.services.suspend_application import resume_application, suspend_application

EMPLOYER_ITEM, RESIDENT_ITEM, CERTIFICATE_ITEM = "002036001001", "002036001003", "002036003001"
DAY = "2025-03-03"  # a Monday
_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def credit_code(serial: int) -> str:
    """Return a unified social credit code with its check sign (GB 32100: weights are powers of three, modulo 31)."""
    first = f"91370300{serial:09d}"
    total = sum(_SIGNS.index(sign) * pow(3, n, 31) for n, sign in enumerate(first))
    return first + _SIGNS[(31 - total % 31) % 31]


def scan(*materials: str) -> list[PaperGiven]:
    return [PaperGiven(material=m, file_name=f"{m}.pdf", content=b"scan of " + m.encode()) for m in materials]


def employer(
    serial: int, *, papers: Sequence[str] = ("founding", "employer_form", "bank_account"), **more: Any
) -> SubmitApplication:
    body = {"admdvs": ZIBO, "uscc": credit_code(serial), "name": f"第{serial}示例公司", "legal_name": "王法人",
            "evidence": "营业执照"}
    given = {"channel": "window", "division": "370302001", **more}
    return SubmitApplication(admdvs=ZIBO, item_code=EMPLOYER_ITEM, applicant_kind="employer", applicant_name=body["name"],
                             body=body, materials=scan(*papers), **given)


def on(application: Application, says: str = "") -> OnApplication:
    return OnApplication(application_id=application.application_id, says=says)


def accepted(town: Town, serial: int, day: str = DAY) -> Application:
    intake = town.clerk("赵受理", division="370302001")
    filed = intake.do(submit_application, employer(serial), on=day)
    return intake.do(accept_application, on(filed), on=day)  # type: ignore[no-any-return]


def test_an_employer_is_enrolled_by_a_town_and_decided_by_the_county(town: Town) -> None:
    """Accepted in a town office, reviewed by one clerk of the county, approved by another; then it is enrolled."""
    filed = accepted(town, 1)
    assert (filed.state, filed.limit_days, filed.due_on) == ("accepted", 5, date(2025, 3, 10))
    assert "廊坊" in filed.limit_source
    town_clerk = town.clerk("赵受理", division="370302001")
    assert town_clerk.refused(review_application, on(filed, "属实"), on=DAY) == ["TOWN_CANNOT_DECIDE"]
    elsewhere = town.clerk("孙外县", division="370303")
    assert elsewhere.refused(review_application, on(filed, "属实"), on=DAY) == ["OTHER_DIVISION"]
    first, second = town.clerk("钱审核", division="370302"), town.clerk("李审批", division="370302")
    assert first.refused(review_application, on(filed), on=DAY) == ["OPINION_MISSING"]
    assert second.refused(approve_application, on(filed), on=DAY) == ["APPLICATION_STATE"]
    first.do(review_application, on(filed, "材料属实"), on="2025-03-05")
    assert first.refused(approve_application, on(filed), on="2025-03-05") == ["FOUR_EYES"]
    disguised = town.clerk(" 钱 审核", division="370302")
    assert disguised.refused(approve_application, on(filed), on="2025-03-05") == ["FOUR_EYES"]
    done = second.do(approve_application, on(filed), on="2025-03-06")
    assert done.state == "closed"
    (row,) = town.fetch("select name, uscc from enrolment.employer where name = '第1示例公司'")
    assert row["uscc"] == credit_code(1)
    rated = town_clerk.do(rate_application, RateApplication(application_id=done.application_id, stars=5), on="2025-03-07")
    assert rated.state == "rated"
    steps = town.fetch("select what, state, actor, working_day, division from services.step where application_id = $1 "
                       "order by ordinal", done.application_id)
    assert [(s["what"], s["state"], s["working_day"]) for s in steps] == [
        ("submit", "submitted", 0), ("accept", "accepted", 0), ("review", "reviewing", 2), ("approve", "approved", 3),
        ("close", "closed", 3), ("rate", "rated", 3)]
    assert [s["actor"] for s in steps][1:4] == ["赵受理", "钱审核", "李审批"]
    trail = town.fetch("select verb from platform.audit_entry where object = $1 order by id", done.application_id)
    assert [t["verb"] for t in trail] == [f"service_{s['what']}" for s in steps]


def test_a_deed_that_is_refused_approves_nothing(town: Town) -> None:
    """The same employer twice: the second approval is refused by enrolment, and the application stays in review."""
    first, second = town.clerk("钱审核"), town.clerk("李审批")
    for serial in (2, 2):
        filed = accepted(town, serial)
        first.do(review_application, on(filed, "属实"), on=DAY)
        if town.fetch("select from enrolment.employer where uscc = $1", credit_code(2)):
            assert second.refused(approve_application, on(filed), on=DAY) == ["EMPLOYER_ENROLLED"]
            (row,) = town.fetch("select state, decided_by from services.application where application_id = $1",
                                filed.application_id)
            assert (row["state"], row["decided_by"]) == ("reviewing", None)
            rejected = second.do(reject_application, on(filed, "已参保登记"), on=DAY)
            assert (rejected.state, rejected.reason) == ("rejected", "已参保登记")
            (said,) = town.fetch("select says from services.step where application_id = $1 and what = 'reject'",
                                 filed.application_id)
            assert "行政复议" in said["says"]
            return
        second.do(approve_application, on(filed), on=DAY)
    raise AssertionError("never came to the second one")


def test_what_is_missing_is_told_once_and_all_of_it(town: Town) -> None:
    clerk = town.clerk("赵受理")
    filed = clerk.do(submit_application, employer(3, papers=("founding",)), on=DAY)
    assert clerk.refused(accept_application, on(filed), on=DAY) == ["MATERIAL_MISSING", "MATERIAL_MISSING"]
    told = clerk.do(return_application, on(filed), on=DAY)
    assert told.state == "returned_for_material"
    assert told.notice == ["employer_form", "bank_account"]
    more = SupplementApplication(application_id=filed.application_id, materials=[
        *scan("employer_form"), PaperGiven(material="bank_account", undertaking=True)])
    assert clerk.do(supplement_application, more, on="2025-03-04").state == "submitted"
    done = clerk.do(accept_application, on(filed), on="2025-03-04")
    assert (done.state, done.due_on) == ("accepted", date(2025, 3, 11)), "the clock starts with the acceptance"


def test_a_second_notice_may_not_ask_for_more(town: Town) -> None:
    """The data begins to ask for a fourth paper after the notice: the applicant is not sent away again for it."""
    clerk = town.clerk("赵受理")
    filed = clerk.do(submit_application, employer(4, papers=("founding", "employer_form")), on=DAY)
    clerk.do(return_application, on(filed), on=DAY)
    more = SupplementApplication(application_id=filed.application_id, materials=scan("bank_account"))
    clerk.do(supplement_application, more, on=DAY)
    book = service_book()
    papers = {**book.papers, EMPLOYER_ITEM: (*book.papers[EMPLOYER_ITEM],
                                             book.papers[CERTIFICATE_ITEM][0])}
    stricter = msgspec.structs.replace(book, papers=papers)
    assert clerk.refused(accept_application, on(filed), on=DAY, book=stricter) == ["NOTICE_ONLY_ONCE"]
    assert clerk.refused(return_application, on(filed), on=DAY, book=stricter) == ["NOTICE_ONLY_ONCE"]
    assert clerk.do(accept_application, on(filed), on=DAY).state == "accepted"


PAPER_FAULTS = {
    "MATERIAL_NOT_ASKED": PaperGiven(material="birth_certificate", content=b"x"),
    "UNDERTAKING_NOT_ENOUGH": PaperGiven(material="founding", undertaking=True),
    "MATERIAL_EMPTY": PaperGiven(material="founding"),
    "MATERIAL_TOO_LARGE": PaperGiven(material="founding", content=b"x" * 10_000_001),
}


@pytest.mark.parametrize("code", PAPER_FAULTS)
def test_papers_that_cannot_be(town: Town, code: str) -> None:
    command = employer(5)
    fields = {f: getattr(command, f) for f in command.__struct_fields__}
    wrong = SubmitApplication(**{**fields, "materials": [PAPER_FAULTS[code]]})
    assert town.clerk("赵受理").refused(submit_application, wrong, on=DAY) == [code]


def test_a_pause_stops_the_clock(town: Town) -> None:
    """Accepted Monday the 3rd, five days; stands from the 5th, runs again from Monday the 10th: 3 days left end on the 13th.

    Counted: the 4th (1), pause 5-9, the 10th (2), 11th (3), 12th (4), 13th (5).
    """
    clerk, filed = town.clerk("赵受理"), accepted(town, 6)
    suspend = SuspendApplication(application_id=filed.application_id, reason="系统切换停办", window_id="ZB-2025-1")
    stands = clerk.do(suspend_application, suspend, on="2025-03-05")
    assert (stands.state, stands.due_on, stands.window_id) == ("suspended", None, "ZB-2025-1")
    assert clerk.refused(review_application, on(filed, "属实"), on="2025-03-06") == ["APPLICATION_STATE"]
    again = clerk.do(resume_application, on(filed), on="2025-03-10")
    assert (again.state, again.due_on) == ("accepted", date(2025, 3, 13))
    clerk.do(review_application, on(filed, "属实"), on="2025-03-11")
    clerk.do(suspend_application, suspend, on="2025-03-12")
    again = clerk.do(resume_application, on(filed), on="2025-03-14")
    assert (again.state, again.due_on) == ("reviewing", date(2025, 3, 17)), "two more working days stood"


def test_an_application_in_a_window_is_registered_and_accepted_afterwards(town: Town) -> None:
    clerk = town.clerk("赵受理", division="370302")
    numbers = []
    for serial in (7, 8):
        filed = clerk.do(submit_application, employer(serial, division="370302"), on="2025-04-01")
        window = RegisterApplication(application_id=filed.application_id, window_id="ZB-2025-1")
        numbers.append(clerk.do(register_application, window, on="2025-04-01").register_no)
    assert numbers == [f"R{ZIBO}-counter_intake-000001", f"R{ZIBO}-counter_intake-000002"]
    done = clerk.do(accept_application, on(filed), on="2025-04-09")
    assert (done.state, done.register_no, done.due_on) == ("accepted", f"R{ZIBO}-counter_intake-000002", date(2025, 4, 16))


def test_intake_may_be_refused_with_a_reason_and_withdrawn(town: Town) -> None:
    clerk = town.clerk("赵受理")
    filed = clerk.do(submit_application, employer(9), on=DAY)
    assert clerk.refused(refuse_application, on(filed), on=DAY) == ["REASON_MISSING"]
    assert clerk.do(refuse_application, on(filed, "不属于本统筹区"), on=DAY).state == "not_accepted"
    other = accepted(town, 10)
    assert clerk.do(withdraw_application, on(other, "不办了"), on=DAY).state == "withdrawn"
    assert clerk.refused(review_application, on(other, "属实"), on=DAY) == ["APPLICATION_STATE"]


def test_sent_back_is_reviewed_by_whoever_comes_next(town: Town) -> None:
    first, second = town.clerk("钱审核"), town.clerk("李审批")
    filed = accepted(town, 11)
    first.do(review_application, on(filed, "属实"), on=DAY)
    assert second.do(send_back_application, on(filed, "请核对地址"), on=DAY).state == "accepted"
    second.do(review_application, on(filed, "已核对"), on=DAY)
    assert second.refused(approve_application, on(filed), on=DAY) == ["FOUR_EYES"]
    assert first.do(approve_application, on(filed), on=DAY).state == "closed"


def test_what_nobody_reviews_is_done_at_the_counter(town: Town) -> None:
    """A certificate is issued at once; its number and code are the result."""
    psn_no, _ = town.person("周居民")
    town.relation(psn_no, begin=date(2024, 1, 1), until=None)
    clerk = town.clerk("赵受理")
    command = SubmitApplication(admdvs=ZIBO, item_code=CERTIFICATE_ITEM, applicant_kind="person", applicant_no=psn_no,
                                applicant_name="周居民", channel="window", body={"psn_no": psn_no}, materials=scan("identity"))
    filed = clerk.do(submit_application, command, on=DAY)
    done = clerk.do(accept_application, on(filed), on=DAY)
    assert (done.state, done.due_on) == ("closed", date(2025, 3, 3))
    (row,) = town.fetch("select application_id from certificates.certificate where psn_no = $1", psn_no)
    assert row["application_id"] == filed.application_id
    assert '"code":' in done.result


def bank_says(town: Town, payout_id: str, state: str) -> None:
    """Write what the bank answered to a payout; only its outcome, as its own files are tested elsewhere."""
    town.run(
        ("insert into exchange.payout_file (file_id, admdvs, count, amount_fen, digest, state, made_by, made_at, checked_by, "
         "checked_at, answered_at) select 'F' || payout_id, admdvs, 1, amount_fen, '', 'answered', 'a', ordered_at, 'b', "
         "ordered_at, ordered_at from exchange.payout where payout_id = $1 on conflict do nothing", (payout_id,)),
        ("update exchange.payout set state = $2, reason = '账号不符', file_id = 'F' || payout_id, ended_at = ordered_at "
         "where payout_id = $1", (payout_id, state)))


def test_a_payment_is_followed_until_the_bank_has_paid(town: Town) -> None:
    """An emigrant's 500 yuan: the first account is wrong, the second right; the file is closed when the bank has paid."""
    psn_no, _ = town.person("远行者", balance_fen=50_000)
    town.relation(psn_no, begin=date(2024, 1, 1), until=date(2025, 1, 1))
    intake, first, second = town.clerk("赵受理"), town.clerk("钱审核"), town.clerk("李审批")
    body = {"psn_no": psn_no, "cause": "emigration", "document": "出境定居证明", "payee_name": "远行者", "bank_name": "示例银行",
            "bank_account": "6200000000000001"}
    filed = intake.do(submit_application, SubmitApplication(
        admdvs=ZIBO, item_code="002036002003", applicant_kind="person", applicant_no=psn_no, applicant_name="远行者",
        channel="window", body=body, materials=scan("identity", "cause_proof", "bank_account")), on=DAY)
    intake.do(accept_application, on(filed), on=DAY)
    first.do(review_application, on(filed, "属实"), on=DAY)
    done = second.do(approve_application, on(filed), on="2025-03-04")
    assert done.state == "paying"
    (owed,) = town.fetch("select amount_fen, state from exchange.payout where payout_id = $1", done.payout_id)
    assert (owed["amount_fen"], owed["state"]) == (50_000, "ordered")
    assert town.fetch("select balance_fen from ledger.personal_account where psn_no = $1", psn_no)[0][0] == 0
    follow = lambda day: [a.state for a in second.do(follow_payments, on=day, admdvs=ZIBO)]  # noqa: E731
    assert follow("2025-03-05") == []
    bank_says(town, done.payout_id, "failed")
    assert follow("2025-03-06") == ["pay_failed"]
    second.do(reorder_payout, on="2025-03-07", payout_id=done.payout_id, payee_name="远行者", bank_name="示例银行",
              bank_account="6200000000000002")
    assert follow("2025-03-07") == ["paying"]
    bank_says(town, done.payout_id, "paid")
    assert follow("2025-03-10") == ["closed"]
    assert follow("2025-03-11") == []
    said = town.fetch("select what, says from services.step where application_id = $1 order by ordinal", filed.application_id)
    assert [(s["what"], s["says"]) for s in said][3:] == [
        ("approve", ""), ("pay", ""), ("pay_failed", "账号不符"), ("pay", "已重新支付"), ("paid", ""), ("close", "")]


WRONG = {
    "ITEM_UNKNOWN": {"item_code": "002036099001"},
    "APPLICANT_NOT_ALLOWED": {"applicant_kind": "institution"},
    "CHANNEL_NOT_OPEN": {"channel": "kiosk"},
    "SERVICE_NOT_OFFERED": {"item_code": "002036007004", "applicant_kind": "person"},
    "OTHER_REGION": {"admdvs": HUIZHOU},
    "APPLICANT_MISSING": {"applicant_name": " "},
    "BODY_INVALID": {"body": {"admdvs": ZIBO}},
    "BODY_FIELD_UNKNOWN": {"body": {"admdvs": ZIBO, "uscc": credit_code(1), "name": "某公司", "favour": "1"}},
    "BODY_KIND": {"body": {"kind": "join"}},
    "APPLICANT_UNKNOWN": {"applicant_no": "E404"},
}


@pytest.mark.parametrize("code", WRONG)
def test_an_application_that_cannot_be_taken(town: Town, code: str) -> None:
    before = town.fetch("select count(*) from services.application")[0][0]
    command = employer(12)
    wrong = SubmitApplication(**{**{f: getattr(command, f) for f in command.__struct_fields__}, **WRONG[code]})
    assert town.clerk("赵受理").refused(submit_application, wrong, on=DAY) == [code]
    assert town.fetch("select count(*) from services.application")[0][0] == before


def test_another_person_s_business_is_refused(town: Town) -> None:
    psn_no, _ = town.person("吴本人")
    other, _ = town.person("郑他人")
    command = SubmitApplication(admdvs=ZIBO, item_code=CERTIFICATE_ITEM, applicant_kind="person", applicant_no=psn_no,
                                applicant_name="吴某人", channel="app", body={"psn_no": other})
    assert town.clerk("赵受理").refused(submit_application, command, on=DAY) == ["APPLICANT_NAME", "BODY_OF_ANOTHER"]


def test_a_clerk_of_another_region_sees_nothing(town: Town) -> None:
    filed = accepted(town, 13)
    stranger = town.clerk("何惠州", region=HUIZHOU)
    for deed in (review_application, withdraw_application, accept_application):
        assert stranger.refused(deed, on(filed, "属实"), on=DAY) == ["APPLICATION_NOT_FOUND"]


def test_bad_ratings(town: Town) -> None:
    clerk = town.clerk("赵受理")
    filed = clerk.do(submit_application, employer(14), on=DAY)
    clerk.do(refuse_application, on(filed, "重复申请"), on=DAY)
    rate = lambda stars, says="": RateApplication(application_id=filed.application_id, stars=stars, says=says)  # noqa: E731
    assert clerk.refused(rate_application, rate(6), on=DAY) == ["RATING_OUT_OF_RANGE"]
    assert clerk.refused(rate_application, rate(1), on=DAY) == ["RATING_WITHOUT_WORDS"]
    clerk.do(rate_application, rate(1, "等得太久"), on=DAY)
    assert clerk.refused(rate_application, rate(5), on=DAY) == ["APPLICATION_STATE"]


def test_changing_a_limit_is_a_change_of_data(town: Town, tmp_path: Path) -> None:
    """A region promises one day from April on: one more row in the table, and nothing else."""
    shutil.copytree(str(resources.files("yibao") / "data" / "services"), tmp_path / "services")
    with (tmp_path / "services" / "limits.csv").open("a", encoding="utf-8") as file:
        file.write(f"{EMPLOYER_ITEM},{ZIBO},2025-04-01,1,本市承诺,official\n")
    book = read_book(tmp_path / "services")
    clerk = town.clerk("赵受理")
    dues = []
    for serial, day in ((15, "2025-03-31"), (16, "2025-04-01")):
        filed = clerk.do(submit_application, employer(serial), on=day)
        dues.append(clerk.do(accept_application, on(filed), on=day, book=book).due_on)
    # Monday 31 March + 5: 1, 2, 3, 7, 8 April (4-6 April are Qingming). Tuesday 1 April + 1: 2 April.
    assert dues == [date(2025, 4, 8), date(2025, 4, 2)]
    assert book.limit_of(EMPLOYER_ITEM, admdvs=HUIZHOU, on=date(2025, 5, 1)).working_days == 5


def test_four_eyes_stand_in_the_database_too(town: Town) -> None:
    filed = accepted(town, 17)
    with pytest.raises(asyncpg.CheckViolationError):
        town.run(("update services.application set reviewed_by = 'x', decided_by = 'x' where application_id = $1",
                  (filed.application_id,)))


def test_every_item_is_either_done_here_or_says_where_to_go() -> None:
    book = service_book()
    assert len(book.items) == 28
    for item in book.items.values():
        assert bool(item.effect) != bool(item.instead), item.code
        assert not item.effect or item.effect in EFFECTS
        assert 0 < len(book.papers[item.code]) <= 4, "no item asks for more than four papers"
        assert book.limit_of(item.code, admdvs=ZIBO, on=date(2025, 1, 1)).working_days <= 60


def test_refusals_leave_the_clerk_a_sentence(town: Town) -> None:
    with pytest.raises(Denied, match="津贴支付尚未在本平台开办"):
        town.clerk("赵受理").do(submit_application, SubmitApplication(
            admdvs=ZIBO, item_code="002036007004", applicant_kind="person", applicant_name="某人", channel="hall", body={}),
            on=DAY)


DEEDS = [(effect, kind) for effect, kinds in EFFECTS.items() for kind in kinds]


@pytest.mark.parametrize(("effect", "kind"), DEEDS)
def test_every_deed_of_an_item_exists_and_reads_its_content(effect: str, kind: str) -> None:
    """Content of nothing names what is missing of the command, so the command was found."""
    refusal = refuse_body(EFFECTS[effect], {"kind": kind} if kind else {})
    assert refusal is not None
    assert [f.code for f in refusal.faults] == ["BODY_INVALID"]
    assert "required field" in refusal.faults[0].received


def test_a_transfer_asked_for_at_the_counter_names_its_application(town: Town) -> None:
    psn_no, _ = town.person("窗口转移", balance_fen=700)
    town.relation(psn_no, begin=date(2024, 1, 1), until=date(2025, 1, 1))
    town.dues(psn_no, date(2024, 1, 1), 12)
    intake, first, second = town.clerk("赵受理"), town.clerk("钱审核"), town.clerk("李审批")
    filed = intake.do(submit_application, SubmitApplication(
        admdvs=ZIBO, item_code="002036003002", applicant_kind="person", applicant_no=psn_no, applicant_name="窗口转移",
        channel="app", materials=scan("transfer_form"),
        body={"kind": "out", "psn_no": psn_no, "other_admdvs": "510100", "other_name": "成都市医保局"}), on=DAY)
    intake.do(accept_application, on(filed), on=DAY)
    first.do(review_application, on(filed, "已缴清"), on=DAY)
    assert second.do(approve_application, on(filed), on=DAY).state == "paying"
    (row,) = town.fetch("select application_id, account_fen from transfers.transfer where psn_no = $1", psn_no)
    assert (row["application_id"], row["account_fen"]) == (filed.application_id, 700)


def test_two_who_approve_at_once_approve_once(town: Town) -> None:
    filed = accepted(town, 18)
    town.clerk("钱审核").do(review_application, on(filed, "属实"), on=DAY)
    clerks = [town.clerk(f"审批{n}") for n in range(4)]
    barrier = threading.Barrier(4)

    def approve(clerk: Clerk) -> str:
        barrier.wait()
        try:
            return str(clerk.do(approve_application, on(filed), on=DAY).state)
        except Denied as denied:
            return denied.codes[0]

    with ThreadPoolExecutor(4) as threads:
        answers = sorted(threads.map(approve, clerks))
    assert answers == ["APPLICATION_STATE"] * 3 + ["closed"]
    assert town.fetch("select count(*) from enrolment.employer where uscc = $1", credit_code(18))[0][0] == 1


def test_a_town_office_enrols_a_resident_at_once(town: Town) -> None:
    """What nobody reviews ends at the town's own counter; the person belongs to that town."""
    certno = make("370302", date(1990, 6, 1), 77)
    clerk = town.clerk("镇办", division="370302001")
    filed = clerk.do(submit_application, SubmitApplication(
        admdvs=ZIBO, item_code=RESIDENT_ITEM, applicant_kind="person", applicant_name="新居民", channel="town",
        body={"admdvs": ZIBO, "name": "新居民", "certno": certno}, materials=scan("identity")), on=DAY)
    assert clerk.do(accept_application, on(filed), on=DAY).state == "closed"
    (row,) = town.fetch("select p.division, r.insutype from people.person p join enrolment.relation r using (psn_no) "
                        "where p.certno = $1", certno)
    assert (row["division"], row["insutype"]) == ("370302001", "390")


def test_an_employee_joins_by_application(town: Town) -> None:
    first, second = town.clerk("钱审核"), town.clerk("李审批")
    filed = accepted(town, 19)
    first.do(review_application, on(filed, "属实"), on=DAY)
    second.do(approve_application, on(filed), on=DAY)
    (employer_row,) = town.fetch("select emp_no from enrolment.employer where uscc = $1", credit_code(19))
    certno = make("370302", date(1991, 6, 1), 79)
    intake = town.clerk("赵受理")
    joins = intake.do(submit_application, SubmitApplication(
        admdvs=ZIBO, item_code="002036001002", applicant_kind="employer", applicant_no=employer_row["emp_no"],
        applicant_name="第19示例公司", channel="hall", materials=scan("employee_form", "identity"),
        body={"kind": "join", "emp_no": employer_row["emp_no"], "name": "新员工", "certno": certno, "insured_on": "2025-03-01",
              "wage_fen": 600_000}), on=DAY)
    intake.do(accept_application, on(joins), on=DAY)
    first.do(review_application, on(joins, "属实"), on=DAY)
    assert second.do(approve_application, on(joins), on=DAY).state == "closed"
    (row,) = town.fetch("select r.insutype, r.emp_no, r.insured_on from people.person p join enrolment.relation r "
                        "using (psn_no) where p.certno = $1", certno)
    assert (row["insutype"], row["emp_no"], row["insured_on"]) == ("310", employer_row["emp_no"], date(2025, 3, 1))


def test_an_applicant_whose_number_is_in_doubt_waits_and_is_enrolled_when_it_is_settled(town: Town) -> None:
    """The number stands under another name: nobody is enrolled and nothing is closed; the clock stands until it is clear."""
    certno = make("370302", date(1992, 6, 1), 81)
    clerk = town.clerk("镇办", division="370302001")

    def file(name: str) -> Application:
        return clerk.do(submit_application, SubmitApplication(
            admdvs=ZIBO, item_code=RESIDENT_ITEM, applicant_kind="person", applicant_name=name, channel="town",
            body={"admdvs": ZIBO, "name": name, "certno": certno}, materials=scan("identity")), on=DAY)

    assert clerk.do(accept_application, on(file("真居民")), on=DAY).state == "closed"
    doubted = file("冒名者")
    held = clerk.do(accept_application, on(doubted), on=DAY)
    assert (held.state, held.due_on, held.closed_at) == ("suspended", None, None)
    (doubt,) = town.fetch("select doubt_id, name, state from people.doubt where certno = $1", certno)
    assert (doubt["name"], doubt["state"]) == ("冒名者", "open")
    (step,) = town.fetch("select says from services.step where application_id = $1 and what = 'suspend'", doubted.application_id)
    assert doubt["doubt_id"] in step["says"]
    assert certno not in step["says"]
    assert town.fetch("select name from people.person where certno = $1", certno)[0]["name"] == "真居民"
    again = clerk.do(resume_application, on(doubted), on=DAY)
    assert (again.state, again.due_on is None) == ("accepted", False)


HARMS = {
    "a state that no step made": "update services.application set state = 'closed' where state = 'accepted'",
    "a step without its audit row": "delete from platform.audit_entry where verb = 'service_review'",
    "a clock that lost its end": "update services.application set due_on = null where state = 'accepted'",
    "a pause of nothing": "update services.pause set end_on = null where ordinal = 1",
}


@pytest.mark.parametrize("harm", HARMS)
def test_verify_finds_harm(town: Town, harm: str) -> None:
    """After the tests above there are applications in every state."""
    assert town.breaches() == {}
    assert town.breaches(HARMS[harm])
