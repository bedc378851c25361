"""A small world for the gateway's tests: institutions of every scheme, and messages to send."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import httpx
import msgspec

from yibao.entrypoints.gateway.gateway import Gateway
from yibao.entrypoints.gateway.registry import Done, FileReply, Message, Output, Registry, Services
from yibao.entrypoints.gateway.routes import SINGLE_ENDPOINT
from yibao.infra.config import Settings
from yibao.infra.database import Connection, Database
from yibao.infra.messages import Replayed, claim, store
from yibao.kernel.clock import FixedClock
from yibao.kernel.ids import CountingIds
from yibao.kernel.refusal import Refusal, refuse

NOW = datetime(2026, 3, 2, 1, 30, tzinfo=UTC)  # 09:30 in Shanghai
OPEN, HMAC, TIF, EXPIRED, SUSPENDED = "H37030300001", "H37030300002", "H37030300003", "H37030300004", "H37030300005"
ELSEWHERE = "H44130200001"
ROWS = (
    (OPEN, "370303", "370300", "未签名医院", "none", "", "", date(2030, 1, 1), None),
    (HMAC, "370303", "370300", "签名医院甲", "api_hmac_sha1", "key-a", "secret-a", date(2030, 1, 1), None),
    (TIF, "370303", "370300", "签名医院乙", "tif_sha256", "key-b", "secret-b", date(2030, 1, 1), None),
    (EXPIRED, "370303", "370300", "到期医院", "none", "", "", date(2026, 1, 1), None),
    (SUSPENDED, "370303", "370300", "中止医院", "none", "", "", date(2030, 1, 1), date(2026, 2, 1)),
    (ELSEWHERE, "441302", "441300", "外地医院", "none", "", "", date(2030, 1, 1), None),
)
INSERT = """
insert into institutions.institution (fixmedins_code, admdvs, region, name, auth_scheme, access_key, secret,
    agreement_to, suspended_on, uscc, kind, hosp_lv, level, agreement_no, agreement_from)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, '91370300MA3C000000', '1', '3', '3', 'A-1', '2020-01-01')
"""
_serial = itertools.count(1)


async def plant_institutions(database: Database) -> None:
    """Write the institutions, once per database."""
    async with database.connection() as connection:
        if not await connection.fetchval("select count(*) from institutions.institution"):
            await connection.executemany(INSERT, ROWS)


def fake_handlers() -> Registry:
    """Return handlers that show what reached them: enough for the edge, nothing of insurance."""
    registry = Registry()

    @registry.query("5201", "1101", "5101", "3504", "7101", "2001", "9101", "5203", "2206")
    async def echo(message: Message, _services: Services) -> Output:
        return {"infno": message.infno, "input": _shown(message.input), "envelope": message.envelope}

    @registry.query("9102")
    async def download(_message: Message, _services: Services) -> Output:
        return FileReply(b"PK-not-really", "目录.zip")

    @registry.query("5302")
    async def refuse_query(_message: Message, _services: Services) -> Output | Refusal:
        return refuse("PERSON_NOT_FOUND", "人员不存在", field="data.psn_no", remedy="请核对人员编号")

    @registry.query("5301")
    async def break_query(_message: Message, _services: Services) -> Output:
        raise ZeroDivisionError("planted defect")

    @registry.deed("2201", "2204", "2203", "2203A")
    async def write(message: Message, services: Services, tx: Connection) -> Done | Refusal:
        sign_no = services.ids.new(message.received_at)
        await tx.execute(
            "insert into institutions.sign_in (sign_no, fixmedins_code, admdvs, opter, signed_in_at)"
            " values ($1, $2, $3, 'x', $4)",
            sign_no, message.institution.fixmedins_code, message.institution.region, message.received_at,
        )
        if message.envelope["opter"] == "refuse-me":
            return refuse("NOT_NOW", "现在不行", field="opter")
        if message.envelope["opter"] == "break-me":
            raise ZeroDivisionError("planted defect")
        return Done({"data": {"mdtrt_id": sign_no}, "input": _shown(message.input)}, psn_no="P", mdtrt_id=sign_no)

    @registry.whole_deed("2207")
    async def settle(message: Message, services: Services, encode: Any) -> bytes | Replayed | Refusal:
        async with services.database.transaction() as tx:
            claimed = await claim(tx, message.key)
            if claimed is not None:
                return claimed
            reply: bytes = encode({"setlinfo": {"setl_id": services.ids.new(message.received_at)}})
            await store(tx, message.key, reply, replied_at=message.received_at)
            return reply

    return registry


def _shown(value: Any) -> Any:
    """Return clean content as plain JSON; instants with their zone, numbers as text."""
    return json.loads(msgspec.json.encode(value))


def make_gateway(database: Database, registry: Registry | None = None, **settings: Any) -> Gateway:
    """Return a gateway at a fixed time; fake handlers unless others are given."""
    services = Services(
        database=database, clock=FixedClock(NOW), ids=CountingIds(), settings=Settings(**{"demo": True, **settings})
    )
    return Gateway(services, handlers=(registry or fake_handlers()).handlers)


def make_client(gateway: Gateway) -> httpx.AsyncClient:
    """Return an HTTP client that talks to the gateway in this process."""
    transport = httpx.ASGITransport(app=gateway, raise_app_exceptions=True)
    return httpx.AsyncClient(transport=transport, base_url="http://yibao.test")


def new_msgid(code: str = OPEN) -> str:
    """Return a message id nobody used: code, time, four digits."""
    return f"{code}20260302093000{next(_serial):04d}"


def envelope(infno: str, content: Any, *, code: str = OPEN, **changes: Any) -> dict[str, Any]:
    """Return a whole message; ``changes`` replaces envelope fields, None leaves one out."""
    body: dict[str, Any] = {
        "infno": infno, "msgid": new_msgid(code), "mdtrtarea_admvs": "370300", "insuplc_admdvs": "370300",
        "recer_sys_code": "FSI", "dev_no": "", "dev_safe_info": "", "cainfo": "", "signtype": "SM3", "infver": "V1.0",
        "opter_type": "1", "opter": "001", "opter_name": "收费员", "inf_time": "2026-03-02 09:30:00",
        "fixmedins_code": code, "fixmedins_name": "医院", "sign_no": "", "input": content,
    }
    body.update(changes)
    return {name: value for name, value in body.items() if value is not None or name not in changes}


def registration(**changes: Any) -> dict[str, Any]:
    """Return the business content of a valid 2201."""
    data: dict[str, Any] = {
        "psn_no": "37030000000000000001", "insutype": "310", "begntime": "2026-03-02 09:29:00", "mdtrt_cert_type": "02",
        "mdtrt_cert_no": "370303199001011233", "ipt_otp_no": "OP1", "atddr_no": "D370303000001", "dr_name": "王医生",
        "dept_code": "A02", "dept_name": "全科", "caty": "A02",
    }
    data.update(changes)
    return {"data": {name: value for name, value in data.items() if value is not ...}}


def settlement(**changes: Any) -> dict[str, Any]:
    """Return the business content of a valid 2207."""
    data: dict[str, Any] = {
        "psn_no": "37030000000000000001", "mdtrt_cert_type": "02", "mdtrt_cert_no": "370303199001011233",
        "med_type": "11", "medfee_sumamt": 123.45, "psn_setlway": "01", "mdtrt_id": "20260302", "chrg_bchno": "B1",
        "insutype": "310", "acct_used_flag": "1", "invono": "", "fulamt_ownpay_amt": 0, "overlmt_selfpay": 0,
        "preselfpay_amt": "0.00", "inscp_scp_amt": 0,
    }
    data.update(changes)
    return {"data": {name: value for name, value in data.items() if value is not ...}}


async def post(
    client: httpx.AsyncClient, body: Mapping[str, Any] | bytes, *, path: str = SINGLE_ENDPOINT,
    headers: Mapping[str, str] | None = None,
) -> httpx.Response:
    """Post a message; whatever it is, the answer's length and digest must hold."""
    content = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    response = await client.post(path, content=content, headers={"content-type": "text/plain", **(headers or {})})
    assert int(response.headers["content-length"]) == len(response.content)
    assert response.headers["content-type"]
    assert response.headers["x-yibao-digest"].startswith("sm3=")
    return response
