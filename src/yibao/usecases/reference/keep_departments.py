"""Keep an institution's departments (3401, 3401A, 3402, 3403): open, change, close. Nothing told before is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.institutions.departments import (
    DepartmentRecord,
    count_patients,
    count_staff,
    find_departments,
    put_department,
)
from yibao.domains.institutions.model import HOSPITAL, Institution
from yibao.infra.database import Connection
from yibao.kernel.refusal import Fault, Refusal, refuse

ROWS_MAX = 500
BEDS_MAX = 99_999


async def open_departments(
    tx: Connection, records: Sequence[DepartmentRecord], *, institution: Institution, change_id: str, now: datetime,
    today: date, node: str,
) -> Refusal | None:
    """Open departments, all or none; a code that was closed may be opened again, with its history kept.

    Args:
        node: path of the department on the wire; ``[]`` stands for the index where several came.
    """
    refusal = _refuse_pharmacy(institution)
    if refusal is not None:
        return refusal
    if len(records) > ROWS_MAX:
        return refuse("TOO_MANY_DEPARTMENTS", f"一次最多上传{ROWS_MAX}个科室", field="deptinfo",
                      received=str(len(records)), remedy="请分批上传")
    codes = [record.dept_code for record in records]
    known = await find_departments(tx, fixmedins_code=institution.fixmedins_code, dept_codes=sorted(set(codes)))
    faults = []
    for index, record in enumerate(records):
        path = node.replace("[]", f"[{index}]")
        before = known.get(record.dept_code)
        if record.dept_code in codes[:index]:
            faults.append(Fault("DEPARTMENT_TWICE", "同一科室编码在这次上传中重复", f"{path}.hosp_dept_codg",
                                record.dept_code, "请删去其中一行"))
        elif before is not None and (before.closed_on is None or before.closed_on > today):
            faults.append(Fault("DEPARTMENT_EXISTS", f"科室【{before.name}】已登记", f"{path}.hosp_dept_codg",
                                record.dept_code, "变更请用3402，撤销请用3403"))
        faults += _faults(record, path)
    if faults:
        return Refusal(tuple(faults))
    for index, record in enumerate(records):
        await put_department(
            tx, record, fixmedins_code=institution.fixmedins_code, admdvs=institution.region,
            kind="reopened" if record.dept_code in known else "opened", change_id=f"{change_id}{index:04d}", at=now,
        )
    return None


async def change_department(
    tx: Connection, record: DepartmentRecord, *, institution: Institution, change_id: str, now: datetime, today: date
) -> list[str] | Refusal:
    """Change what is known of an open department; returns warnings. An end may be set only when nobody lies there."""
    code = institution.fixmedins_code
    refusal = _refuse_pharmacy(institution)
    if refusal is not None:
        return refusal
    known = (await find_departments(tx, fixmedins_code=code, dept_codes=[record.dept_code])).get(record.dept_code)
    if known is None:
        return refuse("DEPARTMENT_NOT_FOUND", "没有这个科室", field="deptinfo.hosp_dept_codg", received=record.dept_code,
                      remedy="请用5101查询本机构科室，新科室用3401上传")
    if known.closed_on is not None and known.closed_on <= today:
        return refuse("DEPARTMENT_CLOSED", f"科室【{known.name}】已于{known.closed_on}撤销", field="deptinfo.hosp_dept_codg",
                      received=record.dept_code, remedy="重新开设请用3401上传")
    faults = list(_faults(record, "deptinfo"))
    patients = (await count_patients(tx, fixmedins_code=code, dept_codes=[record.dept_code])).get(record.dept_code, 0)
    if patients and record.closed_on is not None:
        faults.append(_still_there(patients, "deptinfo.endtime", str(record.closed_on)))
    if faults:
        return Refusal(tuple(faults))
    await put_department(
        tx, record, fixmedins_code=code, admdvs=institution.region, kind="changed", change_id=change_id, at=now
    )
    return [f"在院{patients}人，超过批准床位{record.beds}张"] if patients > record.beds else []


async def close_department(
    tx: Connection, *, dept_code: str, name: str, opened_on: date, institution: Institution, change_id: str, now: datetime,
    today: date,
) -> list[str] | Refusal:
    """Close a department from today on, and return warnings; refused while somebody lies there.

    Code, name and begin must be those on record: whoever closes the wrong department must not succeed.
    """
    code = institution.fixmedins_code
    refusal = _refuse_pharmacy(institution)
    if refusal is not None:
        return refusal
    known = (await find_departments(tx, fixmedins_code=code, dept_codes=[dept_code])).get(dept_code)
    if known is None:
        return refuse("DEPARTMENT_NOT_FOUND", "没有这个科室", field="data.hosp_dept_codg", received=dept_code,
                      remedy="请用5101查询本机构科室")
    if known.closed_on is not None and known.closed_on <= today:
        return refuse("DEPARTMENT_CLOSED", f"科室【{known.name}】已于{known.closed_on}撤销", field="data.hosp_dept_codg",
                      received=dept_code, remedy="无需重复撤销")
    faults = []
    if name != known.name:
        faults.append(Fault("DEPARTMENT_NAME_DIFFERS", f"科室名称与登记的【{known.name}】不一致", "data.hosp_dept_name", name,
                            "请核对要撤销的科室"))
    if opened_on != known.opened_on:
        faults.append(Fault("DEPARTMENT_BEGIN_DIFFERS", f"开始时间与登记的{known.opened_on}不一致", "data.begntime",
                            str(opened_on), "请核对要撤销的科室"))
    patients = (await count_patients(tx, fixmedins_code=code, dept_codes=[dept_code])).get(dept_code, 0)
    if patients:
        faults.append(_still_there(patients, "data.hosp_dept_codg", dept_code))
    if faults:
        return Refusal(tuple(faults))
    closed = msgspec.structs.replace(known, closed_on=max(today, known.opened_on))
    await put_department(tx, closed, fixmedins_code=code, admdvs=institution.region, kind="closed", change_id=change_id,
                         at=now)
    staff = await count_staff(tx, fixmedins_code=code, dept_code=dept_code, on=today)
    return [f"该科室还有{staff}名在册人员，请变更其所在科室"] if staff else []


def _refuse_pharmacy(institution: Institution) -> Refusal | None:
    if institution.kind == HOSPITAL:
        return None
    return refuse("NO_DEPARTMENTS_HERE", "定点零售药店没有科室", field="fixmedins_code", received=institution.fixmedins_code,
                  remedy="科室信息由定点医疗机构上传")


def _still_there(patients: int, field: str, received: str) -> Fault:
    return Fault("DEPARTMENT_HAS_PATIENTS", f"该科室还有{patients}名在院患者", field, received, "请先办理出院或转科(2403)")


def _faults(record: DepartmentRecord, path: str) -> Iterator[Fault]:
    if record.closed_on is not None and record.closed_on <= record.opened_on:
        yield Fault("PERIOD_REVERSED", "结束时间不晚于开始时间", f"{path}.endtime", str(record.closed_on), "请更正时间")
    if record.beds > BEDS_MAX:
        yield Fault("NUMBER_TOO_LARGE", f"批准床位数量超过{BEDS_MAX}", f"{path}.aprv_bed_cnt", str(record.beds), "请更正床位数量")
    if record.beds < 0:
        yield Fault("NUMBER_NEGATIVE", "批准床位数量不能为负", f"{path}.aprv_bed_cnt", str(record.beds), "请更正床位数量")
    insured = int(record.detail.get("hi_crtf_bed_cnt", "0"))
    if insured > max(record.beds, 0):
        yield Fault("BEDS_BEYOND_APPROVED", f"医保认可床位数多于批准床位{record.beds}张", f"{path}.hi_crtf_bed_cnt",
                    str(insured), "请更正床位数量")
    for name, value in record.detail.items():
        if name.endswith("psncnt") and int(value) < 0:
            yield Fault("NUMBER_NEGATIVE", "人数不能为负", f"{path}.{name}", value, "请更正人数")
