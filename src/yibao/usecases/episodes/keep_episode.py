"""What happens to a noted case before it is settled: cash, its end and cost, its encounter, money back, withdrawal."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.encounters.stays import move_lines
from yibao.domains.enrolment.queries import find_relation
from yibao.domains.episodes import operations, queries
from yibao.domains.episodes.model import DEPOSIT, ENTERED, LAPSED, OPEN, RETURNED, SALE, WITHDRAWN, Episode
from yibao.domains.episodes.rules import allowed_cash, cash_faults, refuse_change, refuse_return
from yibao.domains.institutions.model import HOSPITAL
from yibao.domains.institutions.queries import find_institution
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.episodes.commands import ChangeEpisode, OnEpisode, TakeCash
from yibao.usecases.episodes.judge_case import Facts, judge_case
from yibao.usecases.episodes.note_episode import keep_cash, tell_person
from yibao.usecases.trail import write_trail
from yibao.usecases.windows.pass_gate import Gate


async def episode_of(tx: Connection, *, psn_no: str, episode_id: str, actor: Actor) -> Episode | Refusal:
    """Return an episode of the actor's, the person locked until the transaction ends.

    What is another institution's, or of another region, is not there.
    """
    await operations.lock_person(tx, psn_no)
    found = await queries.find_episode(tx, psn_no, episode_id, lock=True)
    is_own = found is not None and found.admdvs in actor.regions and actor.fixmedins_code in ("", found.fixmedins_code)
    if found is None or not is_own:
        return refuse("EPISODE_NOT_FOUND", "没有这个停机期间病例", field="episode_id", received=episode_id,
                      remedy="请核对人员编号与病例编号")
    return found


async def take_cash(
    tx: Connection, command: TakeCash, *, actor: Actor, now: datetime, ids: Ids, gate: Gate
) -> Episode | Refusal:
    """Take cash from the patient for an open case, as far as the plan lets the institution take any."""
    e = await episode_of(tx, psn_no=command.psn_no, episode_id=command.episode_id, actor=actor)
    if isinstance(e, Refusal):
        return e
    refusal = refuse_change(e, "收款")
    if refusal is not None:
        return refusal
    given = command.cash
    faults = cash_faults(given.kind, given.amount_fen, at="cash")
    if await queries.taken_receipts(tx, fixmedins_code=e.fixmedins_code, receipts=[given.receipt_no]):
        faults.append(Fault("RECEIPT_TAKEN", "收据号已用于另一笔收款", "cash.receipt_no", given.receipt_no, "请核对收据号"))
    deposit = e.deposit_fen + (given.amount_fen if given.kind == DEPOSIT else 0)
    plan = gate.plan_for(e.admdvs, now)
    rule = plan.rule(e.rule_id) if plan is not None and plan.name == e.plan else None
    if not faults:
        faults += allowed_cash(disposition=e.disposition, terms=rule.terms if rule else {}, total_fen=e.total_fen,
                               deposit_fen=deposit, paid_fen=e.paid_fen + given.amount_fen, field="cash.amount_fen")
    if faults:
        return Refusal(tuple(faults))
    await keep_cash(tx, e, [(given.kind, given.amount_fen, given.receipt_no)], now=now, actor=actor)
    changed = msgspec.structs.replace(e, deposit_fen=deposit, paid_fen=e.paid_fen + given.amount_fen)
    return await keep(tx, changed, what="cash", says=yuan_text(given.amount_fen), actor=actor, now=now, ids=ids)


async def change_episode(
    tx: Connection, command: ChangeEpisode, *, actor: Actor, now: datetime, ids: Ids, gate: Gate
) -> Episode | Refusal:
    """Note that a case ended or what it costs; its position, and with it the plan's rule, may become another."""
    e = await episode_of(tx, psn_no=command.psn_no, episode_id=command.episode_id, actor=actor)
    if isinstance(e, Refusal):
        return e
    refusal = refuse_change(e, "更正")
    if refusal is not None:
        return refusal
    end = command.end_at or e.end_at
    total = e.total_fen if command.total_fen is None else command.total_fen
    if end is not None and not e.begin_at <= end <= now:
        return refuse("EPISODE_END", "结束时间须在开始之后、不晚于现在", field="end_at", received=f"{business_date(end)}",
                      remedy="请核对结束时间")
    if total < e.paid_fen:
        return refuse("CASH_ABOVE_BILL", f"费用总额少于已收的{yuan_text(e.paid_fen)}元", field="total_fen",
                      received=yuan_text(total), remedy="请核对金额；多收的请先退还")
    changed = msgspec.structs.replace(e, end_at=end, total_fen=total)
    if end != e.end_at:
        judged = await judged_again(tx, changed, gate=gate, now=now)
        if isinstance(judged, Refusal):
            return judged
        changed = judged
    return await keep(tx, changed, what="changed", actor=actor, now=now, ids=ids)


async def judged_again(tx: Connection, e: Episode, *, gate: Gate, now: datetime) -> Episode | Refusal:
    """Return the case as the plan in force sees it with its end. Where no plan covers it any more it stays as it is."""
    institution = await find_institution(tx, e.fixmedins_code)
    relation = await find_relation(tx, e.psn_no, insutype=e.insutype, on=business_date(e.begin_at))
    judged = judge_case(gate, Facts(
        admdvs=e.admdvs, care_admdvs=e.care_admdvs, fixmedins_code=e.fixmedins_code,
        institution="" if institution is None else "hospital" if institution.kind == HOSPITAL else "pharmacy",
        kind=e.kind, visit_class=e.visit_class, negotiated=e.business == "negotiated_drug", insutype=e.insutype,
        psn_type=relation["psn_type"] if relation is not None else "", begin=e.begin_at, end=e.end_at,
        is_urgent=e.is_urgent, is_filed=e.position == "P7", cause=e.cause, total_fen=e.total_fen,
    ), now=now)
    if isinstance(judged, Refusal):
        return e
    return msgspec.structs.replace(
        e, position=judged.position, disposition=judged.disposition, rule_id=judged.rule.id,
        plan_version=judged.plan.version, settle_by=judged.settle_by,
    )


async def enter_episode(
    tx: Connection, command: OnEpisode, *, actor: Actor, now: datetime, ids: Ids
) -> Episode | Refusal:
    """Join a case to the encounter that the institution has sent under its number after the restart.

    Nobody has to: a settlement finds the case by the number. It shows what is still to be entered, and that it began when
    it was noted: an admission undone for the window comes back with its original time, and with the fee lines that the
    plan's rule let it keep.
    """
    e = await episode_of(tx, psn_no=command.psn_no, episode_id=command.episode_id, actor=actor)
    if isinstance(e, Refusal):
        return e
    refusal = refuse_change(e, "补录")
    if refusal is not None:
        return refusal
    if e.kind == SALE:
        return refuse("EPISODE_SALE", "购药以一条消息（2102）补录，无需先登记就诊", field="episode_id", received=e.episode_id,
                      remedy="请直接用2102补录结算，发票号与登记一致")
    found = await queries.find_visit(tx, fixmedins_code=e.fixmedins_code, visit_no=e.visit_no)
    if found is None or found["psn_no"] != e.psn_no:
        return refuse("ENCOUNTER_NOT_FOUND", f"还没有号码为{e.visit_no}的就诊", field="episode_id", received=e.episode_id,
                      remedy="请先用2201或2401按登记的号码和时间补录")
    if business_date(found["begin_at"]) != business_date(e.begin_at):
        return refuse("EPISODE_BEGIN_DIFFERS", f"补录的时间与登记的{business_date(e.begin_at)}不一致", field="begin_at",
                      received=f"{business_date(found['begin_at'])}", remedy="请按原就诊时间补录")
    if e.earlier_mdtrt_id and e.mdtrt_id != found["mdtrt_id"]:
        await move_lines(tx, psn_no=e.psn_no, origin=e.earlier_mdtrt_id, target=found["mdtrt_id"])
    changed = msgspec.structs.replace(
        e, state=ENTERED, mdtrt_id=found["mdtrt_id"], end_at=found["discharged_at"] or e.end_at)
    return await keep(tx, changed, what="entered", says=found["mdtrt_id"], actor=actor, now=now, ids=ids)


async def return_cash(
    tx: Connection, command: OnEpisode, *, actor: Actor, now: datetime, ids: Ids
) -> Episode | Refusal:
    """Give all cash of a case back without a settlement, once; the case ends with it."""
    e = await episode_of(tx, psn_no=command.psn_no, episode_id=command.episode_id, actor=actor)
    if isinstance(e, Refusal):
        return e
    cash = await queries.list_cash(tx, psn_no=e.psn_no, episode_id=e.episode_id)
    refusal = refuse_return(e, cash)
    if refusal is not None:
        return refusal
    await operations.add_cash(tx, e, kind="return", amount_fen=-e.paid_fen, receipt_no="", now=now, actor=actor.login)
    changed = msgspec.structs.replace(e, state=RETURNED, back_fen=e.paid_fen)
    return await keep(tx, changed, what="returned", says=command.says, actor=actor, now=now, ids=ids)


async def withdraw_episode(
    tx: Connection, command: OnEpisode, *, actor: Actor, now: datetime, ids: Ids
) -> Episode | Refusal:
    """Take back a case that was noted by mistake; cash that was taken has to be given back first."""
    e = await episode_of(tx, psn_no=command.psn_no, episode_id=command.episode_id, actor=actor)
    if isinstance(e, Refusal):
        return e
    refusal = refuse_change(e, "撤销登记", also=frozenset({LAPSED}))
    if refusal is not None:
        return refusal
    if not command.says.strip():
        return refuse("REASON_MISSING", "撤销登记须写明理由", field="says", remedy="请填写理由")
    if e.paid_fen:
        return refuse("CASH_NOT_RETURNED", f"还有{yuan_text(e.paid_fen)}元没有退还", field="episode_id", received=e.episode_id,
                      remedy="请先退还已收款项")
    changed = msgspec.structs.replace(e, state=WITHDRAWN)
    return await keep(tx, changed, what="withdrawn", says=command.says, actor=actor, now=now, ids=ids)


async def lapse_episodes(
    tx: Connection, *, admdvs: str, actor: Actor, now: datetime, ids: Ids, limit: int = 500
) -> list[Episode]:
    """Let open cases whose last day is over lapse: what is left is the claim by hand; the people are told.

    In chunks of ``limit``; a run that was killed goes on where it stopped.
    """
    lapsed = []
    for e in await queries.list_overdue(tx, admdvs=admdvs, on=business_date(now), limit=limit):
        await operations.lock_person(tx, e.psn_no)
        fresh = await queries.find_episode(tx, e.psn_no, e.episode_id, lock=True)
        if fresh is None or fresh.state not in OPEN:
            continue
        changed = msgspec.structs.replace(fresh, state=LAPSED)
        lapsed.append(await keep(tx, changed, what="lapsed", actor=actor, now=now, ids=ids))
        await tell_person(
            tx, changed, kind="episode_lapsed", now=now, ids=ids,
            text=f"登记号{e.register_no}的费用已过补录期限（{e.settle_by}），请携发票、费用清单等材料到经办机构办理手工报销",
        )
    return lapsed


async def keep(
    tx: Connection, e: Episode, *, what: str, actor: Actor, now: datetime, ids: Ids, says: str = ""
) -> Episode:
    """Write a case as it stands with its step, its row in the book and its audit row."""
    kept = await operations.put_episode(tx, e, what=what, now=now, actor=actor.login, channel=actor.channel, says=says)
    await write_trail(tx, actor, verb=f"episode_{what}", object_id=e.episode_id, admdvs=e.admdvs, state=kept, now=now, ids=ids,
                      rule=e.rule_id)
    return kept
