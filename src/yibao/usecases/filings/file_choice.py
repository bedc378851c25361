"""Choose an outpatient institution (2505), change it as the region's law allows, take a choice back (2506)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec

from yibao.domains.applications import operations, queries
from yibao.domains.applications.model import ProviderChoice
from yibao.domains.institutions.model import Institution
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.law.parameters import RegionPolicy, Row
from yibao.policy.reckoning.filings import change_day, filing_row
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
)
from yibao.usecases.filings.words import words
from yibao.usecases.settlement.shelf import PolicyShelf

ORDINALS = ("1", "2")
_NODE = "data"


class ChoiceCommand(msgspec.Struct, frozen=True):
    """What an institution sends; ``begin`` and ``end`` are the first and the last day."""

    psn_no: str
    kind: str
    ordinal: str
    fixmedins_code: str
    fixmedins_name: str
    begin: date
    end: date | None
    detail: dict[str, str]


async def file_choice(
    tx: Connection, *, command: ChoiceCommand, institution: Institution, operator: Operator, shelf: PolicyShelf,
    filing_id: str, now: datetime,
) -> ProviderChoice | Refusal:
    """File a choice, or refuse with every fault.

    The first choice of an ordinal holds from the day it names. Another one of the same ordinal is a change: only in
    the period of the law, and from the day of the law on; the earlier choice then ends.
    """
    today = business_date(now)
    insured = await insured_person(tx, command.psn_no, on=command.begin, field=_NODE)
    if isinstance(insured, Refusal):
        return insured
    policy = shelf.of(insured.admdvs)
    if isinstance(policy, Refusal):
        return policy
    standing = await queries.list_choices(tx, command.psn_no, kind=command.kind, on=command.begin)
    replaced = next((c for c in standing if c.ordinal == command.ordinal), None)
    faults = institution_faults(institution, insured, field=_NODE) + _faults(command, institution, today=today)
    faults += period_faults(command.begin, command.end, field=_NODE)
    if not faults:
        others = [c for c in standing if c.ordinal != command.ordinal]
        faults += await _limit_faults(tx, command, institution, insured, policy, others)
        if replaced is not None:
            faults += _change_faults(command, replaced, policy, insured, today=today)
    if faults:
        return Refusal(tuple(faults))
    choice = _choice(command, insured, operator, replaced, filing_id=filing_id, now=now)
    await operations.add_choice(tx, choice)
    return choice


def _choice(
    command: ChoiceCommand, insured: Insured, operator: Operator, replaced: ProviderChoice | None, *, filing_id: str,
    now: datetime,
) -> ProviderChoice:
    detail = dict(command.detail)
    if replaced is not None and replaced.valid_to is not None:
        detail["replaced_to"] = replaced.valid_to.isoformat()
    return ProviderChoice(
        psn_no=command.psn_no, filing_id=filing_id, admdvs=insured.admdvs, kind=command.kind, ordinal=command.ordinal,
        fixmedins_code=command.fixmedins_code, fixmedins_name=command.fixmedins_name,
        replaces=replaced.filing_id if replaced is not None else "", valid_from=command.begin,
        valid_to=command.end + timedelta(days=1) if command.end is not None else None,
        detail=msgspec.json.encode(detail).decode(), filed_by=operator.filed_by, filed_at=now, opter=operator.code,
        opter_name=operator.name,
    )


def _faults(command: ChoiceCommand, institution: Institution, *, today: date) -> list[Fault]:
    faults = []
    if command.kind != words().outpatient_choice:
        faults.append(Fault("CHOICE_KIND_NOT_OFFERED", "该业务申请类型的定点备案本平台尚未开通", f"{_NODE}.biz_appy_type",
                            command.kind, f"已开通：{words().outpatient_choice}就医定点医疗机构登记"))
    if command.ordinal not in ORDINALS:
        faults.append(Fault("CHOICE_ORDINAL_UNKNOWN", "定点排序号只能是1或2", f"{_NODE}.fix_srt_no", command.ordinal,
                            "1为首选，2为次选"))
    if command.fixmedins_code != institution.fixmedins_code:
        faults.append(Fault("CHOICE_OF_ANOTHER", "只能为参保人备案选定本机构", f"{_NODE}.fixmedins_code",
                            command.fixmedins_code, "请由参保人要选定的机构办理"))
    if command.begin < today:
        faults.append(Fault("CHOICE_BACKDATED", f"开始日期早于今天{today}", f"{_NODE}.begndate", f"{command.begin}",
                            "选点不能追溯，请填写今天或以后的日期"))
    return faults


async def _limit_faults(
    tx: Connection, command: ChoiceCommand, institution: Institution, insured: Insured, policy: RegionPolicy,
    others: list[ProviderChoice],
) -> list[Fault]:
    traits = institution.traits | await queries.traits_of(tx, [c.fixmedins_code for c in others])
    limit = filing_row(
        policy, "choice_limit", command.begin, insutype=insured.insutype, level=institution.level, traits=traits
    )
    if limit is None:
        return [Fault("CHOICE_NOT_ASKED", f"{policy.name}的普通门诊不实行选点", f"{_NODE}.biz_appy_type", command.kind,
                      "参保人可在任一定点医疗机构就诊，无需备案")]
    if limit.number == 0:
        return [Fault("CHOICE_NOT_ALLOWED", f"不能选定本机构：{limit.used.clause}", f"{_NODE}.fixmedins_code",
                      command.fixmedins_code, "请选择其他定点医疗机构", limit.used.rule)]
    faults = []
    if len({c.ordinal for c in others}) + 1 > limit.number or int(command.ordinal) > limit.number:
        faults.append(Fault("CHOICE_TOO_MANY", f"最多可选{limit.number}家：{limit.used.clause}", f"{_NODE}.fix_srt_no",
                            command.ordinal, "请先撤销或变更已有的选点", limit.used.rule))
    same = next((c for c in others if c.fixmedins_code == command.fixmedins_code), None)
    if same is not None:
        faults.append(Fault("CHOICE_REPEATED", f"参保人已选定本机构（{same.filing_id}）", f"{_NODE}.fixmedins_code",
                            command.fixmedins_code, "无需重复备案"))
    return faults


def _change_faults(
    command: ChoiceCommand, replaced: ProviderChoice, policy: RegionPolicy, insured: Insured, *, today: date
) -> list[Fault]:
    if replaced.fixmedins_code == command.fixmedins_code:
        return [Fault("CHOICE_REPEATED", f"参保人已选定本机构（{replaced.filing_id}）", f"{_NODE}.fixmedins_code",
                      command.fixmedins_code, "无需重复备案")]
    if replaced.valid_from > today:
        return [Fault("CHOICE_PENDING", f"参保人已有一次尚未生效的选点（{replaced.filing_id}，{replaced.valid_from}起）",
                      f"{_NODE}.fix_srt_no", command.ordinal, "请先用2506撤销")]
    day = change_day(policy, today, insutype=insured.insutype)
    if isinstance(day, Row):
        return [Fault("CHOICE_WINDOW_CLOSED", f"现在不能改选：{day.used.clause}", f"{_NODE}.fixmedins_code",
                      command.fixmedins_code, "请在改选期间办理；此前仍在原选定机构就诊", day.used.rule)]
    if command.begin < day:
        return [Fault("CHOICE_TOO_EARLY", f"改选自{day}起生效", f"{_NODE}.begndate", f"{command.begin}",
                      f"请把开始日期填为{day}或以后")]
    return []


async def cancel_choice(tx: Connection, cancelling: Cancelling) -> Refusal | None:
    """Take a choice back: one that has not begun, or one of the same day that nothing rests on.

    A choice in force can only be changed, in the period of the law: else the period would mean nothing.
    """
    await operations.lock_person(tx, cancelling.psn_no)
    row = await queries.find_choice(tx, cancelling.psn_no, cancelling.filing_id)
    if row is None:
        return not_found(cancelling.filing_id)
    refusal = foreign_or_cancelled(
        cancelling.filing_id, filed_by=row["filed_by"], is_cancelled=row["cancelled_at"] is not None, by=cancelling.by
    )
    if refusal is not None:
        return refusal
    today = business_date(cancelling.at)
    if row["valid_from"] <= today and business_date(row["filed_at"]) != today:
        return refuse("CHOICE_IN_FORCE", f"选点自{row['valid_from']}起已生效，不能撤销", field="data.trt_dcla_detl_sn",
                      received=cancelling.filing_id, remedy="请在改选期间由新选定的机构办理变更（2505）")
    used = await queries.find_use(
        tx, cancelling.psn_no, begin=row["valid_from"], end=row["valid_to"], since=row["filed_at"]
    )
    if used is not None:
        return in_use(used, filing_id=cancelling.filing_id)
    await end_choice(tx, cancelling, replaced=row["replaces"], detail=row["detail"])
    return None


async def end_choice(tx: Connection, cancelling: Cancelling, *, replaced: str, detail: str) -> None:
    """Write the cancellation of a choice; what it had replaced holds again as before."""
    until = msgspec.json.decode(detail).get("replaced_to")
    await operations.cancel_choice(
        tx, cancelling.psn_no, cancelling.filing_id, replaced=replaced,
        replaced_to=date.fromisoformat(until) if until else None, at=cancelling.at, reason=cancelling.reason,
    )
