"""Sender checks: each scheme, each way to fail, and agreements."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from tests.spec.gateway.world import EXPIRED, HMAC, NOW, OPEN, SUSPENDED, TIF, envelope, post, registration
from yibao.entrypoints.gateway.senders import api_signature, tif_signature

MS = int(NOW.timestamp() * 1000)
S = int(NOW.timestamp())


def api_headers(*, secret: str = "secret-a", **changes: str) -> dict[str, str]:
    """Return signed ``_api_*`` headers."""
    values = {
        "_api_name": "2201", "_api_version": "1.0.0", "_api_timestamp": str(MS), "_api_access_key": "key-a", **changes,
    }
    return {**values, "_api_signature": api_signature(secret, values)}


def tif_headers(*, secret: str = "secret-b", timestamp: int = S, key: str = "key-b") -> dict[str, str]:
    """Return signed ``x-tif-*`` headers."""
    return {
        "x-tif-paasid": key, "x-tif-timestamp": str(timestamp), "x-tif-nonce": "n-1",
        "x-tif-signature": tif_signature(secret, str(timestamp), "n-1"),
    }


async def _send(client: httpx.AsyncClient, code: str, headers: dict[str, str]) -> Any:
    response = await post(client, envelope("2201", registration(), code=code), headers=headers)
    assert response.status_code == 200
    return response.json()


def test_signatures_are_those_of_the_field() -> None:
    """The canonical strings, computed outside with openssl."""
    values = {"_api_name": "1101", "_api_version": "1.0.0", "_api_timestamp": "1700000000000", "_api_access_key": "ak"}
    assert api_signature("sk", values) == "A6lGsQi/DYEjqYi0n7r2KyIrjTU="
    assert tif_signature("sk", "1700000000", "abc") == "9369363e5849f145a1490b2d368db5e6d133441691e030ab4271b5a9e3a13d96"


@pytest.mark.parametrize("headers", [
    api_headers(), api_headers(_api_name="api_2201"), api_headers(_api_timestamp=str(MS - 29 * 60_000)),
    api_headers(_api_timestamp=str(MS + 29 * 60_000)), api_headers(_api_name="anything"),
])
async def test_hmac_senders_are_let_in(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """The _api_* set, also with ``api_`` before the number, inside the clock's tolerance."""
    assert (await _send(client, HMAC, headers))["infcode"] == 0


@pytest.mark.parametrize("headers", [tif_headers(), tif_headers(timestamp=S - 1700), {
    name: value.upper() if name.endswith("signature") else value for name, value in tif_headers().items()
}])
async def test_tif_senders_are_let_in(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    """The x-tif-* set; hex in either case."""
    assert (await _send(client, TIF, headers))["infcode"] == 0


WITHOUT = [
    (HMAC, {name: value for name, value in api_headers().items() if name != left_out}, left_out)
    for left_out in api_headers()
] + [
    (TIF, {name: value for name, value in tif_headers().items() if name != left_out}, left_out)
    for left_out in tif_headers()
]


@pytest.mark.parametrize(("code", "headers", "word"), [
    *WITHOUT,
    (HMAC, {}, "_api_signature"),
    (TIF, {}, "x-tif-signature"),
    (HMAC, api_headers(secret="wrong"), "签名"),
    (TIF, tif_headers(secret="wrong"), "签名"),
    (HMAC, api_headers(_api_timestamp=str(MS - 31 * 60_000)), "时间戳"),
    (HMAC, api_headers(_api_timestamp=str(MS + 31 * 60_000)), "时间戳"),
    (HMAC, api_headers(_api_timestamp="now"), "时间戳"),
    (TIF, tif_headers(timestamp=S - 1900), "时间戳"),
    (HMAC, api_headers(_api_access_key="key-x"), "密钥"),
    (TIF, tif_headers(key="key-x"), "密钥"),
    (HMAC, api_headers(_api_access_key="key-b", secret="secret-b"), "密钥"),
    (TIF, tif_headers(key="key-a", secret="secret-a"), "密钥"),
    (HMAC, tif_headers(), "_api_access_key"),
    (HMAC, api_headers(_api_name="2207"), "_api_name"),
    ("H99999999999", api_headers(), "密钥"),
    ("H99999999999", api_headers(_api_access_key="key-x"), "密钥"),
])
async def test_who_cannot_prove_himself_gets_the_gateways_refusal(
    client: httpx.AsyncClient, code: str, headers: dict[str, str], word: str
) -> None:
    """No envelope: code 401 and a sentence that names what is missing or wrong, never the secret."""
    answer = await _send(client, code, headers)
    assert answer.keys() == {"code", "message"}
    assert answer["code"] == 401
    assert word in answer["message"]
    assert "secret" not in answer["message"]


async def test_a_signed_caller_with_an_unreadable_body_is_checked_first(client: httpx.AsyncClient) -> None:
    """Nobody learns how we parse before he proved who he is, if he claims to be somebody."""
    assert (await post(client, b"{", headers=api_headers(secret="wrong"))).json()["code"] == 401
    assert (await post(client, b"{", headers=api_headers())).json()["infcode"] == -1


async def test_headers_of_an_unsigned_institution_are_ignored(client: httpx.AsyncClient) -> None:
    """A fixed apikey or a foreign signature does no harm where none is asked."""
    assert (await _send(client, OPEN, {"apikey": "x", **tif_headers(key="nobody")}))["infcode"] == 0


@pytest.mark.parametrize(("code", "word"), [(EXPIRED, "2026-01-01"), (SUSPENDED, "中止"), ("H99999999999", "不存在")])
async def test_unknown_expired_and_suspended_institutions(client: httpx.AsyncClient, code: str, word: str) -> None:
    """Each is an envelope refusal that names the field and the reason."""
    answer = await _send(client, code, {})
    assert answer["infcode"] == -1
    assert "fixmedins_code" in answer["err_msg"]
    assert word in answer["err_msg"]


async def test_the_care_place_must_be_where_the_sender_stands(client: httpx.AsyncClient) -> None:
    """Another region's division in mdtrtarea_admvs is refused; the county and the city are both right."""
    for place, infcode in (("370300", 0), ("370303", 0), ("", 0), ("441300", -1), ("110000", -1)):
        answer = (await post(client, envelope("2201", registration(), mdtrtarea_admvs=place))).json()
        assert answer["infcode"] == infcode, place
        assert (infcode == 0) or "mdtrtarea_admvs" in answer["err_msg"]
