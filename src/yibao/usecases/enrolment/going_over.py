"""What goes over from one number of a person to another one, and back: dues, years, identities, recognitions, money."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from yibao.infra.database import Connection
from yibao.ledger.operations import move_account
from yibao.ledger.posting import Posting, personal_account

# Dues of months that the other number has paid or owes as well stay where they are: they are a case.
CLASHING = """
select d.due_id from contributions.due d where d.psn_no = $1 and d.state not in ('cancelled', 'refunded') and exists (
    select from contributions.due k where k.psn_no = $2 and (k.due_id = d.due_id or (
        k.insutype in ('310', '390') and d.insutype in ('310', '390') and k.kind in ('regular', 'back')
        and d.kind in ('regular', 'back') and k.state not in ('cancelled', 'refunded')
        and k.month < d.month + make_interval(months => d.months) and d.month < k.month + make_interval(months => k.months))))
order by d.due_id
"""
REKEY_DUES = """
update contributions.due d set psn_no = $2 where d.psn_no = $1 and d.due_id <> all($3::text[])
  and not exists (select from contributions.due k where k.psn_no = $2 and k.due_id = d.due_id)
returning d.due_id
"""
GIVE_DUES_BACK = "update contributions.due set psn_no = $2 where psn_no = $1 and due_id = any($3::text[]) returning due_id"
DUES_OF_RELATIONS = "select due_id from contributions.due where psn_no = $1 and relation_id = any($2::text[])"
REKEY_CREDITS = """
update enrolment.year_credit c set psn_no = $2 where c.psn_no = $1
  and not exists (select from enrolment.year_credit k where k.psn_no = $2 and k.credit_id = c.credit_id)
returning c.credit_id
"""
GIVE_CREDITS_BACK = "update enrolment.year_credit set psn_no = $2 where psn_no = $1 and credit_id = any($3::text[])"
COPY_IDENTITIES = """
insert into enrolment.special_identity (psn_no, identity_type, admdvs, valid_from, valid_to, source)
select $2, i.identity_type, i.admdvs, i.valid_from, i.valid_to, i.source from enrolment.special_identity i where i.psn_no = $1
on conflict do nothing returning identity_type, valid_from
"""
DROP_IDENTITY = "delete from enrolment.special_identity where psn_no = $1 and identity_type = $2 and valid_from = $3"
COPY_RECOGNITIONS = """
insert into applications.chronic_recognition (psn_no, disease_code, valid_from, admdvs, disease_name, valid_to)
select $2, r.disease_code, r.valid_from, r.admdvs, r.disease_name, r.valid_to from applications.chronic_recognition r
where r.psn_no = $1 on conflict do nothing returning disease_code, valid_from
"""
DROP_RECOGNITION = """
delete from applications.chronic_recognition where psn_no = $1 and disease_code = $2 and valid_from = $3
"""
OPEN_STAYS = """
select e.mdtrt_id from encounters.encounter e where e.psn_no = $1 and e.state in ('admitted', 'discharged')
  and not exists (select from settlements.settlement s where s.psn_no = e.psn_no and s.mdtrt_id = e.mdtrt_id
                  and s.kind = 'settlement' and s.state = 'active')
order by e.mdtrt_id
"""


async def open_stays(tx: Connection, psn_no: str) -> list[str]:
    """Return the stays in hospital that are not settled yet."""
    return [row["mdtrt_id"] for row in await tx.fetch(OPEN_STAYS, psn_no)]


async def rekey_dues(tx: Connection, *, from_no: str, to_no: str) -> tuple[list[str], list[str]]:
    """Give dues to the other number; return those that went over, and those that both have for the same months."""
    twice = [row["due_id"] for row in await tx.fetch(CLASHING, from_no, to_no)]
    moved = [row["due_id"] for row in await tx.fetch(REKEY_DUES, from_no, to_no, twice)]
    return sorted(moved), twice


async def give_dues_back(
    tx: Connection, *, from_no: str, to_no: str, due_ids: Sequence[str], relation_ids: Sequence[str]
) -> list[str]:
    """Give dues back to the number they came from, with those assessed since on the relations that go back."""
    later = [row["due_id"] for row in await tx.fetch(DUES_OF_RELATIONS, from_no, list(relation_ids))]
    rows = await tx.fetch(GIVE_DUES_BACK, from_no, to_no, sorted({*due_ids, *later}))
    return sorted(row["due_id"] for row in rows)


async def rekey_credits(tx: Connection, *, from_no: str, to_no: str) -> list[str]:
    """Give recognised years to the other number; what it has already stays where it is."""
    return sorted(row["credit_id"] for row in await tx.fetch(REKEY_CREDITS, from_no, to_no))


async def give_credits_back(tx: Connection, *, from_no: str, to_no: str, credit_ids: Sequence[str]) -> None:
    """Give recognised years back."""
    await tx.execute(GIVE_CREDITS_BACK, from_no, to_no, list(credit_ids))


async def copy_identities(tx: Connection, *, from_no: str, to_no: str) -> list[list[Any]]:
    """Copy identities that the other number does not have; return kind and first day of each copy."""
    rows = await tx.fetch(COPY_IDENTITIES, from_no, to_no)
    return sorted([row["identity_type"], row["valid_from"].isoformat()] for row in rows)


async def copy_recognitions(tx: Connection, *, from_no: str, to_no: str) -> list[list[Any]]:
    """Copy recognised diseases that the other number does not have; return code and first day of each copy."""
    rows = await tx.fetch(COPY_RECOGNITIONS, from_no, to_no)
    return sorted([row["disease_code"], row["valid_from"].isoformat()] for row in rows)


async def drop_copies(
    tx: Connection, psn_no: str, *, identities: Sequence[Sequence[str]], recognitions: Sequence[Sequence[str]]
) -> None:
    """Delete what was copied to a number."""
    for code, day in identities:
        await tx.execute(DROP_IDENTITY, psn_no, code, date.fromisoformat(day))
    for code, day in recognitions:
        await tx.execute(DROP_RECOGNITION, psn_no, code, date.fromisoformat(day))


async def move_balance(
    tx: Connection, *, from_no: str, to_no: str, admdvs: str, amount_fen: int, key: str, now: datetime
) -> None:
    """Move money between two own accounts: two postings over what the region owes to people, each of one person."""
    if not amount_fen:
        return
    owed = f"payout:{admdvs}"
    for name, psn_no, amount in (("out", from_no, -amount_fen), ("in", to_no, amount_fen)):
        await move_account(tx, Posting(
            psn_no, f"{key}-{name}", admdvs, "correction", now, None, None, [personal_account(psn_no), owed],
            [amount, -amount], 0,
        ), even_frozen=True)
