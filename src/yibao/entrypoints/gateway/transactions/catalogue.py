"""13xx, 9102 and 33xx: lists to download, catalogue queries by page, mapping of an institution's own items."""

from __future__ import annotations

import asyncio
import re
from datetime import datetime, timedelta
from typing import Any

from yibao.domains.institutions.item_mappings import ItemMapping
from yibao.entrypoints.gateway.catalogue_files import zip_file
from yibao.entrypoints.gateway.registry import Done, FileReply, Message, Output, Services, deed, query
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.catalogue.download_list import LISTS, offer_list, read_list
from yibao.usecases.catalogue.map_items import map_items, unmap_item

LIST_OF = {
    "1301": "drugs", "1302": "pieces", "1303": "preparations", "1305": "services", "1306": "consumables",
    "1306A": "consumables", "1307": "diagnoses", "1308": "procedures", "1309": "chronic_diseases",
    "1310": "by_disease", "1311": "day_surgery", "1313": "tumours", "1314": "tcm_diseases",
    "1315": "tcm_syndromes",
}
PUBLIC_FILE_OWNER = "plc"
"""Institution code under which files for everybody are asked for."""
OFFERED_DAYS = 30
DLD_END = {"1306A": "dld_endtime"}
"""What a file's last day is called where it is not ``dld_end_time``."""

_FILE_NO = re.compile(r"(13\d\dA?)-(\d{1,11})-(\d{1,11})", re.ASCII)
_MAPPING_DETAIL = ("aprvno", "dosform", "exct_cont", "item_cont", "prcunt", "spec", "pacspec", "memo")
_WARNED_MAX = 20


@query(*LIST_OF)
async def offer_catalogue_file(message: Message, services: Services) -> Output | Refusal:
    """Say which file holds what is newer than the client's copy of a list."""
    wanted = LISTS[LIST_OF[message.infno]]
    async with services.database.connection() as connection:
        offer = await offer_list(connection, wanted, local_version=message.input["data"]["ver"])
    if isinstance(offer, Refusal):
        return offer
    file_no = f"{message.infno}-{offer.since}-{offer.until}"
    last_day = business_date(message.received_at) + timedelta(days=OFFERED_DAYS)
    return {
        "file_qury_no": file_no,
        "filename": f"{file_no}.zip",
        DLD_END.get(message.infno, "dld_end_time"): last_day.isoformat(),
        "data_cnt": offer.rows,
    }


async def download_file(message: Message, services: Services) -> Output | Refusal:
    """Give a list as a zip; the number of the file says which list and which versions, so nothing is kept."""
    wanted: dict[str, Any] = message.input["fsDownloadIn"]
    owner, file_no = wanted["fixmedins_code"], wanted["file_qury_no"]
    parts = _FILE_NO.fullmatch(file_no)
    if parts is None or parts[1] not in LIST_OF:
        return refuse(
            "FILE_UNKNOWN", "没有这个文件查询号", field="fsDownloadIn.file_qury_no", received=file_no,
            remedy="请先调用目录下载交易取得文件查询号",
        )
    if owner.lower() != PUBLIC_FILE_OWNER and owner != message.institution.fixmedins_code:
        return refuse(
            "NOT_OWN_FILE", "目录文件的医药机构编号应为plc", field="fsDownloadIn.fixmedins_code", received=owner,
            remedy="请填写plc",
        )
    infno, since, until = parts.groups()
    async with services.database.connection() as connection:
        rows = await read_list(connection, LISTS[LIST_OF[infno]], since=int(since), until=int(until))
    if isinstance(rows, Refusal):
        return rows
    # Writing tens of thousands of lines takes a good part of a second: not on the loop that settles.
    content = await asyncio.to_thread(zip_file, infno, file_no, rows)
    return FileReply(content, f"{file_no}.zip")


@deed("3301")
async def map_own_items(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Write mappings of own items to national codes; those that do not plainly agree wait for the agency."""
    mappings = [_mapping(row, message.received_at) for row in message.input.get("data", ())]
    if not mappings:
        return refuse("NO_MAPPINGS", "没有目录对照", field="data", remedy="请上传至少一条对照")
    mapped = await map_items(
        tx, institution=message.institution, mappings=mappings, upload_id=services.ids.new(message.received_at)
    )
    if isinstance(mapped, Refusal):
        return mapped
    for waiting in mapped.waiting[:_WARNED_MAX]:
        message.warnings.append(f"{waiting.medins_list_codg}待经办机构审核：{'，'.join(waiting.doubts)}")
    if len(mapped.waiting) > _WARNED_MAX:
        message.warnings.append(f"共{len(mapped.waiting)}条待审核，可用1317查询审核结果")
    return Done(None)


def _mapping(row: dict[str, Any], now: datetime) -> ItemMapping:
    return ItemMapping(
        medins_list_codg=row["fixmedins_hilist_id"], list_type=row["list_type"],
        med_list_codg=row["med_list_codg"], name=row["fixmedins_hilist_name"], valid_from=row["begndate"],
        valid_to=row["enddate"], detail={name: row[name] for name in _MAPPING_DETAIL if name in row},
        updated_at=now,
    )


@deed("3302")
async def unmap_own_item(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Take a mapping back."""
    data = message.input["data"]
    refusal = await unmap_item(
        tx, institution=message.institution, fixmedins_code=data["fixmedins_code"],
        list_type=data["list_type"], medins_list_codg=data["fixmedins_hilist_id"],
        med_list_codg=data["med_list_codg"], now=message.received_at,
    )
    return refusal or Done(None)
