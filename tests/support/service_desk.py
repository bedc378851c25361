"""Clerks of two regions at their desks, on a database that holds a few people written straight into its tables."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

import asyncpg

from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.identity_number import make
from yibao.kernel.ids import CountingIds
from yibao.kernel.refusal import Refusal
from yibao.policy.law.loading import load_policy
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.verification.services_checks import SERVICES_CHECKS

T = TypeVar("T")
ZIBO, HUIZHOU = "370300", "441300"
AGENCY = "yibao_agency"
_shelf: list[PolicyShelf] = []


class RolledBack(Exception):
    """Carries a refusal out of its transaction."""


class Denied(Exception):
    """A use case refused; ``codes`` are its faults."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence())
        self.refusal = refusal
        self.codes = [f.code for f in refusal.faults]


def law() -> PolicyShelf:
    """Return the packaged law of all regions, compiled once."""
    if not _shelf:
        _shelf.append(PolicyShelf({admdvs: load_policy(files) for admdvs, files in read_policy_files().items()}))
    return _shelf[0]


def at(text: str) -> datetime:
    """Return ten o'clock in China of a day."""
    return datetime.fromisoformat(text).replace(hour=10, tzinfo=SHANGHAI)


class Clerk:
    """Somebody at a desk: does use cases in one transaction each, as the role of the agency's way in."""

    def __init__(self, url: str, login: str, *, region: str = ZIBO, division: str = "", ids: CountingIds) -> None:
        self._url, self._ids = url, ids
        self.actor = Actor(login=login, channel="api", regions=(region,), division=division, roles=("intake", "review"))

    def do(self, deed: Callable[..., Any], command: Any = None, *, on: str, **more: Any) -> Any:
        """Do a deed at ten o'clock of a day and return its result; raises ``Denied`` and leaves nothing behind."""
        asked = deed.__code__.co_varnames[: deed.__code__.co_argcount + deed.__code__.co_kwonlyargcount]
        given = {"actor": self.actor, "now": at(on), "ids": self._ids, "shelf": law(), **more}
        passed = {name: value for name, value in given.items() if name in asked}
        arguments = () if command is None else (command,)

        async def run() -> Any:
            database = await Database.open(self._url, role=AGENCY, size=1)
            try:
                async with database.transaction(regions=self.actor.regions) as tx:
                    answer = await deed(tx, *arguments, **passed)
                    if isinstance(answer, Refusal):
                        raise Denied(answer)
                    return answer
            finally:
                await database.close()

        return asyncio.run(run())

    def refused(self, deed: Callable[..., Any], command: Any = None, *, on: str, **more: Any) -> list[str]:
        """Do a deed that must be refused, and return the codes of its faults."""
        try:
            answer = self.do(deed, command, on=on, **more)
        except Denied as denied:
            return denied.codes
        raise AssertionError(f"was not refused: {answer}")


class Town:
    """A database with clerks, and ways to put people into it."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.ids = CountingIds()
        self._next = 0

    def clerk(self, login: str, *, region: str = ZIBO, division: str = "") -> Clerk:
        """Return a clerk of a region."""
        return Clerk(self.url, login, region=region, division=division, ids=self.ids)

    def run(self, *statements: tuple[str, Sequence[Any]]) -> None:
        """Execute statements as the owner."""
        async def go() -> None:
            connection = await asyncpg.connect(self.url)
            try:
                for sql, values in statements:
                    await connection.execute(sql, *values)
            finally:
                await connection.close()

        asyncio.run(go())

    def fetch(self, sql: str, *values: Any) -> list[Any]:
        """Return rows as the owner sees them."""
        async def go() -> list[Any]:
            connection = await asyncpg.connect(self.url)
            try:
                return list(await connection.fetch(sql, *values))
            finally:
                await connection.close()

        return asyncio.run(go())

    def regions(self) -> None:
        """Put the two regions there."""
        self.run(*((f"insert into platform.region (admdvs, name) values ('{a}', '{n}') on conflict do nothing", ())
                   for a, n in ((ZIBO, "淄博市"), (HUIZHOU, "惠州市"))))

    def person(
        self, name: str, *, region: str = ZIBO, certno: str = "", balance_fen: int = 0, born: date = date(1985, 5, 5)
    ) -> tuple[str, str]:
        """Put a person there and return person number and identity number."""
        self._next += 1
        certno = certno or make(region, born, self._next)
        psn_no = f"{region}{self._next:06d}"
        self.run((
            "insert into people.person (psn_no, admdvs, cert_type, certno, name, sex, birth_on) values ($1, $2, '01', $3, $4, "
            "'1', $5)", (psn_no, region, certno, name, born)))
        if balance_fen:
            self.run(
                ("insert into ledger.posting values ($1, 'opening', $2, 'opening', $3, null, null, $4, $5, 0)",
                 (psn_no, region, at("2024-01-01"), [f"fund:{region}:310200", f"account:{psn_no}"], [-balance_fen, balance_fen])),
                ("insert into ledger.personal_account (psn_no, admdvs, balance_fen, opened_on) values ($1, $2, $3, $4)",
                 (psn_no, region, balance_fen, date(2024, 1, 1))))
        return psn_no, certno

    def relation(
        self, psn_no: str, *, begin: date, until: date | None, insutype: str = "310", psn_type: str = "1101", no: str = "R1"
    ) -> None:
        """Put a relation there."""
        self.run((
            "insert into enrolment.relation (psn_no, relation_id, admdvs, insutype, psn_type, status, account_kind, insured_on, "
            "paused_on, benefit_from, benefit_to, enrolment_kind) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $8, $9, $10)",
            (psn_no, no, psn_no[:6], insutype, psn_type, "1" if until is None else "2",
             "with_account" if insutype == "310" else "none", begin, until, "employed" if insutype == "310" else "resident")))

    def dues(
        self, psn_no: str, first: date, count: int, *, state: str = "arrived", insutype: str = "310", no: str = "R1"
    ) -> None:
        """Put dues of so many months there, all in one state."""
        month = first
        for _ in range(count):
            paid = month if state in ("paid", "arrived", "credited") else None
            arrived = month + timedelta(days=1) if state in ("arrived", "credited") else None
            self.run((
                "insert into contributions.due (psn_no, due_id, admdvs, relation_id, insutype, month, months, kind, payer_kind, "
                "payer_no, base_fen, parts, amounts, funds, total_fen, bill_id, state, assessed_at, paid_on, paid_at, "
                "arrived_on, arrived_at, policy_version) values ($1, $2, $3, $4, $5, $6, 1, 'regular', 'unit', 'E1', 500000, "
                "'{unit.basic,person.basic}', '{40000,10000}', '{310100,310200}', 50000, '', $7, $8, $9, $10, $11, $12, 'test')",
                (psn_no, f"{insutype}-{month:%Y%m}-regular", psn_no[:6], no, insutype, month, state, at(str(month)), paid,
                 at(str(paid)) if paid else None, arrived, at(str(arrived)) if arrived else None)))
            month = (month + timedelta(days=32)).replace(day=1)

    def breaches(self, *harm: str) -> dict[str, list[str]]:
        """Return what the checks of services find, after some harm that is rolled back."""
        async def go() -> dict[str, list[str]]:
            connection = await asyncpg.connect(self.url)
            transaction = connection.transaction()
            await transaction.start()
            try:
                for statement in harm:
                    assert await connection.execute(statement) not in ("UPDATE 0", "DELETE 0"), "there is nothing to harm"
                return {c.says: [str(r[0]) for r in rows] for c in SERVICES_CHECKS if (rows := await connection.fetch(c.sql))}
            finally:
                await transaction.rollback()
                await connection.close()

        return asyncio.run(go())
