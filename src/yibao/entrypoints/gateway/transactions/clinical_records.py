"""4301-4701: clinical records are kept under their keys; 4507-4512 give reports back."""

from __future__ import annotations

from typing import Any

import asyncpg

from yibao.domains.people.queries import find_person
from yibao.domains.records.documents import content_of
from yibao.entrypoints.gateway.registry import Done, Message, Output, Services, deed, query
from yibao.entrypoints.gateway.required_output import with_required
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.records.keep_documents import By, Sent, keep_documents
from yibao.usecases.records.look_at_records import list_records
from yibao.usecases.records.tables import Upload, uploads

OTHER_SPELLINGS = {"mdtrt_sn": "Ymdtrt_sn", "mdtrt_id": "Ymdtrt_id", "psn_no": "Ypsn_no"}
"""One client writes the link of 4302 so."""
PAGE_MAX = 200
Wire = dict[str, Any]


@deed("4301", "4302", "4401", "4402", "4402A", "4501", "4502", "4503", "4504", "4505", "4506", "4601", "4602", "4701")
async def upload(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Keep the records of a message, each linked to its visit; a later upload of a key takes the earlier one's place."""
    table = uploads()[message.infno]
    sent = _sent(message.input, table)
    if not sent:
        return refuse("NO_RECORDS", f"没有{table.title}的内容", field=table.node, remedy="请至少上传一份记录")
    by = By(message.msgid, message.envelope.get("opter", ""), message.envelope.get("opter_name", ""))
    kept = await keep_documents(
        tx, sent, upload=table, institution=message.institution, by=by, now=message.received_at)
    if isinstance(kept, Refusal):
        return kept
    message.warnings += kept.warnings
    return Done(None, psn_no=kept.psn_no or None, mdtrt_id=kept.mdtrt_id or None)


def _sent(content: Wire, table: Upload) -> list[Sent]:
    """Return the documents of a message: each row of the node, or the message with the node as its head."""
    node = content.get(table.node)
    if table.is_row:
        return [Sent(_head(row), row, f"{table.node}[{i}]") for i, row in enumerate(node or ())]
    if isinstance(node, list):
        return [Sent(_head(node[0]), content, f"{table.node}[0]")] if node else []
    return [Sent(_head(node), content, table.node)] if node else []


def _head(row: Wire) -> Wire:
    return {**{name: row[other] for name, other in OTHER_SPELLINGS.items() if other in row}, **row}


async def _reports(message: Message, services: Services, kind: str) -> list[asyncpg.Record] | Refusal:
    """Return the reports of a person that the asker may see, filtered by what was asked and cut to its page."""
    asked = message.input
    size, number = int(asked["pageSize"]), int(asked["pageNum"])
    if size < 1 or number < 1:
        return refuse("PAGE_INVALID", "页码和每页数量从1起", field="pageNum", remedy="请从第1页查起")
    async with services.database.connection() as tx:
        found = await list_records(
            tx, psn_no=asked["psn_no"], kind=kind, institution=message.institution,
            fixmedins_code=asked.get("fixmedins_code"), now=message.received_at,
        )
    if isinstance(found, Refusal):
        return found
    size = min(size, PAGE_MAX)
    return [row for row in found if _fits(asked, _report_head(content_of(row)))][(number - 1) * size:number * size]


EXACT = {"exam_item_code": "exam_item_code", "exam_org_code": "exam_org_code", "coly_code": "germ_code",
         "sstb_code": "sstb_code", "reta_rslt_code": "reta_rslt_code"}
PART_OF = {"exam_item_name": "exam_item_name", "exe_org_name": "exe_org_name", "exam_org_name": "exam_org_name",
           "coly_name": "germ_name", "sstb_name": "sstb_name", "reta_rslt_name": "reta_rslt_name"}
"""What a query may name -> the field of the record; codes are equal, names are a part."""


def _fits(asked: Wire, head: Wire) -> bool:
    return all(head.get(field) == asked[name] for name, field in EXACT.items() if name in asked) and all(
        asked[name] in head.get(field, "") for name, field in PART_OF.items() if name in asked)


def _report_head(content: Wire) -> Wire:
    head: Wire = content.get("examinfo") or content.get("labinfo") or content
    return head


@query("4507")
async def examinations(message: Message, services: Services) -> Output | Refusal:
    """Give examination reports back."""
    found = await _reports(message, services, "4501")
    return found if isinstance(found, Refusal) else await _whole_reports(
        message, services, found, head="examinfo", parts=("iteminfo", "imageinfo", "sampleinfo"))


@query("4508")
async def laboratory(message: Message, services: Services) -> Output | Refusal:
    """Give laboratory reports back."""
    found = await _reports(message, services, "4502")
    return found if isinstance(found, Refusal) else await _whole_reports(
        message, services, found, head="labinfo", parts=("iteminfo", "sampleinfo"))


async def _whole_reports(
    message: Message, services: Services, rows: list[asyncpg.Record], *, head: str, parts: tuple[str, ...]
) -> Output:
    async with services.database.connection() as tx:
        person = await find_person(tx, message.input["psn_no"])
    who = {} if person is None else {
        "psn_name": person["name"], "psn_cert_type": person["cert_type"], "cert_no": person["certno"]}
    shown = []
    for row in rows:
        content = content_of(row)
        place = {"fixmedins_code": row["fixmedins_code"], "fixmedins_name": row["fixmedins_name"]}
        told = content[head]
        extra = {"examPart": told["exam_part"]} if "exam_part" in told else {}
        shown.append({
            head: {**told, **extra, **place, **who},
            **{part: [{**one, **place} for one in content.get(part, ())] for part in parts},
        })
    return _given(message, shown)


def _given(message: Message, shown: list[Wire]) -> Output:
    return with_required(message.infno, {"data": shown})


@query("4509")
async def cultures(message: Message, services: Services) -> Output | Refusal:
    """Give reports of bacterial cultures back."""
    return await _rows(message, services, "4503")


@query("4510")
async def sensitivities(message: Message, services: Services) -> Output | Refusal:
    """Give reports of drug sensitivity back."""
    return await _rows(message, services, "4504")


@query("4511")
async def pathology(message: Message, services: Services) -> Output | Refusal:
    """Give pathology reports back."""
    return await _rows(message, services, "4505")


@query("4512")
async def unstructured(message: Message, services: Services) -> Output | Refusal:
    """Give unstructured reports back, their content as it was uploaded."""
    return await _rows(message, services, "4506")


GERM = {"germ_code": "coly_code", "germ_name": "coly_name"}
RENAMED = {"4503": {**GERM, "exam_rslt": "exam_Rslt"}, "4504": GERM}
"""Kind -> field of the upload -> what its query calls it."""
WITHOUT_OPERATOR_NAME = "4504"


async def _rows(message: Message, services: Services, kind: str) -> Output | Refusal:
    found = await _reports(message, services, kind)
    return found if isinstance(found, Refusal) else _given(message, [_row(row) for row in found])


def _row(row: asyncpg.Record) -> Wire:
    """Return a report of one row with who brought it and when; the query calls some fields otherwise."""
    content = content_of(row)
    names = RENAMED.get(row["kind"], {})
    fields = {names.get(name, name): value for name, value in content.items()}
    if row["kind"] != WITHOUT_OPERATOR_NAME:
        fields["opter_name"] = row["opter_name"]
    on = business_date(row["received_at"])
    return {
        **fields, "fixmedins_code": row["fixmedins_code"], "fixmedins_name": row["fixmedins_name"],
        "poolarea_no": row["admdvs"], "rid": f"{row['fixmedins_code']}{row['msgid']}"[:40], "updt_time": on,
        "crter_id": row["opter"], "crter_name": row["opter_name"], "crte_time": on,
        "crte_optins_no": row["fixmedins_code"], "opter_id": row["opter"],
        "opt_time": on, "optins_no": row["fixmedins_code"],
    }
