"""Two numbers of one person become one: what the merged number had goes over to the kept one, and is written down.

Relations are copied for the months that the kept number does not cover; dues, identities and recognitions go over; the own
account is emptied into the kept one. Settlements, postings and yearly counters stay where they were made: they are history
of the merged number, and what an institution settled can be reversed there. From then on every look-up by number of document
or card answers with the kept person.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from yibao.domains.enrolment.causes import ENDS
from yibao.domains.enrolment.model import EMPLOYEE, ENDED, RESIDENT, Relation
from yibao.domains.enrolment.months import covers_until, first_of_month, overlapping
from yibao.domains.enrolment.operations import Ending, add_relations, end_relations
from yibao.domains.enrolment.queries import relations_of
from yibao.domains.people.model import Change, Doubt, Merge, Person
from yibao.domains.people.operations import add_changes, add_merge, open_doubts
from yibao.domains.people.queries import balance_of, take_person
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.enrolment.commands import MergePersons
from yibao.usecases.enrolment.finding import refuse_outside
from yibao.usecases.enrolment.going_over import (
    copy_identities,
    copy_recognitions,
    move_balance,
    open_stays,
    rekey_credits,
    rekey_dues,
)
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail


class Merged(msgspec.Struct, frozen=True):
    """What a merge moved; ``paid_twice`` are dues that both numbers have, left where they are as cases to refund."""

    merge_id: str
    kept_no: str
    merged_no: str
    relations: tuple[str, ...]
    dues: tuple[str, ...]
    paid_twice: tuple[str, ...]
    balance_fen: int


async def merge_persons(
    tx: Connection, command: MergePersons, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Merged | Refusal:
    """Merge a person's second number into the first; refused while something under it is still being settled."""
    pair = await _take_both(tx, command, actor)
    if isinstance(pair, Refusal):
        return pair
    kept, merged = pair
    known = await relations_of(tx, [kept.psn_no, merged.psn_no])
    own, other = known.get(kept.psn_no, []), known.get(merged.psn_no, [])
    merge_id, today = ids.new(now), business_date(now)
    copied = copies_of(own, other, kept_no=kept.psn_no, merged_no=merged.psn_no, now=now)
    closing = [r for r in other if r.is_open]
    await end_relations(tx, [
        Ending(psn_no=r.psn_no, relation_id=r.relation_id, paused_on=max(today, r.insured_on), status=ENDED,
               status_reason=f"{ENDS['person_merged']}，现人员编号{kept.psn_no}，请用1101重新获取", cause="person_merged",
               recorded_at=now)
        for r in closing
    ])
    await add_relations(tx, [copy for copy, _ in copied])
    dues, twice = await rekey_dues(tx, from_no=merged.psn_no, to_no=kept.psn_no)
    credits = await rekey_credits(tx, from_no=merged.psn_no, to_no=kept.psn_no)
    identities = await copy_identities(tx, from_no=merged.psn_no, to_no=kept.psn_no)
    recognised = await copy_recognitions(tx, from_no=merged.psn_no, to_no=kept.psn_no)
    balance = await balance_of(tx, merged.psn_no)
    await move_balance(tx, from_no=merged.psn_no, to_no=kept.psn_no, admdvs=kept.admdvs, amount_fen=balance, key=merge_id,
                       now=now)
    moved: dict[str, Any] = {
        "relations": [[copy.relation_id, origin] for copy, origin in copied],
        "closed": [msgspec.to_builtins(r) for r in closing], "dues": dues, "credits": credits,
        "identities": identities, "recognitions": recognised, "balance_fen": balance,
    }
    await add_merge(tx, Merge(
        merge_id=merge_id, admdvs=kept.admdvs, kept_no=kept.psn_no, merged_no=merged.psn_no, reason=command.reason,
        evidence=command.evidence, made_by=actor.login, made_at=now, moved=moved,
    ))
    await add_changes(tx, [_change(merged, kept.psn_no, command, actor=actor, now=now, ids=ids)])
    await open_doubts(tx, [_paid_twice(kept, merged, due_id, now=now) for due_id in twice])
    await refresh_entitlement(tx, [kept.psn_no, merged.psn_no], now=now, shelf=shelf)
    names = tuple(copy.relation_id for copy, _ in copied)
    answer = Merged(merge_id, kept.psn_no, merged.psn_no, names, tuple(dues), tuple(twice), balance)
    await write_trail(tx, actor, verb="merge_persons", object_id=merged.psn_no, admdvs=kept.admdvs, state=answer, now=now,
                      ids=ids)
    return answer


def copies_of(
    own: Sequence[Relation], other: Sequence[Relation], *, kept_no: str, merged_no: str, now: datetime
) -> list[tuple[Relation, str]]:
    """Return what the kept number gets of the merged number's relations, each with the name it had there.

    Months that the kept number covers itself are left out at the beginning; where it covers later ones, the whole relation.
    """
    copies: list[tuple[Relation, str]] = []
    names = {r.relation_id for r in own}
    for relation in other:
        until: date | None = None if relation.is_open else first_of_month(relation.paused_on or relation.insured_on)
        begins = _free_from([*own, *(copy for copy, _ in copies)], relation.insured_on, until)
        if begins is None:
            continue
        name = relation.relation_id
        while name in names:
            name += "x"
        names.add(name)
        copy = msgspec.structs.replace(
            relation, psn_no=kept_no, relation_id=name, merged_from=merged_no, recorded_at=relation.recorded_at or now,
            insured_on=begins, benefit_from=max(relation.benefit_from, begins),
        )
        copies.append((copy, relation.relation_id))
    return copies


def _free_from(relations: Sequence[Relation], first: date, until: date | None) -> date | None:
    """Return from which day on no relation covers a period, None if one covers its end."""
    taken = overlapping(relations, first_of_month(first), until)
    if not taken:
        return first
    ends = [covers_until(r) for r in taken]
    if any(end is None or (until is not None and end >= until) for end in ends):
        return None
    return max(end for end in ends if end is not None)


async def _take_both(tx: Connection, command: MergePersons, actor: Actor) -> tuple[Person, Person] | Refusal:
    """Return both persons, locked in the order of their numbers, or why they cannot be merged."""
    if command.kept_no == command.merged_no:
        return refuse("SAME_NUMBER", "两个人员编号相同", field="merged_no", received=command.merged_no, remedy="请核对")
    found = {number: await take_person(tx, number) for number in sorted((command.kept_no, command.merged_no))}
    kept, merged = found[command.kept_no], found[command.merged_no]
    if kept is None or merged is None:
        field = "kept_no" if kept is None else "merged_no"
        return refuse("PERSON_NOT_FOUND", "没有这个参保人", field=field, received=getattr(command, field), remedy="请核对")
    faults = [
        f for p, field in ((kept, "kept_no"), (merged, "merged_no"))
        if (r := refuse_outside(actor, admdvs=p.admdvs, division=p.division, field=field)) is not None for f in r.faults
    ]
    faults += [*_pair_faults(kept, merged, command), *await _which_to_keep(tx, kept, merged)]
    faults += [
        Fault("ENCOUNTER_OPEN", f"被合并编号有未结算的住院{stay}", "merged_no", merged.psn_no, "请先办理出院结算")
        for stay in await open_stays(tx, merged.psn_no)
    ]
    return Refusal(tuple(faults)) if faults else (kept, merged)


async def _which_to_keep(tx: Connection, kept: Person, merged: Person) -> list[Fault]:
    known = await relations_of(tx, [kept.psn_no, merged.psn_no])
    now_insured = {n: {r.insutype for r in known.get(n, ()) if r.is_open} for n in (kept.psn_no, merged.psn_no)}
    if RESIDENT in now_insured[kept.psn_no] and EMPLOYEE in now_insured[merged.psn_no]:
        return [Fault("KEEP_THE_EMPLOYEE", "被合并编号正在参加职工医保，而保留编号为居民医保", "kept_no", kept.psn_no,
                      "请以职工医保的编号为保留编号")]
    return []


def _pair_faults(kept: Person, merged: Person, command: MergePersons) -> list[Fault]:
    faults = []
    if kept.merged_into or merged.merged_into:
        already = kept if kept.merged_into else merged
        faults.append(Fault("MERGED_ALREADY", f"{already.psn_no}已并入{already.merged_into}", "merged_no", already.psn_no,
                            "请使用现人员编号"))
    if kept.admdvs != merged.admdvs:
        faults.append(Fault("OTHER_REGION", "两个编号不在同一统筹区", "merged_no", merged.psn_no, "跨统筹区请办理关系转移"))
    if kept.birth_on != merged.birth_on and not command.evidence:
        faults.append(Fault("BIRTH_DIFFERS", "两个编号的出生日期不同，合并须有证明", "evidence", remedy="请填写材料名称"))
    if kept.died_on != merged.died_on:
        faults.append(Fault("DEATH_DIFFERS", "两个编号的死亡登记不一致", "merged_no", merged.psn_no, "请先更正死亡信息"))
    if not command.reason:
        faults.append(Fault("REASON_MISSING", "须说明合并理由", "reason", remedy="请填写"))
    return faults


def _change(
    merged: Person, kept_no: str, command: MergePersons, *, actor: Actor, now: datetime, ids: Ids
) -> Change:
    return Change(
        psn_no=merged.psn_no, change_id=ids.new(now), admdvs=merged.admdvs, field="merged_into", old_value=None,
        new_value=kept_no, effective_on=business_date(now), recorded_at=now, evidence=command.evidence, actor=actor.login,
        channel=actor.channel, cause="merge",
    )


def _paid_twice(kept: Person, merged: Person, due_id: str, *, now: datetime) -> Doubt:
    return Doubt(
        doubt_id=sm3(f"paid_twice|{kept.psn_no}|{merged.psn_no}|{due_id}".encode()).hex()[:24], admdvs=kept.admdvs,
        kind="paid_twice", psn_no=kept.psn_no, other_no=merged.psn_no, cert_type=merged.cert_type, certno=merged.certno,
        name=merged.name, origin="merge_persons", said={"due_id": due_id}, state="open", opened_at=now,
    )
