"""9101 and 9102: files to and from the platform."""

from __future__ import annotations

import asyncio
from typing import Any

from yibao.domains.clearing.model import UPLOADED
from yibao.entrypoints.gateway.registry import Done, FileReply, Message, Output, Services, deed, query
from yibao.entrypoints.gateway.text_files import unpack_text, upload_bytes
from yibao.entrypoints.gateway.transactions import catalogue
from yibao.infra.database import Connection
from yibao.kernel.business_time import to_wire
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.reconciliation.keep_file import fetch, is_kept_number, keep


@deed("9101")
async def upload_file(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Keep an uploaded file under a number that other transactions name.

    What cannot be read as one text is refused now: nobody learns of it days later from a file number.
    """
    wanted: dict[str, Any] = message.input["fsUploadIn"]
    if wanted["fixmedins_code"] != message.institution.fixmedins_code:
        return refuse("NOT_OWN_FILE", "医药机构编号不是本机构", field="fsUploadIn.fixmedins_code",
                      received=wanted["fixmedins_code"], remedy="请填写本机构的定点医药机构编号")
    content = upload_bytes(wanted["in"])
    if isinstance(content, Refusal):
        return content
    text = await asyncio.to_thread(unpack_text, content)
    if isinstance(text, Refusal):
        return text
    kept = await keep(
        tx, institution=message.institution, kind=UPLOADED, name=wanted["filename"], content=content,
        number=services.ids.new(message.received_at), now=message.received_at,
    )
    return Done({
        "file_qury_no": kept.file_no, "filename": kept.name, "fixmedins_code": kept.fixmedins_code,
        "dld_endtime": to_wire(kept.kept_until),
    })


@query("9102")
async def download_file(message: Message, services: Services) -> Output | Refusal:
    """Give a file: one that was uploaded or made for the institution, or a list of the catalogue by its number."""
    wanted: dict[str, Any] = message.input["fsDownloadIn"]
    if not is_kept_number(wanted["file_qury_no"]):
        return await catalogue.download_file(message, services)
    if wanted["fixmedins_code"] != message.institution.fixmedins_code:
        return refuse("NOT_OWN_FILE", "医药机构编号不是本机构", field="fsDownloadIn.fixmedins_code",
                      received=wanted["fixmedins_code"], remedy="请填写本机构的定点医药机构编号")
    async with services.database.connection() as tx:
        kept = await fetch(
            tx, institution=message.institution, file_no=wanted["file_qury_no"], now=message.received_at,
            field="fsDownloadIn.file_qury_no",
        )
    return kept if isinstance(kept, Refusal) else FileReply(kept.content, kept.name)
