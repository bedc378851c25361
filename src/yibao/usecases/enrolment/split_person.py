"""A merge was wrong: what had gone over goes back, and the number answers for itself again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from yibao.domains.enrolment.model import Relation
from yibao.domains.enrolment.operations import delete_relation, reopen_relation
from yibao.domains.enrolment.queries import relations_of
from yibao.domains.people.model import Change, Merge
from yibao.domains.people.operations import add_changes, undo_merge
from yibao.domains.people.queries import balance_of, list_merges, take_person
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.enrolment.commands import SplitPerson
from yibao.usecases.enrolment.finding import refuse_outside
from yibao.usecases.enrolment.going_over import drop_copies, give_credits_back, give_dues_back, move_balance
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail


class Split(msgspec.Struct, frozen=True):
    """What went back; ``balance_fen`` is less than what had come when the kept person has spent of it since."""

    merge_id: str
    kept_no: str
    split_no: str
    relations: tuple[str, ...]
    dues: tuple[str, ...]
    balance_fen: int


async def split_person(
    tx: Connection, command: SplitPerson, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Split | Refusal:
    """Undo a merge: relations as they stand by now, dues with those assessed since, years, identities and money."""
    found = [m for m in await list_merges(tx, command.merge_id) if m.merge_id == command.merge_id]
    if not found:
        return _unknown(command.merge_id)
    merge = found[0]
    if merge.undone_at is not None:
        return refuse("MERGE_UNDONE", "这次合并已经撤销", field="merge_id", received=command.merge_id, remedy="无需重复办理")
    if not command.reason:
        return refuse("REASON_MISSING", "须说明撤销合并的理由", field="reason", remedy="请填写")
    persons = {number: await take_person(tx, number) for number in sorted((merge.kept_no, merge.merged_no))}
    kept = persons[merge.kept_no]
    if kept is None or persons[merge.merged_no] is None:  # of another county: not there for this clerk
        return _unknown(command.merge_id)
    refusal = refuse_outside(actor, admdvs=kept.admdvs, division=kept.division, field="merge_id")
    if refusal is not None:
        return refusal
    moved = merge.moved
    back = await _relations_back(tx, merge)
    dues = await give_dues_back(tx, from_no=merge.kept_no, to_no=merge.merged_no, due_ids=moved["dues"], relation_ids=back)
    await give_credits_back(tx, from_no=merge.kept_no, to_no=merge.merged_no, credit_ids=moved["credits"])
    await drop_copies(tx, merge.kept_no, identities=moved["identities"], recognitions=moved["recognitions"])
    balance = min(moved["balance_fen"], await balance_of(tx, merge.kept_no))
    await move_balance(tx, from_no=merge.kept_no, to_no=merge.merged_no, admdvs=merge.admdvs, amount_fen=balance,
                       key=f"{merge.merge_id}-undo", now=now)
    await undo_merge(tx, merge, by=actor.login, at=now, why=command.reason)
    await add_changes(tx, [Change(
        psn_no=merge.merged_no, change_id=ids.new(now), admdvs=merge.admdvs, field="merged_into", old_value=merge.kept_no,
        new_value=None, effective_on=business_date(now), recorded_at=now, evidence=command.evidence or command.reason,
        actor=actor.login, channel=actor.channel, cause="split",
    )])
    await refresh_entitlement(tx, [merge.kept_no, merge.merged_no], now=now, shelf=shelf)
    answer = Split(merge.merge_id, merge.kept_no, merge.merged_no, tuple(back), tuple(dues), balance)
    await write_trail(tx, actor, verb="split_person", object_id=merge.merged_no, admdvs=merge.admdvs, state=answer, now=now,
                      ids=ids)
    return answer


def _unknown(merge_id: str) -> Refusal:
    return refuse("MERGE_NOT_FOUND", "没有这次合并", field="merge_id", received=merge_id, remedy="请核对合并编号")


async def _relations_back(tx: Connection, merge: Merge) -> list[str]:
    """Give the copies back as they stand by now: those that were closed for the merge take over what became of the copy."""
    known = await relations_of(tx, [merge.kept_no, merge.merged_no])
    copies = {r.relation_id: r for r in known.get(merge.kept_no, []) if r.merged_from == merge.merged_no}
    closed = {raw["relation_id"]: _relation(raw) for raw in merge.moved["closed"]}
    for name, origin in merge.moved["relations"]:
        copy = copies.get(name)
        if copy is None:
            continue
        await delete_relation(tx, merge.kept_no, name)
        before = closed.pop(origin, None)
        if before is not None:
            await reopen_relation(tx, msgspec.structs.replace(
                before, status=copy.status, status_reason=copy.status_reason, paused_on=copy.paused_on,
                end_cause=copy.end_cause, ended_recorded_at=copy.ended_recorded_at, benefit_to=before.benefit_to,
            ))
    for relation in closed.values():
        await reopen_relation(tx, relation)
    # What the kept person began anew in place of a copy stays with the kept person.
    return [name for name, _ in merge.moved["relations"]]


def _relation(raw: dict[str, Any]) -> Relation:
    return msgspec.convert(raw, Relation)
