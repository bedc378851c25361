"""Bind a relative: the owner sees the relative's records and shows the relative's code. Nothing is spent by it."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.personal_accounts import operations
from yibao.domains.personal_accounts.records import Binding, Owner
from yibao.domains.personal_accounts.words import ADULT_FROM, KINSHIP
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import age_on, business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.personal_accounts.commands import BindFamily, UnbindFamily
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail


def pair_faults(first: Owner | None, second: Owner | None, *, names: tuple[str, str], numbers: tuple[str, str]) -> list[Fault]:
    """Return what keeps two people from being connected: unknown, dead, the same, or of two regions."""
    faults = []
    for person, field, number in zip((first, second), names, numbers, strict=True):
        if person is None:
            faults.append(Fault("PERSON_NOT_FOUND", "没有该人员", field, number, "请核对人员编号"))
        elif person.died_on is not None:
            faults.append(Fault("PERSON_DEAD", "该人员已死亡", field, number, "不能为已死亡人员办理"))
    if numbers[0] == numbers[1]:
        faults.append(Fault("SAME_PERSON", "不能与本人绑定或共济", names[1], numbers[1], "请填写家庭成员的人员编号"))
    elif first is not None and second is not None and first.admdvs != second.admdvs:
        faults.append(Fault("OTHER_REGION", "双方不在同一统筹区参保，跨统筹区共济尚未开通", names[1], numbers[1],
                            "请在双方同属一个统筹区时办理"))
    return faults


def consent_faults(consent: str, *, is_minor: bool, says: str) -> list[Fault]:
    """Return what is missing of a consent."""
    if consent.strip():
        return []
    who = "监护人的同意书" if is_minor else says
    return [Fault("CONSENT_MISSING", f"缺少{who}", "consent", remedy=f"请上传{who}")]


async def bind_family(
    tx: Connection, command: BindFamily, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf  # noqa: ARG001
) -> Binding | Refusal:
    """Bind a relative; a minor needs the guardian's consent, an adult the own one."""
    people = await operations.take_owners(tx, [command.psn_no, command.member_no])
    owner, member = people.get(command.psn_no), people.get(command.member_no)
    faults = pair_faults(owner, member, names=("psn_no", "member_no"), numbers=(command.psn_no, command.member_no))
    today = business_date(now)
    is_minor = member is not None and age_on(member.birth_on, today) < ADULT_FROM
    faults += consent_faults(command.consent, is_minor=is_minor, says="被绑定人的同意书")
    if command.kinship not in KINSHIP:
        faults.append(Fault("KINSHIP_UNKNOWN", "亲属关系不在可选范围内", "kinship", command.kinship,
                            f"请填写{'、'.join(KINSHIP)}之一"))
    if faults:
        return Refusal(tuple(faults))
    assert owner is not None
    if await operations.open_binding(tx, psn_no=command.psn_no, member_no=command.member_no) is not None:
        return refuse("ALREADY_BOUND", "已绑定该亲属", field="member_no", received=command.member_no, remedy="无需重复绑定")
    binding = Binding(
        psn_no=command.psn_no, member_no=command.member_no, begin_on=today, admdvs=owner.admdvs, kinship=command.kinship,
        is_minor=is_minor, consent=command.consent, end_on=None, bound_at=now, bound_by=actor.login,
    )
    await operations.add_row(tx, "family", binding)
    await write_trail(tx, actor, verb="bind_family", object_id=f"{binding.psn_no}/{binding.member_no}", admdvs=binding.admdvs,
                      state=binding, now=now, ids=ids)
    return binding


async def unbind_family(
    tx: Connection, command: UnbindFamily, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf  # noqa: ARG001
) -> Binding | Refusal:
    """End a binding from today; sharing is another thing and goes on."""
    ended = await operations.end_binding(
        tx, psn_no=command.psn_no, member_no=command.member_no, on=business_date(now), by=actor.login
    )
    if ended is None:
        return refuse("NOT_BOUND", "没有绑定该亲属", field="member_no", received=command.member_no, remedy="请核对人员编号")
    await write_trail(tx, actor, verb="unbind_family", object_id=f"{ended.psn_no}/{ended.member_no}", admdvs=ended.admdvs,
                      state=ended, now=now, ids=ids)
    return ended
