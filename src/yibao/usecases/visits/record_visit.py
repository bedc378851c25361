"""Record a visit: visit class, disease, diagnoses (2203, 2203A)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.applications.model import Maternity
from yibao.domains.applications.queries import list_chronic_recognitions
from yibao.domains.catalogue.queries import diagnosis_exists
from yibao.domains.encounters import operations, queries, stays
from yibao.domains.encounters.model import Diagnosis
from yibao.domains.encounters.visit_classes import OUTPATIENT, class_faults, visit_classes
from yibao.domains.institutions.staff import registered_practitioners
from yibao.domains.settlements.queries import list_active
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.filings.trauma import trauma_of
from yibao.usecases.visits.arriving import death_fault
from yibao.usecases.visits.register_visit import refuse_foreign


class DiagnosisInput(msgspec.Struct, frozen=True):
    """A diagnosis as the institution sends it."""

    kind: str
    ordinal: int
    code: str
    name: str
    dept: str
    doctor_code: str
    doctor_name: str
    at: datetime
    is_main: bool


class VisitCommand(msgspec.Struct, frozen=True):
    """The visit's data."""

    psn_no: str
    mdtrt_id: str
    med_type: str
    begin_at: datetime
    disease_code: str
    disease_name: str
    condition: str
    diagnoses: Sequence[DiagnosisInput]
    maternity: Maternity = Maternity()
    exp_content: str = ""


async def record_visit(
    tx: Connection, *, command: VisitCommand, fixmedins_code: str, med_type_text: str, now: datetime
) -> Refusal | None:
    """Record the visit; a later record replaces an earlier one until something is settled."""
    encounter = await queries.find_encounter(tx, psn_no=command.psn_no, mdtrt_id=command.mdtrt_id, lock=True)
    refusal = refuse_foreign(encounter, mdtrt_id=command.mdtrt_id, fixmedins_code=fixmedins_code)
    if refusal is not None or encounter is None:
        return refusal
    if await list_active(tx, psn_no=command.psn_no, mdtrt_id=command.mdtrt_id):
        return refuse("ALREADY_SETTLED", "这次就诊已有结算，不能修改就诊信息", field="mdtrtinfo.mdtrt_id",
                      received=command.mdtrt_id, remedy="如需修改，请先用2208撤销结算")
    faults = _visit_faults(command, med_type_text=med_type_text, today=business_date(now))
    on = business_date(command.begin_at)
    death = await stays.find_death(tx, command.psn_no, before=on)
    faults += [death_fault(death, "mdtrtinfo.begntime", f"{on}")] if death is not None else []
    trauma = trauma_of(command.exp_content)
    faults += trauma.faults if isinstance(trauma, Refusal) else ()
    faults += await _class_change_faults(tx, command, kept=encounter["med_type"])
    faults += await _disease_faults(tx, command)
    faults += await _diagnosis_faults(tx, command, fixmedins_code=fixmedins_code)
    if faults:
        return Refusal(tuple(faults))
    await operations.record_visit(
        tx, psn_no=command.psn_no, mdtrt_id=command.mdtrt_id, med_type=command.med_type, begin_at=command.begin_at,
        disease_code=command.disease_code, disease_name=command.disease_name, condition=command.condition,
        maternity=command.maternity.kind, pregnancy_months=command.maternity.pregnancy_months,
        foetuses=command.maternity.foetuses, exp_content=command.exp_content,
        diagnoses=[
            Diagnosis(command.psn_no, command.mdtrt_id, d.ordinal, encounter["admdvs"], d.kind, d.code, d.name,
                      d.is_main, d.dept, d.doctor_code, d.doctor_name, d.at)
            for d in command.diagnoses
        ],
    )
    return None


def _visit_faults(
    command: VisitCommand, *, med_type_text: str, today: date
) -> list[Fault]:
    faults = class_faults(command.med_type, kind=OUTPATIENT, name=med_type_text, field="mdtrtinfo.med_type")
    if business_date(command.begin_at) > today:
        faults.append(Fault("VISIT_IN_FUTURE", "就诊时间晚于今天", "mdtrtinfo.begntime",
                            f"{business_date(command.begin_at)}", "请核对就诊时间"))
    if not command.diagnoses:
        faults.append(Fault("DIAGNOSIS_MISSING", "没有有效的诊断", "diseinfo", remedy="请至少上传一条有效诊断"))
    ordinals = [d.ordinal for d in command.diagnoses]
    if len(set(ordinals)) != len(ordinals):
        faults.append(Fault("DIAGNOSIS_ORDER", "诊断排序号重复", "diseinfo.diag_srt_no",
                            remedy="每条诊断的排序号须不同"))
    return faults


async def _class_change_faults(tx: Connection, command: VisitCommand, *, kept: str) -> list[Fault]:
    """Refuse another visit class under lines whose first-pay the law may have taken from the earlier one."""
    if kept in ("", command.med_type) or not await tx.fetchval(queries.HAS_GROUPED_LINES, command.psn_no, command.mdtrt_id):
        return []
    return [Fault("LINES_UPLOADED", f"已按医疗类别{kept}上传谈判药品明细，不能改变医疗类别", "mdtrtinfo.med_type",
                  command.med_type, "请先用2205撤销明细，再修改就诊信息")]


async def _disease_faults(tx: Connection, command: VisitCommand) -> list[Fault]:
    if command.med_type not in visit_classes().needs_recognition:
        return []
    if not command.disease_code:
        name = visit_classes().outpatient[command.med_type]
        return [Fault("DISEASE_MISSING", f"{name}就诊必须有病种编码", "mdtrtinfo.dise_codg", remedy="请填写5301返回的病种编码")]
    on = business_date(command.begin_at)
    rows = await list_chronic_recognitions(tx, command.psn_no, on=on)
    if any(r["disease_code"] == command.disease_code and r["valid_from"] <= on for r in rows):
        return []
    return [Fault("DISEASE_NOT_RECOGNISED", "参保人没有该病种的有效慢特病认定", "mdtrtinfo.dise_codg",
                  command.disease_code, "请用5301查询已认定病种，或先办理认定")]


async def _diagnosis_faults(tx: Connection, command: VisitCommand, *, fixmedins_code: str) -> list[Fault]:
    on = business_date(command.begin_at)
    known = await diagnosis_exists(tx, codes=[d.code for d in command.diagnoses], on=on)
    doctors = await registered_practitioners(
        tx, fixmedins_code, codes=[d.doctor_code for d in command.diagnoses], on=on
    )
    faults = []
    for i, d in enumerate(command.diagnoses):
        if d.code not in known:
            faults.append(Fault("DIAGNOSIS_UNKNOWN", "诊断代码不在就诊日的医保疾病诊断目录中",
                                f"diseinfo[{i}].diag_code", d.code, "请使用医保版ICD-10代码（1307目录）"))
        if d.doctor_code not in doctors:
            faults.append(Fault("DOCTOR_NOT_REGISTERED", "诊断医生就诊当日未在本机构登记",
                                f"diseinfo[{i}].dise_dor_no", d.doctor_code, "请用5102查询本机构已登记医师"))
    return faults
