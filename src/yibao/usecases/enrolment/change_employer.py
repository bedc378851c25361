"""Employers change: fields of the form, a merger, a split, the end."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from yibao.domains.enrolment.model import Employer, EmployerChange
from yibao.domains.enrolment.operations import (
    EMPLOYER_FIELDS,
    add_employer,
    change_employer_fields,
    end_employer,
)
from yibao.domains.enrolment.queries import count_members, find_by_credit_code, relations_of
from yibao.domains.people.rules import tidy_number
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.enrolment.commands import (
    CancelEmployer,
    ChangeEmployer,
    MergeEmployers,
    RegisterEmployer,
    SplitEmployer,
)
from yibao.usecases.enrolment.finding import find_active_employer, refuse_outside
from yibao.usecases.enrolment.moving import all_members, move_all, refuse_no_first
from yibao.usecases.enrolment.register_employer import EmployerDone, done_of, employer_faults, employer_of
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

_NEED_EVIDENCE = frozenset({"kind", "uscc", "legal_name", "legal_certno", "bank_name", "bank_account"})


async def change_employer(
    tx: Connection, command: ChangeEmployer, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf,  # noqa: ARG001 - all deeds take the same
) -> EmployerDone | Refusal:
    """Change fields of an employer; key fields (kind, code, legal person, bank) need evidence. Old values are kept."""
    employer = await find_active_employer(tx, command.emp_no, actor=actor)
    if isinstance(employer, Refusal):
        return employer
    values = {field: value.strip() for field, value in command.changes.items()}
    if "uscc" in values:
        values["uscc"] = tidy_number(values["uscc"])
    refusal = await _refuse_changes(tx, employer, values, command, today=business_date(now))
    if refusal is not None:
        return refusal
    changed = msgspec.structs.replace(employer, **values)
    refusal = refuse_outside(actor, admdvs=changed.admdvs, division=changed.division, field="changes.division")
    if refusal is not None:
        return refusal
    await _note(tx, employer, values, cause="change", on=command.effective_on, evidence=command.evidence, actor=actor, now=now,
                ids=ids)
    return await _done(tx, changed, verb="change_employer", actor=actor, now=now, ids=ids)


async def merge_employers(
    tx: Connection, command: MergeEmployers, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> EmployerDone | Refusal:
    """Let an employer take over another one with all its people from the first of a month; the other one ends."""
    kept = await find_active_employer(tx, command.kept_no, actor=actor, field="kept_no")
    merged = await find_active_employer(tx, command.merged_no, actor=actor, field="merged_no")
    faults = [f for e in (kept, merged, refuse_no_first(command.on)) if isinstance(e, Refusal) for f in e.faults]
    if faults or isinstance(kept, Refusal) or isinstance(merged, Refusal):
        return Refusal(tuple(faults))
    if kept.emp_no == merged.emp_no or kept.admdvs != merged.admdvs:
        return refuse("EMPLOYERS_NOT_TO_MERGE", "合并的须是同一统筹区的两个单位", field="merged_no", received=command.merged_no,
                      remedy="请核对单位编号")
    members = await all_members(tx, merged.emp_no)
    await move_all(tx, members, to=kept, on=command.on, cause="employer_merged", now=now, shelf=shelf)
    await _note(tx, merged, {}, cause="merge", on=command.on, evidence=command.evidence, actor=actor, now=now, ids=ids,
                said=("merged_into", None, kept.emp_no))
    await end_employer(tx, merged.emp_no, state="merged", on=command.on, merged_into=kept.emp_no)
    ended = msgspec.structs.replace(merged, state="merged", ended_on=command.on, merged_into=kept.emp_no)
    return await _done(tx, ended, verb="merge_employers", actor=actor, now=now, ids=ids, members=len(members))


async def split_employer(
    tx: Connection, command: SplitEmployer, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> EmployerDone | Refusal:
    """Make a new employer of a part of one; the named people go with it from the first of a month."""
    employer = await find_active_employer(tx, command.emp_no, actor=actor)
    if isinstance(employer, Refusal):
        return employer
    new, faults = command.new, employer_faults(command.new, today=business_date(now), path="new.")
    refusal = refuse_no_first(command.on)
    relations = await relations_of(tx, command.psn_nos)
    going = [r for psn_no in command.psn_nos for r in relations.get(psn_no, ()) if r.is_open and r.emp_no == employer.emp_no]
    strangers = set(command.psn_nos) - {r.psn_no for r in going}
    faults += [
        Fault("NOT_A_MEMBER", "该人员不在本单位参保", f"psn_nos[{n}]", psn_no, "请核对名单")
        for n, psn_no in enumerate(command.psn_nos) if psn_no in strangers
    ]
    if new.admdvs != employer.admdvs:
        faults.append(Fault("OTHER_REGION", "新单位须在同一统筹区", "new.admdvs", new.admdvs, "请更正"))
    elif await find_by_credit_code(tx, admdvs=new.admdvs, uscc=tidy_number(new.uscc)) is not None:
        faults.append(Fault("EMPLOYER_ENROLLED", "该统一社会信用代码已参保登记", "new.uscc", new.uscc, "请核对"))
    if faults or refusal is not None:
        return Refusal((*faults, *(refusal.faults if refusal else ())))
    made = employer_of(_from(new, command.on), emp_no=ids.new(now), division=new.division or employer.division, now=now)
    await add_employer(tx, made)
    await move_all(tx, going, to=made, on=command.on, cause="employer_split", now=now, shelf=shelf)
    await _note(tx, employer, {}, cause="split", on=command.on, evidence=command.evidence, actor=actor, now=now, ids=ids,
                said=("split_into", None, made.emp_no))
    return await _done(tx, made, verb="split_employer", actor=actor, now=now, ids=ids, members=len(going))


async def cancel_employer(
    tx: Connection, command: CancelEmployer, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf,  # noqa: ARG001 - all deeds take the same
) -> EmployerDone | Refusal:
    """End an employer; refused while anybody is enrolled through it."""
    employer = await find_active_employer(tx, command.emp_no, actor=actor)
    if isinstance(employer, Refusal):
        return employer
    members = await count_members(tx, employer.emp_no)
    if members:
        return refuse("EMPLOYER_HAS_MEMBERS", f"单位还有{members}名参保人", field="emp_no", received=employer.emp_no,
                      remedy="请先减员或办理单位间转移")
    if command.on > business_date(now) or not command.reason:
        return refuse("CANCEL_INCOMPLETE", "注销须说明原因，日期不能晚于今天", field="on", received=command.on.isoformat(),
                      remedy="请更正")
    await _note(tx, employer, {}, cause="cancel", on=command.on, evidence=command.evidence or command.reason, actor=actor,
                now=now, ids=ids, said=("state", employer.state, "cancelled"))
    await end_employer(tx, employer.emp_no, state="cancelled", on=command.on)
    ended = msgspec.structs.replace(employer, state="cancelled", ended_on=command.on)
    return await _done(tx, ended, verb="cancel_employer", actor=actor, now=now, ids=ids)


async def _refuse_changes(
    tx: Connection, employer: Employer, values: dict[str, str], command: ChangeEmployer, *, today: date
) -> Refusal | None:
    unknown = sorted(set(values) - EMPLOYER_FIELDS)
    if unknown or not values:
        return refuse("FIELD_UNKNOWN", "没有可变更的项目，或项目不能变更", field="changes", received="、".join(unknown),
                      remedy=f"可变更：{'、'.join(sorted(EMPLOYER_FIELDS))}")
    faults = []
    if not command.evidence and set(values) & _NEED_EVIDENCE:
        faults.append(Fault("EVIDENCE_MISSING", "关键信息变更须有证明", "evidence", remedy="请填写材料名称"))
    form = msgspec.convert(
        {f: getattr(employer, f) for f in RegisterEmployer.__struct_fields__ if f != "evidence"} | values, RegisterEmployer
    )
    # Old employers may lack what a new form must have: only what is changed now is judged.
    said = {f"changes.{field}" for field in values}
    faults += [f for f in employer_faults(form, today=today, path="changes.") if f.field in said]
    if values.get("uscc", employer.uscc) != employer.uscc:
        other = await find_by_credit_code(tx, admdvs=employer.admdvs, uscc=values["uscc"])
        if other is not None:
            faults.append(Fault("EMPLOYER_ENROLLED", f"该统一社会信用代码已由单位{other.emp_no}登记", "changes.uscc",
                                values["uscc"], "请核对，或办理单位合并"))
    return Refusal(tuple(faults)) if faults else None


def _from(form: RegisterEmployer, on: date) -> RegisterEmployer:
    return form if form.enrolled_on else msgspec.structs.replace(form, enrolled_on=on)


async def _note(
    tx: Connection, employer: Employer, values: dict[str, str], *, cause: str, on: date | None, evidence: str, actor: Actor,
    now: datetime, ids: Ids, said: tuple[str, str | None, str | None] | None = None,
) -> None:
    """Write new values with the changes that say so; ``said`` is a change that has no column of its own."""
    noted = [(field, str(getattr(employer, field)), value) for field, value in values.items()]
    lines: list[tuple[str, str | None, str | None]] = [*noted, *([said] if said else [])]
    written: dict[str, Any] = {f: v for f, v in values.items() if getattr(employer, f) != v}
    await change_employer_fields(tx, employer.emp_no, written, [
        EmployerChange(
            emp_no=employer.emp_no, change_id=ids.new(now), admdvs=employer.admdvs, field=field, old_value=old, new_value=new,
            effective_on=on or business_date(now), recorded_at=now, evidence=evidence, actor=actor.login,
            channel=actor.channel, cause=cause,
        )
        for field, old, new in lines if old != new
    ])


async def _done(
    tx: Connection, employer: Employer, *, verb: str, actor: Actor, now: datetime, ids: Ids, members: int = 0
) -> EmployerDone:
    done = done_of(employer, members=members)
    await write_trail(tx, actor, verb=verb, object_id=employer.emp_no, admdvs=employer.admdvs, state=done, now=now, ids=ids)
    return done
