"""File a chronic disease that a hospital found (2503), take it back (2504), decide on it.

The region's law says who decides: the hospital, then the recognition holds at once, or the agency. It also says
after how long a recognition must be reviewed: whatever last day is asked for, it opens nothing any more from then on.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

from yibao.domains.applications import operations, queries
from yibao.domains.applications.model import APPROVED, CANCELLED, FILED, REFUSED, STATES, ChronicFiling
from yibao.domains.catalogue.queries import chronic_disease_exists
from yibao.domains.institutions.model import Institution
from yibao.domains.institutions.staff import registered_practitioners
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.filings import filing_row, review_on
from yibao.usecases.filings.insured import (
    Cancelling,
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

_NODE = "data"


class ChronicCommand(msgspec.Struct, frozen=True):
    """What a hospital sends; ``begin`` and ``end`` are the first and the last day."""

    psn_no: str
    insutype: str
    insured_place: str
    disease_code: str
    disease_name: str
    fixmedins_code: str
    fixmedins_name: str
    doctor_code: str
    doctor_name: str
    examined_on: date
    begin: date
    end: date | None
    detail: str


async def file_chronic(
    tx: Connection, *, command: ChronicCommand, institution: Institution, operator: Operator, shelf: PolicyShelf,
    filing_id: str, now: datetime,
) -> ChronicFiling | Refusal:
    """File a chronic disease, approved at once where the hospital decides, or refuse with every fault."""
    insured = await insured_person(tx, command.psn_no, insutype=command.insutype, on=command.begin, field=_NODE)
    if isinstance(insured, Refusal):
        return insured
    policy = shelf.of(insured.admdvs)
    if isinstance(policy, Refusal):
        return policy
    end = _end(command, policy)
    faults = institution_faults(institution, insured, field=_NODE)
    faults += place_faults(command.insured_place, insured, field=f"{_NODE}.insu_optins")
    faults += _faults(command, institution, today=business_date(now))
    faults += period_faults(command.begin, command.end, field=_NODE)
    faults += await _known_faults(tx, command, institution)
    if not faults:
        faults += await _repeated(tx, command, end)
    if faults:
        return Refusal(tuple(faults))
    decider = filing_row(policy, "recognition_by", command.begin, insutype=command.insutype, disease=command.disease_code)
    at_once = decider is not None and decider.word == "hospital"
    filing = ChronicFiling(
        psn_no=command.psn_no, filing_id=filing_id, admdvs=insured.admdvs, insutype=command.insutype,
        disease_code=command.disease_code, disease_name=command.disease_name, fixmedins_code=command.fixmedins_code,
        fixmedins_name=command.fixmedins_name, doctor_code=command.doctor_code, doctor_name=command.doctor_name,
        examined_on=command.examined_on, valid_from=command.begin, valid_to=end, state=APPROVED if at_once else FILED,
        decided_at=now if at_once else None, decided_by=command.fixmedins_code if at_once else "", reason="",
        detail=command.detail, filed_by=operator.filed_by, filed_at=now, opter=operator.code, opter_name=operator.name,
    )
    await operations.add_chronic(tx, filing)
    return filing


def _end(command: ChronicCommand, policy: RegionPolicy) -> date | None:
    """Return the first day on which the recognition opens nothing any more: of the review, or after the day asked for."""
    ends = [command.end + timedelta(days=1)] if command.end is not None else []
    review = review_on(policy, command.begin, insutype=command.insutype, disease=command.disease_code)
    return min([*ends, *([review] if review is not None else [])], default=None)


def _faults(command: ChronicCommand, institution: Institution, *, today: date) -> list[Fault]:
    faults = []
    if command.fixmedins_code != institution.fixmedins_code:
        faults.append(Fault("EXAMINED_ELSEWHERE", "鉴定机构不是本机构", f"{_NODE}.ide_fixmedins_no",
                            command.fixmedins_code, "请由作出鉴定的机构备案"))
    if command.examined_on > today:
        faults.append(Fault("EXAMINED_IN_FUTURE", "医院鉴定日期晚于今天", f"{_NODE}.hosp_ide_date",
                            f"{command.examined_on}", "请核对医院鉴定日期"))
    if command.begin < command.examined_on:
        faults.append(Fault("RECOGNITION_BACKDATED", f"开始日期早于医院鉴定日期{command.examined_on}", f"{_NODE}.begndate",
                            f"{command.begin}", "待遇不能早于鉴定日期，请核对开始日期"))
    return faults


async def _known_faults(tx: Connection, command: ChronicCommand, institution: Institution) -> list[Fault]:
    faults = []
    if command.disease_code not in await chronic_disease_exists(tx, codes=[command.disease_code], on=command.begin):
        faults.append(Fault("DISEASE_UNKNOWN", "病种不在当日的门诊慢特病种目录中", f"{_NODE}.opsp_dise_code",
                            command.disease_code, "请使用1309目录中的病种代码"))
    doctors = await registered_practitioners(
        tx, institution.fixmedins_code, codes=[command.doctor_code], on=command.examined_on
    )
    if not doctors:
        faults.append(Fault("DOCTOR_NOT_REGISTERED", "诊断医师鉴定当日未在本机构登记", f"{_NODE}.diag_dr_codg",
                            command.doctor_code, "请用5102查询本机构已登记医师"))
    return faults


async def _repeated(tx: Connection, command: ChronicCommand, end: date | None) -> list[Fault]:
    waiting = await queries.find_open_chronic(tx, command.psn_no, command.disease_code)
    if waiting is not None:
        return [Fault("DISEASE_ALREADY_FILED", f"该病种已有一条待审核的备案（{waiting}）", f"{_NODE}.opsp_dise_code",
                      command.disease_code, "请等待审核结果；如需更改请先用2504撤销")]
    since = await queries.find_recognition_within(
        tx, command.psn_no, command.disease_code, begin=command.begin, end=end
    )
    if since is not None:
        return [Fault("DISEASE_ALREADY_RECOGNISED", f"参保人自{since}起已有该病种的认定", f"{_NODE}.opsp_dise_code",
                      command.disease_code, "无需重复备案；复审的请把开始日期填在原认定结束之后")]
    return []


async def decide_chronic(
    tx: Connection, *, psn_no: str, filing_id: str, is_approved: bool, by: str, reason: str, now: datetime
) -> ChronicFiling | Refusal:
    """Approve or refuse a filed chronic disease for the agency. A refusal needs a reason; what is decided stays so."""
    await operations.lock_person(tx, psn_no)
    filing = await queries.find_chronic(tx, psn_no, filing_id)
    if filing is None:
        return not_found(filing_id)
    if filing.state != FILED:
        return refuse("FILING_DECIDED", f"这条备案{STATES[filing.state]}，不能再审核", field="filing_id",
                      received=filing_id, remedy="需要更正的，请撤销后由医院重新备案")
    if not is_approved and not reason:
        return refuse("REASON_MISSING", "不予通过须写明理由", field="reason", remedy="请写明理由，医院和参保人会看到")
    if is_approved:
        since = await queries.find_recognition_within(
            tx, psn_no, filing.disease_code, begin=filing.valid_from, end=filing.valid_to
        )
        if since is not None:
            return refuse("DISEASE_ALREADY_RECOGNISED", f"参保人自{since}起已有该病种的认定", field="filing_id",
                          received=filing_id, remedy="请不予通过，并说明已有认定")
    state = APPROVED if is_approved else REFUSED
    await operations.decide_chronic(tx, filing, state=state, at=now, by=by, reason=reason)
    return msgspec.structs.replace(filing, state=state, decided_at=now, decided_by=by, reason=reason)


async def cancel_chronic(tx: Connection, cancelling: Cancelling) -> Refusal | None:
    """Take a chronic disease back: a filing that waits, or a recognition that no settlement rests on."""
    await operations.lock_person(tx, cancelling.psn_no)
    filing = await queries.find_chronic(tx, cancelling.psn_no, cancelling.filing_id)
    if filing is None:
        return not_found(cancelling.filing_id)
    refusal = foreign_or_cancelled(
        filing.filing_id, filed_by=filing.filed_by, is_cancelled=filing.state == CANCELLED, by=cancelling.by
    )
    if refusal is not None:
        return refusal
    if filing.state == REFUSED:
        return refuse("FILING_REFUSED", f"这条备案未通过审核：{filing.reason}", field="data.trt_dcla_detl_sn",
                      received=filing.filing_id, remedy="无需撤销，补齐材料后可重新备案")
    if filing.state == APPROVED and filing.decided_at is not None:
        used = await queries.find_use(
            tx, filing.psn_no, begin=filing.valid_from, end=filing.valid_to, since=filing.decided_at,
            disease_code=filing.disease_code,
        )
        if used is not None:
            return in_use(used, filing_id=cancelling.filing_id)
    await operations.cancel_chronic(tx, filing, at=cancelling.at, reason=cancelling.reason)
    return None
