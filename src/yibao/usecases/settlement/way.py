"""A way to settle: how one kind of bill is read, judged and written. The steps are the same for all (settle.py).

There are three: a charge batch of a visit, a stay, a sale at a pharmacy. A way names three database functions and
judges what the first two read; it decides nothing about money.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Generic, TypeVar

import asyncpg
import msgspec

from yibao.domains.personal_accounts.model import Sharer
from yibao.domains.settlements.model import Settlement
from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case
from yibao.policy.decision import Decision
from yibao.usecases.backfill.model import Backfill, Care
from yibao.usecases.settlement.shelf import PolicyShelf

CLEARED_BY_ITEM = "1"
OWN_FIRST = ("1", "2")
"""Ways of using accounts in which the own account pays first."""
WITH_FAMILY = "2"
WRITE = "select settlements.write($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
WRITE_STAY = "select settlements.write_stay($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)"


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """What every institution sends to have something settled. Amounts in fen.

    Attributes:
        medfee_fen: total the institution reckons.
        account_use: ``0`` none, ``1`` own account, ``2`` a relative's account.
        splits: (fully own, over limit, first-pay, in scope) as the institution has them, () in a trial.
    """

    psn_no: str
    insutype: str
    medfee_fen: int
    account_use: str
    cert_type: str
    splits: tuple[int, ...] = ()
    invono: str = ""
    setlway: str = "01"
    exp_content: str = ""


class Operator(msgspec.Struct, frozen=True):
    """Who acts at the institution's counter."""

    code: str
    name: str


class OpenCase(msgspec.Struct, frozen=True):
    """The facts as read (``row``), the case made of them, and what the settlement says beside it.

    Attributes:
        row: has at least ``version``, ``balance_fen`` and ``care_admdvs``.
        batch: what the settlement covers, as it is kept (``chrg_bchno``).
        pregnancy: filing whose counters the case uses, ``""`` if none.
        sharers: relatives whose accounts may pay, in order; empty where the bill does not ask for them.
        backfill: what a window made of it that is over by now, None for everything else.
    """

    row: asyncpg.Record
    case: Case
    mdtrt_id: str
    batch: str
    pregnancy: str = ""
    clr_way: str = CLEARED_BY_ITEM
    sharers: tuple[Sharer, ...] = ()
    backfill: Backfill | None = None


class Settled(msgspec.Struct, frozen=True):
    """A settlement with the facts and the decision behind it; for a trial nothing was written."""

    opened: OpenCase
    decision: Decision
    settlement: Settlement

    @property
    def row(self) -> asyncpg.Record:
        """Return the facts as read."""
        return self.opened.row

    @property
    def case(self) -> Case:
        """Return the case that was decided."""
        return self.opened.case


B = TypeVar("B", bound=Bill)


def placed(refusal: Refusal, places: Mapping[str, str]) -> Refusal:
    """Return a refusal of the law with its fields as paths of the wire; a name without a place stays as it is."""
    return Refusal(tuple(msgspec.structs.replace(f, field=places.get(f.field, f.field)) for f in refusal.faults))


class Way(ABC, Generic[B]):
    """How one kind of bill is settled.

    Attributes:
        places: where the messages of this way have what a refusal of the law is about, by its bare name.
        facts: statement that reads all facts in one snapshot without any lock; its arguments are ``arguments(bill)``.
            A way may read less at first (``facts_at_once``), if its judge refuses what needs the whole.
        turn: statement that takes the person's turn first; its arguments are sender, msgid and ``arguments(bill)``,
            its columns stored_state, stored_infno, stored_digest, stored_reply and facts (a row, or null).
        write: statement that writes; its arguments are the thirteen of ``settlements.write`` and ``beside(settled)``.
        verb: name of the deed in the audit trail.
    """

    places: ClassVar[Mapping[str, str]]
    facts: str
    turn: str
    write: str = WRITE
    verb: str

    def facts_at_once(self, bill: B) -> str:  # noqa: ARG002
        """Return the statement of the first try."""
        return self.facts

    @abstractmethod
    def arguments(self, bill: B) -> tuple[object, ...]:
        """Return what names the facts of a bill, the person's number first."""

    @abstractmethod
    def judge(
        self, row: asyncpg.Record | None, bill: B, *, sender: str, shelf: PolicyShelf
    ) -> OpenCase | Refusal:
        """Make the case, or refuse with every fault found; ``row`` is None where there is nothing of that name."""

    @abstractmethod
    def care(self, opened: OpenCase, bill: B) -> Care:
        """Return the care that is settled, as the plan of a window sees it."""

    def beside(self, settled: Settled) -> tuple[object, ...]:  # noqa: ARG002
        """Return what is written beside the settlement, as further arguments of ``write``."""
        return ()
