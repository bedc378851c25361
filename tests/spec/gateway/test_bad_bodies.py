"""Whatever the bytes are: HTTP 200, infcode -1, a Chinese reason, the field, and nothing written."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from tests.spec.gateway.world import envelope, make_client, make_gateway, post, registration
from yibao.entrypoints.gateway.gateway import Gateway
from yibao.infra.database import Database

DEEP = 10_000


def _text(infno: str = "2201", content: Any = None) -> str:
    return json.dumps(envelope(infno, registration() if content is None else content), ensure_ascii=False)


def _with(old: str, new: str) -> bytes:
    text = _text()
    assert old in text
    return text.replace(old, new, 1).encode()


BODIES: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "报文为空"),
    "blank": (b" \r\n", "报文为空"),
    "no JSON": (b"hello", "JSON"),
    "XML": (b"<a/>", "JSON"),
    "cut in the middle": (_text().encode()[:-30], "dept_code"),
    "an array": (b"[]", "input"),
    "a number": (b"1", "input"),
    "null": (b"null", "input"),
    "UTF-16": (_text().encode("utf-16"), "UTF-8"),
    "GBK": (_text().encode("gbk"), "data.dr_name"),
    "bad UTF-8": (_text().encode().replace("王医生".encode(), b"\xff\xfe"), "data.dr_name"),
    "bad UTF-8 in a key": (_text().encode().replace(b"dr_name", b"dr_\xffname"), "UTF-8"),
    "key twice": (_with('"dr_name"', '"psn_no": "2", "dr_name"'), "data.psn_no"),
    "envelope key twice": (_with('"msgid"', '"msgid": "2", "msgid"'), "msgid"),
    "key twice in a vendor field": (_with('"dr_name"', '"x": {"a": 1, "a": 1}, "dr_name"'), "data.x.a"),
    "deep list": (_with('"王医生"', "[" * DEEP + "]" * DEEP), "data.dr_name"),
    "deep object": (_with('"王医生"', '{"a":' * DEEP + "1" + "}" * DEEP), "data.dr_name"),
    "deep and never closed": (_with('"王医生"', "[" * DEEP), "data.dr_name"),
    "deep but readable": (_with('"王医生"', "[" * 300 + "]" * 300), "data.dr_name"),
    "control character raw": (_with("王医生", "王\x01"), "dr_name"),
    "NUL": (_with("王医生", "王\\u0000"), "data.dr_name"),
    "lone surrogate": (_with("王医生", "王\\ud800"), "data.dr_name"),
    "direction mark": (_with("王医生", "王\\u202e"), "data.dr_name"),
    "NaN": (_with('"OP1"', "NaN"), "data.ipt_otp_no"),
    "Infinity": (_with('"OP1"', "-Infinity"), "data.ipt_otp_no"),
    "number without end": (_with('"OP1"', "1e999999999"), "data.ipt_otp_no"),
    "number of 5000 digits": (_with('"OP1"', "9" * 5000), "data.ipt_otp_no"),
    "exponent of 30 digits": (_with('"OP1"', "1e" + "9" * 30), "data.ipt_otp_no"),
    "input is a number": (_text(content=5).encode(), "input"),
    "input is a list of two": (_text(content=[{}, {}]).encode(), "input"),
    "input is no JSON text": (_text(content="hello").encode(), "input"),
    "input is broken JSON text": (_text(content='{"data": ').encode(), "data"),
    "input missing": (json.dumps({k: v for k, v in json.loads(_text()).items() if k != "input"}).encode(), "data.psn_no"),
    "data is text": (_text(content={"data": "x"}).encode(), "data"),
    "data is a list of two": (_text(content={"data": [{}, {}]}).encode(), "data"),
    "msgid too long": (json.dumps(envelope("2201", registration(), msgid="1" * 31)).encode(), "msgid"),
    "no msgid": (json.dumps(envelope("2201", registration(), msgid="")).encode(), "msgid"),
    "no institution": (json.dumps(envelope("2201", registration(), fixmedins_code="null")).encode(), "fixmedins_code"),
    "institution with NUL": (_with("H37030300001\"", "H3703\\u0000\""), "fixmedins_code"),
    "institution is an object": (_with('"fixmedins_code": "H37030300001"', '"fixmedins_code": {}'), "fixmedins_code"),
    "no infno": (json.dumps(envelope("", registration())).encode(), "infno"),
    "unknown infno": (json.dumps(envelope("9999", registration())).encode(), "infno"),
    "infno climbs folders": (json.dumps(envelope("../..", registration())).encode(), "infno"),
    "opter_type unknown": (json.dumps(envelope("2201", registration(), opter_type="7")).encode(), "opter_type"),
    "inf_time no time": (json.dumps(envelope("2201", registration(), inf_time="gestern")).encode(), "inf_time"),
}


@pytest.mark.parametrize("name", BODIES)
async def test_a_bad_body_is_refused_in_words(client: httpx.AsyncClient, database: Database, name: str) -> None:
    """Status 200, infcode -1, reason and field; no trace of our insides; no row."""
    body, word = BODIES[name]
    before = await database.fetch("select count(*) as n from institutions.sign_in")
    response = await post(client, body)
    reply = response.json()
    assert response.status_code == 200
    assert reply["infcode"] == -1
    assert reply["output"] is None
    assert word in reply["err_msg"], reply["err_msg"]
    assert reply["err_msg"].endswith("]")
    assert not any(insides in reply["err_msg"] for insides in ("Traceback", "Error", "Exception", "平台内部错误"))
    assert await database.fetch("select count(*) as n from institutions.sign_in") == before


async def test_a_byte_order_mark_is_no_fault(client: httpx.AsyncClient) -> None:
    """Windows editors put one in front."""
    assert (await post(client, b"\xef\xbb\xbf" + _text().encode())).json()["infcode"] == 0


async def test_all_faults_come_at_once(client: httpx.AsyncClient) -> None:
    """One reply tells every fault with path, rule and what came, masked where it names a person."""
    body = envelope("2201", registration(
        psn_no="9" * 31, insutype=["310"], begntime="2026-02-30 10:00:00", mdtrt_cert_no="370303199001011233" * 3,
        atddr_no=..., dr_name="",
    ), opter_type="9")
    told = (await post(client, body)).json()["err_msg"]
    for field in ("data.psn_no", "data.insutype", "data.begntime", "data.mdtrt_cert_no", "data.atddr_no", "data.dr_name",
                  "opter_type"):
        assert field in told, field
    for rule in ("超过上限30", "应为文本", "不是存在的日期", "必填", "可用值：1", "2026-02-30 10:00:00"):
        assert rule in told, rule
    assert "370303199001011233" not in told


async def test_a_thousand_faults_are_counted_not_told(client: httpx.AsyncClient) -> None:
    """The reply stays readable: twenty faults and the number of all."""
    body = envelope("2204", {"feedetail": [{} for _ in range(200)]})
    told = (await post(client, body)).json()["err_msg"]
    assert len(told) < 3000
    assert "feedetail[0].feedetl_sn" in told
    assert "共200处以上错误" in told


async def test_millions_of_rows_or_keys_keep_nobody_waiting(client: httpx.AsyncClient) -> None:
    """A body full of rows, of doubled keys or of brackets costs parsing and no more."""
    line = _text("2204", {"feedetail": []})
    bodies = (
        line.replace('"feedetail": []', '"feedetail": [' + ",".join(["{}"] * 1_000_000) + "]"),
        line.replace('"feedetail": []', '"feedetail": [' + ",".join(["1"] * 1_000_000) + "]"),
        line.replace('"feedetail": []', '"a": {' + ",".join(f'"k{i}": 1, "k{i}": 1' for i in range(100_000)) + "}"),
        line.replace('"feedetail": []', '"feedetail": "' + "x" * 5_000_000 + '"'),
    )
    for body in bodies:
        started = time.process_time()
        reply = (await post(client, body.encode())).json()
        assert reply["infcode"] == -1
        assert len(reply["err_msg"]) < 5_000
        assert time.process_time() - started < 6.0


async def _drive(gateway: Gateway, headers: list[tuple[bytes, bytes]], chunk: bytes, count: int) -> tuple[dict[str, Any], int]:
    """Send ``count`` chunks to the application; return its reply and how many chunks it took."""
    taken = 0
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": chunk, "more_body": taken < count}

    async def send(event: Any) -> None:
        sent.append(event)

    await gateway({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive, send)
    assert sent[0]["status"] == 200
    return json.loads(sent[1]["body"]), taken


async def test_a_hundred_megabytes_are_refused_unread(gateway: Gateway) -> None:
    """Announced: not one byte is read. Unannounced: reading stops at the limit."""
    started = time.perf_counter()
    reply, taken = await _drive(gateway, [(b"content-length", b"104857600")], b"", 1)
    assert taken == 0
    assert time.perf_counter() - started < 0.05
    assert reply["infcode"] == -1
    assert "上限" in reply["err_msg"]
    reply, taken = await _drive(gateway, [], b"x" * 1024 * 1024, 100)
    assert taken <= 9
    assert reply["infcode"] == -1


async def test_a_compressed_body_is_refused(gateway: Gateway) -> None:
    """No gzip bomb is ever unpacked."""
    reply, taken = await _drive(gateway, [(b"content-encoding", b"gzip")], b"\x1f\x8b", 1)
    assert taken == 0
    assert "压缩" in reply["err_msg"]


async def test_a_caller_who_goes_away_gets_nothing_and_breaks_nothing(gateway: Gateway) -> None:
    """A disconnect in the middle of the body is no message."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(event: Any) -> None:
        sent.append(event)

    await gateway({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)
    assert sent == []


async def test_a_broken_connection_is_no_stack_trace(database: Database, database_url: str) -> None:
    """The server ends our connection in between: asked again, the message is answered."""
    cut = await Database.open(database_url, role="yibao_gateway", size=1)
    gateway = make_gateway(cut)
    async with make_client(gateway) as client:
        assert (await post(client, envelope("2201", registration()))).json()["infcode"] == 0
        await database.fetch(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and pid <> pg_backend_pid()"
        )
        body = envelope("2201", registration())
        first = (await post(client, body)).json()
        assert first["infcode"] == 0 or "请用同一发送方报文ID重试" in first["err_msg"]
        assert (await post(client, body)).json()["infcode"] == 0
    await gateway.close()
    await cut.close()


async def test_a_database_that_is_gone_is_no_stack_trace() -> None:
    """Nobody answers at all: the caller is asked to come again with the same id."""
    async def connect() -> Any:
        raise ConnectionRefusedError("nobody there")

    gateway = make_gateway(Database(connect, size=1, acquire_timeout_s=0.1))
    async with make_client(gateway) as client:
        reply = (await post(client, envelope("2201", registration()))).json()
    await gateway.close()
    assert reply["infcode"] == -1
    assert "请用同一发送方报文ID重试" in reply["err_msg"]


@pytest.mark.parametrize("value", ["' or 1=1 --", "<script>alert(1)</script>", "%s%n", "{{7*7}}", "😀", "𠮷", "\ue000"])
async def test_strange_but_lawful_text_is_text(client: httpx.AsyncClient, value: str) -> None:
    """Rare and private-use characters stand in Chinese names; markup and SQL are just characters."""
    reply = (await post(client, envelope("2201", registration(dr_name=value)))).json()
    assert reply["infcode"] == 0
    assert reply["output"]["input"]["data"]["dr_name"] == value
