"""Reads under lock and writes of decisions about accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from yibao.domains.personal_accounts.records import Binding, Channel, Owner, Share, Withdrawal
from yibao.infra.database import Connection

LOCK = 'select psn_no from people.person where psn_no = any($1::text[]) order by psn_no collate "C" for no key update'
OWNERS = """
select n.psn_no, n.admdvs, n.name, n.birth_on, n.died_on, a.balance_fen, coalesce(a.is_frozen, false) as is_frozen, a.opened_on,
       exists (select from enrolment.relation r where r.psn_no = n.psn_no and r.insutype = '310' and r.paused_on is null
               and r.status <> '4' and r.account_kind = 'with_account') as is_enrolled
from people.person n left join ledger.personal_account a on a.psn_no = n.psn_no
where n.psn_no = any($1::text[]) and n.merged_into is null
"""
MOVE = "update people.person set version = version + 1 where psn_no = any($1::text[])"
ADD_FREEZE = """
insert into personal_accounts.freeze (psn_no, freeze_id, admdvs, cause, document, frozen_at, frozen_by)
values ($1, $2, $3, $4, $5, $6, $7)
"""
RELEASE = """
update personal_accounts.freeze set released_at = $2, released_by = $3, release_document = $4
where psn_no = $1 and released_at is null returning freeze_id
"""
WITHDRAWAL = "select * from personal_accounts.withdrawal where psn_no = $1 and withdrawal_id = $2 for update"
OPEN_WITHDRAWAL = "select * from personal_accounts.withdrawal where psn_no = $1 and state = 'proposed'"
DECIDE = """
update personal_accounts.withdrawal set state = $3, amount_fen = $4, checked_at = $5, checked_by = $6, note = $7
where psn_no = $1 and withdrawal_id = $2 returning *
"""
OPEN_BINDING = "select * from personal_accounts.family where psn_no = $1 and member_no = $2 and end_on is null"
END_BINDING = """
update personal_accounts.family set end_on = greatest($3, begin_on), ended_by = $4
where psn_no = $1 and member_no = $2 and end_on is null returning *
"""
SHARES_WITH = """
select * from personal_accounts.share where psn_no = $1 and (end_on is null or end_on > $2) order by rank, share_id
"""
END_SHARE = """
update personal_accounts.share set end_on = greatest($3, begin_on), ended_by = $4
where psn_no = $1 and sharer_no = $2 and (end_on is null or end_on > $3) returning *
"""
END_SHARES_OF = """
update personal_accounts.share set end_on = greatest($2, begin_on), ended_by = $3
where (sharer_no = $1 or psn_no = $1) and (end_on is null or end_on > $2) returning psn_no
"""
PUT_CHANNEL = """
insert into personal_accounts.channel as c select ($1::personal_accounts.channel).*
on conflict (psn_no) do update set kind = excluded.kind, card_no = excluded.card_no, bank_name = excluded.bank_name,
    bank_account = excluded.bank_account, has_finance = excluded.has_finance, is_active = excluded.is_active,
    changed_at = excluded.changed_at, changed_by = excluded.changed_by
"""


async def take_owners(tx: Connection, psn_nos: Sequence[str]) -> dict[str, Owner]:
    """Lock people in the order of their numbers and return those there are, with their accounts."""
    await tx.execute(LOCK, list(psn_nos))
    return {row["psn_no"]: Owner(**dict(row)) for row in await tx.fetch(OWNERS, list(psn_nos))}


async def move_people(tx: Connection, psn_nos: Sequence[str]) -> None:
    """Move people's versions: settlements that were being decided on the old facts begin anew."""
    await tx.execute(MOVE, list(psn_nos))


async def add_row(tx: Connection, table: str, record: msgspec.Struct) -> None:
    """Insert a record whose fields are columns of ``personal_accounts.<table>``."""
    values: dict[str, Any] = msgspec.structs.asdict(record)
    names, places = ", ".join(values), ", ".join(f"${n}" for n in range(1, len(values) + 1))
    await tx.execute(f"insert into personal_accounts.{table} ({names}) values ({places})", *values.values())  # noqa: S608


async def find_withdrawal(tx: Connection, *, psn_no: str, withdrawal_id: str) -> Withdrawal | None:
    """Return a withdrawal and lock it."""
    row = await tx.fetchrow(WITHDRAWAL, psn_no, withdrawal_id)
    return None if row is None else Withdrawal(**dict(row))


async def open_withdrawal(tx: Connection, psn_no: str) -> Withdrawal | None:
    """Return what is proposed of an account and not decided yet."""
    row = await tx.fetchrow(OPEN_WITHDRAWAL, psn_no)
    return None if row is None else Withdrawal(**dict(row))


async def decide_withdrawal(
    tx: Connection, withdrawal: Withdrawal, *, state: str, amount_fen: int, by: str, now: datetime, note: str
) -> Withdrawal:
    """Write the decision about a withdrawal and return it."""
    row = await tx.fetchrow(DECIDE, withdrawal.psn_no, withdrawal.withdrawal_id, state, amount_fen, now, by, note)
    assert row is not None
    return Withdrawal(**dict(row))


async def open_binding(tx: Connection, *, psn_no: str, member_no: str) -> Binding | None:
    """Return the binding of two people that is in force."""
    row = await tx.fetchrow(OPEN_BINDING, psn_no, member_no)
    return None if row is None else Binding(**dict(row))


async def end_binding(tx: Connection, *, psn_no: str, member_no: str, on: date, by: str) -> Binding | None:
    """End a binding and return it, None if there is none."""
    row = await tx.fetchrow(END_BINDING, psn_no, member_no, on, by)
    return None if row is None else Binding(**dict(row))


async def shares_with(tx: Connection, member_no: str, *, on: date) -> list[Share]:
    """Return who shares with a member on a day or later, in order."""
    return [Share(**dict(row)) for row in await tx.fetch(SHARES_WITH, member_no, on)]


async def end_share(tx: Connection, *, member_no: str, sharer_no: str, on: date, by: str) -> Share | None:
    """End sharing between two people and return it, None if there is none."""
    row = await tx.fetchrow(END_SHARE, member_no, sharer_no, on, by)
    return None if row is None else Share(**dict(row))


async def end_shares_of(tx: Connection, psn_no: str, *, on: date, by: str) -> None:
    """End all sharing from and with a person."""
    await tx.fetch(END_SHARES_OF, psn_no, on, by)


async def put_channel(tx: Connection, channel: Channel) -> None:
    """Write how the bank reaches an account, in place of what was known."""
    await tx.execute(PUT_CHANNEL, msgspec.structs.astuple(channel))
