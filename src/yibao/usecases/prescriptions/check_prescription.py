"""Check a prescription before it is signed (7101): who, where, by whom, which drugs; it is not in force yet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import asyncpg
import msgspec

from yibao.domains.catalogue.model import ItemTerm
from yibao.domains.catalogue.queries import diagnosis_exists, terms_for
from yibao.domains.dispensing import prescriptions_operations as operations
from yibao.domains.dispensing import prescriptions_queries as queries
from yibao.domains.dispensing.prescriptions_model import CHECKED, Prescription, PrescriptionLine
from yibao.domains.encounters.queries import find_encounter
from yibao.domains.institutions.model import HOSPITAL, Institution
from yibao.domains.institutions.staff import registered_practitioners
from yibao.domains.people.queries import find_person
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date, to_wire
from yibao.kernel.identity_number import mask
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.visits.register_visit import refuse_foreign

DRUGS = frozenset({"101", "102", "103", "104", "106"})
"""Kinds of list whose items a pharmacist dispenses."""
DRUGS_MAX = 50
QUANTITY_E4_MAX = 1_000_000 * 10_000
"""More than a million units of one drug is a slip of the keyboard."""


class PrescribedDrug(msgspec.Struct, frozen=True):
    """A drug as the hospital writes it: quantity of one use in ten-thousandths of the unit it is dispensed in."""

    item_code: str
    quantity_e4: int
    is_approved: bool


class PrescriptionCommand(msgspec.Struct, frozen=True):
    """A prescription as the hospital sends it.

    Attributes:
        uses_max, interval_days: how often it may be used, and days between two uses; 1 and 0 for once.
        document: JSON of everything that was sent.
    """

    psn_no: str
    mdtrt_id: str
    name: str
    cert_type: str
    certno: str
    hosp_rxno: str
    is_continued: bool
    init_rxno: str
    attribute: str
    prescribed_at: datetime
    valid_until: datetime
    uses_max: int
    interval_days: int
    doctor_code: str
    diagnosis_codes: Sequence[str]
    drugs: Sequence[PrescribedDrug]
    document: str


async def check_prescription(
    tx: Connection, *, command: PrescriptionCommand, institution: Institution, hi_rxno: str, trace_code: str,
    now: datetime,
) -> Prescription | Refusal:
    """Keep a prescription that may be signed and uploaded, or refuse it with every fault."""
    if institution.kind != HOSPITAL:
        return refuse("PRESCRIBER_NOT_A_HOSPITAL", "药店不能开具电子处方", field="mdtrtinfo.fixmedinsCode",
                      received=institution.fixmedins_code, remedy="请由定点医疗机构开方")
    encounter = await find_encounter(tx, psn_no=command.psn_no, mdtrt_id=command.mdtrt_id, lock=True)
    refusal = refuse_foreign(
        encounter, mdtrt_id=command.mdtrt_id, fixmedins_code=institution.fixmedins_code, field="mdtrtinfo.mdtrtId"
    )
    if refusal is not None or encounter is None:
        return refusal or refuse("ENCOUNTER_NOT_FOUND", "没有这次就诊")
    on = business_date(command.prescribed_at)
    terms = await terms_for(
        tx, admdvs=encounter["admdvs"], codes=[d.item_code for d in command.drugs], on=on, level=institution.level
    )
    faults = patient_faults(
        await find_person(tx, command.psn_no), name=command.name, cert_type=command.cert_type, certno=command.certno,
        node="mdtrtinfo",
    )
    faults += _period_faults(command, now=now)
    faults += await _register_faults(tx, command, institution, hi_rxno=hi_rxno)
    faults += _drug_faults(command.drugs, terms, on=f"{on}")
    if faults:
        return Refusal(tuple(faults))
    prescription = Prescription(
        psn_no=command.psn_no, hi_rxno=hi_rxno, admdvs=encounter["admdvs"], trace_code=trace_code,
        fixmedins_code=institution.fixmedins_code, mdtrt_id=command.mdtrt_id, hosp_rxno=command.hosp_rxno,
        attribute=command.attribute, prescribed_at=command.prescribed_at, valid_until=command.valid_until,
        uses_max=command.uses_max, interval_days=command.interval_days, state=CHECKED, checked_at=now,
        uploaded_at=None, cancelled_at=None, sign_value=None, file_digest=None, file=None, document=command.document,
    )
    await operations.add_prescription(tx, prescription, [
        PrescriptionLine(command.psn_no, hi_rxno, d.item_code, encounter["admdvs"], n, d.quantity_e4,
                         d.quantity_e4 * command.uses_max, 0, d.is_approved)
        for n, d in enumerate(command.drugs, 1)
    ])
    return prescription


def patient_faults(
    person: asyncpg.Record | None, *, name: str, cert_type: str, certno: str, node: str, name_field: str = "patnName"
) -> list[Fault]:
    """Return where a name or document is not the patient's; what was left out is not compared."""
    if person is None:
        return [Fault("PERSON_NOT_FOUND", "没有该参保人", f"{node}.psnNo", remedy="请用1101查询人员编号")]
    faults = []
    if name and name != person["name"]:
        faults.append(Fault("PATIENT_DIFFERS", "姓名不是该参保人的", f"{node}.{name_field}", remedy="请核对就诊人"))
    if certno and certno.upper() != person["certno"].upper():
        faults.append(Fault("PATIENT_DIFFERS", "证件号码不是该参保人的", f"{node}.certno", mask(certno), "请核对就诊人"))
    if certno and cert_type and cert_type != person["cert_type"]:
        faults.append(Fault("PATIENT_DIFFERS", "证件类型与参保登记不一致", f"{node}.psnCertType", cert_type,
                            "请核对证件类型"))
    return faults


def _period_faults(command: PrescriptionCommand, *, now: datetime) -> list[Fault]:
    faults = []
    if command.prescribed_at > now:
        faults.append(Fault("PRESCRIBED_IN_FUTURE", "开方时间晚于现在", "data.prscTime", to_wire(command.prescribed_at),
                            "请核对开方时间"))
    if command.valid_until <= command.prescribed_at:
        faults.append(Fault("PRESCRIPTION_PERIOD", "有效截止时间不晚于开方时间", "data.valiEndTime",
                            to_wire(command.valid_until), "请核对处方有效期"))
    elif command.valid_until < now:
        faults.append(Fault("PRESCRIPTION_EXPIRED", "处方已过有效截止时间", "data.valiEndTime",
                            to_wire(command.valid_until), "请重新开方"))
    if command.uses_max < 1 or command.interval_days < 0:
        faults.append(Fault("PRESCRIPTION_USES", "最大使用次数须为正数，间隔天数不能为负", "data.maxReptCnt",
                            f"{command.uses_max}/{command.interval_days}", "请核对复用次数和间隔"))
    if command.is_continued and not command.init_rxno:
        faults.append(Fault("CONTINUED_FROM_NOTHING", "续方须填写原处方编号", "data.initRxno", remedy="请填写原处方编号"))
    return faults


async def _register_faults(
    tx: Connection, command: PrescriptionCommand, institution: Institution, *, hi_rxno: str
) -> list[Fault]:
    faults = []
    on = business_date(command.prescribed_at)
    taken = await queries.find_own_number(
        tx, fixmedins_code=institution.fixmedins_code, hosp_rxno=command.hosp_rxno
    )
    if taken is not None and taken != hi_rxno:
        faults.append(Fault("PRESCRIPTION_NUMBER_TAKEN", f"定点医疗机构处方编号已用于处方{taken}", "data.hospRxno",
                            command.hosp_rxno, "处方编号在机构内不能重复；作废的处方请先用7104撤销"))
    doctors = await registered_practitioners(tx, institution.fixmedins_code, codes=[command.doctor_code], on=on)
    if not doctors:
        faults.append(Fault("DOCTOR_NOT_REGISTERED", "开方医师当日未在本机构登记", "mdtrtinfo.drCode",
                            command.doctor_code, "请用5102查询本机构已登记医师"))
    known = await diagnosis_exists(tx, codes=command.diagnosis_codes, on=on)
    faults += [
        Fault("DIAGNOSIS_UNKNOWN", "诊断代码不在开方日的医保疾病诊断目录中", "diseinfo.diagCode", code,
              "请使用医保版ICD-10代码（1307目录）")
        for code in dict.fromkeys(command.diagnosis_codes) if code not in known
    ]
    return faults


def _drug_faults(drugs: Sequence[PrescribedDrug], terms: Mapping[str, ItemTerm], *, on: str) -> list[Fault]:
    if not drugs or len(drugs) > DRUGS_MAX:
        return [Fault("PRESCRIPTION_EMPTY", f"处方须有1至{DRUGS_MAX}种药品", "rxdrugdetail", str(len(drugs)),
                      "请核对处方明细")]
    faults, seen = [], set()
    for i, drug in enumerate(drugs):
        at = f"rxdrugdetail[{i}]"
        term = terms.get(drug.item_code)
        if term is None:
            faults.append(Fault("ITEM_NOT_IN_CATALOGUE", f"医疗目录编码不在{on}的医保目录中", f"{at}.medListCodg",
                                drug.item_code, "请核对国家药品编码"))
        elif term.list_type not in DRUGS:
            faults.append(Fault("ITEM_NOT_A_DRUG", "处方只能开具药品", f"{at}.medListCodg", drug.item_code,
                                "诊疗项目和耗材请用2204上传"))
        if drug.item_code in seen:
            faults.append(Fault("DRUG_TWICE", "同一种药品在处方中出现两次", f"{at}.medListCodg", drug.item_code,
                                "请合并为一条"))
        seen.add(drug.item_code)
        if not 0 < drug.quantity_e4 <= QUANTITY_E4_MAX:
            faults.append(Fault("QUANTITY_OUT_OF_RANGE", "药品总用药量须大于0，且不超过一百万", f"{at}.drugCnt",
                                f"{drug.quantity_e4 / 10_000:g}", "请核对数量"))
    return faults
