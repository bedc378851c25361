"""Leavers: an employee leaves, a flexible worker or resident stops."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from yibao.domains.enrolment.causes import ENDS, LEAVING
from yibao.domains.enrolment.model import BASIC, Relation
from yibao.domains.enrolment.months import first_of_month, month_after
from yibao.domains.people.model import Person
from yibao.domains.people.rules import same_name
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.identity_number import mask_name
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.enrolment.commands import RemoveMember
from yibao.usecases.enrolment.ending import Ended, end_for
from yibao.usecases.enrolment.finding import find_member
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail


async def remove_member(
    tx: Connection, command: RemoveMember, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Ended | Refusal:
    """End a person's enrolment with the month of the last day; that month is still owed.

    Unpaid dues of later months are cancelled; paid ones are named, to be refunded on request.
    """
    member = await find_member(tx, actor=actor, psn_no=command.psn_no, certno=command.certno, cert_type=command.cert_type)
    if isinstance(member, Refusal):
        return member
    found = leaving_relation(member.relations, command)
    if isinstance(found, Fault):
        return Refusal((found,))
    faults = [*name_faults(command, member.person), *leaving_faults(command, found, today=business_date(now))]
    if faults:
        return Refusal(tuple(faults))
    ended = await end_for(
        tx, [found], on=leaves_on(command, found), cause=command.cause, is_ended=command.is_ended, actor=actor, now=now,
        ids=ids, shelf=shelf,
    )
    if not isinstance(ended, Refusal):
        await write_trail(tx, actor, verb="remove_member", object_id=ended.psn_no, admdvs=found.admdvs, state=ended, now=now,
                          ids=ids)
    return ended


def name_faults(command: RemoveMember, person: Person, *, path: str = "") -> list[Fault]:
    """Return the fault of a name that is said and is not the registered one."""
    if not command.name or same_name(command.name, person.name):
        return []
    return [Fault("NAME_DIFFERS", "姓名与登记的不一致", f"{path}name", mask_name(command.name), "请核对姓名与证件号码")]


def leaving_relation(relations: Sequence[Relation], command: RemoveMember, *, path: str = "") -> Relation | Fault:
    """Return the open relation that a leaver means: through the employer, or the own one."""
    open_now = [r for r in relations if r.is_open and r.insutype in BASIC]
    for relation in open_now:
        if (relation.emp_no or "") == command.emp_no or (not command.emp_no and relation.enrolment_kind != "employed"):
            return relation
    if command.emp_no:
        through = next((r.emp_no for r in open_now if r.emp_no), None)
        return Fault("NOT_A_MEMBER", "该人员不在本单位参保" + (f"，现在单位{through}参保" if through else ""), f"{path}emp_no",
                     command.emp_no, "请核对单位与人员")
    return Fault("NOT_ENROLLED", "该人员没有可停保的参保关系；单位职工须由单位减员", f"{path}psn_no", command.psn_no,
                 "请核对人员")


def leaving_faults(command: RemoveMember, relation: Relation, *, today: date, path: str = "") -> list[Fault]:
    """Return what speaks against ending a relation as said."""
    faults = []
    if command.cause not in LEAVING:
        said = "、".join(f"{code} {ENDS[code]}" for code in LEAVING)
        faults.append(Fault("CAUSE_UNKNOWN", f"减员原因须为：{said}", f"{path}cause", command.cause, "请更正"))
    field, on = f"{path}left_on", command.left_on
    if relation.is_retired:
        faults.append(Fault("RETIRED_NOT_REMOVED", "退休人员的参保关系不能减员", f"{path}psn_no", relation.psn_no,
                            "死亡或转出请办理相应业务"))
    if on >= month_after(today, 2):
        faults.append(Fault("LEAVES_TOO_LATE", "离职日期最晚为下月", field, on.isoformat(), "请届时办理"))
    if first_of_month(on) < first_of_month(today) and not command.evidence:
        faults.append(Fault("LEAVES_IN_THE_PAST", "补办以前月份的减员须提供依据", field, on.isoformat(), "请提交离职证明等材料"))
    return faults


def leaves_on(command: RemoveMember, relation: Relation) -> date:
    """Return the first day on which the relation no longer holds: the month after the last day, or its own first day."""
    return max(month_after(command.left_on), relation.insured_on) if command.left_on >= relation.insured_on \
        else relation.insured_on


def refuse_cause(cause: str, allowed: Sequence[str]) -> Refusal | None:
    """Refuse a cause that is not among those allowed."""
    if cause in allowed:
        return None
    said = "、".join(f"{code} {ENDS[code]}" for code in allowed)
    return refuse("CAUSE_UNKNOWN", f"原因须为：{said}", field="cause", received=cause, remedy="请更正")
