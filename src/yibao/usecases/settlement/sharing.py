"""Sharing at a settlement: what relatives' accounts may pay after the own one, and how it is written and given back.

A settlement then touches several people. Each of them has a posting of the own account under the own number, so that a
statement and a balance need nobody else's; all are locked in the order of their numbers.
"""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import msgspec

from yibao.domains.personal_accounts.model import Sharer
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse
from yibao.ledger.posting import Posting, mirror, payable, personal_account
from yibao.usecases.settlement.way import WITH_FAMILY, Bill, OpenCase
from yibao.usecases.settlement.write_settlement import Booking

SHARERS = "select * from personal_accounts.sharers($1, $2)"
SHARED_OF = "select * from personal_accounts.shared_of($1, $2)"
TAKE_TURN = "select personal_accounts.take_family_turn($1)"
_ARGUMENTS_OF_WRITE = 13
GIVE_TURN_BACK = "select personal_accounts.give_family_turn_back($1)"
NOT_SHARED = refuse(
    "FAMILY_ACCOUNT_NOT_SHARED", "没有可用的共济账户：未办理共济授权，或授权人账户已冻结", field="data.acct_used_flag",
    received="2",
    remedy="请先办理个人账户共济授权，或改用本人账户（1）、不使用账户（0）",
)


def asks_family(bill: Bill) -> bool:
    """Say whether a bill is to be paid from relatives' accounts as well."""
    return bill.account_use == WITH_FAMILY


async def with_family(connection: Connection, bill: Bill, opened: OpenCase) -> OpenCase | Refusal:
    """Return the case with what relatives may pay; as it is where the bill does not ask for it."""
    if not asks_family(bill):
        return opened
    rows = await connection.fetch(SHARERS, bill.psn_no, opened.case.service_on)
    if not rows:
        return NOT_SHARED
    sharers = tuple(Sharer(*row) for row in rows)
    case = msgspec.structs.replace(opened.case, family_balance=sum(s.available_fen for s in sharers))
    return msgspec.structs.replace(opened, case=case, sharers=sharers)


def share_out(booking: Booking, sharers: Sequence[Sharer]) -> Booking:
    """Return the booking with what each sharer pays of ``shared_fen``, the first in order first; as it is without any."""
    s, left = booking.settlement, booking.settlement.shared_fen
    uses, versions, postings = [], [], []
    for sharer in sharers:
        amount = min(left, sharer.available_fen)
        if not amount:
            continue
        left -= amount
        uses.append((sharer.sharer_no, s.setl_id, sharer.admdvs, s.psn_no, sharer.share_id, s.service_on.year, amount,
                     s.settled_at))
        versions.append(sharer.version)
        postings.append(Posting(
            sharer.sharer_no, s.setl_id, sharer.admdvs, "settlement", s.settled_at, s.setl_id, None,
            [personal_account(sharer.sharer_no), payable(s.fixmedins_code)], [-amount, amount], 0,
        ))
    if left:
        raise AssertionError("relatives' accounts cannot pay what was decided")
    return _beside(booking, uses, versions, postings)


async def give_back(tx: Connection, booking: Booking) -> Booking | Refusal:
    """Return the booking of a reversal with the mirror of what relatives paid; it may not leave a balance below zero."""
    s = booking.settlement
    if not s.shared_fen:
        return booking
    rows: list[asyncpg.Record] = await tx.fetch(SHARED_OF, s.psn_no, s.origin_id)
    if sum(row["used"]["amount_fen"] for row in rows) != -s.shared_fen:
        raise AssertionError("what relatives paid is not what the settlement says")
    if any(row["balance_fen"] + row["used"]["amount_fen"] < 0 for row in rows):
        return refuse("BALANCE_TOO_LOW", "共济账户余额已不足以恢复原结算", field="data.omsgid", remedy="请按现在的余额重新结算")
    uses = [
        (u["psn_no"], s.setl_id, u["admdvs"], s.psn_no, u["share_id"], u["year"], -u["amount_fen"], s.settled_at)
        for u in (row["used"] for row in rows)
    ]
    postings = [
        mirror(Posting(*tuple(row["posting"])), posting_id=s.setl_id, kind=booking.posting.kind, posted_at=s.settled_at)
        for row in rows
    ]
    return _beside(booking, uses, [row["version"] for row in rows], postings)


def _beside(
    booking: Booking, uses: Sequence[tuple[object, ...]], versions: list[int], postings: list[Posting]
) -> Booking:
    if not uses:
        return booking
    n = _ARGUMENTS_OF_WRITE + len(booking.beside)
    arguments = f"${n + 1}, ${n + 2}::personal_accounts.shared_use[], ${n + 3}::bigint[], ${n + 4}::ledger.posting[]"
    statement = (
        f"with family as materialized (select personal_accounts.write_sharing({arguments})) "  # noqa: S608
        f"{booking.statement} from family"
    )
    beside = (booking.settlement.psn_no, uses, versions, [msgspec.structs.astuple(p) for p in postings])
    return msgspec.structs.replace(booking, statement=statement, beside=(*booking.beside, *beside))
