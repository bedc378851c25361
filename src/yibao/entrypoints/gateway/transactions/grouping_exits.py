"""3601-3604: an institution's applications that a stay leave payment by group."""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import asyncpg

from yibao.domains.grouping.queries import fund_items, page_applications
from yibao.entrypoints.gateway.registry import Done, Message, Output, Services, deed, query
from yibao.entrypoints.gateway.wire_words import code_text, yuan
from yibao.infra.database import Connection
from yibao.infra.paging import Window
from yibao.kernel.business_time import business_date
from yibao.kernel.money import WHOLE
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.grouping.apply_exit import STATES, ExitCommand, apply_exit, change_exit
from yibao.usecases.grouping.open_terms import pool_of
from yibao.usecases.grouping.paid_stays import instant

Wire = dict[str, Any]
SAVED = {"code": "0", "message": None, "type": None}
VALID, VOID = "1", "0"
_ITEMS = "drgAppySpcasItemDTOList"
_REVIEWED, _UNREVIEWED = "1", "0"
_OPINIONS = {"approved": "1", "refused": "2"}
_KEYS = ("setl_id", "psn_no", "exit_rea", "appy_exit_type", "appy_chk_setl_list_id", "vali_flag", "valiFlag", _ITEMS)
_PAGE_MAX = 999
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(9999, 12, 30)


def _plain(value: Any) -> Any:
    """Return what was sent in the form it is kept in: numbers and days as text."""
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value) if isinstance(value, (Decimal, date, datetime)) else value


def _items(data: Wire) -> list[Wire]:
    return [_plain(item) for item in data.get(_ITEMS, ())]


def _detail(data: Wire) -> Wire:
    return {name: _plain(value) for name, value in data.items() if name not in _KEYS}


@deed("3602")
async def file_exit(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """File an application; its number is found with 3601."""
    data = message.input.get("data", {})
    command = ExitCommand(
        psn_no=data.get("psn_no", ""), setl_id=data.get("setl_id", ""), exit_type=data.get("appy_exit_type", ""),
        reason=data.get("exit_rea", ""), detail=_detail(data), items=_items(data),
        opter=message.envelope.get("opter", ""), opter_name=message.envelope.get("opter_name", ""),
    )
    made = await apply_exit(
        tx, command=command, fixmedins_code=message.institution.fixmedins_code,
        application_id=services.ids.new(message.received_at), now=message.received_at,
    )
    if isinstance(made, Refusal):
        return made
    return Done({"data": SAVED}, psn_no=made.psn_no, setl_id=made.setl_id)


@deed("3603")
async def amend_exit(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Change an application nobody decided yet, or withdraw it (``vali_flag`` 0)."""
    data = message.input["data"]
    changes = _detail(data) | {name: data[name] for name in ("exit_rea", "appy_exit_type") if name in data}
    made = await change_exit(
        tx, application_id=data["appy_chk_setl_list_id"], changes=changes,
        items=_items(data) if _ITEMS in data else None, is_withdrawn=data.get("vali_flag", VALID) == VOID,
        fixmedins_code=message.institution.fixmedins_code, now=message.received_at,
    )
    if isinstance(made, Refusal):
        return made
    return Done({"data": SAVED}, psn_no=made.psn_no, setl_id=made.setl_id)


@query("3601")
async def list_exits(message: Message, services: Services) -> Output | Refusal:
    """Answer the institution's applications with settlement, group and state."""
    data, own = message.input["data"], message.institution
    if data["fixmedins_code"] != own.fixmedins_code:
        return refuse("OTHER_INSTITUTION", "只能查询本机构的退出申请", field="data.fixmedins_code",
                      received=data["fixmedins_code"], remedy="请填写本机构编号")
    window = _window(data)
    if isinstance(window, Refusal):
        return window
    first, last = data.get("begndate", _FIRST_DAY), data.get("enddate", _LAST_DAY)
    if last < first:
        return refuse("PERIOD_REVERSED", "结束日期早于开始日期", field="data.enddate", received=str(last), remedy="请核对日期")
    async with services.database.connection() as tx:
        _, rows = await page_applications(
            tx, fixmedins_code=own.fixmedins_code, begin=instant(first), end=instant(last + timedelta(days=1)),
            window=window, setl_id=data.get("setl_id", ""), psn_no=data.get("psn_no", ""),
            application_id=data.get("appy_chk_setl_list_id", ""),
        )
    return {"data": [_application(row, own.name) for row in rows]}


def _window(data: Wire) -> Window | Refusal:
    number, size = data["pageNum"], data["pageSize"]
    if not all(text.isascii() and text.isdecimal() and 1 <= int(text) <= _PAGE_MAX for text in (number, size)):
        return refuse("PAGE_INVALID", f"页码和每页显示数应为1至{_PAGE_MAX}的整数", field="data.pageNum",
                      received=f"{number}/{size}", remedy="请更正")
    return Window(int(number), int(size))


def _application(row: asyncpg.Record, name: str) -> Wire:
    detail, is_dip = json.loads(row["detail"]), row["method"] == "dip"
    code, label = row["code"] or detail.get("drg_codg", ""), row["name"] or detail.get("drg_name", "")
    standard = None if row["standard_fen"] is None else yuan(row["standard_fen"])
    due = None if row["due_fen"] is None else yuan(row["due_fen"])
    return {
        "appy_chk_setl_list_id": row["application_id"], "serv_matt_inst_id": None, "serv_matt_node_inst_id": None,
        "evt_inst_id": None, "setl_id": row["setl_id"], "psn_no": row["psn_no"], "psn_name": row["psn_name"],
        "psn_cert_type": row["cert_type"], "certno": row["certno"], "insutype": row["insutype"],
        "fixmedins_code": row["fixmedins_code"], "fixmedins_name": name, "adm_time": _day(row["admitted_at"]),
        "dscg_time": _day(row["discharged_at"]), "setl_time": _day(row["settled_at"]),
        "appy_exit_type": row["exit_type"], "medcasno": detail.get("medcasno"), "rx_drord_no": detail.get("rx_drord_no", ""),
        "drg_codg": None if is_dip else code, "drg_name": None if is_dip else label, "pay_std_amt": standard,
        "setl_listsn": detail.get("setl_listsn"), "mdtrt_id": row["mdtrt_id"], "exit_fund_payamt": yuan(row["fund_fen"]),
        "drg_fund_payamt": due, "exit_type": detail.get("exit_type"), "exit_rea": row["reason"],
        "fund_cap": detail.get("fund_cap"), "drg_admdvs": row["admdvs"],
        "vali_flag": VOID if row["state"] == "withdrawn" else VALID,
        "rchk_flag": _REVIEWED if row["decided_at"] else _UNREVIEWED,
        "memo": "：".join(text for text in (STATES[row["state"]], row["opinion"]) if text),
        "rid": row["application_id"], "updt_time": _day(row["decided_at"] or row["changed_at"]),
        "crter_id": row["opter"], "crter_name": row["opter_name"], "crte_time": _day(row["filed_at"]),
        "crte_optins_no": row["fixmedins_code"], "opter_id": row["opter"], "opter_name": row["opter_name"],
        "opt_time": _day(row["changed_at"]), "optins_no": row["fixmedins_code"], "poolarea_no": row["admdvs"],
        "spcasExitWt": None if is_dip or row["weight_e4"] is None else Decimal(row["weight_e4"]) / WHOLE,
        "dipDiseGrpCode": code if is_dip else None, "dipDiseGrpName": label if is_dip else None,
        "spcas_exit_sco": str(Decimal(row["weight_e4"]) / WHOLE) if is_dip and row["weight_e4"] is not None else None,
    }


@query("3604")
async def show_opinion(message: Message, services: Services) -> Output | Refusal:
    """Answer the agency's opinion on an application and what each fund paid for the stay."""
    data, own = message.input.get("data", {}), message.institution.fixmedins_code
    asked = {name: data.get(key, "") for name, key in (
        ("application_id", "appy_chk_setl_list_id"), ("setl_id", "setl_id"), ("psn_no", "psn_no"),
    )}
    if not any(asked.values()):
        return refuse("NOTHING_ASKED", "申请编号、结算ID、人员编号至少填一项", field="data.appy_chk_setl_list_id",
                      remedy="请填写查询条件")
    async with services.database.connection() as tx:
        _, rows = await page_applications(
            tx, fixmedins_code=own, begin=instant(_FIRST_DAY), end=instant(_LAST_DAY), window=Window(1, _PAGE_MAX), **asked
        )
        funds = [fund for row in rows for fund in await fund_items(tx, row["application_id"])]
    return {
        "preSetl_invy_evt_list": [_fund(fund) for fund in funds],
        "appy_chk_opnn_evt_list": [_opinion(row) for row in rows if row["decided_at"]],
    }


def _fund(row: asyncpg.Record) -> Wire:
    paid = yuan(row["amount"])
    pool = pool_of(row["admdvs"], year=business_date(row["settled_at"]).year, insutype=row["insutype"])
    shares = pool is not None and row["fund_type"] == pool.fund_type and row["due_fen"] is not None
    return {
        "drg_pre_setl_invy_id": f"{row['setl_id']}:{row['fund_type']}", "setl_id": row["setl_id"], "psn_no": row["psn_no"],
        "mdtrt_id": row["mdtrt_id"], "fund_pay_type": row["fund_type"],
        "poolarea_fund_pay_name": code_text("fund_pay_type", row["fund_type"]), "fund_payamt": paid,
        "exit_fund_payamt": paid, "drg_fund_payamt": yuan(row["due_fen"]) if shares else None,
        "exit_type": row["exit_type"], "exit_rea": row["reason"], "appy_chk_setl_list_id": row["application_id"],
        "vali_flag": VOID if row["state"] == "withdrawn" else VALID, "rid": f"{row['setl_id']}:{row['fund_type']}"[:40],
        "crte_time": _day(row["settled_at"]),
    }


def _opinion(row: asyncpg.Record) -> Wire:
    decided = _day(row["decided_at"])
    return {
        "appy_chk_setl_list_opnn_id": row["application_id"], "appy_chk_setl_list_id": row["application_id"],
        "setl_id": row["setl_id"], "psn_no": row["psn_no"], "drg_dip_exit_opnn_type": _OPINIONS[row["state"]],
        "opnn": row["opinion"] or STATES[row["state"]], "opnn_time": decided, "opnn_resper_name": row["decided_by"],
        "drg_admdvs": row["admdvs"], "vali_flag": VALID, "rid": row["application_id"], "crter_name": row["decided_by"],
        "crte_time": decided, "updt_time": decided,
    }


def _day(at: datetime | None) -> str | None:
    return None if at is None else business_date(at).isoformat()
