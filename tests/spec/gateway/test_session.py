"""9001, 9002 and 1901 as clients need them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.spec.gateway.test_senders import tif_headers
from tests.spec.gateway.world import OPEN, TIF, envelope, make_client, make_gateway, plant_institutions, post
from yibao.entrypoints.gateway.registry import REGISTRY, offered
from yibao.infra.database import Database


@pytest.fixture(scope="module")
async def client(database: Database, gateway_database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a gateway with the package's own handlers."""
    await plant_institutions(database)
    offered()
    gateway = make_gateway(gateway_database, REGISTRY)
    async with make_client(gateway) as opened:
        yield opened
    await gateway.close()


async def test_sign_in_and_out(client: httpx.AsyncClient, database: Database) -> None:
    """9001 gives a sign_no that 9002 closes; the operator needs no number before."""
    asked = envelope("9001", {"signIn": {"opter_no": "001", "mac": "00-16-3E", "ip": "10.0.0.1"}}, sign_no=None,
                     insuplc_admdvs="")
    signed = (await post(client, asked)).json()["output"]["signinoutb"]
    assert signed["sign_time"] == "2026-03-02 09:30:00"
    assert signed["sign_no"]
    assert len(signed["sign_no"]) <= 30
    out = envelope("9002", {"signOut": {"sign_no": signed["sign_no"], "opter_no": "001"}})
    assert (await post(client, out)).json()["output"]["signoutoutb"]["sign_time"] == "2026-03-02 09:30:00"
    [row] = await database.fetch("select * from institutions.sign_in where sign_no = $1", signed["sign_no"])
    assert (row["fixmedins_code"], row["opter"], row["mac"]) == (OPEN, "001", "00-16-3E")
    assert row["signed_out_at"] is not None


async def test_signing_in_twice_with_one_msgid_is_one_sign_in(client: httpx.AsyncClient) -> None:
    """A lost reply is asked again."""
    asked = envelope("9001", {"signIn": {"opter_no": "001", "mac": "m", "ip": "1"}})
    assert (await post(client, asked)).content == (await post(client, asked)).content


async def test_a_foreign_or_unknown_sign_no_is_not_closed(client: httpx.AsyncClient) -> None:
    """Another institution cannot sign our operators out."""
    asked = envelope("9001", {"signIn": {"opter_no": "001", "mac": "m", "ip": "1"}})
    sign_no = (await post(client, asked)).json()["output"]["signinoutb"]["sign_no"]
    theirs = envelope("9002", {"signOut": {"sign_no": sign_no}}, code=TIF)
    answer = (await post(client, theirs, headers=tif_headers())).json()
    assert answer["infcode"] == -1
    assert "signOut.sign_no" in answer["err_msg"]
    unknown = (await post(client, envelope("9002", {"signOut": {"sign_no": "sign_no"}}))).json()
    assert unknown["infcode"] == -1


@pytest.mark.drives("1901")
async def test_the_dictionary_is_the_code_table(client: httpx.AsyncClient) -> None:
    """1901 lists the values of a type, in both spellings of its names."""
    content = {"data": {"type": "INSUTYPE", "parentValue": "", "admdvs": "370300", "date": "2026-03-02", "valiFlag": "1"}}
    rows = (await post(client, envelope("1901", content))).json()["output"]["list"]
    found = {row["value"]: row["label"] for row in rows}
    assert found["310"] == "职工基本医疗保险"
    assert found["390"] == "城乡居民基本医疗保险"
    for row in rows:
        assert row["type"] == "insutype"
        assert row["valiFlag"] == row["vali_flag"] == "1"
        assert row["parentValue"] == row["parent_value"]
        assert row["createDate"] == row["create_date"]
        assert type(row["sort"]) is type(row["version"]) is int


async def test_an_unknown_dictionary_is_empty_with_a_warning(client: httpx.AsyncClient) -> None:
    """A client that walks through its own list of types is not stopped."""
    content = {"data": {"type": "no_such", "admdvs": "370300", "date": "2026-03-02", "Vali_Flag": "1"}}
    reply = (await post(client, envelope("1901", content))).json()
    assert reply["output"] == {"list": []}
    assert "no_such" in reply["warn_msg"]
