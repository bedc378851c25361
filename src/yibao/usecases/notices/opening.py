"""Who is told that business is back: subscribers of a track, and everybody whose affair waited for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from yibao.domains.notices import affected
from yibao.domains.notices.model import Message
from yibao.domains.notices.queries import list_subscribers
from yibao.domains.windows.gate import stage_closed_for
from yibao.domains.windows.model import Asked, Openings, Plan, Track
from yibao.domains.windows.queries import list_last_openings
from yibao.domains.windows.stored import OPEN_STAGE
from yibao.domains.windows.tables import books, businesses
from yibao.infra.database import Connection
from yibao.usecases.notices.reminding import phone_words


async def openings(tx: Connection, plan: Plan, *, at: datetime) -> list[Message]:
    """Return what people are told of the tracks that are back at an instant: once for each addressee and business."""
    back = [t for t in plan.tracks if t.restart is not None and at >= t.restart]
    if not back:
        return []
    stages = Openings({
        o.ordinal: "open" if o.act == OPEN_STAGE else "stopped" for o in await list_last_openings(tx)
        if (o.admdvs, o.name) == (plan.admdvs, plan.name)
    })
    told = _Told(plan)
    for one in await list_subscribers(tx, plan.admdvs, plan.name):
        track = next((t for t in back if t.code == one.track), None)
        if track is not None and one.since < at and _is_open(plan, stages, track, at):
            told.add((one.psn_no, one.emp_no, one.fixmedins_code), track.code, track.business[0], f"{track.title}已恢复办理。")
    for row, words in await _waiting(tx, plan):
        track = plan.track_of(row["business"])
        if track in back and not row["cause"] and _is_open_for(plan, stages, row, at):
            told.add_both(row, words)
    return told.messages()


async def _waiting(tx: Connection, plan: Plan) -> list[tuple[Mapping[str, Any], str]]:
    """Return register rows and episodes that wait, with their words; an episode's own row is not told beside it."""
    held = [dict(r) for r in await affected.list_held(tx, plan.admdvs, plan.name)]
    noted = {r["register_no"] for r in held}
    rows = [dict(r) for r in await affected.list_waiting_rows(tx, plan.admdvs, plan.name)]
    return [(r, _row_words(r)) for r in rows if r["about"] not in noted] + [(r, _episode_words(r)) for r in held]


class _Told:
    """Messages as they are gathered: sentences of one addressee and key are one message."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._said: dict[tuple[tuple[str, str, str], str, str], list[str]] = {}

    def add(self, whom: tuple[str, str, str], key: str, business: str, *said: str) -> None:
        """Add sentences; what is said already is not said twice."""
        sentences = self._said.setdefault((whom, key, business), [])
        sentences += [s for s in said if s not in sentences]

    def add_both(self, row: Mapping[str, Any], words: str) -> None:
        """Add what a waiting row means to its person or employer, and to the institution that keeps it."""
        business = row["business"]
        head = f"{businesses()[business].title}已恢复办理。"
        if row["psn_no"] or row["emp_no"]:
            self.add((row["psn_no"], "" if row["psn_no"] else row["emp_no"], ""), business, business, head, words)
        if row["fixmedins_code"]:
            self.add(("", "", row["fixmedins_code"]), business, business, head, "贵机构登记的待办请按登记簿补录结算。")

    def messages(self) -> list[Message]:
        """Return the messages, in the order of addressees."""
        plan = self._plan
        return [
            Message(
                admdvs=plan.admdvs, kind="opened", psn_no=psn_no, emp_no=emp_no, fixmedins_code=code, plan=plan.name,
                version=plan.version, key=f"{plan.name}:{key}",
                text=f"【{plan.title}】{''.join(said)}{phone_words(plan, business)}",
            )
            for ((psn_no, emp_no, code), key, business), said in sorted(self._said.items())
        ]


def _is_open(plan: Plan, stages: Openings, track: Track, at: datetime) -> bool:
    """Say whether anything of a track is open again."""
    return any(
        stage_closed_for(plan, stages, Asked(business=code, admdvs=plan.admdvs, channel=""), at) is None
        for code in track.business
    )


def _is_open_for(plan: Plan, stages: Openings, row: Mapping[str, Any], at: datetime) -> bool:
    code = row["fixmedins_code"]
    asked = Asked(business=row["business"], admdvs=plan.admdvs, channel="", fixmedins_code=code,
                  institution="pharmacy" if row["kind"] == "sale" else "hospital" if code else "")
    return stage_closed_for(plan, stages, asked, at) is None


def _row_words(row: Mapping[str, Any]) -> str:
    title = books()[row["kind"]].title if row["kind"] in books() else "登记"
    return f"您的{title}{row['about']}将按登记顺序办理，结果另行告知。"


def _episode_words(row: Mapping[str, Any]) -> str:
    until = f"请在{row['due_on']}前" if row["due_on"] else "请"
    return f"您{row['on_day']}在{row['name']}的就诊费用待结，{until}回原机构补录结算。"
