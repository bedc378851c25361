"""Publish, after the opening, what is repaired and what still waits: one bulletin a day, never changed."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.episodes.model import STATES as EPISODE_STATES
from yibao.domains.notices.figures import count_credits, count_episodes
from yibao.domains.notices.model import Bulletin
from yibao.domains.notices.operations import add_bulletin
from yibao.domains.notices.queries import find_bulletin
from yibao.domains.personal_accounts.reasons import REASONS
from yibao.domains.registers.queries import sum_books
from yibao.domains.windows.model import Plan
from yibao.domains.windows.tables import books
from yibao.domains.windows.words import day_says, restart_says
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.notices.commands import PublishBulletin
from yibao.usecases.notices.published import find_published
from yibao.usecases.trail import write_trail


class BookFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How a book of a plan stands: rows, those that ended well, those still open and since when."""

    kind: str
    title: str
    rows: int
    done: int
    open: int
    oldest_on: date | None


class EpisodeFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How many held cases stand in a state; cash in fen."""

    state: str
    title: str
    episodes: int
    back_fen: int
    topup_fen: int


class CreditFigures(msgspec.Struct, frozen=True, kw_only=True):
    """Months of account credits: repaired (``reason`` empty), or held for a reason."""

    reason: str
    title: str
    months: int
    amount_fen: int


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a bulletin counts."""

    books: tuple[BookFigures, ...]
    episodes: tuple[EpisodeFigures, ...]
    credits: tuple[CreditFigures, ...]


async def publish_bulletin(
    tx: Connection, command: PublishBulletin, *, actor: Actor, now: datetime, ids: Ids
) -> Bulletin | Refusal:
    """Publish the bulletin of today; asked again on the same day, the published one is returned as it is."""
    if command.admdvs not in actor.regions:
        return refuse("REGION_NOT_YOURS", "不属于您办理的统筹区", field="admdvs", received=command.admdvs,
                      remedy="请由所属经办机构办理")
    plan = await find_published(tx, command.admdvs, command.plan)
    if isinstance(plan, Refusal):
        return plan
    first = min((t for t in plan.tracks if t.restart), key=lambda t: t.restart or now, default=None)
    if first is None or first.restart is None or now < first.restart:
        when = restart_says(first or plan.tracks[0])
        return refuse("BULLETIN_TOO_EARLY", f"业务尚未恢复，恢复时间：{when}", field="plan", received=plan.name,
                      remedy="请在恢复后发布")
    today = business_date(now)
    kept = await find_bulletin(tx, plan.admdvs, plan.name, today)
    if kept is not None:
        return kept
    figures = await count(tx, plan)
    text = bulletin_text(plan, figures, on=today)
    await add_bulletin(tx, admdvs=plan.admdvs, plan=plan.name, on_day=today, figures=msgspec.json.encode(figures).decode(),
                       text=text, at=now, by=actor.login)
    await write_trail(tx, actor, verb="publish_bulletin", object_id=f"{plan.admdvs}/{plan.name}/{today}", admdvs=plan.admdvs,
                      state=text, now=now, ids=ids)
    return Bulletin(admdvs=plan.admdvs, plan=plan.name, on_day=today, text=text, made_at=now, made_by=actor.login)


async def count(tx: Connection, plan: Plan) -> Figures:
    """Return how the books, the held cases and the account credits of a plan stand now."""
    rows = await sum_books(tx, plan.admdvs, plan=plan.name)
    since = min(t.stop for t in plan.tracks)
    return Figures(
        books=tuple(
            BookFigures(kind=r["kind"], title=_book(plan, r["kind"]), rows=r["rows"], done=r["done"], open=r["open"],
                        oldest_on=None if r["oldest"] is None else business_date(r["oldest"])) for r in rows
        ),
        episodes=tuple(
            EpisodeFigures(title=EPISODE_STATES[r["state"]], **r) for r in await count_episodes(tx, plan.admdvs, plan.name)
        ),
        credits=tuple(
            CreditFigures(reason=r["reason"], title=REASONS[r["reason"]].says if r["reason"] else "已补划",
                          months=r["months"], amount_fen=r["amount_fen"])
            for r in await count_credits(tx, plan.admdvs, since=since)
        ),
    )


def bulletin_text(plan: Plan, figures: Figures, *, on: date) -> str:
    """Return a bulletin in words: every figure is a count of cases, nobody is named."""
    lines = [f"【{plan.title}】恢复情况通报，{on.year}年{day_says(on)}"]
    lines += [
        f"{b.title}：共{b.rows}件，已办结{b.done}件，待办{b.open}件"
        f"{f'，最早一件登记于{b.oldest_on}' if b.oldest_on else ''}。" for b in figures.books
    ]
    lines += [
        f"就诊费用（{e.title}）：{e.episodes}件{_cash(e)}。" for e in figures.episodes
    ]
    lines += [f"个人账户划拨（{c.title}）：{c.months}人次。" for c in figures.credits]
    if len(lines) == 1:
        lines.append("没有登记待办的事项。")
    lines += [f"{h.title}：{h.phone}" for h in plan.hotlines]
    return "\n".join(lines) + "\n"


def _book(plan: Plan, kind: str) -> str:
    named = next((r.title for r in plan.registers if r.kind == kind), "")
    return named or (books()[kind].title if kind in books() else kind)


def _cash(figures: EpisodeFigures) -> str:
    back = f"，退还{yuan_text(figures.back_fen)}元" if figures.back_fen else ""
    return back + (f"，补收{yuan_text(figures.topup_fen)}元" if figures.topup_fen else "")
