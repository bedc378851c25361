"""Keep whoever was not credited in a book until it is repaired, tell each why and what helps, and count it down by reason."""

from __future__ import annotations

from datetime import date, datetime

import asyncpg
import msgspec

from yibao.domains.personal_accounts.reasons import REASONS
from yibao.domains.registers.model import CREDIT_FAILURE, DONE, WITHDRAWN, NewEntry
from yibao.infra.database import Connection, Database
from yibao.infra.failpoints import reached
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal
from yibao.usecases.notices.tell import Message, tell
from yibao.usecases.registers.add_entry import add_entry
from yibao.usecases.registers.close_entry import close_entry

CHUNK = 500
BUSINESS = "account_crediting"
HELD = """
select c.psn_no, c.reason, p.name from personal_accounts.credit c join people.person p on p.psn_no = c.psn_no
where c.admdvs = $1 and c.month = $2 and c.outcome = 'held' and c.psn_no > $3
  and not exists (select from registers.entry e where e.admdvs = $1 and e.kind = 'credit_failure'
                  and e.origin = 'credit/' || c.psn_no || '/' || to_char($2::date, 'YYYYMM'))
order by c.psn_no limit $4
"""
REPAIRED = """
select c.psn_no, c.outcome, c.amount_fen, e.register_no from personal_accounts.credit c
join registers.entry e on e.admdvs = $1 and e.kind = 'credit_failure' and e.state in ('received', 'ready')
  and e.origin = 'credit/' || c.psn_no || '/' || to_char($2::date, 'YYYYMM')
where c.admdvs = $1 and c.month = $2 and c.outcome in ('credited', 'dropped') and c.psn_no > $3
order by c.psn_no limit $4
"""
RUNS = """
select run_no, started_at, ended_at, credited, credited_fen, held, reasons from personal_accounts.credit_run
where admdvs = $1 and month = $2 and ended_at is not null order by run_no
"""


class Followed(msgspec.Struct, frozen=True):
    """How many persons came into the book, and how many left it because they were repaired."""

    added: int
    closed: int


class RunLine(msgspec.Struct, frozen=True, kw_only=True):
    """One run of a month: what it credited, who is held after it, by reason."""

    run_no: int
    ended_at: datetime
    credited: int
    credited_fen: int
    held: int
    reasons: dict[str, int]


async def follow_failures(
    database: Database, *, admdvs: str, month: date, plan: str, actor: Actor, now: datetime, ids: Ids
) -> Followed:
    """Bring the book of crediting failures up to a month's last run; run again it does nothing.

    Each person held gets a numbered row with the reason and is told once; a row ends when a later run has credited the
    month, or found that nothing is owed.
    """
    follower = _Follower(database, admdvs=admdvs, month=month, plan=plan, actor=actor, now=now, ids=ids)
    return Followed(await follower.walk(HELD, follower.add), await follower.walk(REPAIRED, follower.close))


async def burn_down(tx: Connection, *, admdvs: str, month: date) -> list[RunLine]:
    """Return the runs of a month, the first one first: how the failures went down, by reason."""
    return [
        RunLine(run_no=r["run_no"], ended_at=r["ended_at"], credited=r["credited"], credited_fen=r["credited_fen"],
                held=r["held"], reasons=msgspec.json.decode(r["reasons"], type=dict[str, int]))
        for r in await tx.fetch(RUNS, admdvs, month)
    ]


class _Follower:
    """One walk through the persons of a month."""

    def __init__(
        self, database: Database, *, admdvs: str, month: date, plan: str, actor: Actor, now: datetime, ids: Ids
    ) -> None:
        self._database, self._admdvs, self._month, self._plan = database, admdvs, month, plan
        self._actor, self._now, self._ids = actor, now, ids

    async def walk(self, sql: str, deed: object) -> int:
        """Do something for every row, a chunk a transaction; return how many there were."""
        done, after = 0, ""
        while True:
            async with self._database.transaction() as tx:
                rows = await tx.fetch(sql, self._admdvs, self._month, after, CHUNK)
                if not rows:
                    return done
                for row in rows:
                    await deed(tx, row)  # type: ignore[operator]
                done, after = done + len(rows), rows[-1]["psn_no"]
                reached("chunk_written")

    async def add(self, tx: Connection, row: asyncpg.Record) -> None:
        """Put somebody into the book and tell why the month was not credited."""
        reason = REASONS[row["reason"]]
        origin = f"credit/{row['psn_no']}/{self._month:%Y%m}"
        entry = await add_entry(tx, NewEntry(
            admdvs=self._admdvs, kind=CREDIT_FAILURE, plan=self._plan, business=BUSINESS, applicant_name=row["name"],
            psn_no=row["psn_no"], origin=origin,
            body={"month": f"{self._month:%Y-%m}", "reason": row["reason"], "says": reason.says},
        ), actor=self._actor, now=self._now, ids=self._ids)
        assert not isinstance(entry, Refusal), entry
        await self._tell(tx, row["psn_no"], entry.register_no, "held", (
            f"您{self._month.year}年{self._month.month}月的个人账户暂未划入：{reason.says}。{reason.remedy}。登记号{entry.register_no}，"
            "问题解决后我们会补划，不会少划。"))

    async def close(self, tx: Connection, row: asyncpg.Record) -> None:
        """End a row whose month was credited meanwhile, or that is owed nothing any more."""
        is_credited = row["outcome"] == "credited"
        result = f"已补划 {yuan_text(row['amount_fen'])} 元" if is_credited else "核实后不应划入"
        ended = await close_entry(
            tx, row["register_no"], state=DONE if is_credited else WITHDRAWN, result=result, now=self._now, actor=self._actor,
            ids=self._ids, reason="" if is_credited else result)
        assert not isinstance(ended, Refusal), ended
        await self._tell(tx, row["psn_no"], row["register_no"], "repaired",
                         f"您{self._month.year}年{self._month.month}月的个人账户：{result}。")

    async def _tell(self, tx: Connection, psn_no: str, register_no: str, what: str, text: str) -> None:
        await tell(tx, Message(
            admdvs=self._admdvs, psn_no=psn_no, kind="credit_failed", text=text, plan=self._plan, about=register_no,
            key=f"{register_no}:{what}"), now=self._now, ids=self._ids)
