"""3508-3513: the sender's own stock, what it uploaded, and traceability codes.

The tables show one row as the whole output; as with institutions (1201), several rows come as a list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from yibao.domains.dispensing.stock_model import Stock
from yibao.domains.dispensing.stock_queries import Recorded, StockFilter
from yibao.entrypoints.gateway.interface import load
from yibao.entrypoints.gateway.registry import Message, Output, Services, query
from yibao.infra.digest import sm3
from yibao.kernel.business_time import to_wire
from yibao.kernel.refusal import Refusal
from yibao.usecases.stock.browse_stock import browse_records, browse_stock, browse_traced

Wire = dict[str, Any]
_FIRST_DAY, _LAST_DAY = date(1970, 1, 1), date(9999, 12, 31)
_KINDS = {
    "3509": ("change",), "3510": ("purchase", "supplier_return"), "3511": ("sale", "sale_return"),
    "3512": ("count", "change", "purchase"), "3513": ("sale", "sale_return"),
}
_RETURNS = frozenset({"supplier_return", "sale_return"})
_VALID = "1"

# Criteria beside batch, own code and days: what a row must say, by the name on the wire.
_CRITERIA = (
    "medins_prod_inv_no", "medins_prod_inv_chg_no", "medins_prod_purc_no", "medins_prod_sel_no", "rx_flag", "trdn_flag",
    "invdate", "manu_lotnum", "manu_date", "expy_end", "memo", "vali_flag", "rid", "inv_chg_type", "inv_chg_time",
    "inv_chg_opter_name", "dynt_no", "spler_pmtno", "aprvno", "purc_invo_codg", "purc_invo_no", "purc_retn_stoin_time",
    "purc_retn_opter_name", "prod_geay_flag", "prod_retn_flag", "hi_feesetl_type", "setl_id", "psn_no", "psn_cert_type",
    "sel_retn_time", "sel_retn_opter_name", "bilg_dr_name", "phar_name", "phar_prac_cert_no", "prsc_dr_cert_type",
    "phar_cert_type",
)
_PARTS_OF = {"medins_list_name": "medinsListName", "spler_name": "splerName", "prodentp_name": "prodentpName"}


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _filter(message: Message) -> StockFilter:
    data = message.input["data"]
    certno = data.get("certno", "")
    return StockFilter(
        fixmedins_code=data["fixmedins_code"], begins=data.get("begndate", _FIRST_DAY), ends=data.get("enddate", _LAST_DAY),
        own_code=data.get("medins_list_codg"), bchno=data.get("fixmedins_bchno"), item_code=data.get("med_list_codg"),
        trace_code=data.get("drug_trac_codg"), mdtrt_id=data.get("mdtrt_id"),
        cert_digest=sm3(certno.encode()) if certno else None,
    )


def _fits(row: Wire, data: Wire) -> bool:
    """Say whether a row says what the criteria ask for; a name may be a part of the row's."""
    for name in _CRITERIA:
        if name in data:
            asked = data[name]
            asked = to_wire(asked) if hasattr(asked, "hour") else str(asked)
            if str(row.get(_camel(name)) or "") != asked:
                return False
    return all(data[name] in row.get(shown, "") for name, shown in _PARTS_OF.items() if name in data)


def _answer(rows: Sequence[Wire], data: Wire, infno: str) -> Output:
    """Return one row as an object, several or none as a list; deleted records only when they are asked for."""
    wanted = data if "vali_flag" in data else data | {"vali_flag": _VALID}
    names = _output_names(infno)
    fitting = [{name: row[name] for name in names if name in row} for row in rows if _fits(row, wanted)]
    return fitting[0] if len(fitting) == 1 else fitting


@cache
def _output_names(infno: str) -> tuple[str, ...]:
    """Return the fields of a reply, in the order of its table."""
    output = load().transactions[infno].output
    assert output is not None
    return tuple(field.name for field in output.fields)


def _number(quantity_e4: int) -> Decimal:
    return Decimal(quantity_e4).scaleb(-4)


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _made(at: str, opter: str, region: str) -> Wire:
    return {"crteTime": at, "updtTime": at, "optTime": at, "crterId": opter, "crterName": "", "opterId": opter,
            "opterName": "", "crteOptinsNo": region, "optinsNo": region, "poolareaNo": region}


@query("3508")
async def list_stock(message: Message, services: Services) -> Output | Refusal:
    """List what is there now."""
    institution = message.institution
    async with services.database.connection() as connection:
        found = await browse_stock(connection, _filter(message), institution=institution)
    if isinstance(found, Refusal):
        return found
    return _answer(
        [_stock(row, institution.fixmedins_code, institution.region) for row in found], message.input["data"], "3508"
    )


def _stock(row: Stock, code: str, region: str) -> Wire:
    return _made(to_wire(row.updated_at), "", region) | {
        "fixmedinsCode": code, "medinsListCodg": row.own_code, "medinsListName": row.name, "medListCodg": row.item_code,
        "fixmedinsBchno": row.bchno, "medinsProdInvNo": row.stock_id, "rid": row.stock_id, "invCnt": _number(row.quantity_e4),
        "invdate": _day(row.moved_on), "manuLotnum": row.lot, "manuDate": _day(row.made_on), "expyEnd": _day(row.expires_on),
        "rxFlag": row.rx_flag, "trdnFlag": "1" if row.is_split else "0", "listSpItemFlag": None, "memo": row.memo,
        "valiFlag": _VALID,
    }


@query("3509", "3510", "3511")
async def list_uploads(message: Message, services: Services) -> Output | Refusal:
    """List stock changes, purchases or sales, returns among them."""
    institution = message.institution
    async with services.database.connection() as connection:
        found = await browse_records(
            connection, _filter(message), kinds=_KINDS[message.infno], institution=institution
        )
    if isinstance(found, Refusal):
        return found
    wire = _WIRES[message.infno]
    rows = [_common(row, institution.fixmedins_code, institution.region) | wire(row) for row in found]
    return _answer(rows, message.input["data"], message.infno)


def _common(row: Recorded, code: str, region: str) -> Wire:
    return _made(to_wire(row.recorded_at), row.opter, region) | {
        "fixmedinsCode": code, "medinsListCodg": row.own_code, "medinsListName": row.name, "medListCodg": row.item_code,
        "fixmedinsBchno": row.bchno, "rid": row.record_id, "rxFlag": row.rx_flag, "trdnFlag": "1" if row.is_split else "0",
        "listSpItemFlag": None, "memo": row.detail.get("memo", ""), "valiFlag": "1" if row.state == "valid" else "0",
    }


def _price(row: Recorded) -> Decimal | None:
    return None if row.price_micro is None else Decimal(row.price_micro).scaleb(-6)


def _change(row: Recorded) -> Wire:
    return {
        "medinsProdInvChgNo": row.record_id, "invChgType": row.change_type, "invChgTime": to_wire(row.occurred_at),
        "invChgOpterName": row.detail.get("inv_chg_opter_name", ""), "cnt": _number(row.quantity_e4), "pric": _price(row),
    }


def _goods(row: Recorded) -> Wire:
    return {"manuLotnum": row.lot, "manuDate": _day(row.made_on), "expyEnd": _day(row.expires_on),
            "finlTrnsPric": _price(row)}


def _purchase(row: Recorded) -> Wire:
    told = ("dynt_no", "spler_name", "spler_pmtno", "aprvno", "purc_invo_codg", "purc_invo_no", "purc_retn_opter_name",
            "prod_geay_flag", "prodentp_name")
    return _goods(row) | {_camel(name): row.detail.get(name, "") for name in told} | {
        "medinsProdPurcNo": row.record_id, "purcRetnStoinTime": to_wire(row.occurred_at),
        "purcRetnCnt": _number(row.quantity_e4), "prodRetnFlag": "1" if row.kind in _RETURNS else "0",
    }


def _sale(row: Recorded) -> Wire:
    told = ("phar_cert_type", "phar_certno", "phar_name", "phar_prac_cert_no", "hi_feesetl_type", "sel_retn_opter_name",
            "prsc_dr_cert_type", "prsc_dr_certno", "psn_cert_type", "certno", "psn_name")
    # The table has no mark for returns: they are the negative ones.
    sign = -1 if row.kind in _RETURNS else 1
    return _goods(row) | {_camel(name): row.detail.get(name, "") for name in told} | {
        "medinsProdSelNo": row.record_id, "selRetnTime": to_wire(row.occurred_at),
        "selRetnCnt": _number(sign * row.quantity_e4), "setlId": row.setl_id, "psnNo": row.psn_no,
        "bilgDrName": row.detail.get("prsc_dr_name", ""), "elecSupnCodg": row.detail.get("drug_prod_barc", ""),
    }


_WIRES: dict[str, Callable[[Recorded], Wire]] = {"3509": _change, "3510": _purchase, "3511": _sale}


@query("3512", "3513")
async def list_traced_goods(message: Message, services: Services) -> Output | Refusal:
    """List goods that came in (3512) or were sold (3513) by traceability code."""
    institution = message.institution
    async with services.database.connection() as connection:
        found = await browse_traced(
            connection, _filter(message), kinds=_KINDS[message.infno], institution=institution
        )
    if isinstance(found, Refusal):
        return found
    rows = []
    for row in found:
        wire = _common(row, institution.fixmedins_code, institution.region)
        wire |= {"drugTracCodg": row.trace_code, "fixBlngAdmdvs": institution.admdvs}
        if message.infno == "3513":
            insured = row.detail.get("MDTRT_SETL_TYPE") or ("1" if row.setl_id else "2")
            wire |= {"mdtrtId": row.mdtrt_id, "mdtrtSetlType": insured, "bkkpSn": row.record_id, "psnNo": row.psn_no,
                     "psnCertType": row.detail.get("psn_cert_type", ""), "certno": row.detail.get("certno", ""),
                     "psnName": row.detail.get("psn_name", "")}
        rows.append(wire)
    # The buyer was looked for by digest; the number shown is masked and would never fit.
    asked = {name: value for name, value in message.input["data"].items() if name not in ("certno", "psn_name")}
    return _answer(rows, asked, message.infno)
