"""File a referral (2501) and cancel one that nothing rests on (2502)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

from yibao.domains.applications import operations, queries
from yibao.domains.applications.model import Referral
from yibao.domains.catalogue.queries import diagnosis_exists
from yibao.domains.encounters.queries import find_encounter
from yibao.domains.institutions.model import HOSPITAL, Institution
from yibao.domains.institutions.queries import find_institution
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault, Refusal
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.filings import days_after, filing_row
from yibao.usecases.filings.insured import (
    Cancelling,
    Insured,
    Operator,
    foreign_or_cancelled,
    in_use,
    institution_faults,
    insured_person,
    not_found,
    period_faults,
    place_faults,
)
from yibao.usecases.settlement.shelf import PolicyShelf

IN_CITY, IN_PROVINCE, OUTSIDE = "1", "2", "3"
_AREAS = {IN_CITY: "本统筹区", IN_PROVINCE: "省内其他统筹区", OUTSIDE: "省外"}
_NODE = "refmedin"


class ReferralCommand(msgspec.Struct, frozen=True):
    """What a hospital sends; ``begin`` and ``end`` are the first and the last day, None where not given."""

    psn_no: str
    insutype: str
    insured_place: str
    diagnosis_code: str
    diagnosis_name: str
    to_code: str
    to_name: str
    care_admdvs: str
    agreed: bool
    kind: str
    referred_on: date
    begin: date | None
    end: date | None
    from_mdtrt_id: str
    detail: str


async def file_referral(
    tx: Connection, *, command: ReferralCommand, institution: Institution, operator: Operator, shelf: PolicyShelf,
    filing_id: str, now: datetime,
) -> Referral | Refusal:
    """File a referral, or refuse with every fault. Without a last day it holds as long as the region's law says."""
    begin, today = command.begin or command.referred_on, business_date(now)
    insured = await insured_person(tx, command.psn_no, insutype=command.insutype, on=begin, field=_NODE)
    if isinstance(insured, Refusal):
        return insured
    policy = shelf.of(insured.admdvs)
    if isinstance(policy, Refusal):
        return policy
    end = _end(command, begin, policy, insured)
    faults = institution_faults(institution, insured, field=_NODE)
    faults += place_faults(command.insured_place, insured, field=f"{_NODE}.insu_optins")
    faults += _faults(command, institution, insured, begin=begin, today=today)
    faults += period_faults(begin, command.end, field=_NODE)
    faults += await _target_faults(tx, command, institution, today=today)
    faults += await _care_faults(tx, command, institution)
    if not faults:
        other = await queries.find_referral_within(tx, command.psn_no, to_code=command.to_code, begin=begin, end=end)
        if other is not None:
            faults.append(Fault("REFERRAL_REPEATED", f"已有转往该机构的有效转诊备案（{other}）", f"{_NODE}.reflin_medins_no",
                                command.to_code, "无需重复备案；如需更改请先用2502撤销"))
    if faults:
        return Refusal(tuple(faults))
    referral = Referral(
        psn_no=command.psn_no, filing_id=filing_id, admdvs=insured.admdvs, insutype=insured.insutype,
        from_code=institution.fixmedins_code, from_level=institution.level, to_code=command.to_code,
        to_name=command.to_name, care_admdvs=command.care_admdvs, kind=command.kind, referred_on=command.referred_on,
        diagnosis_code=command.diagnosis_code, diagnosis_name=command.diagnosis_name, valid_from=begin, valid_to=end,
        from_mdtrt_id=command.from_mdtrt_id, detail=command.detail, filed_by=operator.filed_by, filed_at=now,
        opter=operator.code, opter_name=operator.name,
    )
    await operations.add_referral(tx, referral)
    return referral


def _end(command: ReferralCommand, begin: date, policy: RegionPolicy, insured: Insured) -> date | None:
    """Return the first day on which the referral does not hold any more."""
    if command.end is not None:
        return command.end + timedelta(days=1)
    return days_after(begin, filing_row(policy, "referral_valid", begin, insutype=insured.insutype))


def _faults(
    command: ReferralCommand, institution: Institution, insured: Insured, *, begin: date, today: date
) -> list[Fault]:
    faults = []
    if command.to_code == institution.fixmedins_code:
        faults.append(Fault("REFERRAL_TO_SELF", "转往的机构就是本机构", f"{_NODE}.reflin_medins_no", command.to_code,
                            "请填写转往的医疗机构"))
    if not command.agreed:
        faults.append(Fault("REFERRAL_NOT_AGREED", "医院没有同意转院，不能备案", f"{_NODE}.hosp_agre_refl_flag", "0",
                            "请在医院同意转院后备案（1）"))
    if command.referred_on > today:
        faults.append(Fault("REFERRAL_IN_FUTURE", "转院日期晚于今天", f"{_NODE}.refl_date", f"{command.referred_on}",
                            "请核对转院日期"))
    if begin < command.referred_on:
        faults.append(Fault("REFERRAL_BACKDATED", f"开始日期早于转院日期{command.referred_on}", f"{_NODE}.begndate",
                            f"{begin}", "请核对开始日期"))
    home, there = insured.admdvs, command.care_admdvs
    area = IN_CITY if there[:4] == home[:4] else IN_PROVINCE if there[:2] == home[:2] else OUTSIDE
    if command.kind != area:
        faults.append(Fault("REFERRAL_AREA_DIFFERS", f"就医地{there}属{_AREAS[area]}，与转院类型不符", f"{_NODE}.refl_type",
                            command.kind, f"请使用转院类型{area}，或核对就医地行政区划"))
    return faults


async def _target_faults(
    tx: Connection, command: ReferralCommand, institution: Institution, *, today: date
) -> list[Fault]:
    """Institutions of other regions are not in our register: only those of the city can be looked up."""
    if command.kind != IN_CITY:
        return []
    target = await find_institution(tx, command.to_code)
    if target is None or target.region != institution.region:
        return [Fault("REFERRAL_TARGET_UNKNOWN", "转往的机构不是本统筹区的定点医药机构", f"{_NODE}.reflin_medins_no",
                      command.to_code, "请用1201查询定点医药机构编号")]
    if target.kind != HOSPITAL:
        return [Fault("REFERRAL_TARGET_PHARMACY", "不能转往定点零售药店", f"{_NODE}.reflin_medins_no", command.to_code,
                      "请填写转往的医疗机构")]
    if not target.agreement_from <= today < target.agreement_to or (
        target.suspended_on is not None and target.suspended_on <= today
    ):
        return [Fault("REFERRAL_TARGET_WITHOUT_AGREEMENT", "转往机构的服务协议不在有效期内", f"{_NODE}.reflin_medins_no",
                      command.to_code, "请选择协议有效的医疗机构")]
    return []


async def _care_faults(tx: Connection, command: ReferralCommand, institution: Institution) -> list[Fault]:
    faults = []
    known = await diagnosis_exists(tx, codes=[command.diagnosis_code], on=command.referred_on)
    if command.diagnosis_code not in known:
        faults.append(Fault("DIAGNOSIS_UNKNOWN", "诊断代码不在转院日的医保疾病诊断目录中", f"{_NODE}.diag_code",
                            command.diagnosis_code, "请使用医保版ICD-10代码（1307目录）"))
    if command.from_mdtrt_id:
        before = await find_encounter(tx, psn_no=command.psn_no, mdtrt_id=command.from_mdtrt_id)
        if before is None or before["fixmedins_code"] != institution.fixmedins_code:
            faults.append(Fault("ENCOUNTER_NOT_FOUND", "转院前就诊不是该参保人在本机构的就诊", f"{_NODE}.refl_old_mdtrt_id",
                                command.from_mdtrt_id, "请核对转院前就诊ID"))
    return faults


async def cancel_referral(tx: Connection, cancelling: Cancelling) -> Refusal | None:
    """Cancel a referral that no settlement rests on."""
    await operations.lock_person(tx, cancelling.psn_no)
    row = await queries.find_referral(tx, cancelling.psn_no, cancelling.filing_id)
    if row is None:
        return not_found(cancelling.filing_id)
    refusal = foreign_or_cancelled(
        cancelling.filing_id, filed_by=row["filed_by"], is_cancelled=row["cancelled_at"] is not None, by=cancelling.by
    )
    if refusal is not None:
        return refusal
    used = await queries.find_use(
        tx, cancelling.psn_no, begin=row["valid_from"], end=row["valid_to"], since=row["filed_at"],
        fixmedins_code=row["to_code"],
    )
    if used is not None:
        return in_use(used, filing_id=cancelling.filing_id)
    await operations.cancel_referral(
        tx, cancelling.psn_no, cancelling.filing_id, at=cancelling.at, reason=cancelling.reason
    )
    return None
