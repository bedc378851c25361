"""3605, 3606, 3608-3611: an institution looks at its own results of payment by group, singly and added up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import asyncpg

from yibao.domains.grouping.queries import Asked, list_by_group, page_results, sum_results
from yibao.entrypoints.gateway.registry import Message, Output, Services, query
from yibao.entrypoints.gateway.wire_words import code_text, yuan
from yibao.infra.paging import Window
from yibao.kernel.business_time import SHANGHAI, business_date
from yibao.kernel.money import WHOLE, div_half_up
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.grouping.scheme import Scheme
from yibao.usecases.grouping.open_scheme import open_scheme
from yibao.usecases.grouping.paid_stays import instant

Wire = dict[str, Any]
PAGE_MAX = 1000
YES, NO = "1", "0"
_TEXT_MAX = 500
_COMPLICATIONS = {"mcc": "MCC", "cc": "CC", "": "无"}
_CORE, _COMPREHENSIVE = ("1", "核心病种"), ("2", "综合病种")
_KINDS = {
    "standard": "正常", "high": "高倍率", "low": "低倍率", "long_stay": "长住院", "by_disease": "按病种", "exit": "特病单议退出",
    "ungrouped": "未入组", "no_weight": "无权重",
}


def _month(data: Wire, name: str) -> tuple[date, date] | Refusal:
    """Return the first day of a month ``yyyyMM`` and of the next one."""
    text = data[name]
    if not (len(text) == 6 and text.isascii() and text.isdecimal() and 1 <= int(text[4:]) <= 12 and int(text[:4])):
        return refuse("MONTH_INVALID", "结算年月应为yyyyMM", field=f"data.{name}", received=text, remedy="例如202601")
    year, month = int(text[:4]), int(text[4:])
    return date(year, month, 1), date(year + month // 12, month % 12 + 1, 1)


def _window(data: Wire) -> Window | Refusal:
    number, size = int(data["page_num"]), int(data["page_size"])
    if number < 1 or not 1 <= size <= PAGE_MAX:
        return refuse("PAGE_INVALID", f"页码从1起，每页1至{PAGE_MAX}条", field="data.page_num",
                      received=f"{number}/{size}", remedy="请更正页码和每页数量")
    return Window(number, size)


def _asked(message: Message, *, month: str, is_dip: bool, code: str = "") -> tuple[Asked, Window] | Refusal:
    data = message.input["data"]
    days, window = _month(data, month), _window(data)
    if isinstance(days, Refusal):
        return days
    if isinstance(window, Refusal):
        return window
    own = message.institution.fixmedins_code
    named = data.get("fixmedins_code", own)
    if named != own:
        return refuse("OTHER_INSTITUTION", "只能查询本机构的分组结果", field="data.fixmedins_code", received=named,
                      remedy="请填写本机构编号")
    begin, end = instant(days[0]), instant(days[1])
    return Asked(own, is_dip, begin, end, data.get("setl_id", ""), code), window


@query("3605")
async def find_groups(message: Message, services: Services) -> Output | Refusal:
    """Answer each stay's group (DRG), or why it has none."""
    asked = _asked(message, month="setl_ym", is_dip=False)
    if isinstance(asked, Refusal):
        return asked
    async with services.database.connection() as tx:
        _, rows = await page_results(tx, *asked)
    scheme = open_scheme()
    return {"data": [_group(row, scheme) for row in rows]}


def _group(row: asyncpg.Record, scheme: Scheme) -> Wire:
    is_grouped = row["state"] == "grouped"
    code = row["code"] or scheme.ungrouped
    mdc = next((category for category in scheme.categories if category.code == row["mdc"]), None)
    core = next((c for c in mdc.cores if c.code == row["adrg"]), None) if mdc else None
    return {
        "setl_id": row["setl_id"], "drg_code": code, "drg_name": row["name"], "adrg_code": row["adrg"],
        "adrg_name": core.name if core else "", "mdc_codg": row["mdc"], "mdc_name": mdc.name if mdc else "",
        "ccmcc": _COMPLICATIONS[row["complication"]], "grp_rslt": YES if is_grouped else NO,
        "err_info": None if is_grouped else "；".join(row["why"])[:_TEXT_MAX], "grp_name": scheme.name,
        "grp_ver": scheme.name, "grp_spec_ver": scheme.code, "place_grp_pay_std": yuan(row["standard_fen"]),
        "place_grp_ver": None, "place_grp_spec_ver": None, "abbr": None, "place_drg_codg": None, "place_drg_name": None,
        "grp_type": None, "psn_no": row["psn_no"], "drg_admdvs": row["admdvs"], "setl_list_sn": None,
        "setl_ym": _year_month(row), "fixmedins_code": row["fixmedins_code"],
        "grp_time": business_date(row["grouped_at"]).isoformat(), "vali_flag": YES,
    }


@query("3606")
async def find_packets(message: Message, services: Services) -> Output | Refusal:
    """Answer each stay's disease packet (DIP) with its score."""
    asked = _asked(message, month="setl_ym", is_dip=True)
    if isinstance(asked, Refusal):
        return asked
    async with services.database.connection() as tx:
        _, rows = await page_results(tx, *asked)
    return {"data": [_packet(row, open_scheme()) for row in rows]}


def _packet(row: asyncpg.Record, scheme: Scheme) -> Wire:
    is_grouped = row["state"] == "grouped"
    diagnosis = row["dx_codes"][0] if row["dx_codes"] else ""
    known = scheme.diagnoses.get(diagnosis)
    kind = (_CORE if "." in row["code"] else _COMPREHENSIVE) if is_grouped else (None, None)
    return {
        "setl_id": row["setl_id"], "psn_no": row["psn_no"], "psn_name": row["psn_name"], "insutype": row["insutype"],
        "setl_time": business_date(row["settled_at"]).isoformat(), "clr_optins": row["clr_optins"],
        "insu_admdvs": row["admdvs"], "fixmedins_code": row["fixmedins_code"],
        "fixmedins_name": row["institution_name"], "fixmedins_lv": row["hosp_lv"], "nuld_flag": NO,
        "grp_stas": YES if is_grouped else NO, "dip_dise_grp_code": row["code"], "dip_dise_grp_name": row["name"],
        "grp_diag_code": diagnosis, "grp_diag_name": known.name if known else "",
        "oprn_grp_code": "+".join(row["op_codes"]),
        "oprn_grp_name": "+".join(scheme.procedures.get(code, "") for code in row["op_codes"]),
        "dise_list_type": kind[0], "asst_list_flag": NO, "asst_list_detl": None, "grp_dise_sco": _e4(row["weight_e4"]),
        "remarks": (row["reason"] if is_grouped else "；".join(row["why"]))[:255],
        "Insutype_name": code_text("insutype", row["insutype"]), "grp_stas_name": "成功" if is_grouped else "不成功",
        "dise_list_type_name": kind[1], "act_setl_sco": _e4(row["points_e4"]), "sco_stas": row["kind"],
        "sco_stas_name": _KINDS.get(row["kind"], row["kind"]),
    }


@query("3608")
async def sum_packets(message: Message, services: Services) -> Output | Refusal:
    """Answer the institution's own packets, stays and cost of a month; other institutions are not shown."""
    return await _sum(message, services, is_dip=True)


@query("3610")
async def sum_groups(message: Message, services: Services) -> Output | Refusal:
    """Answer the institution's own groups, stays and cost of a month; other institutions are not shown."""
    return await _sum(message, services, is_dip=False)


async def _sum(message: Message, services: Services, *, is_dip: bool) -> Output | Refusal:
    asked = _asked(message, month="setl_mon", is_dip=is_dip)
    if isinstance(asked, Refusal):
        return asked
    async with services.database.connection() as tx:
        row = await sum_results(tx, asked[0])
    if row is None or asked[1].number > 1:
        return {"data": []}
    own = message.institution
    return {"data": [{
        "setl_mon": message.input["data"]["setl_mon"], "fixmedins_code": own.fixmedins_code,
        "fixmedins_name": own.name, "grp_sum": row["groups"], **_totals(row), "admdvs": own.admdvs,
    }]}


@query("3609")
async def list_packets(message: Message, services: Services) -> Output | Refusal:
    """Answer stays and cost by packet, main diagnosis and procedures."""
    return await _by_group(message, services, is_dip=True)


@query("3611")
async def list_groups(message: Message, services: Services) -> Output | Refusal:
    """Answer stays and cost by group."""
    return await _by_group(message, services, is_dip=False)


async def _by_group(message: Message, services: Services, *, is_dip: bool) -> Output | Refusal:
    data = message.input["data"]
    asked = _asked(message, month="setl_mon", is_dip=is_dip, code=data.get("dise_code", ""))
    if isinstance(asked, Refusal):
        return asked
    async with services.database.connection() as tx:
        rows = await list_by_group(tx, asked[0])
    window, scheme = asked[1], open_scheme()
    page = rows[window.offset:window.offset + window.size]
    return {"data": [
        {"setl_mon": data["setl_mon"], **_named(row, scheme, is_dip=is_dip), "admdvs": row["admdvs"], **_totals(row)}
        for row in page
    ]}


def _named(row: asyncpg.Record, scheme: Scheme, *, is_dip: bool) -> Wire:
    if not is_dip:
        return {"drg_code": row["code"], "drg_name": row["name"]}
    known = scheme.diagnoses.get(row["diagnosis"] or "")
    codes = row["procedures"].split("+") if row["procedures"] else []
    return {
        "dip_dise_grp_code": row["code"], "dip_dise_grp_name": row["name"], "grp_diag_code": row["diagnosis"],
        "grp_diag_name": known.name if known else "", "oprn_grp_code": row["procedures"],
        "oprn_grp_name": "+".join(scheme.procedures.get(code, "") for code in codes),
    }


def _totals(row: asyncpg.Record) -> Wire:
    return {
        "medfee_sumamt": yuan(row["medfee_fen"]), "setl_psntime": row["stays"],
        "ave_medfee_sumamt": yuan(div_half_up(row["medfee_fen"], row["stays"])),
    }


def _year_month(row: asyncpg.Record) -> str:
    return f"{row['settled_at'].astimezone(SHANGHAI):%Y%m}"


def _e4(value: int) -> Decimal:
    return Decimal(value) / WHOLE
