"""The writes of the ledger outside a settlement's own statement. Who calls them is in a transaction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.ledger.posting import Posting, personal_account

INSERT = "insert into ledger.posting select ($1::ledger.posting).*"
MOVE = "select balance_fen, is_new, is_same from ledger.move($1::ledger.posting, $2, $3)"
FREEZE = "update ledger.personal_account set is_frozen = $2 where psn_no = $1"
MOVE_PERSON = "update people.person set version = version + 1 where psn_no = $1"


class Moved(msgspec.Struct, frozen=True):
    """What became of a personal account; ``is_new`` False: the posting stood there before, nothing was moved again."""

    balance_fen: int
    is_new: bool


async def post(tx: Connection, posting: Posting) -> None:
    """Write a posting that touches no personal account; its key makes a second one impossible.

    A posting that moves a personal account is written with the balance: ``move_account``, or the settlement's statement.
    """
    if sum(posting.amounts) != 0:
        raise AssertionError("a posting must sum to zero")
    if any(account.startswith("account:") for account in posting.accounts):
        raise AssertionError("a personal account is moved with its balance only")
    await tx.execute(INSERT, msgspec.structs.astuple(posting))


async def move_account(tx: Connection, posting: Posting, *, even_frozen: bool = False) -> Moved | None:
    """Write a posting and move the personal account of its person, in one statement; opens the account where there is none.

    Moves the person's version too: settlements that were being decided on the old balance begin anew. The same posting
    again (same person and id) moves nothing.

    Args:
        posting: has one leg on ``account:<psn_no>`` of its own ``psn_no`` and none on another's.
        even_frozen: take from a frozen account as well (correction, inheritance).

    Returns:
        the new balance; None, and nothing is written, where the account would fall below zero or may not pay.

    Raises:
        AssertionError: the posting does not sum to zero, touches another person's account, or its id stands for another one.
    """
    _check_own(posting)
    opened_on = business_date(posting.posted_at)
    row = await tx.fetchrow(MOVE, msgspec.structs.astuple(posting), opened_on, even_frozen)
    assert row is not None
    if not row["is_same"]:
        raise AssertionError(f"posting {posting.posting_id} of this person is another one")
    return None if row["balance_fen"] is None else Moved(row["balance_fen"], row["is_new"])


async def set_frozen(tx: Connection, psn_no: str, is_frozen: bool) -> None:
    """Freeze a personal account or release it; the person's version moves."""
    await tx.execute(FREEZE, psn_no, is_frozen)
    await tx.execute(MOVE_PERSON, psn_no)


async def move_accounts(tx: Connection, postings: Sequence[Posting], *, posted_at: datetime) -> tuple[str, ...]:
    """Move many personal accounts by COPY, at most one posting a person; those that stand there already are left out.

    Args:
        posted_at: instant whose business day newly opened accounts bear.

    Returns:
        the people whose account would fall below zero or is frozen: nothing was written for them.
    """
    for posting in postings:
        _check_own(posting)
    await tx.execute(STAGE)
    await tx.copy_records_to_table(
        "ledger_moves", schema_name="pg_temp", columns=[*Posting.__struct_fields__, "delta"],
        records=[(*msgspec.structs.astuple(p), p.of(personal_account(p.psn_no))) for p in postings],
    )
    return await move_staged(tx, posted_at=posted_at)


STAGE = """
create temp table if not exists ledger_moves on commit delete rows as
select *, 0::bigint as delta from ledger.posting with no data
"""
_LEAVE_OUT = """
delete from pg_temp.ledger_moves m using ledger.posting p where p.psn_no = m.psn_no and p.posting_id = m.posting_id
"""
# In the order of the numbers, as everybody who locks several people does.
_LOCK = """
select count(*) from (select p.psn_no from people.person p where p.psn_no in (select psn_no from pg_temp.ledger_moves)
    order by p.psn_no collate "C" for no key update) locked
"""
_TOO_LOW = """
delete from pg_temp.ledger_moves m where m.delta < 0 and not exists (
    select from ledger.personal_account a where a.psn_no = m.psn_no and not a.is_frozen and a.balance_fen + m.delta >= 0)
returning m.psn_no
"""
# For those whom the update of balances did not find.
_OPEN = """
insert into ledger.personal_account (psn_no, admdvs, balance_fen, opened_on)
select m.psn_no, m.admdvs, m.delta, $1 from pg_temp.ledger_moves m where m.delta >= 0
on conflict (psn_no) do nothing
"""
_POST = """
insert into ledger.posting select psn_no, posting_id, admdvs, kind, posted_at, setl_id, origin_id, accounts, amounts, cash_fen
from pg_temp.ledger_moves
"""
_BALANCE = """
update ledger.personal_account a set balance_fen = a.balance_fen + m.delta
from pg_temp.ledger_moves m where a.psn_no = m.psn_no
"""
_VERSION = """
update people.person p set version = p.version + 1 from pg_temp.ledger_moves m where p.psn_no = m.psn_no
"""


async def move_staged(tx: Connection, *, posted_at: datetime) -> tuple[str, ...]:
    """Move what stands in the temporary table ``ledger_moves`` (``STAGE``); see ``move_accounts``."""
    await tx.execute("analyze pg_temp.ledger_moves (psn_no)")
    await tx.execute(_LOCK)
    await tx.execute(_LEAVE_OUT)
    too_low = tuple(row["psn_no"] for row in await tx.fetch(_TOO_LOW))
    posted = await tx.execute(_POST)
    if (await tx.execute(_BALANCE)).rsplit(" ", 1)[1] != posted.rsplit(" ", 1)[1]:
        await tx.execute(_OPEN, business_date(posted_at))
    await tx.execute(_VERSION)
    await tx.execute("truncate pg_temp.ledger_moves")
    return too_low


def _check_own(posting: Posting) -> None:
    if sum(posting.amounts) != 0:
        raise AssertionError("a posting must sum to zero")
    if [a for a in posting.accounts if a.startswith("account:")] != [personal_account(posting.psn_no)]:
        raise AssertionError("a posting moves the account of its own person, and no other")
