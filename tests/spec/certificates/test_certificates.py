"""Certificates: made of facts, printed the same for ever, and checked by strangers to the last character."""

from __future__ import annotations

import hashlib
import sys
from datetime import date
from typing import Any

import pytest

from tests.support.service_desk import HUIZHOU, Clerk, Town
from yibao.domains.certificates.rules import read_code
from yibao.usecases.certificates.check_certificate import Checked, check_certificate
from yibao.usecases.certificates.commands import CheckCertificate, IssueCertificate, RevokeCertificate
from yibao.usecases.certificates.issue_certificate import Issued, issue_certificate, revoke_certificate
from yibao.usecases.certificates.print_certificate import print_certificate

DAY = "2025-03-03"


@pytest.fixture(scope="module")
def clerk(town: Town) -> Clerk:
    return town.clerk("赵受理")


@pytest.fixture(scope="module")
def stranger(town: Town) -> Clerk:
    """Somebody in another region: the check must not depend on whose certificate it is."""
    return town.clerk("陌生人", region=HUIZHOU)


@pytest.fixture(scope="module")
def person(town: Town) -> tuple[str, str]:
    """Eleven months of 2024 paid and arrived, December sent and unpaid, still insured; 1 234.05 yuan in the account."""
    psn_no, certno = town.person("欧阳测试", balance_fen=123_405)
    town.relation(psn_no, begin=date(2024, 1, 1), until=None)
    town.dues(psn_no, date(2024, 1, 1), 11)
    town.dues(psn_no, date(2024, 12, 1), 1, state="sent")
    return psn_no, certno


@pytest.fixture(scope="module")
def issued(clerk: Clerk, person: tuple[str, str]) -> Issued:
    return clerk.do(issue_certificate, IssueCertificate(psn_no=person[0], purpose="办理转移"), on=DAY)  # type: ignore[no-any-return]


def check(stranger: Clerk, issued: Issued, *, on: str = DAY, **more: Any) -> Checked:
    asked = {"certificate_no": issued.certificate_no, "code": issued.code, **more}
    return stranger.do(check_certificate, CheckCertificate(**asked), on=on)  # type: ignore[no-any-return]


def test_it_states_the_facts_of_the_day(issued: Issued, person: tuple[str, str]) -> None:
    psn_no, certno = person
    assert issued.statement.splitlines() == [
        "基本医疗保险参保凭证", f"编号：{issued.certificate_no}", "姓名：欧阳测试", f"证件号码：{certno}", f"人员编号：{psn_no}",
        "参保地：淄博市（370300）", "职工基本医疗保险：2024-01-01至今，正常参保，已到账11个月（2024-01至2024-11）",
        "个人账户余额：1234.05元", "用途：办理转移", "出具日期：2025-03-03"]
    digest = hashlib.new("sm3", f"{issued.certificate_no}\n{issued.statement}".encode()).hexdigest()
    assert issued.digest == digest
    assert issued.valid_to == date(2025, 6, 1)


def test_a_benefit_certificate_says_whether_benefits_are_due(clerk: Clerk, town: Town) -> None:
    psn_no, _ = town.person("停保者")
    town.relation(psn_no, begin=date(2024, 1, 1), until=date(2024, 7, 1))
    made = clerk.do(issue_certificate, IssueCertificate(psn_no=psn_no, certificate="benefit"), on=DAY)
    assert made.statement.startswith("基本医疗保险待遇证明\n")
    (line,) = [x for x in made.statement.splitlines() if "待遇：" in x]
    assert line.startswith("职工基本医疗保险待遇：截至2025-03-03不能享受，")
    assert len(line) > len("职工基本医疗保险待遇：截至2025-03-03不能享受，"), "it says why"


def test_a_stranger_with_number_and_code_sees_it_masked(stranger: Clerk, issued: Issued, person: tuple[str, str]) -> None:
    seen = check(stranger, issued)
    assert seen.outcome == "genuine"
    assert person[1] not in seen.statement
    assert "欧阳测试" not in seen.statement
    assert f"证件号码：{person[1][:4]}**********{person[1][-4:]}" in seen.statement
    assert "已到账11个月" in seen.statement


def test_one_altered_character_of_the_text_is_noticed(stranger: Clerk, issued: Issued) -> None:
    """Every tenth character of the statement is altered in turn; each time the altered line is named."""
    assert check(stranger, issued, statement=issued.statement).outcome == "genuine"
    places = [n for n in range(0, len(issued.statement), 10) if not issued.statement[n].isspace()]
    assert len(places) >= 10
    for n in places:
        altered = issued.statement[:n] + ("九" if issued.statement[n] != "九" else "八") + issued.statement[n + 1:]
        seen = check(stranger, issued, statement=altered)
        assert seen.outcome == "altered", n
        assert [d.line for d in seen.differences] == [issued.statement[:n].count("\n") + 1]


@pytest.mark.parametrize("change", [
    lambda lines: [*lines, "职工基本医疗保险：2010-01-01至今"], lambda lines: lines[:-1], lambda lines: [*lines[:6], *lines[7:]]])
def test_added_and_missing_lines_are_noticed(stranger: Clerk, issued: Issued, change: Any) -> None:
    altered = "\n".join(change(issued.statement.splitlines()))
    assert check(stranger, issued, statement=altered).outcome == "altered"


def test_one_altered_sign_of_code_or_number_finds_nothing(stranger: Clerk, issued: Issued) -> None:
    """A wrong sign of the code is told from the code alone; a wrong number finds nothing, and says no more than that."""
    for n, sign in enumerate(issued.code):
        if sign == "-":
            continue
        wrong = issued.code[:n] + ("2" if sign != "2" else "3") + issued.code[n + 1:]
        asked = CheckCertificate(certificate_no=issued.certificate_no, code=wrong)
        assert stranger.refused(check_certificate, asked, on=DAY) == ["CODE_MISTYPED"], n
    for n in range(0, 24, 5):
        number = issued.certificate_no[:n] + str((int(issued.certificate_no[n]) + 1) % 10) + issued.certificate_no[n + 1:]
        asked = CheckCertificate(certificate_no=number, code=issued.code)
        assert stranger.refused(check_certificate, asked, on=DAY) == ["CERTIFICATE_NOT_FOUND"]


def test_two_signs_swapped_are_noticed(issued: Issued) -> None:
    code = issued.code.replace("-", "")
    swapped = 0
    for n in range(len(code) - 2):
        if code[n] != code[n + 1]:
            swapped += 1
            assert read_code(code[:n] + code[n + 1] + code[n] + code[n + 2:]) is None
    assert swapped > 5
    assert read_code(issued.code.lower().replace("-", " ")) == issued.code


def test_the_print_is_the_same_for_ever_and_its_bytes_are_checked(clerk: Clerk, stranger: Clerk, issued: Issued) -> None:
    pdf = clerk.do(print_certificate, issued.certificate_no, on=DAY)
    assert pdf.startswith(b"%PDF-")
    assert clerk.do(print_certificate, issued.certificate_no, on="2025-04-01") == pdf
    assert check(stranger, issued, file=pdf).outcome == "genuine"
    for n in range(0, len(pdf), len(pdf) // 20):
        altered = pdf[:n] + bytes([pdf[n] ^ 1]) + pdf[n + 1:]
        assert check(stranger, issued, file=altered).outcome == "altered", n
    assert check(stranger, issued, file=b"%PDF-1.7").compared == ["file"]


def test_expired_and_revoked_are_said(clerk: Clerk, stranger: Clerk, person: tuple[str, str]) -> None:
    made = clerk.do(issue_certificate, IssueCertificate(psn_no=person[0]), on=DAY)
    assert check(stranger, made, on="2025-05-31").outcome == "genuine"
    assert check(stranger, made, on="2025-06-01").outcome == "expired"
    revoke = RevokeCertificate(certificate_no=made.certificate_no, reason="信息有误")
    clerk.do(revoke_certificate, revoke, on="2025-03-04")
    clerk.do(revoke_certificate, revoke, on="2025-03-05")
    seen = check(stranger, made, on="2025-03-06")
    assert (seen.outcome, "信息有误" in seen.says) == ("revoked", True)
    assert clerk.refused(print_certificate, made.certificate_no, on=DAY) == ["CERTIFICATE_REVOKED"]
    assert stranger.refused(revoke_certificate, revoke, on=DAY) == ["CERTIFICATE_NOT_FOUND"]


def test_what_is_not_issued(clerk: Clerk, stranger: Clerk, town: Town, person: tuple[str, str]) -> None:
    nobody, _ = town.person("未参保者")
    issue = lambda psn_no, **more: IssueCertificate(psn_no=psn_no, **more)  # noqa: E731
    assert clerk.refused(issue_certificate, issue(nobody), on=DAY) == ["NEVER_ENROLLED"]
    assert clerk.refused(issue_certificate, issue("404"), on=DAY) == ["PERSON_NOT_FOUND"]
    assert stranger.refused(issue_certificate, issue(person[0]), on=DAY) == ["PERSON_NOT_FOUND"]
    assert clerk.refused(issue_certificate, issue(person[0], certificate="pension"), on=DAY) == ["CERTIFICATE_KIND"]
    assert clerk.refused(issue_certificate, issue(person[0], purpose="贷款\n余额：999999元"), on=DAY) == ["PURPOSE_INVALID"]


def test_without_the_printing_part_there_is_a_sentence(
    clerk: Clerk, person: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "typst", None)
    made = clerk.do(issue_certificate, IssueCertificate(psn_no=person[0]), on=DAY)
    assert clerk.refused(print_certificate, made.certificate_no, on=DAY) == ["PRINTING_NOT_INSTALLED"]
