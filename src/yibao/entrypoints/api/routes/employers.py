"""Employers, schools and village offices: registration, changes, merger, split, end, and who is enrolled through them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from yibao.domains.enrolment.model import Employer
from yibao.domains.enrolment.queries import find_employer, list_employers, list_members
from yibao.entrypoints.api.fields import EmpNo, Limit
from yibao.entrypoints.api.routing import deed, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.business_time import business_date
from yibao.kernel.identity_number import mask
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.enrolment.change_employer import (
    cancel_employer,
    change_employer,
    merge_employers,
    split_employer,
)
from yibao.usecases.enrolment.commands import (
    CancelEmployer,
    ChangeEmployer,
    MergeEmployers,
    RegisterEmployer,
    SplitEmployer,
)
from yibao.usecases.enrolment.register_employer import EmployerDone, register_employer

After = Annotated[str, Meta(max_length=32, pattern=r"^[0-9A-Za-z]*$", description="上一页最后一个编号，空为从头")]


class EmployerHit(msgspec.Struct, frozen=True, kw_only=True):
    """An employer in a list."""

    emp_no: str
    admdvs: str
    name: str
    uscc: str
    kind: str
    division: str
    state: str


class EmployerHits(msgspec.Struct, frozen=True):
    """Employers in the order of their numbers."""

    rows: list[EmployerHit]


class MemberView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody enrolled through an employer; the period is half-open."""

    psn_no: str
    relation_id: str
    insutype: str
    psn_type: str
    status: str
    insured_on: date
    paused_on: date | None


class Members(msgspec.Struct, frozen=True):
    """Members in the order of the people's numbers."""

    rows: list[MemberView]


@read("/employers", verb="show_employer")
async def list_all_employers(
    call: Call, name: Annotated[str, Meta(max_length=60)] = "",
    state: Literal["", "active", "merged", "split", "cancelled"] = "", after: After = "", limit: Limit = 50,
) -> EmployerHits:
    """List employers, narrowed by part of the name and state."""
    rows = await list_employers(
        call.tx, regions=call.actor.regions, division=call.actor.division, state=state, name=name, after=after, limit=limit
    )
    return EmployerHits([EmployerHit(**{n: getattr(e, n) for n in EmployerHit.__struct_fields__}) for e in rows])


@read("/employers/{emp_no}", verb="show_employer")
async def show_employer(call: Call, emp_no: EmpNo) -> Employer | Refusal:
    """Show an employer; documents and bank account are masked."""
    found = await find_employer(call.tx, emp_no)
    if found is None:
        return refuse("EMPLOYER_NOT_FOUND", "没有该编号的参保单位", field="emp_no", received=emp_no, remedy="请核对单位编号")
    return msgspec.structs.replace(
        found, legal_certno=mask(found.legal_certno), bank_account=mask(found.bank_account),
        legal_phone=mask(found.legal_phone), handler_phone=mask(found.handler_phone),
    )


@read("/employers/{emp_no}/members", verb="show_employer")
async def list_employer_members(
    call: Call, emp_no: EmpNo, on: date | None = None, after: After = "", limit: Limit = 100
) -> Members:
    """List who is enrolled through an employer on a day."""
    rows = await list_members(call.tx, emp_no, on=on or business_date(call.now), after=after, limit=limit)
    return Members([MemberView(**{n: getattr(r, n) for n in MemberView.__struct_fields__}) for r in rows])


@deed("/employers", verb="register_employer", status=201)
async def add_employer(call: Call, data: RegisterEmployer) -> EmployerDone | Refusal:
    """Enrol an employer, school or village office."""
    return await register_employer(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/employers/changes", verb="change_employer")
async def change_one_employer(call: Call, data: ChangeEmployer) -> EmployerDone | Refusal:
    """Change fields of an employer; key fields need evidence."""
    return await change_employer(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/employers/mergers", verb="merge_employers")
async def merge_two_employers(call: Call, data: MergeEmployers) -> EmployerDone | Refusal:
    """Let an employer take over another one with all its people."""
    return await merge_employers(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/employers/splits", verb="split_employer", status=201)
async def split_one_employer(call: Call, data: SplitEmployer) -> EmployerDone | Refusal:
    """Make a new employer of a part of one."""
    return await split_employer(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


@deed("/employers/cancellations", verb="cancel_employer")
async def cancel_one_employer(call: Call, data: CancelEmployer) -> EmployerDone | Refusal:
    """End an employer through which nobody is enrolled."""
    return await cancel_employer(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf)


ROUTES = (
    list_all_employers, show_employer, list_employer_members, add_employer, change_one_employer, merge_two_employers,
    split_one_employer, cancel_one_employer,
)
