"""The agency in a rehearsal: papers come in while everything stands, books are worked off afterwards and closed."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any

import msgspec

from yibao.demo.rehearsal.script import EMPLOYEES, Patient, Season

Post = Callable[[str, str, Any, str], Awaitable[dict[str, Any]]]
Read = Callable[[str, str, dict[str, Any]], Awaitable[dict[str, Any]]]
"""Asks the REST API: who asks, path, query; returns the answer."""
TRANSFER_ITEM = "002036003002"
BOOKS = ("transfer_papers", "paid_in_full", "held_open", "deposit", "cash_difference")
_PAGE, _BATCH, _TURNS = 200, 50, 500
PEOPLE_A_PAPER = 50
"""One in so many people moves with a record in the days of the stop."""
LINGERS = 10
"""Days after the last care in which the last stays are settled."""
_FROM = {"other_admdvs": "320100", "other_name": "南京市"}


class Bringing(msgspec.Struct, frozen=True):
    """Somebody who brings the two papers of a transfer to the counter in the stop."""

    number: int
    patient: Patient
    at: datetime


def who_brings_papers(patients: Sequence[Patient], season: Season, *, wanted: int, seed: int) -> list[Bringing]:
    """Return who comes to the counter in the stop, in the order of time; only employees move with their record."""
    rng = Random(f"{seed}/papers")
    chosen = rng.sample([p for p in patients if p.insutype == EMPLOYEES], wanted)
    days = max(1, (season.restart - season.stop).days)
    come = (season.stop + timedelta(days=rng.randrange(days), hours=9, minutes=rng.randrange(400)) for _ in chosen)
    return [Bringing(n, patient, at) for n, (at, patient) in enumerate(
        sorted(zip(come, chosen, strict=True), key=lambda x: (x[0], x[1].psn_no)), 1)]


class Office:
    """Takes papers in and works the books of a window off."""

    def __init__(self, admdvs: str, plan: str, post: Post, read: Read) -> None:
        self._admdvs, self._plan, self._post, self._read = admdvs, plan, post, read
        self.done: Counter[str] = Counter()
        self.refused: list[str] = []

    def acts(self, papers: Sequence[Bringing], season: Season) -> list[tuple[datetime, Callable[[], Awaitable[None]]]]:
        """Return what the agency does, and when: papers in the stop, books the day after it, the end of the books."""
        end = season.end + timedelta(days=LINGERS)
        return [
            *((who.at, partial(self.take_papers, who)) for who in papers),
            (season.restart + timedelta(days=1), partial(self.work_off, ("transfer_papers",))),
            (end - timedelta(days=1), self.end_differences),
            (end, partial(self.close_books, BOOKS, on=end.date())),
        ]

    async def take_papers(self, who: Bringing) -> None:
        """Take the papers of a transfer in; the answer has to be a number in the book."""
        answer = await self._post("intake", "/applications", self._application(who), f"papers-{who.number:08d}")
        if answer.get("register_no"):
            self.done["papers registered"] += 1
        else:
            self.refused.append(f"papers {who.number}: {answer.get('detail') or answer}")

    async def work_off(self, kinds: Sequence[str]) -> None:
        """Have books worked off, so many rows at once: one clerk proposes, another approves."""
        for kind in kinds:
            after, batch = "", 0
            while True:
                batch += 1
                body = {"plan": self._plan, "after": after, "limit": _BATCH}
                asked = await self._post("review", f"{self._book(kind)}/work", body, f"work-{kind}-{batch:04d}-asked")
                proposal = asked.get("proposal_id")
                if not proposal:
                    self.refused.append(f"work {kind}: {asked.get('detail') or asked}")
                    break
                done = await self._post("approve", f"/proposals/{proposal}/approve", {}, f"work-{kind}-{batch:04d}-agreed")
                rows = done.get("answer", {}).get("rows", ())
                for row in rows:
                    self.done[f"{kind} {row['outcome']}"] += 1
                if len(rows) < _BATCH:
                    break
                after = rows[-1]["register_no"]

    async def close_books(self, kinds: Sequence[str], *, on: date) -> None:
        """Close the books; rows that are still open get somebody who answers for them."""
        for kind in kinds:
            answer: dict[str, Any] = {"faults": ()}
            for turn in range(_TURNS):
                answer = await self._post(
                    "review", f"{self._book(kind)}/close", {"plan": self._plan}, f"close-{kind}-{turn:04d}")
                numbers = [f["received"] for f in answer.get("faults", ()) if f.get("received")]
                if not numbers:
                    break
                for number in numbers:
                    owner = {"owner": "review.rehearsal", "until": (on + timedelta(days=60)).isoformat()}
                    await self._post("review", f"/register-entries/{number}/owner", owner, f"own-{number[-30:]}")
                    self.done["rows owned"] += 1
            if "rows" in answer:
                self.done["books closed"] += 1
            else:
                self.refused.append(f"close {kind}: {answer.get('detail') or answer}")

    async def end_differences(self) -> None:
        """Have every institution end what a changed place in the year gave its patients back or still asks of them."""
        after = ""
        while True:
            asked = {"admdvs": self._admdvs, "kind": "cash_difference", "after": after, "limit": _PAGE}
            rows = (await self._read("review", "/register-entries", asked))["rows"]
            for row in rows:
                if row["state"] in ("received", "ready"):
                    await self._end_difference(row)
            if len(rows) < _PAGE:
                return
            after = rows[-1]["register_no"]

    async def _end_difference(self, row: dict[str, Any]) -> None:
        number, body = row["register_no"], {"amount_fen": row["body"]["change_fen"]}
        path = f"/register-entries/{number}/cash"
        ended = await self._post(row["fixmedins_code"], path, body, f"difference-{number[-12:]}")
        if ended.get("state") == "done":
            self.done["cash differences ended"] += 1
        else:
            self.refused.append(f"difference {number}: {ended.get('detail') or ended}")

    def _book(self, kind: str) -> str:
        return f"/regions/{self._admdvs}/registers/{kind}"

    def _application(self, who: Bringing) -> dict[str, Any]:
        day, p = who.at.date(), who.patient
        paper = base64.b64encode(f"申请表 {who.number}".encode()).decode()
        return {
            "admdvs": self._admdvs, "item_code": TRANSFER_ITEM, "applicant_kind": "person", "applicant_no": p.psn_no,
            "applicant_name": p.psn_name, "phone": "13000000000", "channel": "window",
            "body": {
                "kind": "in", "psn_no": p.psn_no, **_FROM,
                "certificate": {
                    "certificate_no": f"YL{who.number:08d}", "issued_by": f"{_FROM['other_name']}医疗保险管理中心",
                    "issued_on": (day - timedelta(days=3)).isoformat(), "first_month": f"{day.year - 6}-07-01",
                    "until_month": f"{day.year - 1}-08-01",
                },
                "change_form": {"from_insutype": EMPLOYEES, "to_insutype": EMPLOYEES, "reason": "跨统筹区就业",
                                "changed_on": (day - timedelta(days=30)).isoformat()},
            },
            "materials": [{"material": "transfer_form", "file_name": "申请表.pdf", "content": paper}],
        }
