"""Whether a document says who somebody is, how names compare, and how a person stood on a day."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping
from datetime import date, datetime

import msgspec

from yibao.domains.people.model import RESIDENT_CARD, Change
from yibao.kernel import identity_number
from yibao.kernel.refusal import Fault

_OLD_NUMBER = 15
_NAME_LONGEST = 50
_NUMBER_LONGEST = 50
_DOTS = str.maketrans(dict.fromkeys("•∙⋅‧・･.", "·"))
SEXES = ("1", "2")


class Told(msgspec.Struct, frozen=True):
    """What a document and what was said beside it tell: number and name in one spelling, sex and date of birth."""

    certno: str
    name: str
    sex: str
    birth_on: date


def tidy_name(name: str) -> str:
    """Return a name in one spelling: full-width forms made narrow, one kind of middle dot, no spaces around or twice."""
    text = unicodedata.normalize("NFKC", name).translate(_DOTS)
    words = text.split()
    # Between Chinese characters a space is a matter of layout; between Latin words it belongs to the name.
    joined = " ".join(words)
    return joined if joined.isascii() else "".join(words)


def same_name(one: str, other: str) -> bool:
    """Say whether two spellings are one name; case does not count."""
    return tidy_name(one).casefold() == tidy_name(other).casefold()


def tidy_number(certno: str) -> str:
    """Return a document number in one spelling: no spaces, narrow forms, the check letter as a capital."""
    return "".join(unicodedata.normalize("NFKC", certno).split()).upper()


def tell(
    *, cert_type: str, certno: str, name: str, sex: str = "", birth_on: date | None = None, on: date, path: str = ""
) -> Told | tuple[Fault, ...]:
    """Return what a document tells of a person, or everything that is wrong with it.

    An identity card tells sex and date of birth by itself (GB 11643); what is said beside it must agree.

    Args:
        on: the day it is looked at; nobody is born after it.
        path: where the fields stand, ``""`` or with a dot at its end.
    """
    number, called = tidy_number(certno), tidy_name(name)
    faults = [*_name_faults(called, path)]
    if cert_type == RESIDENT_CARD:
        faults += _card_faults(number, path)
        if not faults or identity_number.is_valid(number):
            born, is_male = birth_of(number), int(number[16]) % 2 == 1
            said = "1" if is_male else "2"
            if birth_on is not None and birth_on != born:
                faults.append(Fault("BIRTH_DIFFERS", "出生日期与身份证号码不一致", f"{path}birth_on", birth_on.isoformat(),
                                    "请核对身份证"))
            if sex and sex != said:
                faults.append(Fault("SEX_DIFFERS", "性别与身份证号码不一致", f"{path}sex", sex, "请核对身份证"))
            sex, birth_on = said, born
    else:
        if not number or len(number) > _NUMBER_LONGEST:
            faults.append(Fault("CERTNO_MISSING", "证件号码未填写或过长", f"{path}certno", remedy="请填写证件号码"))
        if sex not in SEXES:
            faults.append(Fault("SEX_MISSING", "非居民身份证须说明性别（1男、2女）", f"{path}sex", sex, "请补充"))
        if birth_on is None:
            faults.append(Fault("BIRTH_MISSING", "非居民身份证须说明出生日期", f"{path}birth_on", remedy="请补充"))
    if birth_on is not None and birth_on > on:
        faults.append(Fault("BIRTH_LATER", "出生日期晚于办理日期", f"{path}birth_on", birth_on.isoformat(), "请核对"))
    if faults or birth_on is None:
        return tuple(faults)
    return Told(number, called, sex, birth_on)


def birth_of(number: str) -> date:
    """Return the date of birth of a valid identity number."""
    return date(int(number[6:10]), int(number[10:12]), int(number[12:14]))


def _name_faults(name: str, path: str) -> list[Fault]:
    if not name or len(name) > _NAME_LONGEST:
        return [Fault("NAME_MISSING", f"姓名未填写或超过{_NAME_LONGEST}个字", f"{path}name", remedy="请按证件填写姓名")]
    if any(unicodedata.category(c) in ("Cc", "Cf", "Co", "Cn") or c.isdigit() for c in name):
        return [Fault("NAME_MALFORMED", "姓名含有数字或不可见字符", f"{path}name", identity_number.mask_name(name),
                      "请按证件填写姓名")]
    return []


def _card_faults(number: str, path: str) -> list[Fault]:
    where, shown = f"{path}certno", identity_number.mask(number)
    if not number:
        return [Fault("CERTNO_MISSING", "身份证号码未填写", where, remedy="请填写18位身份证号码")]
    if len(number) == _OLD_NUMBER and number.isdigit():
        return [Fault("CERTNO_OLD", "15位身份证号码已停用", where, shown, "请填写18位身份证号码")]
    if not identity_number.is_valid(number):
        return [Fault("CERTNO_INVALID", "身份证号码位数、出生日期或校验码有误", where, shown, "请核对身份证号码")]
    return []


def as_of(
    now_value: Mapping[str, str | None], changes: Iterable[Change], *, on: date, known_at: datetime | None = None
) -> dict[str, str | None]:
    """Return a person's fields as they were on a day, as known now or as known at an earlier instant.

    A correction says what was always so: it counts from its ``effective_on`` like a change, which a correction sets to
    the person's first day. Among changes effective by that day the one recorded last wins.

    Args:
        now_value: the fields as they stand now.
        changes: every change of the person, in any order.
        on: the day asked about.
        known_at: leave out what was recorded later; None: everything known now.
    """
    by_field: dict[str, list[Change]] = {}
    for change in sorted(changes, key=lambda c: (c.recorded_at, c.change_id)):
        by_field.setdefault(change.field, []).append(change)
    found = dict(now_value)
    for field, of_field in by_field.items():
        value = of_field[0].old_value
        known = [c for c in of_field if known_at is None or c.recorded_at <= known_at]
        # Sorted by the day it became true; sorting is stable, so what was recorded later wins a tie.
        for change in sorted(known, key=lambda c: c.effective_on):
            if change.effective_on <= on:
                value = change.new_value
        found[field] = value
    return found
