"""The life of a window: every piece of care goes its way through the ways in, and a book of its own says what it cost.

An institution asks the platform nothing it could not ask on that day: what begins or ends while the platform is away is
noted over REST; it is sent, with its original times, when the platform is back.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import msgspec

from yibao.demo.rehearsal.counter import Counter as Till
from yibao.demo.rehearsal.counter import total
from yibao.demo.rehearsal.script import SALE, STAY, VISIT, Care, Season
from yibao.kernel.money import yuan_to_fen

Post = Callable[[str, str, Any, str], Awaitable[dict[str, Any]]]
"""Posts to the REST API: the institution or post that asks, path, body, idempotency key; returns the answer."""
Turn = Callable[[datetime], None]
Act = tuple[datetime, Callable[[], Awaitable[None]]]
"""When somebody does something, and what."""
_KINDS = {VISIT: "outpatient", STAY: "stay", SALE: "sale"}


class Outcome(msgspec.Struct, kw_only=True):
    """What became of one piece of care, as its institution knows it; fen.

    Attributes:
        given: cash the patient gave while the platform was away. cash: cash by the settlement's reply.
    """

    care: Care
    noted: bool = False
    episode_id: str = ""
    disposition: str = ""
    given: int = 0
    cash: int | None = None
    fund: int = 0
    account: int = 0
    setl_id: str = ""
    refused: str = ""


class Life:
    """Plays a script against a platform."""

    def __init__(self, season: Season, *, till: Till, post: Post, turn: Turn) -> None:
        self.season, self.till = season, till
        self._post, self._turn = post, turn
        self.outcomes: dict[int, Outcome] = {}
        self.done: Counter[str] = Counter()

    async def play(
        self, script: Sequence[Care], others: Sequence[Act] = (), *, progress: Callable[[int, int], None] | None = None
    ) -> None:
        """Play every piece of care, and what others do, in the order of time."""
        acts = [(at, does) for at, does in others]
        for care in script:
            outcome = self.outcomes[care.number] = Outcome(care=care)
            acts += [(at, partial(does, outcome, at)) for at, does in self.acts(care)]
        acts.sort(key=lambda act: act[0])
        for done, (at, does) in enumerate(acts, 1):
            self._turn(at)
            await does()
            if progress:
                progress(done, len(acts))

    def acts(self, care: Care) -> list[tuple[datetime, Callable[[Outcome, datetime], Awaitable[None]]]]:
        """Return what the institution does for a piece of care, and when."""
        season, end = self.season, care.end or care.begin
        acts: list[tuple[datetime, Callable[[Outcome, datetime], Awaitable[None]]]] = []
        if season.is_stopped(care.begin):
            acts.append((care.begin + timedelta(minutes=2), self.note))
        elif care.kind != SALE:
            acts.append((care.begin, self.begin))
        if season.is_stopped(end) and not season.is_stopped(care.begin):
            acts.append((end, self.note))
        if season.is_stopped(care.begin) and care.end is not None:
            # Written down at the admission, paid when the patient leaves.
            acts.append((care.end, self.leave))
        if season.touches(care) and not season.is_stopped(end):
            # Admitted in the stop and still there: the admission is made up for, with its own date.
            acts.append((max(season.restart + timedelta(minutes=30), min(care.entered, end - timedelta(minutes=1))), self.begin))
        acts.append((max(care.entered, end), self.finish))
        return acts

    async def begin(self, o: Outcome, at: datetime) -> None:
        """Register or admit, unless that was done already."""
        if self.till.has_begun(o.care):
            return
        reply = await self.till.begin(o.care, at=at)
        if reply["infcode"] != 0:
            o.refused = o.refused or str(reply.get("err_msg"))
            self.done["refused"] += 1

    async def note(self, o: Outcome, at: datetime) -> None:
        """Write the case down because it cannot be settled now; take the cash that is given."""
        care, is_over = o.care, o.care.end is None or at >= o.care.end
        if care.kind == STAY and not self.season.is_stopped(care.begin) and not self.till.has_begun(care):
            return
        body: dict[str, Any] = {
            "psn_no": care.patient.psn_no, "kind": _KINDS[care.kind], "visit_no": care.visit_no,
            "insutype": care.patient.insutype, "begin_at": care.begin.isoformat(), "total_fen": yuan_to_fen(total(care)),
        }
        if is_over:
            body["end_at"] = (care.end or care.begin + timedelta(minutes=1)).isoformat()
        answer = await self._post(care.desk.fixmedins_code, "/windows/episodes", body, f"note-{care.number:08d}")
        if "episode" not in answer:
            o.refused = str(answer.get("detail") or answer)
            self.done["notes_refused"] += 1
            return
        o.noted, o.episode_id = True, answer["episode"]["episode_id"]
        o.disposition = answer["episode"]["disposition"]
        self.done[f"noted {o.disposition}"] += 1
        if is_over:
            await self._pay(o)

    async def leave(self, o: Outcome, at: datetime) -> None:
        """Write down that somebody noted has left; inside the stop the cash is taken now."""
        if not o.noted or not self.season.is_stopped(at):
            return
        path = f"/windows/episodes/{o.care.patient.psn_no}/{o.episode_id}/change"
        answer = await self._post(o.care.desk.fixmedins_code, path, {"end_at": at.isoformat()}, f"left-{o.care.number:08d}")
        o.disposition = answer.get("disposition", o.disposition)
        await self._pay(o)

    async def _pay(self, o: Outcome) -> None:
        """Take what the plan has the patient give: all of it, a deposit, or nothing."""
        kind = {"pay_full_backfill": "payment", "capture_credential": "payment", "deposit": "deposit"}.get(o.disposition)
        if kind is None:
            return
        share = o.care.given if kind == "deposit" else 10_000
        amount = yuan_to_fen(total(o.care)) * share // 10_000
        path = f"/windows/episodes/{o.care.patient.psn_no}/{o.episode_id}/cash"
        body = {"kind": kind, "amount_fen": amount, "receipt_no": f"SJ{o.care.number:08d}"}
        answer = await self._post(o.care.desk.fixmedins_code, path, body, f"cash-{o.care.number:08d}")
        if "episode_id" in answer:
            o.given += amount
            self.done["cash taken"] += 1
        else:
            o.refused = str(answer.get("detail") or answer)
            self.done["cash refused"] += 1

    async def finish(self, o: Outcome, at: datetime) -> None:
        """Send the rest and settle; keep what the reply says of the money."""
        if o.care.kind != SALE and not self.till.has_begun(o.care):
            await self.begin(o, at)
            if not self.till.has_begun(o.care):
                return
        reply = await self.till.finish(o.care, at=at)
        if reply.get("infcode") != 0:
            o.refused = str(reply.get("err_msg"))
            self.done["refused"] += 1
            return
        info = reply["output"]["setlinfo"]
        o.setl_id = str(info["setl_id"])
        o.cash, o.fund, o.account = (
            yuan_to_fen(Decimal(info[name])) for name in ("psn_cash_pay", "fund_pay_sumamt", "acct_pay"))
        self.done["settled"] += 1
