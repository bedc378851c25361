"""Replies, routes, masking and forms, without a database."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from yibao.entrypoints.gateway import interface, replies
from yibao.entrypoints.gateway.interface import Field
from yibao.entrypoints.gateway.masking import received
from yibao.entrypoints.gateway.problems import told
from yibao.entrypoints.gateway.registry import Done, FileReply, Message, Output, Registry, Services
from yibao.entrypoints.gateway.routes import Routes, canonical
from yibao.infra.database import Connection
from yibao.kernel.ids import CountingIds
from yibao.kernel.refusal import Fault, Refusal

AT = datetime(2026, 12, 31, 16, 0, 5, 7_999, tzinfo=UTC)  # 2027 has begun in China


def _reply(output: Output) -> str:
    return replies.encode_success(
        output, region="370300", ids=CountingIds(), received_at=AT, responded_at=AT, warnings=[]
    ).decode()


def test_times_are_business_time_to_the_millisecond() -> None:
    """The year turns at midnight in China."""
    assert replies.stamp(AT) == "20270101000005007"
    assert json.loads(_reply(None))["inf_refmsgid"] == "3703002027010100000500700" + "00001"


def test_amounts_are_exact_json_numbers_and_zero_has_no_sign() -> None:
    """Two decimals stay two decimals; a refund's zero is 0.00, never -0; text is left alone."""
    text = _reply({"a": Decimal("123.40"), "b": Decimal("-0.00"), "c": [Decimal("-0")], "d": ":-0", "e": Decimal("-1.50")})
    assert '"a":123.40' in text
    assert '"b":0.00' in text
    assert '"c":[0]' in text
    assert '"d":":-0"' in text
    assert '"e":-1.50' in text


def test_a_reply_carries_its_length_and_digest() -> None:
    """A cut reply is known by them."""
    reply = replies.Reply(b"abc")
    headers = dict(reply.headers())
    assert headers[b"content-length"] == b"3"
    # SM3("abc") is the example of GB/T 32905.
    assert headers[b"x-yibao-digest"] == b"sm3=66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert b"content-disposition" in dict(replies.file_reply(FileReply(b"x", "目录.zip")).headers())


def test_many_faults_are_cut_and_counted() -> None:
    """Twenty are told, all are counted."""
    many = Refusal(tuple(Fault("X", f"第{i}处", f"f{i}") for i in range(25)))
    assert "第19处" in told(many)
    assert "第20处" not in told(many)
    assert "共25处错误" in told(many)


@pytest.mark.parametrize(("path", "infno"), [
    ("/x/2207", "2207"), ("/x/2207A/", "2207A"), ("/x2203A", "2203A"), ("/100001", "100001"), ("/D001", "D001"), ("/x", ""),
    ("/12345", ""), ("/fsi/api/outpatientSettleService/cancleSettletment", "2208"), ("/8888", ""), ("", ""),
])
def test_paths_name_transactions(path: str, infno: str) -> None:
    """Number at the end, or one of the listed paths."""
    assert Routes(interface.load()).infno(path) == infno
    assert canonical("2207A") == "2207"
    assert canonical("2203A") == "2203A"


@pytest.mark.parametrize(("name", "name_zh", "value", "shown"), [
    ("certno", "证件号码", "370303199001011233", "3703**********1233"), ("psn_name", "人员姓名", "欧阳小明", "欧**明"),
    ("card_sn", "卡识别码", "1234567890", "1234**7890"), ("memo", "备注", "x" * 100, "x" * 40 + "…"),
    ("memo", "备注", "a\x00b", "a<U+0000>b"), ("item_name", "项目名称", "血常规", "血常规"), ("memo", "备注", {"a": 1}, "对象"),
    ("memo", "备注", True, "true"), ("mdtrt_cert_no", "就诊凭证编号", "370303199001011233", "3703**********1233"),
])
def test_what_came_is_shown_masked(name: str, name_zh: str, value: object, shown: str) -> None:
    """Numbers and names of people are masked, control characters written out, long text cut."""
    described = Field(name, name_zh, "string", None, None, "", False, False, "")
    assert received(described, value) == shown


def test_a_number_has_one_handler() -> None:
    """Two files that claim the same transaction are a defect at start."""
    registry = Registry()

    @registry.query("1101", "1201")
    async def ask(_message: Message, _services: Services) -> Output:
        return None

    assert registry.handlers["1201"].verb == "ask"
    with pytest.raises(AssertionError, match="1101"):
        @registry.deed("1101")
        async def other(_message: Message, _services: Services, _tx: Connection) -> Done:
            return Done(None)
