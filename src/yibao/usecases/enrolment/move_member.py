"""An employee goes from one employer to another without a gap."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.enrolment.months import first_of_month, month_after
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.enrolment.add_member import refuse_negative_wage
from yibao.usecases.enrolment.commands import MoveMember
from yibao.usecases.enrolment.finding import find_active_employer, find_member
from yibao.usecases.enrolment.joining import Begun
from yibao.usecases.enrolment.moving import move_all, refuse_no_first
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail


async def move_member(
    tx: Connection, command: MoveMember, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Begun | Refusal:
    """Move an employee to another employer of the region from the first of a month; class and account stay."""
    member = await find_member(tx, actor=actor, psn_no=command.psn_no, certno=command.certno, cert_type=command.cert_type)
    if isinstance(member, Refusal):
        return member
    employer = await find_active_employer(tx, command.to_no, actor=actor, field="to_no")
    if isinstance(employer, Refusal):
        return employer
    refusal = refuse_no_first(command.on) or refuse_negative_wage(command.wage_fen)
    if refusal is not None:
        return refusal
    today = business_date(now)
    if command.on > month_after(today) or (command.on < first_of_month(today) and not command.evidence):
        return refuse("MOVES_AT_WRONG_TIME", "转移须自本月或下月起；以前月份须提供依据", field="on",
                      received=command.on.isoformat(), remedy="请更正日期或提交依据")
    found = [r for r in member.open_relations if r.emp_no == command.from_no]
    if not found or employer.admdvs != member.person.admdvs or employer.emp_no == command.from_no:
        return refuse("NOT_A_MEMBER", "该人员不在转出单位参保，或转入单位不在本统筹区", field="from_no", received=command.from_no,
                      remedy="请核对单位与人员")
    begun = await move_all(tx, found, to=employer, on=command.on, cause="moved", now=now, shelf=shelf, wage_fen=command.wage_fen)
    answer = Begun(member.person.psn_no, begun[0].relation_id, begun[0].insured_on, False, (found[0].relation_id,))
    await write_trail(tx, actor, verb="move_member", object_id=member.person.psn_no, admdvs=employer.admdvs, state=answer,
                      now=now, ids=ids)
    return answer
