"""1304, 1312, 1316-1319: the catalogue by page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from yibao.domains.catalogue.listings import DrugRow, LimitRow, RatioRow, TermFilter, TermRow
from yibao.domains.institutions.item_mappings import ItemMapping, MappingFilter, list_codes_of, list_mappings
from yibao.entrypoints.gateway.registry import Message, Output, Services, query
from yibao.infra.digest import sm3
from yibao.infra.paging import Window
from yibao.kernel.business_time import SHANGHAI, business_date
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.catalogue.browse_catalogue import (
    Listing,
    browse_ethnic_medicine,
    browse_first_pay,
    browse_price_limits,
    browse_terms,
)

T = TypeVar("T")
Wire = dict[str, Any]

SELF_PAY_RATIO = "10"
"""``selfpay_prop_type`` of the only kind of ratio there is here: prior self-pay of the catalogue."""
LIMIT_TABLE, RATIO_TABLE = "price_limit", "first_pay"
_MEMO = 500
_FIRST_DAY = date(1970, 1, 1)
_USABLE = "1"
_ONLY_KIND = "1"
"""For fields that must not be empty and whose table no public source prints (use type, over-limit handling)."""
_PINYIN = 30
_IGNORED = {
    "wubi": "五笔助记码未维护，已忽略该条件", "rid": "不能按唯一记录号查询，已忽略该条件",
}
_MAKER = {"crter_id": "system", "crter_name": "系统导入", "opter_id": "system", "opter_name": "系统导入"}


# ───────────────────────── what all pages have ─────────────────────────


def _window(data: Wire) -> Window | Refusal:
    number, size = int(data["page_num"]), int(data["page_size"])
    if number < 1:
        return refuse("PAGE_BELOW_ONE", "页码从1开始", field="data.page_num", received=str(number), remedy="请更正页码")
    if size < 1:
        return refuse(
            "PAGE_EMPTY", "每页数据量至少为1", field="data.page_size", received=str(size), remedy="请更正每页数据量",
        )
    return Window(number, size)


def _page(window: Window, total: int, rows: Sequence[Wire]) -> Wire:
    pages = -(-total // window.size)
    return {
        "data": list(rows), "pages": pages, "recordCounts": total, "pageNum": window.number,
        "pageSize": window.size, "size": len(rows), "startRow": window.offset + 1 if rows else 0,
        "firstPage": "true" if window.number == 1 else "false",
        "lastPage": "true" if window.number >= pages else "false",
    }


def _row_id(*parts: object) -> str:
    return sm3("/".join(map(str, parts)).encode())[:16].hex()


def _last_day(valid_to: date | None) -> str | None:
    """Return the last day of a half-open period, None while it is open."""
    return None if valid_to is None else (valid_to - timedelta(days=1)).isoformat()


def _validity(begins: date, ends: date | None, today: date) -> str:
    return "1" if begins <= today and (ends is None or ends > today) else "0"


def _stamp(updated_on: date | None) -> Wire:
    day = None if updated_on is None else updated_on.isoformat()
    return {"updt_time": day, "crte_time": day, "opt_time": day}


def _flag(data: Wire, name: str) -> bool | None:
    return data[name] == "1" if name in data else None


def _region(message: Message) -> str:
    """Return the pooling region that is asked about: the one named, by city, else the sender's."""
    named: str = message.input["data"].get("insu_admdvs", "") or message.input["data"].get("poolarea_no", "")
    return f"{named[:4]}00" if named else message.institution.region


def _term_filter(message: Message) -> TermFilter:
    data = message.input["data"]
    pinyin = data.get("pinyin")
    for name, sentence in _IGNORED.items():
        if name in data:
            message.warnings.append(sentence)
    return TermFilter(
        admdvs=_region(message), today=business_date(message.received_at),
        code=data.get("hilist_code") or data.get("med_list_codg"), list_type=data.get("list_type"),
        name=data.get("hilist_name"), initials=pinyin.upper() if pinyin else None,
        charge_type=data.get("med_chrgitm_type"), class_level=data.get("chrgitm_lv"),
        restricted=_flag(data, "lmt_used_flag"), on=data.get("query_date"), begins_from=data.get("begndate"),
        ends_by=data.get("enddate"), is_valid=_flag(data, "vali_flag"), level=data.get("hilist_lmtpric_type"),
    )


def _listed(window: Window, listing: Listing[T], wire: Callable[[T], Wire]) -> Wire:
    return _page(window, listing.total, [wire(row) | _stamp(listing.updated_on) for row in listing.rows])


# ───────────────────────── the region's catalogue ─────────────────────────


@query("1312", "1316")
async def list_insurance_catalogue(message: Message, services: Services) -> Output | Refusal:
    """List the region's catalogue (1312), or how national codes match it (1316)."""
    data, wanted = message.input["data"], _term_filter(message)
    window = _window(data)
    if isinstance(window, Refusal):
        return window
    async with services.database.connection() as connection:
        if "medins_list_codg" in data:
            codes = await list_codes_of(
                connection, fixmedins_code=message.institution.fixmedins_code, medins_list_codg=data["medins_list_codg"]
            )
            wanted = msgspec.structs.replace(wanted, codes=codes)
        listing = await browse_terms(connection, wanted, window, updated_from=data["updt_time"])
    wire = _term if message.infno == "1312" else _match
    return _listed(window, listing, lambda row: wire(row, wanted))


def _match(row: TermRow, wanted: TermFilter) -> Wire:
    return {
        "med_list_codg": row.code, "hilist_code": row.code, "list_type": row.list_type,
        "insu_admdvs": wanted.admdvs, "begndate": row.valid_from.isoformat(), "enddate": _last_day(row.valid_to),
        "memo": _remark(row), "vali_flag": _validity(row.valid_from, row.valid_to, wanted.today),
        "rid": _row_id(wanted.admdvs, row.code, row.valid_from), "poolarea_no": wanted.admdvs,
    }


def _term(row: TermRow, wanted: TermFilter) -> Wire:
    is_single_forbidden = row.list_type == "102" and row.restricted
    return {
        "hilist_code": row.code, "hilist_name": row.name, "insu_admdvs": wanted.admdvs,
        "begndate": row.valid_from.isoformat(), "enddate": _last_day(row.valid_to),
        "med_chrgitm_type": row.charge_type, "chrgitm_lv": row.class_level,
        "lmt_used_flag": "1" if row.restricted else "0", "list_type": row.list_type, "med_use_flag": _USABLE,
        "matn_used_flag": _USABLE, "hilist_use_type": _ONLY_KIND, "lmt_cpnd_type": "2" if is_single_forbidden else "1",
        "wubi": "", "pinyin": row.initials[:_PINYIN], "memo": _remark(row),
        "vali_flag": _validity(row.valid_from, row.valid_to, wanted.today),
        "rid": _row_id(wanted.admdvs, row.code, row.valid_from), "poolarea_no": wanted.admdvs,
    }


def _remark(row: TermRow) -> str:
    """Return the restriction, and that a row is invented or assumed where it is."""
    parts = [row.restriction] if row.restriction else []
    if row.origin == "demo":
        parts.append("示例数据，编码为虚构")
    if row.assumed:
        parts.append(f"推定：{row.source}")
    return "；".join(parts)[:_MEMO]


@query("1318")
async def list_price_ceilings(message: Message, services: Services) -> Output | Refusal:
    """List the region's price ceilings by level of institution."""
    data, wanted = message.input["data"], _term_filter(message)
    window = _window(data)
    if isinstance(window, Refusal):
        return window
    if data.get("tabname", LIMIT_TABLE) != LIMIT_TABLE or data.get("overlmt_dspo_way", _ONLY_KIND) != _ONLY_KIND:
        return _page(window, 0, [])
    async with services.database.connection() as connection:
        listing = await browse_price_limits(connection, wanted, window, updated_from=data["updt_time"])
    return _listed(window, listing, lambda row: _limit(row, wanted))


def _limit(row: LimitRow, wanted: TermFilter) -> Wire:
    return {
        "hilist_code": row.code, "hilist_lmtpric_type": row.level, "overlmt_dspo_way": _ONLY_KIND,
        "insu_admdvs": wanted.admdvs, "begndate": row.valid_from.isoformat(), "enddate": _last_day(row.valid_to),
        "hilist_pric_uplmt_amt": Decimal(row.limit_micro).scaleb(-6).quantize(Decimal("0.000001")),
        "vali_flag": _validity(row.valid_from, row.valid_to, wanted.today),
        "rid": _row_id(wanted.admdvs, row.code, row.level, row.valid_from), "tabname": LIMIT_TABLE,
        "poolarea_no": wanted.admdvs,
    }


@query("1319")
async def list_first_pay_ratios(message: Message, services: Services) -> Output | Refusal:
    """List prior self-pay ratios by scheme: the item's own, else what the region's law says."""
    data, wanted = message.input["data"], _term_filter(message)
    window = _window(data)
    if isinstance(window, Refusal):
        return window
    if (data.get("selfpay_prop_type", SELF_PAY_RATIO), data.get("tabname", RATIO_TABLE)) != (SELF_PAY_RATIO, RATIO_TABLE):
        return _page(window, 0, [])
    policy = services.policies.of(wanted.admdvs)
    if isinstance(policy, Refusal):
        return policy
    async with services.database.connection() as connection:
        listing = await browse_first_pay(
            connection, wanted, window, updated_from=data["updt_time"], policy=policy,
            insutype=data.get("selfpay_prop_psn_type"),
        )
    return listing if isinstance(listing, Refusal) else _listed(window, listing, lambda row: _ratio(row, wanted))


def _ratio(row: RatioRow, wanted: TermFilter) -> Wire:
    return {
        "hilist_code": row.code, "selfpay_prop_psn_type": row.insutype, "selfpay_prop_type": SELF_PAY_RATIO,
        "insu_admdvs": wanted.admdvs, "begndate": row.valid_from.isoformat(), "enddate": _last_day(row.valid_to),
        "selfpay_prop": None if row.first_pay is None else Decimal(row.first_pay).scaleb(-4),
        "vali_flag": _validity(row.valid_from, row.valid_to, wanted.today),
        "rid": _row_id(wanted.admdvs, row.code, row.insutype, row.valid_from), "tabname": RATIO_TABLE,
        "poolarea_no": wanted.admdvs,
    }


# ───────────────────────── ethnic medicine, own mappings ─────────────────────────


@query("1304")
async def list_ethnic_medicine(message: Message, services: Services) -> Output | Refusal:
    """List ethnic medicine of the national list; a name in Latin letters is taken as pinyin initials."""
    data = message.input["data"]
    window = _window(data)
    if isinstance(window, Refusal):
        return window
    names = ("reg_name", "drug_genname", "tcmherb_name", "mlms_name", "drug_prodname")
    today = business_date(message.received_at)
    async with services.database.connection() as connection:
        listing = await browse_ethnic_medicine(
            connection, window, code=data.get("med_list_codg"),
            name=next((data[name] for name in names if name in data), None), version=data.get("ver"),
            is_valid=_flag(data, "vali_flag"), today=today, updated_from=data["updt_time"],
        )
    return _listed(window, listing, lambda row: _drug(row, today, message.institution.region))


def _drug(row: DrugRow, today: date, region: str) -> Wire:
    detail = row.detail
    validity = _validity(row.valid_from, row.valid_to, today)
    return _MAKER | {
        "med_list_codg": row.code, "drug_prodname": detail.get("product_name", ""), "drug_genname": row.name,
        "dosform": row.dosage_form, "drug_spec": row.spec, "pac_cnt": detail.get("pack_count", ""),
        "min_pacunt": detail.get("pack_unit", ""), "min_prepunt": detail.get("dose_unit", ""),
        "min_prcunt": detail.get("price_unit", "") or row.unit, "pham_type": row.class_code, "wubi": "",
        "pinyin": row.initials[:_PINYIN], "begndate": row.valid_from.isoformat(),
        "enddate": _last_day(row.valid_to), "vali_flag": validity, "vail_flag": validity,
        "rid": f"{row.code}-{row.version}", "crte_optins_no": region, "optins_no": region, "ver": row.version,
    }


@query("1317")
async def list_own_mappings(message: Message, services: Services) -> Output | Refusal:
    """List the sender's own mappings; nobody sees another institution's."""
    data, institution = message.input["data"], message.institution
    window = _window(data)
    if isinstance(window, Refusal):
        return window
    if data.get("fixmedins_code", institution.fixmedins_code) != institution.fixmedins_code:
        return refuse(
            "NOT_OWN_MAPPING", "只能查询本机构的目录对照", field="data.fixmedins_code",
            received=data["fixmedins_code"], remedy="请填写本机构的定点医药机构编号",
        )
    wanted = MappingFilter(
        fixmedins_code=institution.fixmedins_code, today=business_date(message.received_at),
        # Years that no instant in UTC has mean: from the beginning.
        updated_from=datetime.combine(max(data["updt_time"], _FIRST_DAY), time(), SHANGHAI),
        medins_list_codg=data.get("medins_list_codg"), name=data.get("medins_list_name"),
        list_type=data.get("list_type"), med_list_codg=data.get("med_list_codg"), on=data.get("query_date"),
        begins_from=data.get("begndate"), is_valid=_flag(data, "vali_flag"),
    )
    async with services.database.connection() as connection:
        total, rows = await list_mappings(connection, wanted, window)
    return _page(window, total, [_mapping(row, wanted, institution.region) for row in rows])


def _mapping(row: ItemMapping, wanted: MappingFilter, region: str) -> Wire:
    day = business_date(row.updated_at).isoformat()
    is_valid = row.state != "refused" and row.valid_from <= wanted.today <= row.valid_to
    return row.detail | {
        "fixmedins_code": wanted.fixmedins_code, "medins_list_codg": row.medins_list_codg,
        "medins_list_name": row.name, "insu_admdvs": region, "list_type": row.list_type,
        "med_list_codg": row.med_list_codg, "hilist_code": row.med_list_codg,
        "begndate": row.valid_from.isoformat(), "enddate": row.valid_to.isoformat(),
        "vali_flag": "1" if is_valid else "0", "memo": _state_of(row),
        "rid": _row_id(wanted.fixmedins_code, row.list_type, row.medins_list_codg, row.mapping_id), "updt_time": day,
        "crte_time": day, "opt_time": day, "poolarea_no": region,
    }


def _state_of(row: ItemMapping) -> str:
    """Return the institution's own remark, and what the agency says of the mapping."""
    said = {"proposed": f"待经办机构审核：{'，'.join(row.doubts)}", "refused": f"审核未通过：{row.decision}"}
    return "；".join(filter(None, (row.detail.get("memo", ""), said.get(row.state, ""))))[:_MEMO]
