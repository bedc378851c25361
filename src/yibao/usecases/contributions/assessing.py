"""The loop of an assessment: members in chunks, one transaction each; killed and run again it gives the same rows."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import asyncpg
import msgspec

from yibao.domains.contributions import members
from yibao.domains.contributions.case_kinds import KINDS
from yibao.domains.contributions.model import WorkCase
from yibao.domains.contributions.operations import close_cases, open_cases
from yibao.infra.database import Connection, Database
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Refusal
from yibao.usecases.contributions.cards import RESIDENTS, Deck
from yibao.usecases.contributions.new_dues import Writer
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.settlement.shelf import PolicyShelf

Progress = Callable[[str], None]
_MENDED = ("BASE_MISSING", "EMPLOYER_MISSING", "LAW_SILENT", "DOUBLE_MONTH")
_ONCE = "past_retirement_once"
BEGIN = """
insert into contributions.run as r (admdvs, insutype, month, state, begun_at, policy_version) values ($1, $2, $3, 'begun', $4, $5)
on conflict (admdvs, insutype, month) do update set policy_version = excluded.policy_version
"""
ADD_UP = """
update contributions.run set dues = dues + $4, total_fen = total_fen + $5 where admdvs = $1 and insutype = $2 and month = $3
"""
HAS_CASES = """
select exists (select from contributions.work_case where admdvs = $1 and state = 'open' and kind = any($2::text[]))
"""
DONE = "update contributions.run set state = 'done', done_at = $4 where admdvs = $1 and insutype = $2 and month = $3"


class Assessed(msgspec.Struct, frozen=True):
    """What an assessment wrote in this run: dues, members looked at, their sum, and cases opened by kind."""

    admdvs: str
    insutype: str
    month: date
    dues: int
    persons: int
    total_fen: int
    cases: dict[str, int]


class Round(msgspec.Struct, kw_only=True):
    """One assessment while it runs.

    Attributes:
        sql: whom it is about (``members.EMPLOYEES`` or ``RESIDENTS``).
        month, before: the period, half-open; for residents the year.
        due_on: last day of payment.
    """

    database: Database
    admdvs: str
    insutype: str
    sql: str
    month: date
    before: date
    due_on: date
    now: datetime
    shelf: PolicyShelf
    deck: Deck
    late_deck: Deck | None = None
    chunk: int = 10_000
    progress: Progress | None = None
    pay_from: Callable[[date], date] = lambda day: day
    mends: bool = False
    payable: dict[date, date] = {}
    dues: int = 0
    persons: int = 0
    total_fen: int = 0
    cases: dict[str, int] = {}

    async def run(self) -> Assessed:
        """Assess everybody, a chunk in each transaction."""
        async with self.database.transaction() as tx:
            await tx.execute(BEGIN, self.admdvs, self.insutype, self.month, self.now, self.deck.policy.version)
            # Looked for only where a run before opened some: a first run of a million has nothing to make good.
            self.mends = await tx.fetchval(HAS_CASES, self.admdvs, list(_MENDED))
        after = ("", "")
        while True:
            async with self.database.transaction() as tx:
                rows = await members.list_members(
                    tx, self.sql, admdvs=self.admdvs, month=self.month, before=self.before, after=after,
                    with_identities=self.deck.asks_identity, on=self._day, most=self.chunk,
                )
                if rows:
                    await self._assess(tx, rows)
            if self.progress and rows:
                self.progress(f"已核定 {self.persons} 人，新增应缴 {self.dues} 笔")
            if len(rows) < self.chunk:
                break
            after = (rows[-1]["psn_no"], rows[-1]["relation_id"])
        async with self.database.transaction() as tx:
            await tx.execute(DONE, self.admdvs, self.insutype, self.month, self.now)
        return Assessed(self.admdvs, self.insutype, self.month, self.dues, self.persons, self.total_fen, self.cases)

    async def _assess(self, tx: Connection, rows: list[asyncpg.Record]) -> None:
        writers: dict[date, Writer] = {}
        cases: list[WorkCase] = []
        solved: list[str] = []
        for row in rows:
            self._one(row, writers, cases, solved)
        dues = total = 0
        free: list[str] = []
        for writer in writers.values():
            added, fen, owe_nothing = await writer.write(tx)
            dues, total = dues + added, total + fen
            free += owe_nothing
        await open_cases(tx, cases)
        await close_cases(tx, solved, now=self.now, by="YIBAO", outcome="已核定")
        if free:
            await refresh_entitlement(tx, free, now=self.now, shelf=self.shelf)
        await tx.execute(ADD_UP, self.admdvs, self.insutype, self.month, dues, total)
        self.dues, self.total_fen, self.persons = self.dues + dues, self.total_fen + total, self.persons + len(rows)
        for case in cases:
            self.cases[case.kind] = self.cases.get(case.kind, 0) + 1

    def _one(
        self, row: asyncpg.Record, writers: dict[date, Writer], cases: list[WorkCase], solved: list[str]
    ) -> None:
        kind = kind_of(row)
        if kind == _ONCE:
            return
        has_due: str | None = row["has_due"]
        if has_due is not None and not has_due.startswith(self.insutype):
            cases.append(self._case("DOUBLE_MONTH", row, f"本月已有 {has_due}"))
            return
        deck = self.late_deck if self.late_deck is not None and kind != "newborn" else self.deck
        member = deck.member(
            psn_type=row["psn_type"], account_kind=row["account_kind"], enrolment_kind=kind, wage_fen=row["wage_fen"],
            identities=tuple(row["identities"] or ()), birth_on=row["birth_on"],
        )
        cards = deck.cards(member)
        if isinstance(cards, Refusal):
            if has_due is not None:
                return
            code = "BASE_MISSING" if cards.code == "FACT_MISSING" else "LAW_SILENT"
            cases.append(self._case(code, row, cards.sentence()))
            return
        payer_kind, payer_no = payer_of(row, kind)
        if not payer_no:
            cases.append(self._case("EMPLOYER_MISSING", row, "没有登记参保单位"))
            return
        first = max(self.month, row["insured_on"].replace(day=1)) if self.insutype == RESIDENTS else self.month
        writer = writers.get(first)
        if writer is None:
            writer = writers[first] = self._writer(first)
        insured_on = row["insured_on"]
        pay_from = self.payable.get(insured_on)
        if pay_from is None:
            pay_from = self.payable[insured_on] = self.pay_from(insured_on)
        for card in cards:
            if has_due is None or card.insutype != self.insutype or card.kind == "subsidy":
                writer.add(row["psn_no"], row["relation_id"], card, payer_kind=payer_kind, payer_no=payer_no, pay_from=pay_from)
        if has_due is None:
            solved += [self._case_id(code, row) for code in _MENDED] if self.mends else []

    def _writer(self, first: date) -> Writer:
        is_year = self.insutype == RESIDENTS
        return Writer(
            admdvs=self.admdvs, kind="regular", month=first, months=13 - first.month if is_year else 1,
            period=f"{first.year}" if is_year else f"{first:%Y%m}", due_on=self.due_on, now=self.now,
            version=self.deck.policy.version,
        )

    @property
    def _day(self) -> date:
        """Return the day identities are looked at: of the first month, or today where residents are assessed later."""
        return max(self.month, business_date(self.now)) if self.insutype == RESIDENTS else self.month

    def _case_id(self, code: str, row: asyncpg.Record) -> str:
        return f"{code}/{self.insutype}/{self.month:%Y%m}/{row['psn_no']}"

    def _case(self, code: str, row: asyncpg.Record, says: str) -> WorkCase:
        return WorkCase(
            self._case_id(code, row), self.admdvs, code, "", "", row["emp_no"] or row["psn_no"], row["psn_no"], 0,
            f"{KINDS[code].title}：{self.month:%Y-%m}，{says}", "open", self.now,
        )


def kind_of(row: asyncpg.Record) -> str:
    """Return the kind of enrolment; relations loaded before it was kept say only whether they are flexible."""
    kind: str = row["enrolment_kind"]
    if kind or row["psn_type"][:2] != "11":
        return kind
    return "flexible" if row["flexible"] else "employed"


def payer_of(row: asyncpg.Record, kind: str) -> tuple[str, str]:
    """Return who pays for a member: the unit, the household, or the person; '' where an employee has no unit."""
    if kind == "employed":
        return "unit", row["emp_no"]
    if row["household_no"] and row["psn_type"][:2] not in ("11", "12"):
        return "household", row["household_no"]
    if kind == "student" and row["emp_no"]:
        return "unit", row["emp_no"]
    return "person", row["psn_no"]
