"""From active to retired: the years counted are held against the law; who is short buys them or goes on paying."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import msgspec

from yibao.domains.enrolment.causes import ENDS
from yibao.domains.enrolment.model import EMPLOYEE, ENDED, Relation, Retirement
from yibao.domains.enrolment.months import month_after
from yibao.domains.enrolment.operations import Ending, add_relations, add_retirement, end_relations
from yibao.domains.enrolment.queries import list_retirements
from yibao.domains.people.model import Person
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.reckoning.retirement import Needed, years_needed
from yibao.usecases.enrolment.commands import RetireMember
from yibao.usecases.enrolment.count_years import count_years
from yibao.usecases.enrolment.ending import cancel_later_dues
from yibao.usecases.enrolment.finding import Member, find_member
from yibao.usecases.enrolment.joining import NOT_YET
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

RETIRED = "1201"
COMPLETIONS = ("", "lump", "monthly")
_KINDS = {"none": "", "lump": "past_retirement_once", "monthly": "past_retirement"}


class Retired(msgspec.Struct, frozen=True):
    """How a retirement was decided; all years in months. ``completion``: ``none``, ``lump`` or ``monthly``."""

    psn_no: str
    relation_id: str
    approved_on: date
    total_months: int
    actual_months: int
    needed_total: int
    needed_actual: int
    short_months: int
    completion: str
    rules: tuple[str, ...]


async def retire_member(
    tx: Connection, command: RetireMember, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Retired | Refusal:
    """Retire an employee or flexible worker; the new class begins with the month after the approval.

    Whose years suffice is insured as retired. Who is short is refused until a way is chosen: ``lump`` (retired at once, the
    benefit depends on the sum that contributions assess) or ``monthly`` (goes on paying in the active class, and retires by
    the same command when the years suffice). The same approval again changes nothing.
    """
    member = await find_member(tx, actor=actor, psn_no=command.psn_no, certno=command.certno, cert_type=command.cert_type)
    if isinstance(member, Refusal):
        return member
    for known in await list_retirements(tx, member.person.psn_no):
        if known.approved_on == command.approved_on:
            return retired_of(known)
    active = _active(member, command, now)
    if isinstance(active, Refusal):
        return active
    policy = shelf.of(active.admdvs)
    needed = policy if isinstance(policy, Refusal) else years_needed(
        policy, on=command.approved_on, sex=member.person.sex, psn_type=active.psn_type, account_kind=active.account_kind
    )
    if isinstance(needed, Refusal):
        return needed
    years = await count_years(tx, member.person.psn_no, EMPLOYEE, until=month_after(command.approved_on))
    retirement = _held(command, member.person, active, needed, total=years.total_months, actual=years.actual_months, now=now)
    if isinstance(retirement, Refusal):
        return retirement
    return await _write(tx, retirement, active, member.relations, actor=actor, now=now, ids=ids, shelf=shelf)


def retired_of(known: Retirement) -> Retired:
    """Return what is told of a retirement."""
    return Retired(known.psn_no, known.relation_id, known.approved_on, known.total_months, known.actual_months,
                   known.needed_total, known.needed_actual, known.short_months, known.completion, known.rules)


def _active(member: Member, command: RetireMember, now: datetime) -> Relation | Refusal:
    person = member.person
    if command.completion not in COMPLETIONS:
        return refuse("COMPLETION_UNKNOWN", "年限不足的处理方式须为lump或monthly", field="completion",
                      received=command.completion, remedy="请更正")
    if command.approved_on > business_date(now):
        return refuse("APPROVED_LATER", "退休审批日期晚于今天", field="approved_on", received=command.approved_on.isoformat(),
                      remedy="请核对")
    if person.died_on is not None:
        return refuse("PERSON_DEAD", f"参保人已于{person.died_on.isoformat()}死亡", field="psn_no", received=person.psn_no,
                      remedy="请核对")
    open_now = [r for r in member.relations if r.is_open and r.insutype == EMPLOYEE]
    if not open_now:
        return refuse("NOT_AN_EMPLOYEE", "没有正在参加的职工医保关系，不能办理在职转退休", field="psn_no", received=person.psn_no,
                      remedy="请先续保，或以灵活就业身份参保后办理")
    if open_now[0].is_retired:
        return refuse("RETIRED_ALREADY", f"自{open_now[0].insured_on.isoformat()}起已按退休人员参保", field="psn_no",
                      received=person.psn_no, remedy="无需重复办理")
    return open_now[0]


def _held(
    command: RetireMember, person: Person, active: Relation, needed: Needed, *, total: int, actual: int, now: datetime
) -> Retirement | Refusal:
    """Return the years held against the law, or the refusal of who is short and has not chosen."""
    short = max(needed.total_months - total, needed.actual_months - actual, 0)
    if short and not command.completion:
        said = f"累计{total}个月（需{needed.total_months}个月）"
        if needed.actual_months:
            said += f"，本地实际{actual}个月（需{needed.actual_months}个月）"
        return refuse("RETIRE_YEARS_SHORT", f"缴费年限不足，{said}，差{short}个月", field="completion",
                      basis="、".join(needed.rules),
                      remedy="请选择一次性补足（lump）或按月续缴（monthly）；有视同或外地年限的先认定")
    completion = command.completion if short else "none"
    begins = max(month_after(command.approved_on), active.insured_on)
    relation_id = active.relation_id
    # Who goes on paying after the retiring age already does not change class again.
    if not (completion == "monthly" and active.enrolment_kind == _KINDS["monthly"]):
        relation_id = f"{EMPLOYEE}-{begins:%Y%m%d}-r"
    return Retirement(
        psn_no=person.psn_no, approved_on=command.approved_on, admdvs=active.admdvs, needed_total=needed.total_months,
        needed_actual=needed.actual_months, total_months=total, actual_months=actual, short_months=short,
        completion=completion, rules=needed.rules, relation_id=relation_id, recorded_at=now,
    )


async def _write(
    tx: Connection, retirement: Retirement, active: Relation, relations: Sequence[Relation], *, actor: Actor, now: datetime,
    ids: Ids, shelf: PolicyShelf,
) -> Retired | Refusal:
    if retirement.relation_id != active.relation_id:
        begins = max(month_after(retirement.approved_on), active.insured_on)
        names = {r.relation_id for r in relations}
        while retirement.relation_id in names:
            retirement = msgspec.structs.replace(retirement, relation_id=retirement.relation_id + "r")
        await end_relations(tx, [Ending(
            psn_no=active.psn_no, relation_id=active.relation_id, paused_on=begins, status=ENDED,
            status_reason=ENDS["to_retired"], cause="to_retired", recorded_at=now,
        )])
        await add_relations(tx, [msgspec.structs.replace(
            active, relation_id=retirement.relation_id, status_reason=NOT_YET,
            psn_type=active.psn_type if retirement.completion == "monthly" else RETIRED, insured_on=begins, paused_on=None,
            benefit_from=begins, benefit_to=begins, paid_months=0, enrolment_kind=_KINDS[retirement.completion],
            recorded_at=now, ended_recorded_at=None, cause="continuing" if retirement.completion == "monthly" else "retired",
            end_cause="", wage_fen=None, merged_from=None, emp_no=None if retirement.completion == "monthly" else active.emp_no,
            flexible=retirement.completion == "monthly" or active.flexible,
        )])
        # An approval that was learnt of late: what was assessed since in the active class is not owed.
        done = await cancel_later_dues(tx, active, until=begins, cause="to_retired", actor=actor, now=now, ids=ids, shelf=shelf)
        if isinstance(done, Refusal):
            return done
    await add_retirement(tx, retirement)
    await refresh_entitlement(tx, [retirement.psn_no], now=now, shelf=shelf)
    await write_trail(tx, actor, verb="retire_member", object_id=retirement.psn_no, admdvs=retirement.admdvs, state=retirement,
                      now=now, ids=ids, rule="、".join(retirement.rules))
    return retired_of(retirement)
