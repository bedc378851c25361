"""A registry office: does deeds of enrolment at the instant a test says, and looks at what is stored."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime
from typing import Any

from yibao.infra.database import Database
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.identity_number import make
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal
from yibao.usecases.enrolment.commands import RegisterEmployer
from yibao.usecases.enrolment.register_employer import EmployerDone, register_employer
from yibao.usecases.settlement.shelf import PolicyShelf

ZIBO, HUIZHOU = "370300", "441300"
CLERK = Actor(login="王登记", channel="cli", regions=(ZIBO, HUIZHOU))
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


class RolledBack(Exception):
    """Leaves a transaction that was refused."""


def at(day: str, hour: int = 10) -> datetime:
    """Return an instant of business time."""
    return datetime.combine(date.fromisoformat(day), datetime.min.time(), SHANGHAI).replace(hour=hour)


def card(born: str, serial: int = 1, *, division: str = "370303") -> str:
    """Return an identity number; an odd serial is a man's."""
    return make(division, date.fromisoformat(born), serial)


def credit_code(number: int) -> str:
    """Return a unified social credit code, its check character by the standard's own formula (GB 32100)."""
    body = f"91370303{number:08d}9"
    total = sum(_ALPHABET.index(c) * pow(3, n, 31) for n, c in enumerate(body))
    return body + _ALPHABET[-total % 31]


class Office:
    """The office of two regions with a clock that the test sets."""

    def __init__(self, database: Database, shelf: PolicyShelf) -> None:
        self.database = database
        self.shelf = shelf
        self.now = at("2025-03-10")
        self.actor = CLERK
        self.ids = RandomIds()
        self._employers = 0

    async def do(self, deed: Callable[..., Awaitable[Any]], command: Any, *, actor: Actor | None = None) -> Any:
        """Do a deed in one transaction; a refusal is returned and leaves nothing behind."""
        answer: Any = None
        try:
            async with self.database.transaction() as tx:
                answer = await deed(tx, command, actor=actor or self.actor, now=self.now, ids=self.ids, shelf=self.shelf)
                if isinstance(answer, Refusal):
                    raise RolledBack
        except RolledBack:
            pass
        return answer

    async def done(self, deed: Callable[..., Awaitable[Any]], command: Any, *, actor: Actor | None = None) -> Any:
        """Do a deed that must not be refused."""
        answer = await self.do(deed, command, actor=actor)
        assert not isinstance(answer, Refusal), answer.sentence()
        return answer

    async def refused(self, deed: Callable[..., Awaitable[Any]], command: Any, *, actor: Actor | None = None) -> list[str]:
        """Do a deed that must be refused, and return the codes of all faults."""
        before = await self.everything()
        answer = await self.do(deed, command, actor=actor)
        assert isinstance(answer, Refusal), answer
        assert await self.everything() == before, "a refusal leaves nothing behind"
        return [fault.code for fault in answer.faults]

    async def employer(self, name: str = "淄博示例有限公司", **more: Any) -> str:
        """Register an employer and return its number."""
        self._employers += 1
        form = {"admdvs": ZIBO, "uscc": credit_code(self._employers), "name": name, "division": "370303", **more}
        done: EmployerDone = await self.done(register_employer, RegisterEmployer(**form))
        return done.emp_no

    async def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Return rows as the owner of the tables sees them."""
        return [tuple(row.values()) for row in await self.database.fetch(sql, *values)]

    async def value(self, sql: str, *values: Any) -> Any:
        """Return one value."""
        ((found,),) = await self.rows(sql, *values)
        return found

    async def relations(self, psn_no: str) -> list[tuple[Any, ...]]:
        """Return a person's relations: insurance, class, kind, status, first day, first day no longer, why it ended."""
        return await self.rows(
            "select insutype, psn_type, enrolment_kind, status, insured_on::text, paused_on::text, end_cause"
            " from enrolment.relation where psn_no = $1 order by insured_on, recorded_at, relation_id", psn_no)

    async def everything(self) -> dict[str, str]:
        """Return a digest of each table that enrolment writes."""
        tables = ("people.person", "people.change", "people.merge", "people.doubt", "enrolment.relation",
                  "enrolment.employer", "enrolment.special_identity", "enrolment.retirement", "enrolment.year_credit",
                  "enrolment.assisted_list", "entitlement.spell", "ledger.posting", "platform.audit_entry")
        sums = " union all ".join(
            f"select '{t}', coalesce(md5(string_agg(x::text, '|' order by x::text)), '') from {t} x" for t in tables)
        return {str(name): str(digest) for name, digest in await self.rows(sums)}
