"""5401, 5402: reports of other institutions that are recognised; 5461: the person lets the asker see them."""

from __future__ import annotations

from typing import Any

import asyncpg

from yibao.domains.records.documents import content_of
from yibao.entrypoints.gateway.registry import Done, Message, Output, Services, deed, query
from yibao.entrypoints.gateway.required_output import with_required
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal
from yibao.usecases.records.look_at_records import (
    EXAMINATION,
    find_recognised,
    list_recognised,
    permit_looking,
    report_number,
)

ABNORMAL = "1"
LISTED_ONLY = ("fixmedins_code", "exe_org_name")
QUALITATIVE = {"exam_rslt_dicm": "exam_rslt_qual"}
"""Field of the upload -> what 5402 calls it."""
Wire = dict[str, Any]


@deed("5461")
async def permit(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Write the person's permit, given with the credential shown."""
    data = message.input["data"]
    refusal = await permit_looking(
        tx, psn_no=data["psnNo"], credential_type=data["mdtrtCertType"], credential=data["mdtrtCertNo"],
        certno=data["psnUserIdCard"], name=data["psnUserName"], institution=message.institution,
        permit_id=services.ids.new(message.received_at), opter=message.envelope.get("opter", ""),
        now=message.received_at,
    )
    return refusal or Done(None, psn_no=data["psnNo"])


@query("5401")
async def recognised(message: Message, services: Services) -> Output | Refusal:
    """List the reports of a person at other institutions that need not be done again."""
    asked = message.input["bilgiteminfo"]
    async with services.database.connection() as tx:
        found = await list_recognised(
            tx, psn_no=asked["psn_no"], institution=message.institution, now=message.received_at)
    if isinstance(found, Refusal):
        return found
    shown = [_summary(row) for row in found if _fits(asked, row, _head(row))]
    return with_required(message.infno, {"bilgiteminfo": shown})


def _head(row: asyncpg.Record) -> Wire:
    content = content_of(row)
    head: Wire = content["examinfo"] if row["kind"] == EXAMINATION else content["labinfo"]
    return head


def _fits(asked: Wire, row: asyncpg.Record, head: Wire) -> bool:
    places = (row["fixmedins_code"], head.get("exam_org_code"))
    place_names = f"{row['fixmedins_name']} {head.get('exe_org_name', '')} {head.get('exam_org_name', '')}"
    return (
        ("exam_org_code" not in asked or asked["exam_org_code"] in places)
        and ("exam_org_name" not in asked or asked["exam_org_name"] in place_names)
        and ("exam_item_code" not in asked or asked["exam_item_code"] == head.get("exam_item_code"))
        and ("exam_item_name" not in asked or asked["exam_item_name"] in head.get("exam_item_name", ""))
    )


def _summary(row: asyncpg.Record) -> Wire:
    head, content = _head(row), content_of(row)
    abnormal = head.get("exam_rslt_abn")
    if row["kind"] != EXAMINATION:
        abnormal = ABNORMAL if any(i.get("exam_rslt_abn") == ABNORMAL for i in content.get("iteminfo", ())) else "0"
    return {
        "psn_no": row["psn_no"], "rpotc_no": report_number(row), "rpt_date": row["told_on"],
        "rpotc_type_code": head.get("rpotc_type_code"), "fixmedins_code": row["fixmedins_code"],
        "exam_rpotc_name": head.get("exam_rpotc_name") or head.get("exam_item_name"),
        "exam_rslt_poit_flag": head.get("exam_rslt_poit_flag"), "exam_rslt_abn": abnormal,
        "exam_ccls": head.get("exam_ccls"),
        "exe_org_name": head.get("exe_org_name") or head.get("exam_org_name") or row["fixmedins_name"],
    }


@query("5402")
async def report(message: Message, services: Services) -> Output | Refusal:
    """Show one recognised report in full."""
    asked = message.input["rptdetailinfo"]
    async with services.database.connection() as tx:
        row = await find_recognised(
            tx, psn_no=asked["psn_no"], report_no=asked["rpotc_no"], fixmedins_code=asked["fixmedins_code"],
            institution=message.institution, now=message.received_at,
        )
    if isinstance(row, Refusal):
        return row
    return with_required(message.infno, _report(row))


def _report(row: asyncpg.Record) -> Wire:
    head, items, number = _head(row), content_of(row).get("iteminfo", ()), report_number(row)
    if row["kind"] == EXAMINATION:
        told = {name: value for name, value in _summary(row).items() if name not in LISTED_ONLY}
        told["bilgDrName"] = head.get("bilg_dr_name")
        return {"checkreportdetails": [told], "inspectionreportinformation": [], "inspectiondetails": []}
    told = {name: head.get(name) for name in ("exam_item_code", "exam_item_name", "rpt_date", "rpot_doc")}
    return {
        "checkreportdetails": [],
        "inspectionreportinformation": [{"psn_no": row["psn_no"], "rpotc_no": number, **told}],
        "inspectiondetails": [{**{QUALITATIVE.get(name, name): value for name, value in item.items()}, "rpotc_no": number}
                              for item in items],
    }
