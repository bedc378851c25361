"""Note a case that cannot be settled now: what the plan says of it, its number in the book, the cash that was given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from yibao.domains.deadlines.queries import open_transits
from yibao.domains.encounters.stays import find_overlapping
from yibao.domains.enrolment.queries import find_relation
from yibao.domains.entitlement.queries import spells_on
from yibao.domains.episodes import operations, queries
from yibao.domains.episodes.model import DEPOSIT, HELD, SALE, STAY, Episode
from yibao.domains.episodes.rules import WITHOUT_PATIENT, allowed_cash, classes_of, note_faults
from yibao.domains.institutions.model import HOSPITAL, Institution
from yibao.domains.institutions.queries import find_institution
from yibao.domains.people.queries import find_person
from yibao.domains.registers.books import books
from yibao.domains.registers.model import NewEntry
from yibao.domains.settlements.queries import list_active
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.identity_number import mask
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.deadlines.promised import IN_TRANSIT
from yibao.usecases.episodes.commands import NoteEpisode
from yibao.usecases.episodes.judge_case import Facts, JudgedCase, judge_case
from yibao.usecases.notices.tell import Message, tell
from yibao.usecases.registers.add_entry import add_entry
from yibao.usecases.trail import write_trail
from yibao.usecases.windows.pass_gate import Gate

IDENTITY_CARD, SOCIAL_CARD = "02", "03"


class Noted(msgspec.Struct, frozen=True):
    """A noted case with what the institution and the patient are told; ``is_new`` False: it was noted before."""

    episode: Episode
    says: str
    is_new: bool = True


class Case(msgspec.Struct, frozen=True):
    """What a note rests on: who, where, how the plan judges it, the encounter of that number if there is one."""

    person: asyncpg.Record
    admdvs: str
    care_admdvs: str
    fixmedins_code: str
    visit_class: str
    judged: JudgedCase
    encounter: asyncpg.Record | None


async def note_episode(
    tx: Connection, command: NoteEpisode, *, actor: Actor, now: datetime, ids: Ids, gate: Gate, earlier_mdtrt_id: str = ""
) -> Noted | Refusal:
    """Note a case of a window, with its row in the book and the cash that was given; refused with every fault.

    Noted again under the same number for the same person and time, the same row is answered. Nothing is drawn from an
    account: what was to be drawn is settled by the balance at the backfill.

    Args:
        earlier_mdtrt_id: the admission that was undone for the window, where this note stands for it.
    """
    c = command
    code = actor.fixmedins_code or c.fixmedins_code
    faults = note_faults(
        kind=c.kind, visit_no=c.visit_no, begin=c.begin_at, end=c.end_at, total_fen=c.total_fen,
        cash=[(x.kind, x.amount_fen) for x in c.cash], noted=c.noted_at or now, now=now,
    )
    faults += _asking_faults(c, code, actor)
    if faults:
        return Refusal(tuple(faults))
    await operations.lock_person(tx, c.psn_no)
    case = await _case(tx, c, code, actor=actor, now=now, gate=gate)
    if isinstance(case, Refusal):
        return case
    earlier = await queries.find_by_visit(tx, fixmedins_code=code, kind=c.kind, visit_no=c.visit_no)
    if earlier is not None and (earlier.psn_no, earlier.begin_at) == (c.psn_no, c.begin_at):
        return Noted(earlier, case.judged.rule.says, is_new=False)
    faults = await _case_faults(tx, c, case, earlier)
    if faults:
        return Refusal(tuple(faults))
    return await _write(tx, c, case, actor=actor, now=now, ids=ids, earlier_mdtrt_id=earlier_mdtrt_id)


def _asking_faults(c: NoteEpisode, code: str, actor: Actor) -> list[Fault]:
    faults = []
    if actor.fixmedins_code and c.fixmedins_code not in ("", actor.fixmedins_code):
        faults.append(Fault("EPISODE_ELSEWHERE", "只能登记本机构的病例", "fixmedins_code", c.fixmedins_code, "请由接诊机构登记"))
    if not code:
        faults.append(Fault("INSTITUTION_MISSING", "须写明接诊的机构", "fixmedins_code", remedy="请填写机构编号"))
    if c.account_fen:
        faults.append(Fault("ACCOUNT_BLIND", "断网时不知余额，不能从个人账户扣款", "account_fen", str(c.account_fen),
                            "请先收取现金，补录结算时按当时余额用个人账户支付并退回现金"))
    receipts = [x.receipt_no for x in c.cash if x.receipt_no]
    if len(set(receipts)) < len(receipts):
        faults.append(Fault("RECEIPT_TAKEN", "收据号重复", "cash", remedy="每笔收款使用自己的收据号"))
    return faults


async def _case(
    tx: Connection, c: NoteEpisode, code: str, *, actor: Actor, now: datetime, gate: Gate
) -> Case | Refusal:
    person = await find_person(tx, c.psn_no)
    if person is None:
        return refuse("PERSON_NOT_FOUND", "没有该人员编号的参保人", field="psn_no", received=c.psn_no,
                      remedy="请用1101查询人员编号")
    relation = await find_relation(tx, c.psn_no, insutype=c.insutype, on=business_date(c.begin_at))
    if relation is None:
        return refuse("NOT_ENROLLED", "参保人没有该险种的参保关系", field="insutype", received=c.insutype,
                      remedy="请用1101查询参保险种")
    if c.cause and not await _has_cause(tx, c, now):
        return refuse("CAUSE_NOT_FOUND", "参保人没有这种待办的情形", field="cause", received=c.cause[:40],
                      remedy="缴费在途的请先凭缴费凭据登记；待遇正常的请直接结算")
    institution = await find_institution(tx, code)
    place = _place(c, institution, home=relation["admdvs"], actor=actor)
    if isinstance(place, Refusal):
        return place
    visit_class = c.visit_class or classes_of(c.kind)
    judged = judge_case(gate, Facts(
        admdvs=relation["admdvs"], care_admdvs=place, fixmedins_code=code,
        institution="" if institution is None else "hospital" if institution.kind == HOSPITAL else "pharmacy",
        kind=c.kind, visit_class=visit_class, negotiated=c.negotiated, insutype=c.insutype, psn_type=relation["psn_type"],
        begin=c.begin_at, end=c.end_at, can_end=c.can_end, is_urgent=c.is_urgent, is_filed=c.is_filed, cause=c.cause,
        total_fen=c.total_fen,
    ), now=now)
    if isinstance(judged, Refusal):
        return judged
    encounter = None if c.kind == SALE else await queries.find_visit(tx, fixmedins_code=code, visit_no=c.visit_no)
    return Case(person, relation["admdvs"], place, code, visit_class, judged, encounter)


async def _has_cause(tx: Connection, c: NoteEpisode, now: datetime) -> bool:
    """Say whether the cause that a note names holds for the person: by the benefit status of a day of the case."""
    days = {business_date(c.begin_at), business_date(c.end_at or now)}
    spells = [s for on in days for s in await spells_on(tx, c.psn_no, on=on)]
    if any(s["reason"] == c.cause and s["insutype"] == c.insutype for s in spells):
        return True
    return any(t.insutype == c.insutype for t in await open_transits(tx, c.psn_no)) and c.cause == IN_TRANSIT


def _place(c: NoteEpisode, institution: Institution | None, *, home: str, actor: Actor) -> str | Refusal:
    """Return the region of treatment. A case away from home is noted by the agency of the insured place."""
    if home not in actor.regions:
        return refuse("EPISODE_NOT_HERE", f"参保人参保地是{home}，由参保地经办机构登记", field="psn_no", received=c.psn_no,
                      remedy="请联系参保地经办机构")
    if institution is not None:
        return institution.region
    if actor.fixmedins_code or not c.institution_name.strip() or len(c.care_admdvs) < len(home):
        return refuse("INSTITUTION_UNKNOWN", "不是本平台的定点医药机构", field="fixmedins_code", received=c.fixmedins_code,
                      remedy="外地机构请同时填写机构名称和就医地区划，由经办机构登记")
    return c.care_admdvs


async def _case_faults(tx: Connection, c: NoteEpisode, case: Case, earlier: Episode | None) -> list[Fault]:
    """Return what stands against the note: numbers and receipts that are taken, bills settled before, other stays."""
    faults = []
    code, found, terms = case.fixmedins_code, case.encounter, case.judged.rule.terms
    if earlier is not None or (found is not None and found["psn_no"] != c.psn_no):
        faults.append(Fault("EPISODE_NUMBER_TAKEN", "该号码在本机构已用于另一次就诊", "visit_no", c.visit_no,
                            "一个号码只能登记一次；补登请核对号码"))
    elif found is not None and not found["is_stay"]:
        active = await list_active(tx, psn_no=c.psn_no, mdtrt_id=found["mdtrt_id"])
        if active:
            faults.append(Fault("EPISODE_SETTLED", f"这次就诊已结算（结算ID {active[0]['setl_id']}）", "visit_no", c.visit_no,
                                "无需登记"))
    elif found is not None and business_date(found["begin_at"]) != business_date(c.begin_at):
        faults.append(Fault("EPISODE_BEGIN_DIFFERS", f"与入院登记的日期{business_date(found['begin_at'])}不一致", "begin_at",
                            f"{business_date(c.begin_at)}", "请按入院登记填写，或先用2403更正"))
    taken = await queries.taken_receipts(tx, fixmedins_code=code, receipts=[x.receipt_no for x in c.cash])
    faults += [Fault("RECEIPT_TAKEN", "收据号已用于另一笔收款", "cash", r, "请核对收据号") for r in taken]
    if c.kind == STAY:
        faults += await _overlap_faults(tx, c, case)
    paid = sum(x.amount_fen for x in c.cash)
    deposits = sum(x.amount_fen for x in c.cash if x.kind == DEPOSIT)
    faults += allowed_cash(disposition=case.judged.disposition, terms=terms, total_fen=c.total_fen, deposit_fen=deposits,
                           paid_fen=paid)
    faults += _credential_faults(c, case)
    return faults


async def _overlap_faults(tx: Connection, c: NoteEpisode, case: Case) -> list[Fault]:
    own = case.encounter["mdtrt_id"] if case.encounter is not None else ""
    end = c.end_at or c.begin_at
    other = await find_overlapping(tx, c.psn_no, begin=c.begin_at, end=end, other_than=own) if end > c.begin_at else None
    noted = await queries.find_stay_within(tx, c.psn_no, begin=c.begin_at, end=c.end_at)
    faults = []
    if other is not None:
        faults.append(Fault("STAY_OVERLAPS", f"与参保人在{other['name']}的住院时间重叠", "begin_at",
                            f"{business_date(c.begin_at)}", "请核对入院、出院时间"))
    if noted is not None:
        faults.append(Fault("STAY_OVERLAPS", f"与另一条登记（{noted.register_no or noted.episode_id}）的住院时间重叠", "begin_at",
                            f"{business_date(c.begin_at)}", "请与另一家机构核对入院、出院时间"))
    return faults


def _credential_faults(c: NoteEpisode, case: Case) -> list[Fault]:
    """Check the credential that is to be kept: only where the plan lets the institution keep one, and only the person's own."""
    if not c.cert_no:
        if case.judged.disposition == WITHOUT_PATIENT:
            return [Fault("CREDENTIAL_MISSING", "按停机方案须留存就诊凭证", "cert_no", remedy="请登记所示凭证的种类和号码")]
        return []
    if case.judged.disposition != WITHOUT_PATIENT:
        return [Fault("CREDENTIAL_NOT_KEPT", "停机方案没有准许留存就诊凭证", "cert_no", mask(c.cert_no),
                      "恢复后请凭证办理，不要留存号码")]
    shown = {IDENTITY_CARD: case.person["certno"], SOCIAL_CARD: case.person["card_no"]}.get(c.cert_type)
    if shown is None or shown.upper() != c.cert_no.upper():
        return [Fault("CREDENTIAL_DIFFERS", "就诊凭证不是该参保人的", "cert_no", mask(c.cert_no), "请核对凭证号码与人员编号")]
    return []


async def _write(
    tx: Connection, c: NoteEpisode, case: Case, *, actor: Actor, now: datetime, ids: Ids, earlier_mdtrt_id: str
) -> Noted | Refusal:
    j, found = case.judged, case.encounter
    paid = sum(x.amount_fen for x in c.cash)
    episode = Episode(
        psn_no=c.psn_no, episode_id=ids.new(now), admdvs=case.admdvs, care_admdvs=case.care_admdvs,
        fixmedins_code=case.fixmedins_code, institution_name=c.institution_name.strip(), kind=c.kind,
        visit_no=c.visit_no, insutype=c.insutype, visit_class=case.visit_class, business=j.asked.business,
        begin_at=c.begin_at, end_at=c.end_at, is_urgent=c.is_urgent, position=j.position, disposition=j.disposition,
        rule_id=j.rule.id, cause=c.cause, plan=j.plan.name, plan_version=j.plan.version, state=HELD,
        mdtrt_id=found["mdtrt_id"] if found is not None else "", earlier_mdtrt_id=earlier_mdtrt_id, total_fen=c.total_fen,
        deposit_fen=sum(x.amount_fen for x in c.cash if x.kind == DEPOSIT), paid_fen=paid, settle_by=j.settle_by,
        credential=_credential(c, now), noted_at=c.noted_at or now, noted_by=actor.login, received_at=now,
        channel=actor.channel, says=c.says,
    )
    book = books().kinds.get(j.book)
    has_money = book is not None and bool(book.money)
    entry = await add_entry(tx, NewEntry(
        admdvs=episode.admdvs, kind=j.book, plan=j.plan.name, applicant_name=case.person["name"], business=episode.business,
        psn_no=c.psn_no, phone=c.phone, fixmedins_code=episode.fixmedins_code, due_on=episode.settle_by,
        amount_fen=max(c.total_fen, paid) if has_money else 0, paid_fen=paid if has_money else 0,
        origin=f"episode/{episode.episode_id}", body=_row_body(episode), papers=tuple(c.papers),
    ), actor=actor, now=now, ids=ids)
    if isinstance(entry, Refusal):
        return entry
    episode = msgspec.structs.replace(episode, register_no=entry.register_no)
    await operations.add_episode(tx, episode)
    await keep_cash(tx, episode, [(x.kind, x.amount_fen, x.receipt_no) for x in c.cash], now=now, actor=actor)
    await operations.add_step(tx, episode, what="noted", now=now, actor=actor.login, channel=actor.channel, says=c.says)
    await write_trail(tx, actor, verb="note_episode", object_id=episode.episode_id, admdvs=episode.admdvs, state=episode,
                      now=now, ids=ids, rule=j.rule.id)
    await tell_person(tx, episode, kind="episode_held", text=f"{_what(episode)}已登记，登记号{entry.register_no}。{j.rule.says}",
                      now=now, ids=ids)
    return Noted(episode, j.rule.says_institution or j.rule.says)


async def keep_cash(
    tx: Connection, episode: Episode, cash: Sequence[tuple[str, int, str]], *, now: datetime, actor: Actor
) -> None:
    """Write cash rows: kind, fen, number of the receipt."""
    for kind, amount_fen, receipt_no in cash:
        await operations.add_cash(tx, episode, kind=kind, amount_fen=amount_fen, receipt_no=receipt_no, now=now,
                                  actor=actor.login)


async def tell_person(tx: Connection, e: Episode, *, kind: str, text: str, now: datetime, ids: Ids, key: str = "") -> None:
    """Tell the patient what became of the case, once for each kind and key."""
    await tell(tx, Message(
        admdvs=e.admdvs, psn_no=e.psn_no, kind=kind, text=text, key=key or f"{e.episode_id}:{kind}", plan=e.plan,
        version=e.plan_version, rule=e.rule_id, about=e.episode_id,
    ), now=now, ids=ids)


def _what(e: Episode) -> str:
    day = business_date(e.begin_at)
    name = {STAY: "住院", SALE: "购药"}.get(e.kind, "门诊")
    return f"您{day.month}月{day.day}日的{name}"


def _credential(c: NoteEpisode, now: datetime) -> str:
    """Return what is kept of a credential: kind, digest and when; never the number."""
    if not c.cert_no:
        return "{}"
    kept = {"cert_type": c.cert_type, "digest": sm3(c.cert_no.upper().encode()).hex(), "kept_at": now.isoformat()}
    return msgspec.json.encode(kept).decode()


def _row_body(e: Episode) -> dict[str, Any]:
    body: dict[str, Any] = {
        "kind": e.kind, "visit_no": e.visit_no, "begin_at": e.begin_at.isoformat(), "position": e.position,
        "disposition": e.disposition, "rule": e.rule_id,
    }
    if e.end_at is not None:
        body["end_at"] = e.end_at.isoformat()
    if e.cause:
        body["cause"] = e.cause
    if e.institution_name:
        body["institution_name"] = e.institution_name
    return body
