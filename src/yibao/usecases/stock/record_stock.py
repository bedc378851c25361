"""Record what an institution tells of its goods (3501-3506): the stock moves, doubts are told, nothing is lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.domains.catalogue.queries import find_items
from yibao.domains.dispensing import stock_operations, stock_queries
from yibao.domains.dispensing.stock_model import Movement
from yibao.domains.dispensing.stock_rules import Book, Known
from yibao.domains.institutions.model import Institution
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault, Refusal, refuse

ROWS_MAX = 500


class RowResult(msgspec.Struct, frozen=True):
    """What became of one record: faults and nothing written, or its number and what is doubtful about it."""

    record_id: str
    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]

    @property
    def is_kept(self) -> bool:
        """Say whether the record was written."""
        return not self.faults

    def sentence(self) -> str:
        """Return faults, or else warnings, as one Chinese text; ``""`` if there is nothing to say."""
        return Refusal(self.faults).sentence() if self.faults else "；".join(self.warnings)


async def record_stock(
    tx: Connection, *, movements: Sequence[Movement], paths: Sequence[str], institution: Institution, upload_id: str,
    opter: str, now: datetime, row_by_row: bool,
) -> list[RowResult] | Refusal:
    """Record movements in their order; a constant number of statements however many there are.

    Args:
        paths: where each movement stands on the wire.
        upload_id: id of this upload; each record's number is made of it, so that numbers follow the uploads.
        row_by_row: a faulty record is left out and told, as the interface's batch forms have it; refused is only an
            upload without any good record. Otherwise one faulty record refuses all.
    """
    if not movements:
        return refuse("NO_STOCK_RECORDS", "没有进销存明细", field="input", remedy="请上传至少一条")
    if len(movements) > ROWS_MAX:
        return refuse("TOO_MANY_RECORDS", f"一次最多上传{ROWS_MAX}条", field="input",
                      received=str(len(movements)), remedy="请分批上传")
    code = institution.fixmedins_code
    await stock_queries.take_turn(tx, code)
    book = Book(
        await _known(tx, movements, institution=institution, now=now), fixmedins_code=code, today=business_date(now)
    )
    results = []
    for index, (movement, path) in enumerate(zip(movements, paths, strict=True)):
        record_id = f"{upload_id}{index:04d}"
        faults, warnings = book.take(movement, record_id=record_id, path=path)
        results.append(RowResult(record_id, tuple(faults), tuple(warnings)))
    faults = [fault for result in results for fault in result.faults]
    if faults and not (row_by_row and book.entries):
        return Refusal(tuple(faults))
    await stock_operations.add_entries(
        tx, book.entries, fixmedins_code=code, admdvs=institution.region, opter=opter, at=now
    )
    await stock_operations.put_stocks(
        tx, book.entries, quantities=book.quantities, counted=book.counted, fixmedins_code=code, admdvs=institution.region,
        at=now,
    )
    await stock_operations.put_trace_codes(tx, book.traces.now.values(), admdvs=institution.region, at=now)
    return results


async def _known(tx: Connection, movements: Sequence[Movement], *, institution: Institution, now: datetime) -> Known:
    """Gather all that the movements are judged on; what they name is locked."""
    code = institution.fixmedins_code
    shelves = {m.shelf for m in movements}
    trace_codes = {trace for m in movements for trace in m.trace_codes}
    if trace_codes:
        await stock_operations.claim_trace_codes(tx, trace_codes, fixmedins_code=code, admdvs=institution.region, at=now)
    return Known(
        stocks=await stock_queries.find_stocks(tx, code, shelves),
        totals=await stock_queries.find_totals(tx, code, shelves),
        origins=await stock_queries.find_origins(tx, code, {m.origin_id for m in movements} - {""}),
        after_counts=await stock_queries.find_after_counts(tx, code, [m for m in movements if m.kind == "count"]),
        traces=await stock_queries.find_trace_codes(tx, trace_codes),
        settlements=await stock_queries.find_settlements(tx, {m.setl_id for m in movements} - {""}),
        items=frozenset(await find_items(tx, codes={m.item_code for m in movements})),
    )
