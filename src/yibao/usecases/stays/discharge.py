"""End a stay (2402), take the discharge back (2405), cancel the admission (2404)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime

import asyncpg
import msgspec

from yibao.domains.applications.model import Maternity
from yibao.domains.encounters import operations, stays
from yibao.domains.institutions.staff import find_department
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date, is_midnight
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.stays.admit import overlap_fault
from yibao.usecases.stays.diagnoses import StayDiagnosis, apply_diagnoses, diagnosis_faults, left_without
from yibao.usecases.stays.stay_of import stay_of
from yibao.usecases.stays.undo_admission import refuse_undoing

DIED = "5"
"""``dscg_way``: left by death."""


class DischargeCommand(msgspec.Struct, frozen=True):
    """What an institution says of the end of a stay.

    Attributes:
        way: ``dscg_way``; who leaves against advice is discharged like everybody else.
        died_on: day of death, only with the way that says so.
        maternity: None where the message says nothing of one; what was said at admission then holds.
        detail: fields that are kept for enquiries but decide nothing here.
    """

    psn_no: str
    mdtrt_id: str
    insutype: str
    end_at: datetime
    way: str
    died_on: date | None
    dept_code: str
    dept_name: str
    bed: str
    operation_code: str
    operation_name: str
    maternity: Maternity | None
    detail: Mapping[str, str]
    diagnoses: Sequence[StayDiagnosis]


async def discharge(
    tx: Connection, *, command: DischargeCommand, fixmedins_code: str, now: datetime
) -> Refusal | None:
    """End a stay; its costs can be settled for good from now on, and nothing about it can be changed any more.

    An end that is a plain date (midnight) on the day of admission is kept as the instant of admission: the hour is not
    known, and the stay cannot have ended sooner.
    """
    stay = await stay_of(
        tx, psn_no=command.psn_no, mdtrt_id=command.mdtrt_id, fixmedins_code=fixmedins_code, field="dscginfo.mdtrt_id"
    )
    if isinstance(stay, Refusal):
        return stay
    if stay["state"] != "admitted":
        return refuse("STAY_DISCHARGED", f"已于{business_date(stay['discharged_at'])}办理出院", field="dscginfo.mdtrt_id",
                      received=command.mdtrt_id, remedy="如需更正，请先用2405撤销出院")
    on = business_date(command.end_at)
    if is_midnight(command.end_at) and on == business_date(stay["admitted_at"]):
        command = msgspec.structs.replace(command, end_at=stay["admitted_at"])
    department = await find_department(tx, fixmedins_code, code_or_name=command.dept_code, on=on)
    faults = _faults(command, stay, department, today=business_date(now))
    faults += await _line_faults(tx, command)
    other = await stays.find_overlapping(
        tx, command.psn_no, begin=stay["admitted_at"], end=command.end_at, other_than=command.mdtrt_id
    )
    faults += [overlap_fault(other, "dscginfo.endtime", on)] if other is not None else []
    faults += await diagnosis_faults(
        tx, command.diagnoses, psn_no=command.psn_no, mdtrt_id=command.mdtrt_id, fixmedins_code=fixmedins_code, on=on
    )
    faults += await left_without(tx, command.diagnoses, psn_no=command.psn_no, mdtrt_id=command.mdtrt_id)
    if faults or department is None:
        return Refusal(tuple(faults))
    c = command
    detail = {**msgspec.json.decode(stay["detail"]), **c.detail}
    m = c.maternity
    await stays.end_stay(tx, (
        c.psn_no, c.mdtrt_id, c.end_at, c.way, c.died_on, department["dept_code"],
        c.dept_name or department["name"], c.bed or stay["bed"], c.operation_code or stay["operation_code"],
        c.operation_name or stay["operation_name"], msgspec.json.encode(detail).decode(), now,
    ), maternity=None if m is None else (m.kind, m.pregnancy_months, m.foetuses))
    await apply_diagnoses(tx, c.diagnoses, psn_no=c.psn_no, mdtrt_id=c.mdtrt_id, admdvs=stay["admdvs"])
    return None


def _faults(
    command: DischargeCommand, stay: asyncpg.Record, department: asyncpg.Record | None, *, today: date
) -> list[Fault]:
    faults = []
    on = business_date(command.end_at)
    if command.insutype != stay["insutype"]:
        faults.append(Fault("INSUTYPE_DIFFERS", f"险种类型与入院时（{stay['insutype']}）不一致", "dscginfo.insutype",
                            command.insutype, "请按入院登记的险种办理"))
    if command.end_at < stay["admitted_at"]:
        faults.append(Fault("DISCHARGE_BEFORE_ADMISSION", f"出院时间早于入院时间（{business_date(stay['admitted_at'])}）",
                            "dscginfo.endtime", f"{on}", "请核对出院时间，或用2403更正入院时间"))
    if on > today:
        faults.append(Fault("DISCHARGE_IN_FUTURE", "出院时间晚于今天", "dscginfo.endtime", f"{on}", "请核对出院时间"))
    if department is None:
        faults.append(Fault("DEPARTMENT_NOT_REGISTERED", "科室未在本机构登记", "dscginfo.dscg_dept_codg",
                            command.dept_code, "请用5101查询本机构已登记科室"))
    return faults + _death_faults(command, stay, on)


def _death_faults(command: DischargeCommand, stay: asyncpg.Record, on: date) -> list[Fault]:
    died, faults = command.died_on, []
    if command.way == DIED and died is None:
        faults.append(Fault("DEATH_DATE_MISSING", "离院方式为死亡时必须填写死亡日期", "dscginfo.die_date",
                            remedy="请填写死亡日期"))
    if died is not None and command.way != DIED:
        faults.append(Fault("DEATH_DATE_UNEXPECTED", "填写了死亡日期，但离院方式不是死亡", "dscginfo.dscg_way",
                            command.way, "请核对离院方式（5为死亡）"))
    if died is not None and not business_date(stay["admitted_at"]) <= died <= on:
        faults.append(Fault("DEATH_OUTSIDE_STAY", "死亡日期不在住院期间", "dscginfo.die_date", f"{died}",
                            "死亡日期须在入院之后、不晚于出院日期"))
    return faults


async def _line_faults(tx: Connection, command: DischargeCommand) -> list[Fault]:
    on = business_date(command.end_at)
    lines = await stays.list_stay_lines(tx, psn_no=command.psn_no, mdtrt_id=command.mdtrt_id)
    after = [x["feedetl_sn"] for x in lines if business_date(x["occurred_at"]) > on]
    if not after:
        return []
    return [Fault("LINE_OUTSIDE_STAY", f"有{len(after)}条费用明细发生在出院日期之后，如流水号{after[0]}",
                  "dscginfo.endtime", f"{on}", "请核对出院时间，或先用2302撤销这些明细")]


async def cancel_discharge(
    tx: Connection, *, psn_no: str, mdtrt_id: str, fixmedins_code: str, now: datetime
) -> Refusal | None:
    """Take a discharge back: the stay goes on. Not while its final settlement is in force."""
    stay = await stay_of(tx, psn_no=psn_no, mdtrt_id=mdtrt_id, fixmedins_code=fixmedins_code)
    if isinstance(stay, Refusal):
        return stay
    if stay["state"] != "discharged":
        return refuse("STAY_NOT_DISCHARGED", "尚未办理出院", field="data.mdtrt_id", received=mdtrt_id, remedy="无需撤销")
    if stay["final_id"] is not None:
        return refuse("STAY_SETTLED", f"这次住院已结算（结算ID {stay['final_id']}），不能撤销出院", field="data.mdtrt_id",
                      received=mdtrt_id, remedy="请先用2305撤销结算")
    there = await stays.find_open_stay(tx, psn_no, other_than=mdtrt_id)
    if there is not None:
        return refuse("STAY_OPEN_ELSEWHERE", f"参保人正在{there['name']}住院（就诊ID {there['mdtrt_id']}），不能撤销出院",
                      field="data.mdtrt_id", received=mdtrt_id, remedy="请先由该机构办理出院，或撤销入院登记")
    await stays.reopen_stay(tx, psn_no=psn_no, mdtrt_id=mdtrt_id, now=now)
    return None


async def cancel_admission(
    tx: Connection, *, psn_no: str, mdtrt_id: str, fixmedins_code: str
) -> Refusal | None:
    """Cancel an admission that has no fee lines and no discharge."""
    stay = await stay_of(tx, psn_no=psn_no, mdtrt_id=mdtrt_id, fixmedins_code=fixmedins_code)
    if isinstance(stay, Refusal):
        return stay
    refusal = await refuse_undoing(tx, stay, field="data.mdtrt_id", received=mdtrt_id)
    if refusal is None:
        await operations.cancel_encounter(tx, psn_no=psn_no, mdtrt_id=mdtrt_id)
    return refusal


