"""Admit somebody to hospital (2401), and change what was said at admission while the stay is open (2403)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

import asyncpg
import msgspec

from yibao.domains.applications.model import Maternity
from yibao.domains.catalogue.queries import diagnosis_exists
from yibao.domains.encounters import queries, stays
from yibao.domains.encounters.model import Encounter
from yibao.domains.encounters.visit_classes import STAY, class_faults
from yibao.domains.enrolment.queries import find_relation
from yibao.domains.institutions.model import HOSPITAL, Institution
from yibao.domains.institutions.staff import find_department, registered_practitioners
from yibao.domains.people.queries import find_person
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.episodes.without_patient import without_patient
from yibao.usecases.filings.trauma import trauma_of
from yibao.usecases.stays.diagnoses import (
    StayDiagnosis,
    apply_diagnoses,
    diagnosis_faults,
    kept,
    left_without,
)
from yibao.usecases.stays.stay_of import refuse_discharged, stay_of
from yibao.usecases.visits.arriving import Arrival, arrival_faults, death_fault

_AN_INSTANT = timedelta(microseconds=1)


class StayCommand(msgspec.Struct, frozen=True):
    """What an institution says of a stay, at admission (``mdtrtinfo``) or in a change (``adminfo``).

    Attributes:
        dept_code: code of the department; some clients send its name.
        detail: fields that are kept for enquiries but decide nothing here.
        med_type_text: Chinese name of the visit class.
        node: node of the message, for the faults.
    """

    psn_no: str
    begin_at: datetime
    cert_type: str
    cert_no: str
    med_type: str
    med_type_text: str
    visit_no: str
    doctor_code: str
    doctor_name: str
    dept_code: str
    dept_name: str
    bed: str
    diagnosis_code: str
    diagnosis_name: str
    condition: str
    disease_code: str
    disease_name: str
    operation_code: str
    operation_name: str
    maternity: Maternity
    exp_content: str
    detail: Mapping[str, str]
    diagnoses: Sequence[StayDiagnosis]
    node: str
    insutype: str = ""
    insured_place: str = ""
    opter: str = ""
    opter_name: str = ""


async def admit(
    tx: Connection, *, command: StayCommand, institution: Institution, mdtrt_id: str, now: datetime
) -> Encounter | Refusal:
    """Admit an enrolled person to the sending hospital, or refuse with every fault."""
    if institution.kind != HOSPITAL:
        return refuse("NOT_A_HOSPITAL", "药店不能办理入院登记", field=f"{command.node}.med_type",
                      received=command.med_type, remedy="请由定点医疗机构办理")
    await stays.lock_person(tx, command.psn_no)
    person = await find_person(tx, command.psn_no)
    if person is None:
        return refuse("PERSON_NOT_FOUND", "没有该人员编号的参保人", field=f"{command.node}.psn_no",
                      received=command.psn_no, remedy="请用1101查询人员编号")
    on = business_date(command.begin_at)
    relation = await find_relation(tx, command.psn_no, insutype=command.insutype, on=on)
    arrival = Arrival(command.psn_no, command.insutype, on, command.cert_type, command.cert_no, command.insured_place,
                      command.node)
    death = await stays.find_death(tx, command.psn_no, before=on)
    faults = await without_patient(
        tx, arrival_faults(person, relation, arrival, institution, death=death, today=business_date(now)),
        psn_no=command.psn_no, fixmedins_code=institution.fixmedins_code, kind="stay", visit_no=command.visit_no,
        cert_type=command.cert_type, cert_no=command.cert_no,
    )
    department = await find_department(tx, institution.fixmedins_code, code_or_name=command.dept_code, on=on)
    faults += await _faults(tx, command, department, institution=institution, mdtrt_id="")
    faults += await _place_faults(tx, command, mdtrt_id="")
    if not any(d.is_valid for d in command.diagnoses):
        faults.append(Fault("DIAGNOSIS_MISSING", "没有有效的诊断", "diseinfo", remedy="请至少上传一条有效诊断"))
    if faults or relation is None or department is None:
        return Refusal(tuple(faults))
    encounter = _encounter(command, relation, department, institution, mdtrt_id=mdtrt_id, now=now)
    await stays.add_stay(
        tx, encounter, _stay(command, encounter, now=now),
        kept(command.diagnoses, mdtrt_id=mdtrt_id, admdvs=encounter.admdvs),
    )
    return encounter


async def change_stay(
    tx: Connection, *, command: StayCommand, mdtrt_id: str, institution: Institution, now: datetime
) -> Refusal | None:
    """Put what is said now in place of what was said at admission; diagnoses by ordinal.

    While a part of the stay is settled, what the settlement rests on stays: class, day of admission.
    """
    stay = await stay_of(
        tx, psn_no=command.psn_no, mdtrt_id=mdtrt_id, fixmedins_code=institution.fixmedins_code,
        field=f"{command.node}.mdtrt_id",
    )
    if isinstance(stay, Refusal):
        return stay
    refusal = refuse_discharged(stay, "修改入院信息", field=f"{command.node}.mdtrt_id")
    if refusal is not None:
        return refusal
    on = business_date(command.begin_at)
    department = await find_department(tx, institution.fixmedins_code, code_or_name=command.dept_code, on=on)
    faults = await _faults(tx, command, department, institution=institution, mdtrt_id=mdtrt_id)
    faults += _time_faults(command, today=business_date(now))
    death = await stays.find_death(tx, command.psn_no, before=on)
    faults += [death_fault(death, f"{command.node}.begntime", f"{on}")] if death is not None else []
    faults += await _place_faults(tx, command, mdtrt_id=mdtrt_id)
    faults += _settled_faults(command, stay)
    faults += await _line_faults(tx, command, mdtrt_id=mdtrt_id)
    faults += await left_without(tx, command.diagnoses, psn_no=command.psn_no, mdtrt_id=mdtrt_id)
    if faults or department is None:
        return Refusal(tuple(faults))
    c = command
    await stays.change_admission(tx, (
        c.psn_no, mdtrt_id, c.visit_no, c.med_type, c.begin_at, c.cert_type, c.doctor_code,
        c.doctor_name, department["dept_code"], c.dept_name or department["name"], department["caty"], c.disease_code,
        c.disease_name, c.condition, c.maternity.kind, c.maternity.pregnancy_months, c.maternity.foetuses, c.exp_content,
    ), (
        c.psn_no, mdtrt_id, c.begin_at, c.diagnosis_code, c.diagnosis_name, department["dept_code"],
        c.dept_name or department["name"], c.bed, c.operation_code, c.operation_name,
        msgspec.json.encode(c.detail).decode(), now,
    ))
    await apply_diagnoses(tx, c.diagnoses, psn_no=c.psn_no, mdtrt_id=mdtrt_id, admdvs=stay["admdvs"])
    return None


async def _faults(
    tx: Connection, command: StayCommand, department: asyncpg.Record | None, *, institution: Institution, mdtrt_id: str
) -> list[Fault]:
    """Return what is wrong with class, department, doctor, number, codes and flags."""
    node, on = command.node, business_date(command.begin_at)
    faults = class_faults(command.med_type, kind=STAY, name=command.med_type_text, field=f"{node}.med_type")
    if department is None:
        faults.append(Fault("DEPARTMENT_NOT_REGISTERED", "科室未在本机构登记", f"{node}.adm_dept_codg",
                            command.dept_code, "请用5101查询本机构已登记科室"))
    if not await registered_practitioners(tx, institution.fixmedins_code, codes=[command.doctor_code], on=on):
        faults.append(Fault("DOCTOR_NOT_REGISTERED", "医师入院当日未在本机构登记", f"{node}.atddr_no",
                            command.doctor_code, "请用5102查询本机构已登记医师"))
    taken = await queries.find_by_visit_no(
        tx, fixmedins_code=institution.fixmedins_code, visit_no=command.visit_no
    )
    if taken not in (None, mdtrt_id):
        name = "ipt_no" if node == "mdtrtinfo" else "ipt_otp_no"
        faults.append(Fault("VISIT_NUMBER_TAKEN", f"住院/门诊号已用于就诊{taken}", f"{node}.{name}", command.visit_no,
                            "住院/门诊号在机构内不能重复"))
    if not await diagnosis_exists(tx, codes=[command.diagnosis_code], on=on):
        faults.append(Fault("DIAGNOSIS_UNKNOWN", "诊断代码不在入院日的医保疾病诊断目录中", f"{node}.dscg_maindiag_code",
                            command.diagnosis_code, "请使用医保版ICD-10代码（1307目录）"))
    trauma = trauma_of(command.exp_content)
    faults += trauma.faults if isinstance(trauma, Refusal) else ()
    faults += await diagnosis_faults(
        tx, command.diagnoses, psn_no=command.psn_no, mdtrt_id=mdtrt_id, fixmedins_code=institution.fixmedins_code, on=on
    )
    return faults


async def _place_faults(tx: Connection, command: StayCommand, *, mdtrt_id: str) -> list[Fault]:
    """Return whether the person lies somewhere else, now or at the time of admission.

    A stay that is entered late may have ended before a later one began: its discharge says. So it does where days are
    compared, because a time is a plain date (midnight), and both stays begin on one day.
    """
    node = command.node
    there = await stays.find_open_stay(tx, command.psn_no, other_than=mdtrt_id)
    if there is not None:
        since = business_date(there["begin_at"])
        return [Fault("STAY_OPEN_ELSEWHERE",
                      f"参保人{since}起正在{there['name']}住院（就诊ID {there['mdtrt_id']}），尚未出院",
                      f"{node}.psn_no", command.psn_no, "请先由该机构办理出院，或撤销入院登记")]
    other = await stays.find_overlapping(
        tx, command.psn_no, begin=command.begin_at, end=command.begin_at + _AN_INSTANT, other_than=mdtrt_id
    )
    return [] if other is None else [overlap_fault(other, f"{node}.begntime", business_date(command.begin_at))]


def overlap_fault(other: asyncpg.Record, field: str, said: date) -> Fault:
    """Return the fault of a day that lies in another stay of the person."""
    return Fault(
        "STAY_OVERLAPS",
        f"与参保人在{other['name']}的住院（就诊ID {other['mdtrt_id']}，{business_date(other['admitted_at'])}至"
        f"{business_date(other['discharged_at'])}）时间重叠", field, f"{said}", "请核对入院、出院时间",
    )


def _time_faults(command: StayCommand, *, today: date) -> list[Fault]:
    on = business_date(command.begin_at)
    if on <= today:
        return []
    return [Fault("VISIT_IN_FUTURE", "入院时间晚于今天", f"{command.node}.begntime", f"{on}", "请核对入院时间")]


def _settled_faults(command: StayCommand, stay: asyncpg.Record) -> list[Fault]:
    if not stay["covered"]:
        return []
    faults = []
    for said, held, field, label in (
        (command.med_type, stay["med_type"], "med_type", "医疗类别"),
        (business_date(command.begin_at), business_date(stay["admitted_at"]), "begntime", "入院日期"),
    ):
        if said != held:
            faults.append(Fault("PARTLY_SETTLED", f"这次住院已有中途结算，{label}（{held}）不能修改",
                                f"{command.node}.{field}", f"{said}", "如需修改，请先用2305撤销结算"))
    return faults


async def _line_faults(tx: Connection, command: StayCommand, *, mdtrt_id: str) -> list[Fault]:
    lines = await stays.list_stay_lines(tx, psn_no=command.psn_no, mdtrt_id=mdtrt_id)
    on = business_date(command.begin_at)
    before = [x["feedetl_sn"] for x in lines if business_date(x["occurred_at"]) < on]
    if not before:
        return []
    return [Fault("LINE_OUTSIDE_STAY", f"有{len(before)}条费用明细发生在该入院日期之前，如流水号{before[0]}",
                  f"{command.node}.begntime", f"{on}", "请核对入院时间，或先用2302撤销这些明细")]


def _encounter(
    command: StayCommand, relation: asyncpg.Record, department: asyncpg.Record, institution: Institution, *,
    mdtrt_id: str, now: datetime,
) -> Encounter:
    c = command
    return Encounter(
        psn_no=c.psn_no, mdtrt_id=mdtrt_id, admdvs=relation["admdvs"], care_admdvs=institution.region,
        fixmedins_code=institution.fixmedins_code, insutype=c.insutype, psn_type=relation["psn_type"],
        ipt_otp_no=c.visit_no, med_type=c.med_type, begin_at=c.begin_at, cert_type=c.cert_type,
        cert_digest=sm3(c.cert_no.encode()), atddr_no=c.doctor_code, dr_name=c.doctor_name,
        dept_code=department["dept_code"], dept_name=c.dept_name or department["name"], caty=department["caty"],
        disease_code=c.disease_code, disease_name=c.disease_name, condition=c.condition, state="admitted", opter=c.opter,
        opter_name=c.opter_name, registered_at=now, maternity=c.maternity.kind,
        pregnancy_months=c.maternity.pregnancy_months, foetuses=c.maternity.foetuses, exp_content=c.exp_content,
    )


def _stay(command: StayCommand, e: Encounter, *, now: datetime) -> stays.Stay:
    c = command
    return stays.Stay(
        psn_no=e.psn_no, mdtrt_id=e.mdtrt_id, admdvs=e.admdvs, fixmedins_code=e.fixmedins_code, open_period=1,
        admitted_at=c.begin_at, discharged_at=None, discharge_way="", died_on=None, diagnosis_code=c.diagnosis_code,
        diagnosis_name=c.diagnosis_name, dept_code=e.dept_code, dept_name=e.dept_name, bed=c.bed,
        operation_code=c.operation_code, operation_name=c.operation_name,
        detail=msgspec.json.encode(c.detail).decode(), changed_at=now,
    )
