"""Somebody says that what is stored about a person is wrong: asked for by one clerk, decided by another."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from yibao.domains.access import agents_operations, agents_queries
from yibao.domains.access.agents_model import Correction
from yibao.domains.people.queries import find_person
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.enrolment.change_person import change_person
from yibao.usecases.enrolment.commands import ChangePerson
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

Field = Literal["name", "sex", "birth_on", "certno", "cert_type", "nation", "phone", "card_no"]
CORRECTED, REJECTED = "corrected", "rejected"


class CorrectionForm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wrong, what is right, and what proves it."""

    field: Field
    new_value: Annotated[str, Meta(min_length=1, max_length=100)]
    reason: Annotated[str, Meta(min_length=1, max_length=500)]
    evidence: Annotated[str, Meta(min_length=1, max_length=500)]


async def ask_correction(
    tx: Connection, psn_no: str, form: CorrectionForm, *, actor: Actor, now: datetime, ids: Ids
) -> Correction | Refusal:
    """Keep a request to correct; nothing changes until somebody else decides."""
    person = await find_person(tx, psn_no)
    if person is None:
        return refuse("PERSON_NOT_FOUND", "没有该人员编号的参保人", field="psn_no", received=psn_no, remedy="请核对人员编号")
    old = "" if person[form.field] is None else str(person[form.field])
    if old == form.new_value:
        return refuse("NOTHING_TO_CORRECT", "与已登记的内容相同", field="new_value", remedy="请核对要更正的内容")
    correction = Correction(
        correction_id=ids.new(now), psn_no=psn_no, admdvs=person["admdvs"], field=form.field, old_value=old,
        new_value=form.new_value, reason=form.reason, evidence=form.evidence, state="asked", made_by=actor.login,
        made_at=now, decided_by="", decided_at=None, answer="",
    )
    if not await agents_operations.add_correction(tx, correction):
        return refuse("CORRECTION_OPEN", "这一项已有更正申请在办", field="field", received=form.field, remedy="请等待审批结果")
    await write_trail(tx, actor, verb="ask_correction", object_id=psn_no, admdvs=correction.admdvs, state=correction,
                      now=now, ids=ids)
    return correction


async def decide_correction(
    tx: Connection, correction_id: str, *, approve: bool, answer: str, actor: Actor, now: datetime, ids: Ids,
    shelf: PolicyShelf,
) -> Correction | Refusal:
    """Correct the person, or reject with a reason; never by whoever asked.

    A correction says that it was always so: it enters the person's history as such, and settlements made on the wrong
    fact stand until somebody settles them again.
    """
    asked = await agents_queries.find_correction(tx, correction_id, lock=True)
    refusal = await _not_decidable(tx, asked, correction_id, approve=approve, answer=answer, actor=actor)
    if refusal is not None or asked is None:
        return refusal or _unknown(correction_id)
    if approve:
        command = ChangePerson(
            psn_no=asked.psn_no, changes={asked.field: asked.new_value}, cause="correction", evidence=asked.evidence
        )
        changed = await change_person(tx, command, actor=actor, now=now, ids=ids, shelf=shelf)
        if isinstance(changed, Refusal):
            return changed
    state = CORRECTED if approve else REJECTED
    await agents_operations.answer_correction(tx, asked, state=state, by=actor.login, answer=answer, now=now)
    await write_trail(tx, actor, verb="decide_correction", object_id=asked.psn_no, admdvs=asked.admdvs,
                      state=[correction_id, state, answer], now=now, ids=ids)
    return msgspec.structs.replace(asked, state=state, decided_by=actor.login, decided_at=now, answer=answer)


async def _not_decidable(
    tx: Connection, asked: Correction | None, correction_id: str, *, approve: bool, answer: str, actor: Actor
) -> Refusal | None:
    # Row-level security hides people of other counties; so are the requests about them.
    if asked is None or await find_person(tx, asked.psn_no) is None:
        return _unknown(correction_id)
    if asked.state != "asked":
        return refuse("CORRECTION_DECIDED", "这件更正申请已经办结", field="correction_id", received=correction_id,
                      remedy="请查询结果")
    if asked.made_by == actor.login:
        return refuse("SAME_PERSON", "受理与审批不得为同一人", field="correction_id", received=actor.login,
                      remedy="请由另一人审批", basis="经办岗位不相容原则")
    if not approve and not answer:
        return refuse("REASON_MISSING", "不予更正须写明理由", field="answer", remedy="请写明理由")
    return None


def _unknown(correction_id: str) -> Refusal:
    return refuse("CORRECTION_NOT_FOUND", "没有这件更正申请", field="correction_id", received=correction_id[:32],
                  remedy="请核对编号")
