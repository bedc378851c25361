"""3201 and 3202: an institution's totals and details of a period against the platform's."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from yibao.domains.clearing.differences import Compared
from yibao.domains.clearing.model import RESULT, UPLOADED, BookRow, Scope
from yibao.entrypoints.gateway.interface import load
from yibao.entrypoints.gateway.registry import Done, Message, Output, Services, deed, query
from yibao.entrypoints.gateway.text_files import read_rows, unpack_text, write_rows, zip_text
from yibao.infra.database import Connection
from yibao.kernel.business_time import to_wire
from yibao.kernel.money import yuan_text, yuan_to_fen
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.reconciliation.keep_file import fetch, keep
from yibao.usecases.reconciliation.reconcile_details import reconcile_details
from yibao.usecases.reconciliation.reconcile_totals import Totals, reconcile_totals

EQUAL, DIFFERENT = "0", "1"
DESCRIPTION_MAX = 200
MEMO_MAX = 500
_NOT_REFUNDED, _REFUNDED = "0", "1"


def _scope(message: Message, data: dict[str, Any], *, insutype: str, with_refunds: bool) -> Scope | Refusal:
    if data["stmt_enddate"] < data["stmt_begndate"]:
        return refuse("PERIOD_REVERSED", "对账结束日期早于开始日期", field="data.stmt_enddate",
                      received=str(data["stmt_enddate"]), remedy="请核对对账日期")
    return Scope(
        message.institution.fixmedins_code, data["setl_optins"], data["clr_type"], insutype, data["stmt_begndate"],
        data["stmt_enddate"], with_refunds,
    )


@query("3201")
async def reconcile_sums(message: Message, services: Services) -> Output | Refusal:
    """Answer whether count and sums agree, and say each difference and what it may come from.

    ``refd_setl_flag`` 1 counts a reversed settlement with its positive and its negative row; 0, which is also what an
    empty flag is taken as, leaves the negative rows out.
    """
    data = message.input["data"]
    scope = _scope(message, data, insutype=data["insutype"], with_refunds=data["refd_setl_flag"] == _REFUNDED)
    if isinstance(scope, Refusal):
        return scope
    theirs = Totals(
        int(data["fixmedins_setl_cnt"]), yuan_to_fen(data["medfee_sumamt"]), yuan_to_fen(data["fund_pay_sumamt"]),
        yuan_to_fen(data["acct_pay"]),
    )
    async with services.database.connection() as tx:
        said = await reconcile_totals(tx, scope=scope, theirs=theirs)
    return {
        "stmtinfo": {
            "setl_optins": data["setl_optins"], "stmt_rslt": DIFFERENT if said else EQUAL,
            "stmt_rslt_dscr": ("；".join(said) or "平")[:DESCRIPTION_MAX],
        }
    }


@deed("3202")
async def reconcile_file(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Compare an uploaded book with the platform's and keep the result as a file for 9102.

    Every insurance is compared unless ``exp_content`` names one (``insutype``): 3202 has no field for it. A row
    without ``setl_id`` is taken: it is what an institution has whose reply was lost. Refunds are always compared, each
    row bears its own flag: what was cancelled here and still stands there is a difference in money.
    """
    data = message.input["data"]
    scope = _scope(message, data, insutype=_insutype(data.get("exp_content")), with_refunds=True)
    if isinstance(scope, Refusal):
        return scope
    file = await fetch(
        tx, institution=message.institution, file_no=data["file_qury_no"], now=message.received_at,
        field="data.file_qury_no", kind=UPLOADED,
    )
    book = file if isinstance(file, Refusal) else await asyncio.to_thread(read_book, file.content)
    if isinstance(book, Refusal):
        return book
    _compare_head(message, data, book)
    compared = await reconcile_details(tx, scope=scope, book=book)
    number = services.ids.new(message.received_at)
    name = f"{number}.txt"
    content = await asyncio.to_thread(lambda: zip_text(name, write_rows(_result_row(line) for line in compared)))
    result = await keep(
        tx, institution=message.institution, kind=RESULT, name=f"{number}.zip", content=content, number=number,
        now=message.received_at,
    )
    return Done({"fileinfo": {
        "file_qury_no": result.file_no, "filename": result.name, "dld_endtime": to_wire(result.kept_until),
    }})


def _insutype(exp_content: str | None) -> str:
    """Return the insurance that ``exp_content`` narrows to, ``""`` for all."""
    try:
        told = json.loads(exp_content or "{}")
    except ValueError:
        return ""
    return str(told.get("insutype", "")) if isinstance(told, dict) else ""


def read_book(content: bytes) -> list[BookRow] | Refusal:
    """Return the rows of an uploaded book, columns as the field table of 3202 has them."""
    text = unpack_text(content)
    if isinstance(text, Refusal):
        return text
    rows = read_rows(text, load().transactions["3202"].infile, may_be_empty=("setl_id",))
    return rows if isinstance(rows, Refusal) else [
        BookRow(
            row["line"], row.get("setl_id", ""), row["mdtrt_id"], row["psn_no"], yuan_to_fen(row["medfee_sumamt"]),
            yuan_to_fen(row["fund_pay_sumamt"]), yuan_to_fen(row["acct_pay"]), row["refd_setl_flag"] == _REFUNDED,
        )
        for row in rows
    ]


def _compare_head(message: Message, data: dict[str, Any], book: Sequence[BookRow]) -> None:
    """Warn where the message's totals are not those of its own file: the rows decide."""
    sums = (
        ("结算笔数", int(data["fixmedins_setl_cnt"]), len(book), str),
        ("医疗费总额", yuan_to_fen(data["medfee_sumamt"]), sum(row.medfee_fen for row in book), yuan_text),
        ("基金支付总额", yuan_to_fen(data["fund_pay_sumamt"]), sum(row.fund_fen for row in book), yuan_text),
    )
    for label, told, held, shown in sums:
        if told != held:
            message.warnings.append(f"{label}：报文填{shown(told)}，文件合计{shown(held)}，以文件明细为准")


def _result_row(line: Compared) -> list[str]:
    """Return a line of the result; what only the platform has comes without settlement and encounter id."""
    book, ours = line.book, line.centre
    shown = ours or book
    assert shown is not None
    is_refund = ours.kind == "refund" if ours else book is not None and book.is_refund
    cells = {
        "psn_no": (book or shown).psn_no,
        "mdtrt_id": book.mdtrt_id if book else "",
        "setl_id": (book.setl_id or shown.setl_id) if book else "",
        "msgid": ours.msgid if ours else "",
        "stmt_rslt": DIFFERENT if line.differences else EQUAL,
        "refd_setl_flag": _REFUNDED if is_refund else _NOT_REFUNDED,
        "memo": "；".join(d.sentence() for d in line.differences)[:MEMO_MAX],
        "medfee_sumamt": yuan_text(shown.medfee_fen), "fund_pay_sumamt": yuan_text(shown.fund_fen),
        "acct_pay": yuan_text(shown.account_fen),
    }
    return [cells[column.name] for column in load().transactions["3202"].outfile]
