"""Delete stock records of a batch (3507, 3507A): they stay on record, marked; stock and codes are as if they had not come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.domains.dispensing import stock_operations, stock_queries
from yibao.domains.institutions.model import Institution
from yibao.infra.database import Connection
from yibao.kernel.refusal import Fault, Refusal, refuse

ROWS_MAX = 100
KINDS = {
    "1": ("count",), "2": ("change",), "3": ("purchase", "supplier_return"), "4": ("sale", "sale_return"),
}
"""Kinds of record by the interface's kind of data. Returns go with what they are returns of: none may be left alone."""


class Deletion(msgspec.Struct, frozen=True):
    """What is to be deleted: a batch serial and the kind of data (``inv_data_type``)."""

    bchno: str
    data_type: str


async def delete_stock(
    tx: Connection, *, deletions: Sequence[Deletion], paths: Sequence[str], institution: Institution, now: datetime,
    row_by_row: bool,
) -> list[Fault | None] | Refusal:
    """Delete records; returns for each deletion its fault or None.

    Args:
        row_by_row: as in ``record_stock``.
    """
    if not deletions:
        return refuse("NO_STOCK_RECORDS", "没有要删除的进销存数据", remedy="请上传至少一条")
    if len(deletions) > ROWS_MAX:
        return refuse("TOO_MANY_RECORDS", f"一次最多删除{ROWS_MAX}条", received=str(len(deletions)), remedy="请分批删除")
    await stock_queries.take_turn(tx, institution.fixmedins_code)
    results = [
        await _delete(tx, deletion, path=path, fixmedins_code=institution.fixmedins_code, now=now)
        for deletion, path in zip(deletions, paths, strict=True)
    ]
    faults = tuple(fault for fault in results if fault is not None)
    if faults and not (row_by_row and len(faults) < len(results)):
        return Refusal(faults)
    return results


async def _delete(
    tx: Connection, deletion: Deletion, *, path: str, fixmedins_code: str, now: datetime
) -> Fault | None:
    kinds = KINDS.get(deletion.data_type)
    if kinds is None:
        return Fault("STOCK_DATA_TYPE_UNKNOWN", "进销存数据类型不在字典内", f"{path}.inv_data_type", deletion.data_type,
                     "1盘存、2库存变更、3采购、4销售")
    deleted = await stock_operations.delete_records(
        tx, fixmedins_code=fixmedins_code, bchno=deletion.bchno, kinds=kinds, at=now
    )
    if deleted:
        return None
    return Fault("STOCK_RECORD_NOT_FOUND", "没有这个批次的这类记录", f"{path}.fixmedins_bchno", deletion.bchno,
                 "请用3508至3511查询已上传的记录")
