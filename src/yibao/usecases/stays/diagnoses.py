"""Diagnoses of a stay: checked against catalogue and staff, put in place by ordinal, voided by ordinal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.catalogue.queries import diagnosis_exists
from yibao.domains.encounters.model import Diagnosis
from yibao.domains.encounters.queries import list_diagnoses
from yibao.domains.encounters.stays import put_diagnoses, void_diagnoses
from yibao.domains.institutions.staff import registered_practitioners
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault


class StayDiagnosis(msgspec.Struct, frozen=True):
    """A diagnosis as the institution sends it; ``is_valid`` False takes back the one of that ordinal."""

    psn_no: str
    mdtrt_id: str
    kind: str
    ordinal: int
    code: str
    name: str
    dept: str
    doctor_code: str
    doctor_name: str
    at: datetime
    is_main: bool
    adm_cond: str = ""
    is_valid: bool = True


async def diagnosis_faults(
    tx: Connection, diagnoses: Sequence[StayDiagnosis], *, psn_no: str, mdtrt_id: str, fixmedins_code: str, on: date
) -> list[Fault]:
    """Return what is wrong with the diagnoses of one message; ``mdtrt_id`` is "" at admission.

    Codes count as the catalogue has them on the day of each diagnosis; doctors as registered on that day.
    """
    faults = []
    valid = [d for d in diagnoses if d.is_valid]
    ordinals = [d.ordinal for d in diagnoses]
    if len(set(ordinals)) != len(ordinals):
        faults.append(Fault("DIAGNOSIS_ORDER", "诊断排序号重复", "diseinfo.diag_srt_no", remedy="每条诊断的排序号须不同"))
    # The main diagnosis of each kind (western, Chinese) is one of its own.
    mains = [d.kind for d in valid if d.is_main]
    if len(set(mains)) != len(mains):
        faults.append(Fault("SEVERAL_MAIN_DIAGNOSES", "同一诊断类别有多条主诊断", "diseinfo.maindiag_flag",
                            remedy="同一诊断类别只能有一条主诊断"))
    known: dict[date, dict[str, str]] = {}
    doctors: dict[date, frozenset[str]] = {}
    for day in {_day(d, on) for d in valid}:
        of_day = [d for d in valid if _day(d, on) == day]
        known[day] = await diagnosis_exists(tx, codes=[d.code for d in of_day], on=day)
        doctors[day] = await registered_practitioners(
            tx, fixmedins_code, codes=[d.doctor_code for d in of_day], on=day
        )
    for i, d in enumerate(diagnoses):
        at = f"diseinfo[{i}]"
        if d.psn_no != psn_no or d.mdtrt_id not in ("", mdtrt_id):
            faults.append(Fault("DIAGNOSIS_OF_OTHER", "诊断的人员编号或就诊ID与主记录不一致", f"{at}.psn_no", d.psn_no,
                                "请核对"))
        if not d.is_valid:
            continue
        if d.code not in known[_day(d, on)]:
            faults.append(Fault("DIAGNOSIS_UNKNOWN", "诊断代码不在诊断日的医保疾病诊断目录中", f"{at}.diag_code", d.code,
                                "请使用医保版ICD-10代码（1307目录）"))
        if d.doctor_code not in doctors[_day(d, on)]:
            faults.append(Fault("DOCTOR_NOT_REGISTERED", "诊断医生诊断当日未在本机构登记", f"{at}.dise_dor_no",
                                d.doctor_code, "请用5102查询本机构已登记医师"))
    return faults


def _day(d: StayDiagnosis, on: date) -> date:
    """Return the day on which a diagnosis is looked at: its own, not later than the day of the message's event."""
    return min(business_date(d.at), on)


async def left_without(
    tx: Connection, diagnoses: Sequence[StayDiagnosis], *, psn_no: str, mdtrt_id: str
) -> list[Fault]:
    """Return a fault where nothing would be left of a stay's diagnoses."""
    there = {row["ordinal"] for row in await list_diagnoses(tx, psn_no=psn_no, mdtrt_id=mdtrt_id)}
    there |= {d.ordinal for d in diagnoses if d.is_valid}
    there -= {d.ordinal for d in diagnoses if not d.is_valid}
    if there:
        return []
    return [Fault("DIAGNOSIS_MISSING", "没有有效的诊断", "diseinfo", remedy="请至少保留一条有效诊断")]


def kept(diagnoses: Sequence[StayDiagnosis], *, mdtrt_id: str, admdvs: str) -> list[Diagnosis]:
    """Return the valid diagnoses as they are stored."""
    return [
        Diagnosis(d.psn_no, mdtrt_id, d.ordinal, admdvs, d.kind, d.code, d.name, d.is_main, d.dept, d.doctor_code,
                  d.doctor_name, d.at, d.adm_cond)
        for d in diagnoses if d.is_valid
    ]


async def apply_diagnoses(
    tx: Connection, diagnoses: Sequence[StayDiagnosis], *, psn_no: str, mdtrt_id: str, admdvs: str
) -> None:
    """Void what is void and put the others in place by ordinal."""
    void = [d.ordinal for d in diagnoses if not d.is_valid]
    if void:
        await void_diagnoses(tx, psn_no=psn_no, mdtrt_id=mdtrt_id, ordinals=void)
    await put_diagnoses(tx, kept(diagnoses, mdtrt_id=mdtrt_id, admdvs=admdvs))
