"""How a certificate is worded, coded and checked. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import msgspec

from yibao.domains.certificates.model import BENEFIT, INSURANCES, TITLES, Content
from yibao.kernel.identity_number import mask, mask_name
from yibao.kernel.money import yuan_text

_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that is read as something else; 31, a prime, for the check sign
_CODE_SIGNS = 15
_STATUS = {"1": "正常参保", "2": "暂停参保", "4": "终止参保"}
_GROUP = 4


class Difference(msgspec.Struct, frozen=True):
    """A line of a shown certificate that is not the one kept; ``kept`` masks who it is about."""

    line: int
    shown: str
    kept: str


def statement_of(kind: str, certificate_no: str, content: Content) -> str:
    """Return the lines that are printed, in their order; the statement is the certificate, the paper only shows it."""
    lines = [
        TITLES[kind], f"编号：{certificate_no}", f"姓名：{content.name}", f"证件号码：{content.certno}",
        f"人员编号：{content.psn_no}", f"参保地：{content.region}（{content.admdvs}）",
    ]
    for period in content.periods:
        until = f"至{period.until}（不含当日）" if period.until else "至今"
        months = f"，已到账{period.months_paid}个月" if period.months_paid else ""
        span = f"（{period.first_month:%Y-%m}至{period.last_month:%Y-%m}）" if period.first_month and period.last_month else ""
        lines.append(f"{INSURANCES.get(period.insutype, period.insutype)}：{period.begin}{until}，{_STATUS[period.status]}"
                     f"{months}{span}{'，' + period.employer if period.employer else ''}")
    if content.months_elsewhere:
        lines.append(f"其他统筹区转入年限：{content.months_elsewhere}个月")
    if kind == BENEFIT:
        lines += [
            f"{INSURANCES.get(s.insutype, s.insutype)}待遇：" + (
                f"截至{content.on}正常享受" if s.is_due else f"截至{content.on}不能享受，{s.reason}") for s in content.standings
        ]
    if content.balance_fen is not None:
        lines.append(f"个人账户余额：{yuan_text(content.balance_fen)}元")
    if content.purpose:
        lines.append(f"用途：{content.purpose}")
    return "\n".join([*lines, f"出具日期：{content.on}"])


def code_of(digest: bytes) -> str:
    """Return the verification code of a digest: fifteen signs and a check sign that notices one wrong or swapped sign."""
    number, signs = int.from_bytes(digest[:16], "big"), []
    for _ in range(_CODE_SIGNS):
        number, rest = divmod(number, len(_ALPHABET))
        signs.append(_ALPHABET[rest])
    code = "".join(signs) + _check_sign(signs)
    return "-".join(code[n:n + _GROUP] for n in range(0, len(code), _GROUP))


def _check_sign(signs: Sequence[str]) -> str:
    total = sum(n * _ALPHABET.index(sign) for n, sign in enumerate(signs, 1))
    return _ALPHABET[total % len(_ALPHABET)]


def read_code(text: str) -> str | None:
    """Return a code as it is kept, from what somebody typed; None where it cannot be one."""
    signs = [c for c in text.upper() if c not in " -\t"]
    if len(signs) != _CODE_SIGNS + 1 or any(c not in _ALPHABET for c in signs) or _check_sign(signs[:-1]) != signs[-1]:
        return None
    code = "".join(signs)
    return "-".join(code[n:n + _GROUP] for n in range(0, len(code), _GROUP))


def lines_of(statement: str) -> list[str]:
    """Return the lines of a statement without blank ones and spaces at their ends."""
    return [line.strip() for line in statement.strip().splitlines() if line.strip()]


def differences(shown: str, kept: str) -> list[Difference]:
    """Return every line of a shown statement that differs from the kept one, added and missing lines among them."""
    ours, theirs = lines_of(kept), lines_of(shown)
    found = []
    for n in range(max(len(ours), len(theirs))):
        mine, other = (lines[n] if n < len(lines) else "" for lines in (ours, theirs))
        if mine != other:
            found.append(Difference(n + 1, masked_line(other), masked_line(mine)))
    return found


def masked_line(line: str) -> str:
    """Return a line with name and numbers of the person masked: a stranger compares, and learns nothing new."""
    head, colon, rest = line.partition("：")
    if head == "姓名":
        return head + colon + mask_name(rest)
    if head in ("证件号码", "人员编号"):
        return head + colon + mask(rest)
    return line


def is_current(valid_to: date, on: date) -> bool:
    """Say whether a certificate is still current on a day."""
    return on < valid_to
