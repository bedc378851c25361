"""3501-3507 and 3592B: what institutions tell of their goods, one record or a batch; virtual traceability codes.

A batch form answers row by row, as its table has it; a single form takes its record or refuses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from functools import cache
from typing import Any

import msgspec

from yibao.domains.dispensing.stock_model import Kind, Movement
from yibao.domains.dispensing.stock_rules import NO_NATIONAL_CODE
from yibao.entrypoints.gateway.interface import load
from yibao.entrypoints.gateway.registry import Done, Message, Output, Services, deed
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.business_time import SHANGHAI, business_date, to_wire
from yibao.kernel.identity_number import mask, mask_name
from yibao.kernel.money import round_half_up
from yibao.kernel.refusal import Fault, Refusal
from yibao.usecases.stock.change_types import change_types
from yibao.usecases.stock.delete_stock import Deletion, delete_stock
from yibao.usecases.stock.record_stock import RowResult, record_stock
from yibao.usecases.stock.virtual_codes import give_virtual_code

Wire = dict[str, Any]
OK, FAILED = "1", "0"
_WARNED_MAX = 20


class Form(msgspec.Struct, frozen=True):
    """How a kind of record is written on the wire, alone and in a batch.

    Attributes:
        one, many: node of the single form and of the batch form.
        errors: node of the reply of the batch form; ``""`` if it has none.
        tells_all: the reply names every row, not only those that failed.
        number: field of the reply with the record's number.
    """

    kind: Kind
    one: str
    many: str
    quantity: str
    at: str
    price: str = "finl_trns_pric"
    errors: str = ""
    tells_all: bool = False
    number: str = ""
    origin: str = ""


_FORMS = {
    "3501": Form("count", "invinfo", "invinfoDetail", "inv_cnt", "invdate", price="pric"),
    "3502": Form("change", "invinfo", "invinfoDetail", "cnt", "inv_chg_time", price="pric", errors="invinfoErrDetail"),
    "3503": Form("purchase", "purcinfo", "purcinfoDetail", "purc_retn_cnt", "purc_retn_stoin_time",
                 errors="purcinfoDetail", tells_all=True, number="medins_prod_purc_no"),
    "3504": Form("supplier_return", "purcinfo", "purcinfoDetail", "purc_retn_cnt", "purc_retn_stoin_time",
                 errors="purcinfoErrDetail", origin="medins_prod_purc_no"),
    "3505": Form("sale", "selinfo", "selinfoDetail", "sel_retn_cnt", "sel_retn_time", errors="selinfoDetail",
                 tells_all=True, number="medins_prod_sel_no"),
    "3506": Form("sale_return", "selinfo", "selinfoDetail", "sel_retn_cnt", "sel_retn_time", errors="selinfoErrDetail",
                 origin="medins_prod_sel_no"),
}
_LISTS = ("drugtracinfo", "purc_invo_file_List")
_COLUMNS = frozenset({
    "med_list_codg", "fixmedins_hilist_id", "fixmedins_hilist_name", "fixmedins_bchno", "rx_flag", "trdn_flag",
    "manu_lotnum", "manu_date", "expy_end", "setl_id", "psn_no", "certno", "psn_name", "inv_chg_type",
    "drug_trac_codg", *_LISTS,
})
"""Fields that have a column of their own, or must not be kept as they came."""
_CERTIFICATES = ("certno", "prsc_dr_certno", "phar_certno")


@deed("3501", "3502", "3503", "3504", "3505", "3506")
async def record_goods(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Record one movement or count."""
    form = _FORMS[message.infno]
    row = message.input.get(form.one) or {}
    results = await _record(message, services, tx, form, [row], [form.one], row_by_row=False)
    return results if isinstance(results, Refusal) else Done(None)


@deed("3501A")
async def record_counts(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Record many counts; the table has no reply for single rows, so all are taken or none."""
    form = _FORMS["3501"]
    rows = message.input.get(form.many) or []
    paths = [f"{form.many}[{i}]" for i in range(len(rows))]
    results = await _record(message, services, tx, form, rows, paths, row_by_row=False)
    return results if isinstance(results, Refusal) else Done(None)


@deed("3502A", "3503A", "3504A", "3505A", "3506A")
async def record_goods_in_batch(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Record many movements; the reply tells which were not taken and why."""
    form = _FORMS[message.infno.removesuffix("A")]
    rows = message.input.get(form.many) or []
    paths = [f"{form.many}[{i}]" for i in range(len(rows))]
    results = await _record(message, services, tx, form, rows, paths, row_by_row=True)
    if isinstance(results, Refusal):
        return results
    names = _echoed(message.infno, form.errors)
    told = [
        _told(row, result, form, names) for row, result in zip(rows, results, strict=True) if form.tells_all or not result.is_kept
    ]
    return Done({form.errors: told})


async def _record(
    message: Message, services: Services, tx: Connection, form: Form, rows: Sequence[Wire], paths: Sequence[str], *,
    row_by_row: bool,
) -> list[RowResult] | Refusal:
    movements = []
    for row, path in zip(rows, paths, strict=True):
        movement = _movement(row, form, path=path, received_at=message.received_at)
        if isinstance(movement, Fault):
            return Refusal((movement,))
        movements.append(movement)
    results = await record_stock(
        tx, movements=movements, paths=paths, institution=message.institution, opter=message.envelope.get("opter", ""),
        upload_id=services.ids.new(message.received_at), now=message.received_at, row_by_row=row_by_row,
    )
    if isinstance(results, Refusal):
        return results
    said = [(i, warning) for i, result in enumerate(results, 1) for warning in result.warnings]
    message.warnings += [f"第{i}条：{text}" if len(rows) > 1 else text for i, text in said[:_WARNED_MAX]]
    if len(said) > _WARNED_MAX:
        message.warnings.append(f"……共{len(said)}处提示")
    return results


def _movement(row: Wire, form: Form, *, path: str, received_at: datetime) -> Movement | Fault:
    """Return the record; what the sender left empty is taken from what it did say, as far as that goes."""
    item_code: str = row.get("med_list_codg", "")
    own_code: str = row.get("fixmedins_hilist_id", "") or item_code
    if not own_code or form.quantity not in row:
        name = form.quantity if own_code else "fixmedins_hilist_id"
        return Fault("FIELD_MISSING", "为必填项，不能为空", f"{path}.{name}", "", "请填写后重新上传")
    at = _instant(row.get(form.at, received_at))
    change = change_types().get(row.get("inv_chg_type", ""))
    certno = row.get("certno", "")
    return Movement(
        kind=form.kind, bchno=row.get("fixmedins_bchno", ""), own_code=own_code,
        item_code=item_code or NO_NATIONAL_CODE, name=row.get("fixmedins_hilist_name", ""),
        quantity_e4=round_half_up(row[form.quantity], 4), occurred_at=at, on=business_date(at), on_field=form.at,
        direction=change.direction if change else 0, twin=change.twin if change else "",
        change_type=row.get("inv_chg_type", ""),
        price_micro=round_half_up(row[form.price], 6) if form.price in row else None, rx_flag=row.get("rx_flag", ""),
        is_split=row.get("trdn_flag") == "1", lot=row.get("manu_lotnum", ""), made_on=row.get("manu_date"),
        expires_on=row.get("expy_end"), origin_id=row.get(form.origin, "") if form.origin else "",
        setl_id=row.get("setl_id", ""), psn_no=row.get("psn_no", ""),
        cert_digest=sm3(certno.encode()) if certno else None, trace_codes=_trace_codes(row), detail=_detail(row, form),
    )


def _instant(value: date | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time(), SHANGHAI)


def _trace_codes(row: Wire) -> tuple[str, ...]:
    """Return the traceability codes of a record; two spellings of the field and the older place beside the list."""
    listed = [entry.get("drug_trac_codg") or entry.get("drug_trac_code") for entry in row.get("drugtracinfo") or ()]
    if not listed and "drug_trac_codg" in row:
        listed = [row["drug_trac_codg"]]
    return tuple(code for code in listed if code)


def _detail(row: Wire, form: Form) -> dict[str, str]:
    """Return what is kept to be given back: identity numbers and a buyer's name only masked."""
    left_out = _COLUMNS | {form.quantity, form.at, form.price, form.origin}
    detail = {name: _text(value) for name, value in row.items() if name not in left_out}
    detail |= {name: mask(row[name]) for name in _CERTIFICATES if name in row}
    if "psn_name" in row:
        detail["psn_name"] = mask_name(row["psn_name"])
    if row.get("purc_invo_file_List"):
        detail["purc_invo_file_List"] = msgspec.json.encode(row["purc_invo_file_List"]).decode()
    return detail


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return to_wire(value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


@cache
def _echoed(infno: str, node: str) -> frozenset[str]:
    """Return the fields of a batch form's reply rows."""
    output = load().transactions[infno].output
    assert output is not None
    return frozenset(field.name for child in output.children if child.name == node for field in child.fields)


def _told(row: Wire, result: RowResult, form: Form, names: frozenset[str]) -> Wire:
    """Return what the reply of a batch form tells of one row."""
    echo = {
        name: value if isinstance(value, Decimal) else _text(value) for name, value in row.items() if name in names
    }
    told = echo | {"retRslt": OK if result.is_kept else FAILED, "msgRslt": result.sentence()}
    if form.number and result.is_kept:
        told[form.number] = result.record_id
    return told


@deed("3507", "3507A")
async def delete_goods(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Delete what was uploaded of a batch: one kind of data, or several batches (3507A)."""
    is_batch = message.infno == "3507A"
    rows: list[Wire] = (message.input.get("goodDetail") or []) if is_batch else [message.input["data"]]
    paths = [f"goodDetail[{i}]" for i in range(len(rows))] if is_batch else ["data"]
    results = await delete_stock(
        tx, deletions=[Deletion(row["fixmedins_bchno"], row["inv_data_type"]) for row in rows], paths=paths,
        institution=message.institution, now=message.received_at, row_by_row=is_batch,
    )
    if isinstance(results, Refusal):
        return results
    output: Output = None
    if is_batch:
        output = {"goodErrDetail": [
            {"fixmedins_bchno": row["fixmedins_bchno"], "inv_data_type": row["inv_data_type"], "retRslt": FAILED,
             "msgRslt": fault.sentence()}
            for row, fault in zip(rows, results, strict=True) if fault is not None
        ]}
    return Done(output)


@deed("3592B")
async def make_virtual_code(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Give a virtual traceability code for a batch of goods that bear none."""
    data = message.input["data"]
    code = await give_virtual_code(
        tx, institution=message.institution, own_code=data["fixmedins_hilist_id"], bchno=data["fixmedins_bchno"],
        item_code=data["med_list_codg"], new_id=services.ids.new(message.received_at), now=message.received_at,
    )
    echoed = ("med_list_codg", "fixmedins_hilist_id", "fixmedins_hilist_name")
    return Done({"result": {name: data[name] for name in echoed} | {"drug_trac_codg": code}})
