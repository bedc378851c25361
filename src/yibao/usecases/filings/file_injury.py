"""File an injury: an accident that a hospital looked into (2507), a liable third party or a work injury for the agency."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

from yibao.domains.applications import operations, queries
from yibao.domains.applications.model import Injury
from yibao.domains.institutions.model import Institution
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.identity_number import mask
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.filings.insured import (
    Cancelling,
    Insured,
    Operator,
    in_use,
    institution_faults,
    insured_person,
    not_found,
    period_faults,
    place_faults,
)

KINDS = {"accident": "意外伤害", "third_party": "第三人责任", "work_injury": "工伤"}
BY_INSTITUTION = "01"
_NODE = "data"


class Identity(msgspec.Struct, frozen=True):
    """Who the message says was injured; must be the person of the number."""

    cert_type: str
    certno: str
    name: str
    insured_place: str
    source: str
    fixmedins_code: str


class InjuryCommand(msgspec.Struct, frozen=True):
    """An injury; ``begin`` and ``end`` are the first and the last day of its care."""

    psn_no: str
    insutype: str
    kind: str
    injured_on: date | None
    place: str
    cause: str
    has_undertaking: bool
    approved: bool
    begin: date
    end: date | None
    detail: str


async def file_accident(
    tx: Connection, *, command: InjuryCommand, identity: Identity, institution: Institution, operator: Operator,
    filing_id: str, now: datetime,
) -> Injury | Refusal:
    """File an accident for a hospital, or refuse with every fault."""
    insured = await insured_person(tx, command.psn_no, insutype=command.insutype, on=command.begin, field=_NODE)
    if isinstance(insured, Refusal):
        return insured
    faults = institution_faults(institution, insured, field=_NODE)
    faults += _identity_faults(identity, insured, institution)
    faults += await _injury_faults(tx, command, today=business_date(now))
    if faults:
        return Refusal(tuple(faults))
    return await _write(tx, command, insured, operator, filing_id=filing_id, now=now)


async def file_injury(
    tx: Connection, *, command: InjuryCommand, operator: Operator, filing_id: str, now: datetime
) -> Injury | Refusal:
    """File an injury for the agency: what the work-injury insurer recognised, or that somebody else is liable."""
    insured = await insured_person(tx, command.psn_no, insutype=command.insutype, on=command.begin, field=_NODE)
    if isinstance(insured, Refusal):
        return insured
    faults = await _injury_faults(tx, command, today=business_date(now))
    if command.kind not in KINDS:
        faults.append(Fault("INJURY_KIND_UNKNOWN", f"伤害类别应为 {'、'.join(KINDS)}", "kind", command.kind,
                            "请核对伤害类别"))
    if command.kind == "work_injury" and command.injured_on is None:
        faults.append(Fault("INJURY_DATE_MISSING", "工伤须有受伤日期", "injured_on", remedy="请按工伤认定决定填写"))
    if faults:
        return Refusal(tuple(faults))
    return await _write(tx, command, insured, operator, filing_id=filing_id, now=now)


async def _write(
    tx: Connection, command: InjuryCommand, insured: Insured, operator: Operator, *, filing_id: str, now: datetime
) -> Injury:
    injury = Injury(
        psn_no=command.psn_no, filing_id=filing_id, admdvs=insured.admdvs, kind=command.kind,
        injured_on=command.injured_on, place=command.place, cause=command.cause,
        has_undertaking=command.has_undertaking, approved=command.approved, valid_from=command.begin,
        valid_to=command.end + timedelta(days=1) if command.end is not None else None, detail=command.detail,
        filed_by=operator.filed_by or insured.admdvs, filed_at=now, opter=operator.code,
        opter_name=operator.name,
    )
    await operations.add_injury(tx, injury)
    return injury


def _identity_faults(identity: Identity, insured: Insured, institution: Institution) -> list[Fault]:
    person, faults = insured.person, place_faults(identity.insured_place, insured, field=f"{_NODE}.insu_admdvs")
    if (identity.cert_type, identity.certno.upper()) != (person["cert_type"], person["certno"].upper()):
        faults.append(Fault("IDENTITY_DIFFERS", "证件不是该参保人的", f"{_NODE}.certno", mask(identity.certno),
                            "请核对证件类型、证件号码与人员编号"))
    if identity.name != person["name"]:
        faults.append(Fault("IDENTITY_DIFFERS", "姓名与该参保人登记的不一致", f"{_NODE}.psn_name", remedy="请用1101核对姓名"))
    if identity.source != BY_INSTITUTION:
        faults.append(Fault("FILING_SOURCE_DIFFERS", "机构的备案，申报来源只能是01定点医药机构", f"{_NODE}.dcla_souc",
                            identity.source, "请填写01"))
    if identity.fixmedins_code not in ("", institution.fixmedins_code):
        faults.append(Fault("FILING_OF_ANOTHER", "只能备案在本机构就诊的伤害", f"{_NODE}.fixmedins_code",
                            identity.fixmedins_code, "请由就诊的机构备案"))
    return faults


async def _injury_faults(tx: Connection, command: InjuryCommand, *, today: date) -> list[Fault]:
    faults = period_faults(command.begin, command.end, field=_NODE)
    if command.injured_on is not None and command.injured_on > today:
        faults.append(Fault("INJURED_IN_FUTURE", "受伤时间晚于今天", f"{_NODE}.trum_time", f"{command.injured_on}",
                            "请核对受伤时间"))
    if command.injured_on is not None and command.begin < command.injured_on:
        faults.append(Fault("CARE_BEFORE_INJURY", f"开始日期早于受伤时间{command.injured_on}", f"{_NODE}.begndate",
                            f"{command.begin}", "请核对开始日期"))
    if not faults:
        end = command.end + timedelta(days=1) if command.end is not None else None
        other = await queries.find_injury_within(tx, command.psn_no, kind=command.kind, begin=command.begin, end=end)
        if other is not None:
            faults.append(Fault("INJURY_REPEATED", f"该期间已有{KINDS[command.kind]}备案（{other}）", f"{_NODE}.begndate",
                                f"{command.begin}", "无需重复备案；如有错误请由经办机构撤销原备案"))
    return faults


async def cancel_injury(tx: Connection, cancelling: Cancelling, *, injury_classes: list[str]) -> Refusal | None:
    """Take an injury back that no settlement rests on. Only the agency can: the interface has no message for it.

    Args:
        injury_classes: visit classes that are about an injury.
    """
    await operations.lock_person(tx, cancelling.psn_no)
    row = await queries.find_injury(tx, cancelling.psn_no, cancelling.filing_id)
    if row is None:
        return not_found(cancelling.filing_id)
    if row["cancelled_at"] is not None:
        return refuse("FILING_CANCELLED", "这条备案已经撤销", field="filing_id", received=cancelling.filing_id,
                      remedy="如需恢复请重新备案")
    used = await queries.find_use(
        tx, cancelling.psn_no, begin=row["valid_from"], end=row["valid_to"], since=row["filed_at"],
        med_types=injury_classes,
    )
    if used is not None:
        return in_use(used, filing_id=cancelling.filing_id)
    await operations.cancel_injury(tx, cancelling.psn_no, cancelling.filing_id, at=cancelling.at, reason=cancelling.reason)
    return None
