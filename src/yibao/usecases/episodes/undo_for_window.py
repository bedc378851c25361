"""Undo an insured admission before the stop (2404 with its lines); after the restart it comes back with its own dates."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from yibao.domains.encounters import operations as encounters
from yibao.domains.encounters import stays
from yibao.domains.enrolment.queries import find_relation
from yibao.domains.episodes.model import STAY
from yibao.domains.institutions.model import Institution
from yibao.domains.windows.gate import holds
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.episodes.commands import NoteEpisode, UndoAdmission
from yibao.usecases.episodes.judge_case import Facts, JudgedCase, judge_case
from yibao.usecases.episodes.note_episode import Noted, note_episode
from yibao.usecases.stays.discharge import cancel_admission
from yibao.usecases.stays.stay_of import refuse_discharged, stay_of
from yibao.usecases.windows.business_of import visit_class
from yibao.usecases.windows.pass_gate import Gate

CANCEL = "cancel_and_reregister"
RESENT = "resent"
"""The rule's word: lines are uploaded again after the restart; ``kept``: they move to the new admission."""


async def undo_for_window(
    tx: Connection, command: UndoAdmission, *, actor: Actor, institution: Institution, now: datetime, ids: Ids, gate: Gate
) -> Noted | Refusal:
    """Cancel the admission of somebody who stays through the stop, with its lines, and note the case for after it.

    Refused where the plan does not say so for this stay at this hour, or where a part of it is settled.
    """
    stay = await stay_of(tx, psn_no=command.psn_no, mdtrt_id=command.mdtrt_id, field="mdtrt_id",
                         fixmedins_code=institution.fixmedins_code)
    if isinstance(stay, Refusal):
        return stay
    refusal = refuse_discharged(stay, "为停机撤销入院", field="mdtrt_id")
    if refusal is not None:
        return refusal
    judged = await judged_to_cancel(tx, stay, institution=institution, gate=gate, now=now)
    if judged is None:
        return refuse("NOT_TO_CANCEL", "停机方案没有让这次住院此时撤销入院", field="mdtrt_id", received=command.mdtrt_id,
                      remedy="请按方案对这类病例的规定办理")
    if stay["covered"]:
        return refuse("PARTLY_SETTLED", "这次住院已有中途结算，不能撤销入院", field="mdtrt_id", received=command.mdtrt_id,
                      remedy="请先用2305撤销中途结算")
    if judged.rule.terms.get("fee_lines", RESENT) == RESENT:
        lines = await stays.list_stay_lines(tx, psn_no=command.psn_no, mdtrt_id=command.mdtrt_id)
        await stays.withdraw_serials(
            tx, psn_no=command.psn_no, mdtrt_id=command.mdtrt_id, serials=[x["feedetl_sn"] for x in lines])
    await encounters.cancel_encounter(tx, psn_no=command.psn_no, mdtrt_id=command.mdtrt_id)
    return await note_episode(tx, NoteEpisode(
        psn_no=command.psn_no, kind=STAY, visit_no=stay["ipt_otp_no"], insutype=stay["insutype"],
        begin_at=stay["admitted_at"], fixmedins_code=institution.fixmedins_code, phone=command.phone,
        visit_class=judged.asked.visit_class,
    ), actor=actor, now=now, ids=ids, gate=gate, earlier_mdtrt_id=command.mdtrt_id)


async def cancel_or_undo(
    tx: Connection, *, psn_no: str, mdtrt_id: str, institution: Institution, opter: str, now: datetime, ids: Ids, gate: Gate
) -> Noted | Refusal | None:
    """Cancel an admission (2404): for the window where a plan says so of this stay now, else one that nothing hangs on.

    None: cancelled as always.
    """
    if gate.plans:
        stay = await stays.find_stay(tx, psn_no=psn_no, mdtrt_id=mdtrt_id)
        if stay is not None and stay["fixmedins_code"] == institution.fixmedins_code and (
            await judged_to_cancel(tx, stay, institution=institution, gate=gate, now=now)
        ):
            actor = Actor(login=opter or institution.fixmedins_code, channel="gateway", sender=institution.fixmedins_code,
                          regions=(institution.region,), fixmedins_code=institution.fixmedins_code)
            return await undo_for_window(tx, UndoAdmission(psn_no=psn_no, mdtrt_id=mdtrt_id), actor=actor,
                                         institution=institution, now=now, ids=ids, gate=gate)
    return await cancel_admission(tx, psn_no=psn_no, mdtrt_id=mdtrt_id, fixmedins_code=institution.fixmedins_code)


async def judged_to_cancel(
    tx: Connection, stay: asyncpg.Record, *, institution: Institution, gate: Gate, now: datetime
) -> JudgedCase | None:
    """Return the plan's judgement where it says that this stay is cancelled and registered again, now; None otherwise."""
    if gate.plan_for(stay["admdvs"], now) is None or stay["state"] != "admitted":
        return None
    relation = await find_relation(tx, stay["psn_no"], insutype=stay["insutype"], on=business_date(stay["admitted_at"]))
    judged = judge_case(gate, Facts(
        admdvs=stay["admdvs"], care_admdvs=stay["care_admdvs"], fixmedins_code=institution.fixmedins_code,
        institution="hospital", kind=STAY, visit_class=visit_class(stay["med_type"], kind=STAY), negotiated=False,
        insutype=stay["insutype"], psn_type=relation["psn_type"] if relation is not None else "",
        begin=stay["admitted_at"], end=None,
    ), now=now)
    if isinstance(judged, Refusal) or judged.disposition != CANCEL or judged.track is None:
        return None
    return judged if now < judged.track.stop and holds(judged.rule, judged.track, now) else None
