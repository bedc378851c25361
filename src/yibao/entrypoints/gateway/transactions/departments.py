"""3401, 3401A, 3402, 3403: the sender's departments."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from yibao.domains.institutions.departments import DepartmentRecord
from yibao.entrypoints.gateway.registry import Done, Message, Services, deed
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.reference.keep_departments import change_department, close_department, open_departments

COUNTED = ("hi_crtf_bed_cnt", "dr_psncnt", "phar_psncnt", "nurs_psncnt", "tecn_psncnt")
_TEXTS = ("itro", "dept_med_serv_scp", "memo", "poolarea_no")
_MIDNIGHT = time()


@deed("3401", "3401A")
async def upload_departments(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Open departments; one in 3401, several in 3401A."""
    sent = message.input.get("deptinfo") or []
    rows = sent if isinstance(sent, list) else [sent]
    if not rows:
        return refuse("NO_DEPARTMENTS", "没有科室信息", field="deptinfo", remedy="请上传至少一个科室")
    node = "deptinfo[]" if isinstance(sent, list) else "deptinfo"
    broken = [fault for i, row in enumerate(rows) for fault in _broken(row, node.replace("[]", f"[{i}]"))]
    if broken:
        return Refusal(tuple(broken))
    refusal = await open_departments(
        tx, [_record(row) for row in rows], institution=message.institution, now=message.received_at,
        change_id=services.ids.new(message.received_at), today=business_date(message.received_at),
        node=node,
    )
    return refusal or Done(None)


@deed("3402")
async def alter_department(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Change a department."""
    broken = _broken(message.input["deptinfo"], "deptinfo")
    if broken:
        return Refusal(tuple(broken))
    result = await change_department(
        tx, _record(message.input["deptinfo"]), institution=message.institution,
        change_id=services.ids.new(message.received_at), now=message.received_at,
        today=business_date(message.received_at),
    )
    return _told(message, result)


@deed("3403")
async def withdraw_department(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Close a department."""
    data = message.input["data"]
    result = await close_department(
        tx, dept_code=data["hosp_dept_codg"], name=data["hosp_dept_name"], opened_on=data["begntime"],
        institution=message.institution, change_id=services.ids.new(message.received_at), now=message.received_at,
        today=business_date(message.received_at),
    )
    return _told(message, result)


def _told(message: Message, result: list[str] | Refusal) -> Done | Refusal:
    if isinstance(result, Refusal):
        return result
    message.warnings.extend(result)
    return Done(None)


def _broken(row: dict[str, Any], path: str) -> list[Fault]:
    """Return the heads and beds that are no whole numbers."""
    return [
        Fault("NUMBER_NOT_WHOLE", "应为整数", f"{path}.{name}", f"{row[name]:f}", "请更正数量")
        for name in (*COUNTED, "aprv_bed_cnt") if name in row and row[name] != row[name].to_integral_value()
    ]


def _record(row: dict[str, Any]) -> DepartmentRecord:
    detail = {name: str(int(row[name])) for name in COUNTED if name in row}
    detail |= {name: row[name] for name in _TEXTS if name in row}
    if "dept_estbdat" in row:
        detail["dept_estbdat"] = business_date(row["dept_estbdat"]).isoformat()
    return DepartmentRecord(
        dept_code=row["hosp_dept_codg"], name=row["hosp_dept_name"], caty=row["caty"],
        opened_on=business_date(row["begntime"]), closed_on=_closed_on(row.get("endtime")),
        head_name=row.get("dept_resper_name", ""), head_phone=row.get("dept_resper_tel", ""),
        beds=int(row["aprv_bed_cnt"]), detail=detail,
    )


def _closed_on(ends: datetime | None) -> date | None:
    """Return the first closed day: an end at midnight is that day, any later end the day after;
    the last day of all calendars means that no end is in sight."""
    if ends is None:
        return None
    day = business_date(ends)
    if day == date.max:
        return None
    return day if ends.timetz().replace(tzinfo=None) == _MIDNIGHT else day + timedelta(days=1)
