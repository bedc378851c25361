"""Register a visit (挂号), and cancel a registration that nothing hangs on."""

from __future__ import annotations

from datetime import datetime

import asyncpg
import msgspec

from yibao.domains.encounters import operations, queries
from yibao.domains.encounters.model import Encounter
from yibao.domains.enrolment.queries import find_relation
from yibao.domains.institutions.model import Institution
from yibao.domains.institutions.staff import find_department, registered_practitioners
from yibao.domains.people.queries import find_person
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.business_time import business_date
from yibao.kernel.identity_number import mask
from yibao.kernel.refusal import Fault, Refusal, refuse

IDENTITY_CARD, SOCIAL_CARD = "02", "03"


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
    faults = _person_faults(person, relation, command, institution, on=business_date(now))
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


def _person_faults(
    person: asyncpg.Record, relation: asyncpg.Record | None, command: RegisterCommand,
    institution: Institution, *, on: object,
) -> list[Fault]:
    faults = []
    visit_on = business_date(command.begin_at)
    if visit_on > on:  # type: ignore[operator]
        faults.append(Fault("VISIT_IN_FUTURE", "就诊时间晚于今天", "data.begntime", f"{visit_on}",
                            "请核对挂号时间"))
    if person["died_on"] is not None and person["died_on"] <= visit_on:
        faults.append(Fault("PERSON_DEAD", f"参保人已于{person['died_on']}死亡", "data.psn_no", command.psn_no,
                            "请核对就诊人身份"))
    shown = {IDENTITY_CARD: person["certno"], SOCIAL_CARD: person["card_no"]}.get(command.cert_type)
    if command.cert_type not in (IDENTITY_CARD, SOCIAL_CARD):
        faults.append(Fault("CREDENTIAL_NOT_OFFERED", "该就诊凭证类型尚未开通", "data.mdtrt_cert_type",
                            command.cert_type, "请使用02居民身份证或03社会保障卡"))
    elif shown is None or shown.upper() != command.cert_no.upper():
        faults.append(Fault("CREDENTIAL_DIFFERS", "就诊凭证不是该参保人的", "data.mdtrt_cert_no",
                            mask(command.cert_no), "请核对凭证编号与人员编号"))
    if relation is None:
        faults.append(Fault("NOT_ENROLLED", "参保人没有该险种的参保关系", "data.insutype", command.insutype,
                            "请用1101查询参保险种"))
        return faults
    if command.insured_place and command.insured_place[:4] != relation["admdvs"][:4]:
        faults.append(Fault("INSURED_PLACE_DIFFERS", f"参保人的参保地是{relation['admdvs']}", "insuplc_admdvs",
                            command.insured_place, "请按1101返回的参保地医保区划填写"))
    if relation["admdvs"] != institution.region:
        faults.append(Fault("REMOTE_CARE_NOT_OFFERED",
                            f"参保人参保地是{relation['admdvs']}，不属本机构所在统筹区{institution.region}，"
                            "异地就医直接结算尚未开通", "data.psn_no", command.psn_no,
                            "请自费结算后回参保地手工报销"))
    return faults


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
    encounter: asyncpg.Record | None, *, mdtrt_id: str, fixmedins_code: str
) -> Refusal | None:
    """Refuse an encounter that does not exist, is cancelled, or belongs to another institution."""
    if encounter is None:
        return refuse("ENCOUNTER_NOT_FOUND", "没有该参保人的这次就诊", field="data.mdtrt_id", received=mdtrt_id,
                      remedy="请核对人员编号与就诊ID是否来自同一次2201挂号")
    if encounter["fixmedins_code"] != fixmedins_code:
        return refuse("ENCOUNTER_ELSEWHERE", "这次就诊不是在本机构登记的", field="data.mdtrt_id",
                      received=mdtrt_id, remedy="请由登记该就诊的机构办理")
    if encounter["state"] == "cancelled":
        return refuse("ENCOUNTER_CANCELLED", "这次就诊的挂号已撤销", field="data.mdtrt_id", received=mdtrt_id,
                      remedy="请重新挂号")
    return None
