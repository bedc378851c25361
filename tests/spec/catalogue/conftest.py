"""A gateway over a database that holds the packaged catalogue and three institutions."""

from __future__ import annotations

import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date, datetime
from typing import Any

import pytest

from yibao.entrypoints.gateway.gateway import Gateway, Request
from yibao.entrypoints.gateway.registry import Services
from yibao.infra.config import Settings
from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.clock import FixedClock
from yibao.kernel.ids import CountingIds
from yibao.policy.law.loading import load_policy
from yibao.usecases.catalogue.load_catalogue import load_all
from yibao.usecases.settlement.shelf import PolicyShelf

LOADED_AT = datetime(2026, 11, 20, 0, 30, tzinfo=SHANGHAI)
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=SHANGHAI)
HOSPITAL, CLINIC, PHARMACY = "H37030300001", "H44130200001", "P37030300001"

_INSTITUTION = """
insert into institutions.institution (fixmedins_code, admdvs, region, name, uscc, kind, hosp_lv, level,
    agreement_no, agreement_from, agreement_to, auth_scheme)
values ($1, $2, $3, $4, $5, $6, $7, $8, 'A1', '2020-01-01', '2030-01-01', 'none')
"""
_DEPARTMENT = """
insert into institutions.department values ($1, $2, '370303', $3, $4, $5, null, '王负责', '05330000000', $6)
"""
_PRACTITIONER = "insert into institutions.practitioner values ($1, $2, '370303', $3, $4, '01', $5, $6, $7, $8)"

Reply = dict[str, Any] | bytes
Call = Callable[..., Awaitable[Any]]


async def furnish(database: Database) -> None:
    """Make a hospital and a pharmacy in one region, a clinic in the other, departments and staff."""
    async with database.connection() as connection:
        for row in (
            (HOSPITAL, "370303", "370300", "示例市第一医院", "9137030000000001X1", "1", "2", "3"),
            (CLINIC, "441302", "441300", "示例社区卫生服务中心", "9144130000000001X2", "1", "9", "1"),
            (PHARMACY, "370303", "370300", "示例大药房", "9137030000000001X3", "2", None, "1"),
        ):
            await connection.execute(_INSTITUTION, *row)
        await connection.execute(_DEPARTMENT, HOSPITAL, "0101", "心内科", "A03.04", date(2001, 5, 1), 40)
        await connection.execute(_DEPARTMENT, HOSPITAL, "0102", "中医科", "A50", date(2003, 5, 1), 0)
        for code, name, kind, certno, left in (
            ("D370303000001", "李医师", "1", "370303198001010011", None),
            ("D370303000002", "赵医师", "1", "370303198001010038", date(2025, 1, 1)),
            ("N370303000003", "钱护士", "2", "370303198001010046", None),
        ):
            values = (HOSPITAL, code, name, kind, certno, "0101", date(2015, 1, 1), left)
            await connection.execute(_PRACTITIONER, *values)


@pytest.fixture(scope="module")
async def gateway(database: Database, gateway_database: Database) -> AsyncIterator[Gateway]:
    """Open the real gateway, with the packaged law, at a fixed instant."""
    await load_all(database, now=LOADED_AT, ids=CountingIds())
    await furnish(database)
    policies = {admdvs: load_policy(texts) for admdvs, texts in read_policy_files().items()}
    services = Services(
        gateway_database, FixedClock(NOW), CountingIds(), policies=PolicyShelf(policies), settings=Settings(demo=True)
    )
    made = Gateway(services)
    yield made
    await made.close()


@pytest.fixture(scope="module")
def call(gateway: Gateway) -> Call:
    """Return a function that sends a message and returns its output, the file's bytes, or the error text."""
    numbers = itertools.count(1)

    async def send(infno: str, content: Any, *, sender: str = HOSPITAL, fails: bool = False) -> Any:
        message = {
            "infno": infno, "msgid": f"{sender}20261122090000{next(numbers):04d}", "mdtrtarea_admvs": f"{sender[1:5]}00",
            "insuplc_admdvs": "", "recer_sys_code": "X", "infver": "V1.0", "opter_type": "1", "opter": "001",
            "opter_name": "张三", "inf_time": "2026-11-22 09:00:00", "fixmedins_code": sender, "input": content,
        }
        body = json.dumps(message, ensure_ascii=False).encode()
        reply = await gateway.answer(Request("/fsi/api/rsfComIfsService/callService", {}, body))
        assert reply.status == 200
        if reply.content_type == b"application/octet-stream":
            return reply.body
        answer = json.loads(reply.body)
        assert answer["infcode"] == (-1 if fails else 0), answer["err_msg"]
        return answer["err_msg"] if fails else answer["output"]

    return send
