"""What of a message may be shown."""

from __future__ import annotations

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from yibao.kernel.identity_number import make
from yibao.usecases.inspection.masking import (
    HIDDEN,
    Number,
    mask_broken,
    mask_field,
    mask_text,
    mask_tree,
    printable,
)

CITIZEN = make("370399", date(1968, 3, 14), 31)


@pytest.mark.parametrize(("field", "value", "shown"), [
    ("psn_name", "张小敏", "张*敏"), ("psnName", "张敏", "张*"), ("patn_name", "欧阳小敏", "欧**敏"),
    ("coner_name", "张敏", "张*"), ("agnter_name", "张敏", "张*"), ("name", "张敏", "张*"),
    ("certno", CITIZEN, f"3703{'*' * 10}{CITIZEN[-4:]}"), ("mdtrt_cert_no", "AB12345678", "AB12**5678"),
    ("psnCertNo", CITIZEN, f"3703{'*' * 10}{CITIZEN[-4:]}"), ("card_sn", "123", "1**"),
    ("tel", "13912345678", "*******5678"), ("coner_tel", "0533-1234567", "********4567"),
    ("addr", "示例市张店区某路1号", "示例市张店区****"), ("coner_addr", "某路", "某路****"),
    ("cainfo", "c2VjcmV0", HIDDEN), ("dev_safe_info", "x", HIDDEN), ("ecToken", "x", HIDDEN), ("pwd", "x", HIDDEN),
    ("dr_name", "刘医生", "刘医生"), ("opter_name", "李会计", "李会计"), ("fixmedins_name", "第一医院", "第一医院"),
    ("dept_name", "内科", "内科"), ("memo", f"证件{CITIZEN}有误", f"证件3703{'*' * 10}{CITIZEN[-4:]}有误"),
    ("memo", "电话13912345678", "电话139****5678"), ("psn_name", "", ""),
])
def test_fields_are_masked_by_their_name_and_numbers_by_their_look(field: str, value: str, shown: str) -> None:
    assert mask_field(field, value) == shown


@pytest.mark.parametrize("harmless", [
    "H37030200001202611220810000007", "202611220810000000007", "37030000000000000001", "XC09CAX138A001010178445",
    "2026-11-22 08:10:00", "266.25",
])
def test_numbers_of_business_stay_readable(harmless: str) -> None:
    assert mask_text(harmless) == harmless


def test_wrong_check_digit_does_not_unmask() -> None:
    wrong = CITIZEN[:-1] + ("1" if CITIZEN[-1] != "1" else "2")
    assert wrong not in mask_text(f"收到：{wrong}")


def test_number_written_without_quotes_is_masked_too() -> None:
    citizen = make("370399", date(1968, 3, 14), 32)
    tree = mask_tree({"data": [{"certno": Number("370302196803140031"), "tel": Number("13912345678"), "x": Number("1.00")}]})
    assert tree == {"data": [{"certno": "3703**********0031", "tel": "*******5678", "x": "1.00"}]}
    assert isinstance(tree["data"][0]["x"], Number)
    assert citizen not in str(tree)


def test_broken_message_is_masked_by_its_keys() -> None:
    text = f'{{"psn_name": "张小敏", "certno":"{CITIZEN}", "x": "a\\"b", oops'
    shown = mask_broken(text)
    assert "张小敏" not in shown
    assert CITIZEN not in shown
    assert '"psn_name": "张*敏"' in shown


@pytest.mark.parametrize(("raw", "shown"), [
    ("a\x00b", "a⟨U+0000⟩b"), ("\ud800", "⟨U+D800⟩"), ("a\u202eb", "a⟨U+202E⟩b"), ("行\n\t二", "行\n\t二"),
    ("\u200b", "⟨U+200B⟩"), ("普通", "普通"),
])
def test_what_cannot_be_seen_is_spelled_out(raw: str, shown: str) -> None:
    assert printable(raw) == shown


@given(st.recursive(
    st.none() | st.booleans() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
))
def test_masked_messages_can_always_be_sent(tree: object) -> None:
    json.dumps(mask_tree(tree), ensure_ascii=False).encode()


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_citizen_number_survives_in_any_text(before: str, after: str) -> None:
    if (before[-1:].isascii() and before[-1:].isalnum()) or (after[:1].isascii() and after[:1].isalnum()):
        before, after = before + "，", "，" + after
    assert CITIZEN not in mask_text(before + CITIZEN + after)
