"""Episodes through a window: what institutions note while they cannot settle, its cash, and what becomes of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from yibao.domains.episodes import queries
from yibao.domains.episodes.model import CASH, KINDS, STATES, Episode, RemoteFiling
from yibao.domains.episodes.rules import cash_words
from yibao.domains.institutions.queries import find_institution
from yibao.entrypoints.api.fields import Id, Limit, MaybeWords, PsnNo, Region
from yibao.entrypoints.api.routing import deed, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.episodes import carry_self_pay, keep_episode
from yibao.usecases.episodes.commands import (
    CashGiven,
    ChangeEpisode,
    FileLate,
    NoteEpisode,
    OnEpisode,
    TakeCash,
    UndoAdmission,
)
from yibao.usecases.episodes.file_late import file_late
from yibao.usecases.episodes.note_episode import note_episode
from yibao.usecases.episodes.rejudge_episodes import rejudge_episodes
from yibao.usecases.episodes.send_notes import send_notes
from yibao.usecases.episodes.undo_for_window import undo_for_window

MaybeCode = Annotated[str, Meta(max_length=40, pattern=r"^[0-9A-Za-z_-]*$", description="空为全部")]
Code = Annotated[str, Meta(min_length=1, max_length=40, pattern=r"^[0-9A-Za-z_-]+$", description="机构编号")]


class EpisodeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A case as it stands. Amounts in fen: ``paid + topup = due + back`` once it is settled."""

    psn_no: str
    episode_id: str
    register_no: str
    fixmedins_code: str
    kind: str
    visit_no: str
    business: str
    begin_at: datetime
    end_at: datetime | None
    position: str
    disposition: str
    rule_id: str
    plan: str
    plan_version: int
    cause: str
    state: str
    state_text: str
    mdtrt_id: str
    setl_id: str
    earlier_mdtrt_id: str
    claim_id: str
    total_fen: int
    deposit_fen: int
    paid_fen: int
    due_fen: int
    back_fen: int
    topup_fen: int
    settle_by: date | None
    is_self_paying: bool
    has_credential: bool
    money_text: str


class NotedEpisode(msgspec.Struct, frozen=True):
    """A case that was noted; ``says`` is what the plan has the institution do with it."""

    episode: EpisodeRow
    says: str
    is_new: bool


class SentNote(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one note: ``noted``, ``known`` or ``conflict`` with every fault."""

    ordinal: int
    outcome: str
    register_no: str = ""
    episode_id: str = ""
    faults: tuple[Fault, ...] = ()


class SentNotes(msgspec.Struct, frozen=True):
    """What became of all notes, in the order in which they were sent."""

    rows: list[SentNote]


class EpisodeRows(msgspec.Struct, frozen=True):
    """Cases in the order of service."""

    rows: list[EpisodeRow]


class CashRow(msgspec.Struct, frozen=True):
    """Cash over the institution's counter: into it positive, out of it negative."""

    ordinal: int
    kind: str
    kind_text: str
    amount_fen: int
    receipt_no: str
    setl_id: str
    at: datetime


class EpisodeStep(msgspec.Struct, frozen=True):
    """Something that happened to a case."""

    what: str
    state: str
    at: datetime
    actor: str
    says: str


class EpisodeView(msgspec.Struct, frozen=True):
    """A case with its cash and everything that happened to it."""

    episode: EpisodeRow
    cash: list[CashRow]
    steps: list[EpisodeStep]


class CashSum(msgspec.Struct, frozen=True):
    """Number and sum of one kind of cash."""

    kind: str
    kind_text: str
    rows: int
    amount_fen: int


class CashReport(msgspec.Struct, frozen=True):
    """Cash of an institution over a period; ``total_fen`` is what it took less what it gave back."""

    fixmedins_code: str
    rows: list[CashSum]
    total_fen: int


class Notes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cases noted off line."""

    notes: Annotated[list[NoteEpisode], Meta(min_length=1, max_length=200)]


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, where a reason is asked for."""

    says: MaybeWords = ""


class Known(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of a case later; what is absent stays."""

    end_at: datetime | None = None
    total_fen: int | None = None


class Phone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the patient can be reached."""

    phone: MaybeWords = ""


class LateFiled(msgspec.Struct, frozen=True, kw_only=True):
    """A filing for care away from home, made after the stop, back to the day of admission; the period is half-open."""

    filing_id: str
    psn_no: str
    register_no: str
    care_admdvs: str
    kind: str
    valid_from: date
    valid_to: date | None


@deed("/windows/episodes", verb="note_episode", status=201)
async def note_one_episode(call: Call, data: NoteEpisode) -> NotedEpisode | Refusal:
    """Note a case that cannot be settled now; the answer is its number in the book and what the plan says of it."""
    noted = await note_episode(
        call.tx, _in_business_time(data), actor=call.actor, now=call.now, ids=call.ids, gate=call.gate)
    return noted if isinstance(noted, Refusal) else NotedEpisode(_row(noted.episode), noted.says, noted.is_new)


@deed("/windows/notes", verb="note_episode")
async def send_offline_notes(call: Call, data: Notes) -> SentNotes | Refusal:
    """Send in what was noted without a connection, where the plan allows it; conflicts are listed, the rest is kept."""
    sent = await send_notes(
        call.tx, [_in_business_time(n) for n in data.notes], actor=call.actor, now=call.now, ids=call.ids, gate=call.gate)
    if isinstance(sent, Refusal):
        return sent
    return SentNotes([
        SentNote(ordinal=s.ordinal, outcome=s.outcome, register_no=s.episode.register_no if s.episode else "",
                 episode_id=s.episode.episode_id if s.episode else "", faults=s.faults) for s in sent
    ])


@deed("/windows/episodes/{psn_no}/{episode_id}/cash", verb="note_episode")
async def take_episode_cash(call: Call, psn_no: PsnNo, episode_id: Id, data: CashGiven) -> EpisodeRow | Refusal:
    """Take cash from the patient, as far as the plan lets the institution take any."""
    command = TakeCash(psn_no=psn_no, episode_id=episode_id, cash=data)
    return _said(await keep_episode.take_cash(
        call.tx, command, actor=call.actor, now=call.now, ids=call.ids, gate=call.gate))


@deed("/windows/episodes/{psn_no}/{episode_id}/change", verb="note_episode")
async def change_one_episode(call: Call, psn_no: PsnNo, episode_id: Id, data: Known) -> EpisodeRow | Refusal:
    """Note that a case ended or what it costs; the plan's rule for it may become another."""
    end = data.end_at.astimezone(SHANGHAI) if data.end_at is not None else None
    command = ChangeEpisode(psn_no=psn_no, episode_id=episode_id, end_at=end, total_fen=data.total_fen)
    return _said(await keep_episode.change_episode(
        call.tx, command, actor=call.actor, now=call.now, ids=call.ids, gate=call.gate))


@deed("/windows/episodes/{psn_no}/{episode_id}/enter", verb="note_episode")
async def enter_one_episode(call: Call, psn_no: PsnNo, episode_id: Id) -> EpisodeRow | Refusal:
    """Join a case to the encounter that was sent under its number after the restart."""
    return _said(await keep_episode.enter_episode(
        call.tx, OnEpisode(psn_no=psn_no, episode_id=episode_id), actor=call.actor, now=call.now, ids=call.ids))


@deed("/windows/episodes/{psn_no}/{episode_id}/return", verb="note_episode")
async def return_episode_cash(call: Call, psn_no: PsnNo, episode_id: Id, data: Reason) -> EpisodeRow | Refusal:
    """Give all cash of a case back without a settlement, once."""
    return _said(await keep_episode.return_cash(
        call.tx, OnEpisode(psn_no=psn_no, episode_id=episode_id, says=data.says), actor=call.actor, now=call.now,
        ids=call.ids))


@deed("/windows/episodes/{psn_no}/{episode_id}/withdraw", verb="note_episode")
async def withdraw_one_episode(call: Call, psn_no: PsnNo, episode_id: Id, data: Reason) -> EpisodeRow | Refusal:
    """Take back a case that was noted by mistake."""
    return _said(await keep_episode.withdraw_episode(
        call.tx, OnEpisode(psn_no=psn_no, episode_id=episode_id, says=data.says), actor=call.actor, now=call.now,
        ids=call.ids))


@deed("/windows/episodes/{psn_no}/{episode_id}/self-pay", verb="note_episode")
async def convert_to_self_pay(call: Call, psn_no: PsnNo, episode_id: Id, data: Reason) -> EpisodeRow | Refusal:
    """Carry a stay as self-paying from now on; it is not settled meanwhile."""
    return _said(await carry_self_pay.convert_self_pay(
        call.tx, OnEpisode(psn_no=psn_no, episode_id=episode_id, says=data.says), actor=call.actor, now=call.now,
        ids=call.ids))


@deed("/windows/episodes/{psn_no}/{episode_id}/insured", verb="note_episode")
async def convert_to_insured(call: Call, psn_no: PsnNo, episode_id: Id, data: Reason) -> EpisodeRow | Refusal:
    """Carry a stay as insured again, with its original dates."""
    return _said(await carry_self_pay.convert_back(
        call.tx, OnEpisode(psn_no=psn_no, episode_id=episode_id, says=data.says), actor=call.actor, now=call.now,
        ids=call.ids, gate=call.gate))


@deed("/windows/stays/{psn_no}/{mdtrt_id}/undo", verb="undo_admission")
async def undo_admission_for_window(call: Call, psn_no: PsnNo, mdtrt_id: Id, data: Phone) -> NotedEpisode | Refusal:
    """Cancel an admission with its lines before the stop; it is admitted again after it with its original dates."""
    institution = await find_institution(call.tx, call.actor.fixmedins_code)
    if institution is None:
        return refuse("STAY_NOT_FOUND", "没有该参保人的这次住院", field="mdtrt_id", received=mdtrt_id,
                      remedy="请由办理入院的机构办理")
    command = UndoAdmission(psn_no=psn_no, mdtrt_id=mdtrt_id, phone=data.phone)
    noted = await undo_for_window(call.tx, command, actor=call.actor, institution=institution, now=call.now, ids=call.ids,
                                  gate=call.gate)
    return noted if isinstance(noted, Refusal) else NotedEpisode(_row(noted.episode), noted.says, noted.is_new)


@deed("/windows/late-filings", verb="file_late", status=201)
async def file_one_late(call: Call, data: FileLate) -> LateFiled | Refusal:
    """File care away from home after the stop, back to the day of admission, while the person is still in hospital."""
    filed = await file_late(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, gate=call.gate)
    return filed if isinstance(filed, Refusal) else _late(filed)


@deed("/regions/{admdvs}/windows/lapse", verb="lapse_episodes")
async def lapse_overdue_episodes(call: Call, admdvs: Region) -> EpisodeRows:
    """Let cases whose last day for backfill is over lapse, and tell the people that the claim by hand is left to them."""
    return EpisodeRows([_row(e) for e in await keep_episode.lapse_episodes(
        call.tx, admdvs=admdvs, actor=call.actor, now=call.now, ids=call.ids)])


@deed("/regions/{admdvs}/windows/rejudge", verb="lapse_episodes")
async def rejudge_open_episodes(call: Call, admdvs: Region) -> EpisodeRows:
    """Put open cases under the newest version of the plan: position, rule and last day; who has another last day is told."""
    return EpisodeRows([_row(e) for e in await rejudge_episodes(
        call.tx, admdvs=admdvs, actor=call.actor, now=call.now, ids=call.ids, gate=call.gate)])


@read("/windows/episodes", verb="list_episodes")
async def find_episodes(
    call: Call, state: MaybeCode = "", plan: MaybeCode = "", cause: MaybeCode = "", fixmedins_code: MaybeCode = "",
    limit: Limit = 50,
) -> EpisodeRows:
    """List cases in the order of service; an institution sees its own."""
    rows = await queries.list_episodes(
        call.tx, fixmedins_code=call.actor.fixmedins_code or fixmedins_code, state=state, plan=plan, cause=cause, limit=limit)
    return EpisodeRows([_row(e) for e in rows])


@read("/windows/episodes/{psn_no}/{episode_id}", verb="list_episodes")
async def show_episode(call: Call, psn_no: PsnNo, episode_id: Id) -> EpisodeView | Refusal:
    """Show a case with its cash and everything that happened to it."""
    e = await queries.find_episode(call.tx, psn_no, episode_id)
    if e is None or call.actor.fixmedins_code not in ("", e.fixmedins_code):
        return refuse("EPISODE_NOT_FOUND", "没有这个停机期间病例", field="episode_id", received=episode_id,
                      remedy="请核对人员编号与病例编号")
    cash = await queries.list_cash(call.tx, psn_no=psn_no, episode_id=episode_id)
    steps = await queries.list_steps(call.tx, psn_no=psn_no, episode_id=episode_id)
    return EpisodeView(
        _row(e),
        [CashRow(c.ordinal, c.kind, CASH[c.kind], c.amount_fen, c.receipt_no, c.setl_id, c.at) for c in cash],
        [EpisodeStep(s.what, s.state, s.at, s.actor, s.says) for s in steps],
    )


@read("/windows/cash/{fixmedins_code}", verb="list_episodes")
async def show_cash_report(
    call: Call, fixmedins_code: Code, begin: datetime, end: datetime
) -> CashReport | Refusal:
    """Sum deposits, payments, refunds and top-ups over an institution's counter in ``[begin, end)``."""
    if call.actor.fixmedins_code not in ("", fixmedins_code):
        return refuse("INSTITUTION_NOT_FOUND", "没有这家机构", field="fixmedins_code", received=fixmedins_code,
                      remedy="只能查询本机构")
    found = await queries.cash_report(call.tx, fixmedins_code=fixmedins_code, begin=begin, end=end)
    rows = [CashSum(r["kind"], CASH[r["kind"]], r["n"], r["amount_fen"]) for r in found]
    return CashReport(fixmedins_code, rows, sum(r.amount_fen for r in rows))


def _said(answer: Episode | Refusal) -> EpisodeRow | Refusal:
    return answer if isinstance(answer, Refusal) else _row(answer)


def _in_business_time(note: NoteEpisode) -> NoteEpisode:
    """Return a note whose times are business time: a day of service is a day in China."""
    at = {name: value.astimezone(SHANGHAI) for name in ("begin_at", "end_at", "noted_at")
          if (value := getattr(note, name)) is not None}
    return msgspec.structs.replace(note, **at)


def _late(f: RemoteFiling) -> LateFiled:
    return LateFiled(filing_id=f.filing_id, psn_no=f.psn_no, register_no=f.register_no, care_admdvs=f.care_admdvs,
                     kind=f.kind, valid_from=f.valid_from, valid_to=f.valid_to)


def _row(e: Episode) -> EpisodeRow:
    return EpisodeRow(
        psn_no=e.psn_no, episode_id=e.episode_id, register_no=e.register_no, fixmedins_code=e.fixmedins_code, kind=e.kind,
        visit_no=e.visit_no, business=e.business, begin_at=e.begin_at, end_at=e.end_at, position=e.position,
        disposition=e.disposition, rule_id=e.rule_id, plan=e.plan, plan_version=e.plan_version, cause=e.cause, state=e.state,
        state_text=f"{KINDS[e.kind]}{STATES[e.state]}", mdtrt_id=e.mdtrt_id, setl_id=e.setl_id,
        earlier_mdtrt_id=e.earlier_mdtrt_id, claim_id=e.claim_id, total_fen=e.total_fen, deposit_fen=e.deposit_fen,
        paid_fen=e.paid_fen, due_fen=e.due_fen, back_fen=e.back_fen, topup_fen=e.topup_fen, settle_by=e.settle_by,
        is_self_paying=e.is_self_paying, has_credential=e.credential != "{}", money_text=cash_words(e),
    )


ROUTES = (
    note_one_episode, send_offline_notes, take_episode_cash, change_one_episode, enter_one_episode, return_episode_cash,
    withdraw_one_episode, convert_to_self_pay, convert_to_insured, undo_admission_for_window, file_one_late,
    lapse_overdue_episodes, rejudge_open_episodes, find_episodes, show_episode, show_cash_report,
)
