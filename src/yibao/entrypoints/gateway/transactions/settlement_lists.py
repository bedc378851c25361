"""4101, 4101A, 4102: upload a settlement list, submit or withdraw it; 4103-4105: ask about lists."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from yibao.domains.records import queries
from yibao.domains.records.queries import Asked
from yibao.entrypoints.gateway.registry import Done, Message, Output, Services, deed, query
from yibao.entrypoints.gateway.required_output import with_required
from yibao.entrypoints.gateway.transactions.settlement_list_forms import form_of, read_list
from yibao.entrypoints.gateway.transactions.settlement_list_replies import (
    ERROR_LEVELS,
    list_output,
    quality_row,
)
from yibao.infra.database import Connection
from yibao.infra.paging import Window
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.records.decide_lists import is_month, month_of
from yibao.usecases.records.keep_documents import FAULTS_MAX
from yibao.usecases.records.show_list import show_list
from yibao.usecases.records.tables import list_tables
from yibao.usecases.records.upload_list import Step, UploadCommand, Uploaded, change_lists, upload_list

DRAFT, SUBMITTED = "0", "1"
AT_INSTITUTION = "2"
PAGE_MAX = 500
YEARS = (1900, 2999)
"""Years that a day of care or of an enquiry may lie in."""


@deed("4101", "4101A")
async def upload(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Keep a settlement list; without ``stas_type`` it counts as submitted, as in the forms that know none."""
    info: dict[str, Any] = message.input["setlinfo"]
    faults = _missing(info, ("mdtrt_id", "setl_id"), "setlinfo") + strange_days(message.input)
    if faults:
        return Refusal(tuple(faults[:FAULTS_MAX]))
    state = info.get("stas_type", SUBMITTED)
    if state not in (DRAFT, SUBMITTED):
        return _not_yours("setlinfo.stas_type", state)
    command = UploadCommand(
        submitted=read_list(message.input), form=form_of(message.infno, info), is_draft=state == DRAFT,
        serial=services.ids.new(message.received_at), opter=message.envelope.get("opter", ""),
        opter_name=message.envelope.get("opter_name", ""),
    )
    kept = await upload_list(
        tx, command, fixmedins_code=message.institution.fixmedins_code, now=message.received_at)
    if isinstance(kept, Refusal):
        return kept
    _warn(message, [kept])
    output = {"data": {"setl_list_id": kept.list_id}} if message.infno == "4101" else None
    return Done(output, psn_no=kept.psn_no, mdtrt_id=kept.mdtrt_id, setl_id=kept.setl_id,
                rule=list_tables().edition)


@deed("4102")
async def change_state(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Submit (1) or withdraw (0) lists; to pass or to reject one is the agency's."""
    rows: Sequence[dict[str, Any]] = message.input.get("data", {}).get("stastinfo", ())
    if not rows:
        return refuse("NO_LISTS", "没有清单", field="data.stastinfo", remedy="请至少填写一份清单")
    faults, steps = [], []
    for i, row in enumerate(rows):
        field = f"data.stastinfo[{i}]"
        faults += _missing(row, ("setl_id", "stas_type"), field)
        if row.get("stas_type", DRAFT) not in (DRAFT, SUBMITTED):
            faults += _not_yours(f"{field}.stas_type", row["stas_type"]).faults
        steps.append(Step(row.get("psn_no", ""), row.get("setl_id", ""), row.get("stas_type") == SUBMITTED, field))
    if faults:
        return Refusal(tuple(faults[:FAULTS_MAX]))
    done = await change_lists(
        tx, steps, fixmedins_code=message.institution.fixmedins_code, opter=message.envelope.get("opter", ""),
        now=message.received_at,
    )
    if isinstance(done, Refusal):
        return done
    _warn(message, done)
    one = done[0]
    return Done(None, psn_no=one.psn_no, mdtrt_id=one.mdtrt_id, setl_id=one.setl_id, rule=list_tables().edition)


def _missing(row: dict[str, Any], names: Sequence[str], field: str) -> list[Fault]:
    """Return a fault for each name that some forms do not require and this platform cannot do without."""
    return [Fault("FIELD_MISSING", "为必填项", f"{field}.{name}", "", "请填写后重发") for name in names if name not in row]


def strange_days(content: Any, path: str = "") -> list[Fault]:
    """Return a fault for each day that no record of care can have; such days cannot be reckoned with either."""
    if isinstance(content, date):
        year = content.year
        return [] if YEARS[0] <= year <= YEARS[1] else [
            Fault("FIELD_DATE", "日期不在可用的范围内", path, str(year), "请核对年月日")]
    if isinstance(content, dict):
        return [f for name, inner in content.items() for f in strange_days(inner, f"{path}.{name}" if path else name)]
    if isinstance(content, list):
        return [f for i, inner in enumerate(content) for f in strange_days(inner, f"{path}[{i}]")]
    return []


def _not_yours(field: str, received: str) -> Refusal:
    return refuse("LIST_DECISION_NOT_YOURS", "清单的审核结果由经办机构作出", field=field, received=received,
                  remedy="机构只能提交（1）或撤回（0）")


def _warn(message: Message, lists: Sequence[Uploaded]) -> None:
    for kept in lists:
        found = "；".join(f.sentence for f in kept.findings)
        if kept.state == "returned":
            message.warnings.append(f"清单{kept.list_id}质控未通过，已退回：{found}，请改正后重新上传，明细可用4104查询")
        elif found:
            message.warnings.append(f"清单{kept.list_id}质控提示：{found}")


@query("4103")
async def find_list(message: Message, services: Services) -> Output | Refusal:
    """Give a list back, with person, bill and names as the platform knows them."""
    data = message.input.get("data", {})
    missing = _missing(data, ("setl_id",), "data")
    if missing:
        return Refusal(tuple(missing))
    async with services.database.connection() as tx:
        shown = await show_list(tx, psn_no=data.get("psn_no", ""), setl_id=data["setl_id"],
                                fixmedins_code=message.institution.fixmedins_code)
    if isinstance(shown, Refusal):
        return shown
    message.found_psn_no = shown.row["psn_no"]
    return with_required(message.infno, list_output(shown, message.institution))


@query("4104")
async def quality(message: Message, services: Services) -> Output | Refusal:
    """List what the quality check found in the lists of one month of settlement; the output is a bare list."""
    data = message.input["data"]
    month = data["setl_ym"]
    size = min(int(data["page_size"]), PAGE_MAX)
    if not is_month(month):
        return refuse("FIELD_DATE", "不是年月", field="data.setl_ym", received=month, remedy="请用yyyyMM")
    if size < 1 or data["page_num"] < 1:
        return refuse("PAGE_INVALID", "页码和每页数量从1起", field="data.page_num", remedy="请从第1页查起")
    own = message.institution.fixmedins_code
    if data.get("fixmedins_code", own) != own:
        return _other_institution(data["fixmedins_code"])
    begin, end = month_of(datetime(int(month[:4]), int(month[4:]), 1, tzinfo=UTC).date())
    severities = {level: severity for severity, level in ERROR_LEVELS.items()}
    async with services.database.connection() as tx:
        _, rows = await queries.page_checked(
            tx, fixmedins_code=own, begin=begin, end=end, setl_id=data.get("setl_id"), psn_no=data.get("psn_no"),
            severity=severities.get(data["err_lv"], "none") if "err_lv" in data else None,
            is_returned=data["retn_flag"] == "1" if "retn_flag" in data else None,
            window=Window(int(data["page_num"]), size),
        )
    return with_required(message.infno, [quality_row(row, message.institution) for row in rows])


@query("4105")
async def counts(message: Message, services: Services) -> Output | Refusal:
    """Count the settlements of a period that need a list, and those whose list was submitted."""
    data = message.input["data"]
    own = message.institution.fixmedins_code
    if data["fixmedins_code"] != own:
        return _other_institution(data["fixmedins_code"])
    begin, end = data["stt_begntime"], data["stt_endtime"]
    strange = strange_days(data, "data")
    if strange:
        return Refusal(tuple(strange))
    whole_day = end.astimezone(SHANGHAI).strftime("%H%M%S") == "000000"
    asked = Asked(
        begin, end + (timedelta(days=1) if whole_day else timedelta(seconds=1)), list_tables().listed,
        fixmedins_code=own, med_types=tuple(data["medtype_list"]),
        with_refunds=(data.get("refd_setl_flag") or data.get("refdset_flag")) == "1",
    )
    if AT_INSTITUTION not in data.get("pay_loc_list", (AT_INSTITUTION,)):
        return {"needUploadCnt": 0, "uploadedCnt": 0}
    async with services.database.connection() as tx:
        needed, uploaded = await queries.count_lists(tx, asked)
    return {"needUploadCnt": needed, "uploadedCnt": uploaded}


def _other_institution(received: str) -> Refusal:
    return refuse("INSTITUTION_DIFFERS", "只能查询本机构的清单", field="data.fixmedins_code", received=received,
                  remedy="请填写本机构编号")
