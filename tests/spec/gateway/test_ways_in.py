"""Every address and content type an institution's system may use."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.spec.gateway.world import envelope, make_client, make_gateway, post, registration, settlement
from yibao.entrypoints.gateway.gateway import Gateway
from yibao.infra.database import Database

PATHS = (
    "/fsi/api/rsfComIfsService/callService",
    "/fsi/api/rsfComIfsService/callService/",
    "/isp-api/powercsb/2201",
    "/2201",
    "/hsa/base/2201",
    "/hsa/base//2201",
    "/hsa-fsi2201",
    "/fsi/api/outpatientDocInfoService/outpatientRregistration",
    "/some/proxy",
)


@pytest.mark.parametrize("path", PATHS)
async def test_a_message_arrives_by_each_address(client: httpx.AsyncClient, path: str) -> None:
    """Single endpoint, number in the path with and without a slash, per-transaction path, one path behind a proxy."""
    assert (await post(client, envelope("2201", registration()), path=path)).json()["infcode"] == 0


@pytest.mark.parametrize("path", PATHS[2:8])
async def test_the_path_names_the_transaction_when_the_body_does_not(client: httpx.AsyncClient, path: str) -> None:
    """A body without infno takes the path's."""
    assert (await post(client, envelope("", registration()), path=path)).json()["infcode"] == 0


async def test_path_and_body_must_agree(client: httpx.AsyncClient) -> None:
    """A body of another transaction than its path is refused by name."""
    reply = (await post(client, envelope("2201", registration()), path="/base/2207")).json()
    assert reply["infcode"] == -1
    assert reply["err_msg"].startswith("infno：")


@pytest.mark.parametrize(("infno", "path"), [
    ("2207A", "/base/2207A"), ("2207", "/base/2207A"), ("2207A", "/fsi/api/outpatientSettleService/saveSettletment"),
    ("2206A", "/fsi/api/rsfComIfsService/callService"),
])
async def test_a_forms_are_the_plain_forms(client: httpx.AsyncClient, infno: str, path: str) -> None:
    """2206A and 2207A have the bodies of 2206 and 2207."""
    content = settlement() if infno.startswith("2207") else {
        "data": {k: v for k, v in settlement()["data"].items() if not k.endswith(("_amt", "selfpay"))}
    }
    assert (await post(client, envelope(infno, content), path=path)).json()["infcode"] == 0


@pytest.mark.parametrize("content_type", [
    "application/json", "application/json; charset=utf-8", "text/plain", "text/plain; charset=utf-8", "",
])
async def test_any_content_type_of_the_field(client: httpx.AsyncClient, content_type: str) -> None:
    """JSON comes under several content types."""
    reply = await post(client, envelope("2201", registration()), headers={"content-type": content_type})
    assert reply.json()["infcode"] == 0
    assert reply.headers["content-type"] == "application/json;charset=utf-8"


def _form(message: dict[str, object], file: bytes | None, boundary: str = "yibao-boundary") -> bytes:
    parts = [f'--{boundary}\r\nContent-Disposition: form-data; name="jsonStr"\r\n\r\n'.encode()
             + json.dumps(message).encode() + b"\r\n"]
    if file is not None:
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.zip"\r\n'
            f"Content-Type: application/octet-stream\r\n\r\n".encode() + file + b"\r\n"
        )
    return b"".join(parts) + f"--{boundary}--\r\n".encode()


async def test_an_upload_brings_envelope_and_file(client: httpx.AsyncClient) -> None:
    """9101 is multipart: text part jsonStr, binary part file."""
    message = envelope("9101", {"fsUploadIn": {"filename": "a.zip", "fixmedins_code": "H37030300001"}})
    file = b"PK\x03\x04--yibao-boundary\r\n\x00\xff"
    reply = await post(
        client, _form(message, file), path="/fsi/api/fileupload/upload",
        headers={"content-type": "multipart/form-data; boundary=yibao-boundary"},
    )
    assert reply.json()["infcode"] == 0
    # httpx and browsers write the same form.
    answer = await client.post("/fsi/api/fileupload/upload", data={"jsonStr": json.dumps(message)}, files={"file": file})
    assert answer.json()["infcode"] == 0


async def test_an_upload_without_its_file_names_the_field(client: httpx.AsyncClient) -> None:
    """The file is required by the field table."""
    message = envelope("9101", {"fsUploadIn": {"filename": "a.zip", "fixmedins_code": "H37030300001"}})
    reply = await post(client, _form(message, None), headers={"content-type": "multipart/form-data; boundary=yibao-boundary"})
    assert reply.json()["infcode"] == -1
    assert "fsUploadIn.in" in reply.json()["err_msg"]


async def test_other_transactions_may_come_as_a_form(client: httpx.AsyncClient) -> None:
    """A client that always posts forms is served too."""
    reply = await post(
        client, _form(envelope("2201", registration()), None),
        headers={"content-type": 'multipart/form-data; boundary="yibao-boundary"'},
    )
    assert reply.json()["infcode"] == 0


@pytest.mark.parametrize(("content_type", "body"), [
    ("multipart/form-data", b"x"),
    ("multipart/form-data; boundary=b", b"no parts at all"),
    ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"other\"\r\n\r\nx\r\n--b--\r\n"),
    ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: form-data; name=\"jsonStr\"\r\n\r\n{}"),
    ("multipart/form-data; boundary=b", b"--b\r\n\r\n\r\n--b--"),
])
async def test_a_broken_form_says_what_is_missing(client: httpx.AsyncClient, content_type: str, body: bytes) -> None:
    """A form that cannot be read is refused with the part that was expected."""
    reply = await post(client, body, headers={"content-type": content_type})
    assert reply.json()["infcode"] == -1
    assert "jsonStr" in reply.json()["err_msg"]


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD"])
async def test_other_methods_get_a_clear_answer(client: httpx.AsyncClient, method: str) -> None:
    """Somebody who opens the address in a browser reads why nothing happens."""
    reply = await client.request(method, "/fsi/api/rsfComIfsService/callService")
    assert reply.status_code == 405
    assert reply.headers["allow"] == "POST"
    if method != "HEAD":
        assert reply.json()["code"] == 405
        assert "POST" in reply.json()["message"]


async def test_a_file_comes_as_a_file(client: httpx.AsyncClient) -> None:
    """9102 answers application/octet-stream."""
    content = {"fsDownloadIn": {"file_qury_no": "F1", "filename": "a.zip", "fixmedins_code": "plc"}}
    reply = await post(client, envelope("9102", content))
    assert reply.headers["content-type"] == "application/octet-stream"
    assert reply.content == b"PK-not-really"
    assert "attachment" in reply.headers["content-disposition"]
    failed = await post(client, envelope("9102", {"fsDownloadIn": {}}))
    assert failed.json()["infcode"] == -1


async def test_known_but_not_offered_is_refused_by_name_after_validation(client: httpx.AsyncClient) -> None:
    """Nothing is faked: a transaction without a handler says so; wrong fields are told first."""
    wrong = (await post(client, envelope("2405", {"data": {"mdtrt_id": "M"}}))).json()
    assert "data.psn_no" in wrong["err_msg"]
    right = (await post(client, envelope("2405", {"data": {"mdtrt_id": "M", "psn_no": "P"}}))).json()
    assert right["infcode"] == -1
    assert "交易【2405" in right["err_msg"]
    assert "尚未开通" in right["err_msg"]
    unknown = (await post(client, envelope("8888", {}))).json()
    assert "infno" in unknown["err_msg"]
    assert "8888" in unknown["err_msg"]


def test_the_gateway_claims_its_addresses_and_leaves_others(gateway: Gateway) -> None:
    """The app asks which paths are the gateway's."""
    assert all(gateway.claims(path) for path in PATHS[:-1])
    assert not any(gateway.claims(path) for path in ("/", "/institution/messages", "/ui", "/readyz"))


async def test_unsigned_senders_exist_only_in_a_demo(gateway_database: Database, database: Database) -> None:
    """Scheme none is refused where the settings do not say demo."""
    gateway = make_gateway(gateway_database, demo=False)
    async with make_client(gateway) as strict:
        reply = (await post(strict, envelope("2201", registration()))).json()
    await gateway.close()
    assert reply["code"] == 401
