"""Turn cards into dues and bills of one payer-month: the same for a batch of a million and for one person's arrears."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from yibao.domains.contributions import queries
from yibao.domains.contributions.operations import BillShare, add_dues, add_to_bills
from yibao.domains.contributions.rules import TREASURY, bill_name, due_name
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.usecases.contributions.cards import Card

DueRow = tuple[Any, ...]
"""The values of a due in the order of its table: a million of them need not be structs."""
_TRIES = 4
"""How often a due of one name may have been cancelled before."""


class Writer:
    """Collects the dues of a chunk and writes them with their bills in the caller's transaction."""

    def __init__(
        self, *, admdvs: str, kind: str, month: date, months: int, period: str, due_on: date, now: datetime, version: str
    ) -> None:
        """Make a writer.

        Args:
            kind: ``regular``, ``back`` or ``lump``; months: how many months a due that is not yearly pays for.
            period: what the ids bear: ``202407`` or ``2025``.
            due_on: last day of payment; version: policy version the amounts rest on.
        """
        self.admdvs, self.kind, self.month, self.months, self.period = admdvs, kind, month, months, period
        self.due_on, self.now, self.version = due_on, now, version
        self.today = business_date(now)
        self._names: dict[tuple[str, str, bool], str] = {}
        self._rows: list[tuple[str, str, Card, str, str, date]] = []

    def add(self, psn_no: str, relation_id: str, card: Card, *, payer_kind: str, payer_no: str, pay_from: date) -> None:
        """Take in one due; ``payer`` is who pays for the member, used where the card asks neither state nor account."""
        if card.payer == "state":
            payer_kind, payer_no = "state", TREASURY
        elif card.payer == "account":
            payer_kind, payer_no = "account", psn_no
        self._rows.append((psn_no, relation_id, card, payer_kind, payer_no, pay_from))

    def _name(self, card: Card) -> str:
        asked = (card.insutype, card.kind, card.yearly)
        name = self._names.get(asked)
        if name is None:
            kind = card.kind if card.kind == "subsidy" or card.yearly else self.kind
            name = due_name(card.insutype, f"{self.month.year}" if card.yearly else self.period, kind)
            self._names[asked] = name
        return name

    async def write(self, tx: Connection) -> tuple[int, int, list[str]]:
        """Write what was taken in and is not there yet; return dues, their sum in fen, and who owes nothing."""
        if not self._rows:
            return 0, 0, []
        taken = await self._taken(tx)
        bills = await self._bills(tx)
        dues: list[DueRow] = []
        total, free = 0, list[str]()
        shares: dict[tuple[str, str], BillShare] = {}
        for psn_no, relation_id, card, payer_kind, payer_no, pay_from in self._rows:
            name = _free_name(self._name(card), psn_no, taken)
            if name is None:
                continue
            taken[psn_no, name] = False
            share = None
            if card.total_fen and payer_kind != "account":
                share = shares.get((payer_kind, payer_no))
                if share is None:
                    share = shares[payer_kind, payer_no] = self._share(payer_kind, payer_no, pay_from, bills)
                share.count += 1
                share.amount_fen += card.total_fen
            elif not card.total_fen:
                free.append(psn_no)
            dues.append(self._due(psn_no, name, relation_id, card, payer_kind, payer_no, share.bill_id if share else ""))
            total += card.total_fen
        await add_dues(tx, dues)
        await self._add_bills(tx, shares.values())
        self._rows.clear()
        return len(dues), total, free

    def _due(
        self, psn_no: str, name: str, relation_id: str, card: Card, payer_kind: str, payer_no: str, bill_id: str
    ) -> DueRow:
        # Nothing owed is nothing to wait for: such a due has arrived when it is assessed.
        settled = None if card.total_fen else self.today
        settled_at = None if card.total_fen else self.now
        kind = "subsidy" if card.kind == "subsidy" else self.kind
        months = 13 - self.month.month if card.yearly else self.months
        return (
            psn_no, name, self.admdvs, relation_id, card.insutype, self.month, months, kind, payer_kind, payer_no,
            card.base_fen, card.parts, card.amounts, card.funds, card.total_fen, 0, bill_id,
            "assessed" if card.total_fen else "arrived", self.now, None, settled, settled_at, settled, settled_at, None,
            self.version,
        )

    async def _taken(self, tx: Connection) -> dict[tuple[str, str], bool]:
        names = {self._name(row[2]) for row in self._rows}
        listed = [n + (f"-{i}" if i > 1 else "") for n in sorted(names) for i in range(1, _TRIES + 1)]
        return await queries.names_taken(tx, sorted({row[0] for row in self._rows}), listed)

    async def _bills(self, tx: Connection) -> dict[tuple[str, str], tuple[int, str]]:
        found: dict[tuple[str, str], tuple[int, str]] = {}
        for kind in (self.kind, "subsidy"):
            payers = sorted({r[4] for r in self._rows if (r[3] == "state") == (kind == "subsidy") and r[3] != "account"})
            if payers:
                await queries.take_open_bills(tx, admdvs=self.admdvs, month=self.month, kind=kind, payer_nos=payers)
                newest = await queries.newest_bills(tx, admdvs=self.admdvs, month=self.month, kind=kind, payer_nos=payers)
                found |= {(kind, payer): said for payer, said in newest.items()}
        return found

    def _share(
        self, payer_kind: str, payer_no: str, pay_from: date, bills: dict[tuple[str, str], tuple[int, str]]
    ) -> BillShare:
        kind = "subsidy" if payer_kind == "state" else self.kind
        ordinal, state = bills.get((kind, payer_no), (1, "open"))
        if state != "open":
            ordinal += 1
        name = bill_name(self.admdvs, self.month, payer_no, ordinal, kind)
        return BillShare(name, payer_kind, payer_no, ordinal, self.due_on, pay_from)

    async def _add_bills(self, tx: Connection, shares: Iterable[BillShare]) -> None:
        of_state: list[BillShare] = []
        others: list[BillShare] = []
        for share in shares:
            (of_state if share.payer_kind == "state" else others).append(share)
        await add_to_bills(tx, others, admdvs=self.admdvs, kind=self.kind, month=self.month, now=self.now)
        await add_to_bills(tx, of_state, admdvs=self.admdvs, kind="subsidy", month=self.month, now=self.now)


def _free_name(name: str, psn_no: str, taken: dict[tuple[str, str], bool]) -> str | None:
    """Return the name a new due gets, None where a live one of that name is there."""
    for earlier in range(_TRIES):
        candidate = name + (f"-{earlier + 1}" if earlier else "")
        is_dead = taken.get((psn_no, candidate))
        if is_dead is None:
            return candidate
        if not is_dead:
            return None
    return None


