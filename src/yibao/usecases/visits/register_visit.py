"""Register a visit (挂号), and cancel a registration that nothing hangs on."""

from __future__ import annotations

from datetime import datetime

import asyncpg
import msgspec

from yibao.domains.encounters import operations, queries, stays
from yibao.domains.encounters.model import Encounter
from yibao.domains.encounters.visit_classes import visit_classes
from yibao.domains.enrolment.queries import find_relation
from yibao.domains.institutions.model import Institution
from yibao.domains.institutions.staff import find_department, registered_practitioners
from yibao.domains.people.queries import find_person
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.episodes.without_patient import without_patient
from yibao.usecases.visits.arriving import Arrival, arrival_faults


class RegisterCommand(msgspec.Struct, frozen=True):
    """What an institution sends to register a visit."""

    psn_no: str
    insutype: str
    begin_at: datetime
    cert_type: str
    cert_no: str
    visit_no: str
    doctor_code: str
    doctor_name: str
    dept_code: str
    dept_name: str
    caty: str
    insured_place: str
    opter: str
    opter_name: str


async def register_visit(
    tx: Connection, *, command: RegisterCommand, institution: Institution, mdtrt_id: str, now: datetime
) -> Encounter | Refusal:
    """Register a visit of an enrolled person at the sending institution, or refuse with every fault."""
    person = await find_person(tx, command.psn_no)
    if person is None:
        return refuse("PERSON_NOT_FOUND", "没有该人员编号的参保人", field="data.psn_no", received=command.psn_no,
                      remedy="请用1101查询人员编号")
    on = business_date(command.begin_at)
    relation = await find_relation(tx, command.psn_no, insutype=command.insutype, on=on)
    arrival = Arrival(
        command.psn_no, command.insutype, on, command.cert_type, command.cert_no, command.insured_place
    )
    death = await stays.find_death(tx, command.psn_no, before=on)
    faults = await without_patient(
        tx, arrival_faults(person, relation, arrival, institution, death=death, today=business_date(now)),
        psn_no=command.psn_no, fixmedins_code=institution.fixmedins_code, kind="outpatient", visit_no=command.visit_no,
        cert_type=command.cert_type, cert_no=command.cert_no,
    )
    department = await find_department(tx, institution.fixmedins_code, code_or_name=command.dept_code, on=on)
    if department is None:
        faults.append(Fault("DEPARTMENT_NOT_REGISTERED", "科室未在本机构登记", "data.dept_code", command.dept_code,
                            "请用5101查询本机构已登记科室"))
    doctors = await registered_practitioners(tx, institution.fixmedins_code, codes=[command.doctor_code], on=on)
    if not doctors:
        faults.append(Fault("DOCTOR_NOT_REGISTERED", "医师就诊当日未在本机构登记", "data.atddr_no",
                            command.doctor_code, "请用5102查询本机构已登记医师"))
    taken = await queries.find_by_visit_no(
        tx, fixmedins_code=institution.fixmedins_code, visit_no=command.visit_no
    )
    if taken is not None:
        faults.append(Fault("VISIT_NUMBER_TAKEN", f"住院/门诊号已用于就诊{taken}", "data.ipt_otp_no",
                            command.visit_no, "住院/门诊号在机构内不能重复"))
    if faults or relation is None or department is None:
        return Refusal(tuple(faults))
    encounter = Encounter(
        psn_no=command.psn_no, mdtrt_id=mdtrt_id, admdvs=relation["admdvs"], care_admdvs=institution.region,
        fixmedins_code=institution.fixmedins_code, insutype=command.insutype, psn_type=relation["psn_type"],
        ipt_otp_no=command.visit_no, med_type="", begin_at=command.begin_at, cert_type=command.cert_type,
        cert_digest=sm3(command.cert_no.encode()), atddr_no=command.doctor_code, dr_name=command.doctor_name,
        dept_code=department["dept_code"], dept_name=command.dept_name or department["name"], caty=command.caty,
        disease_code="", disease_name="", condition="", state="registered", opter=command.opter,
        opter_name=command.opter_name, registered_at=now,
    )
    await operations.add_encounter(tx, encounter)
    return encounter


async def cancel_registration(
    tx: Connection, *, psn_no: str, mdtrt_id: str, visit_no: str, fixmedins_code: str
) -> Refusal | None:
    """Cancel a registration that has no settlement and no fee lines any more."""
    encounter = await queries.find_encounter(tx, psn_no=psn_no, mdtrt_id=mdtrt_id, lock=True)
    refusal = refuse_foreign(encounter, mdtrt_id=mdtrt_id, fixmedins_code=fixmedins_code)
    if refusal is not None or encounter is None:
        return refusal
    if encounter["ipt_otp_no"] != visit_no:
        return refuse("VISIT_NUMBER_DIFFERS", "住院/门诊号与挂号时不一致", field="data.ipt_otp_no",
                      received=visit_no, remedy="请核对门诊号")
    if await tx.fetchval(queries.COUNT_LINES, psn_no, mdtrt_id):
        return refuse("FEE_LINES_LEFT", "这次就诊还有费用明细，不能撤销挂号", field="data.mdtrt_id",
                      received=mdtrt_id, remedy="已结算的请先用2208撤销结算，再用2205撤销明细")
    await operations.cancel_encounter(tx, psn_no=psn_no, mdtrt_id=mdtrt_id)
    return None


def refuse_foreign(
    encounter: asyncpg.Record | None, *, mdtrt_id: str, fixmedins_code: str, field: str = "data.mdtrt_id"
) -> Refusal | None:
    """Refuse what is no visit of the institution: unknown, elsewhere, cancelled, a stay, a sale.

    ``field`` is where the encounter's id stands in the message.
    """
    if encounter is None:
        return refuse("ENCOUNTER_NOT_FOUND", "没有该参保人的这次就诊", field=field, received=mdtrt_id,
                      remedy="请核对人员编号与就诊ID是否来自同一次2201挂号")
    if encounter["fixmedins_code"] != fixmedins_code:
        return refuse("ENCOUNTER_ELSEWHERE", "这次就诊不是在本机构登记的", field=field,
                      received=mdtrt_id, remedy="请由登记该就诊的机构办理")
    if encounter["state"] == "cancelled":
        return refuse("ENCOUNTER_CANCELLED", "这次就诊的挂号已撤销", field=field, received=mdtrt_id,
                      remedy="请重新挂号")
    if encounter["state"] in ("admitted", "discharged"):
        return refuse("NOT_A_VISIT", "这是一次住院，不是门诊就诊", field=field, received=mdtrt_id,
                      remedy="住院请用2301—2305、2401—2405办理")
    if encounter["med_type"] in visit_classes().pharmacy:
        return refuse("NOT_A_VISIT", "这是一笔药店购药，不是门诊就诊", field=field, received=mdtrt_id,
                      remedy="购药请用2101、2102结算，用2103撤销")
    return None
