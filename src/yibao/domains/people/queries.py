"""Reads of persons. A number or document that was merged into another one answers with the person that was kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import asyncpg
import msgspec

from yibao.domains.people.model import Change, Doubt, Merge, Person
from yibao.infra.database import Connection

BY_NUMBER = "select * from people.person where psn_no = $1"
# The same document may be enrolled in two regions, one after the other: who is insured now comes first.
_INSURED = """
exists (select from enrolment.relation r where r.psn_no = k.psn_no and r.paused_on is null and r.status <> '4') desc,
k.recorded_at desc nulls last, k.psn_no limit 1
"""
_KEPT = "from people.person f join people.person k on k.psn_no = coalesce(f.merged_into, f.psn_no)"
BY_CERTIFICATE = f"select k.* {_KEPT} where f.cert_type = $1 and f.certno = $2 order by {_INSURED}"
BY_CARD = f"select k.* {_KEPT} where f.card_no = $1 order by {_INSURED}"
DOCUMENT_OF = "select 1 from people.person where merged_into = $1 and certno = $2 limit 1"
BALANCE = "select balance_fen from ledger.personal_account where psn_no = $1"

_NAMES = [f.name for f in msgspec.structs.fields(Person)]
_PERSON = ", ".join(f"k.{name}" for name in _NAMES)
_ROWS = f"{_PERSON} from people.person k"
_SHOWN = "f.cert_type = $1 and f.certno = any($2::text[]) and f.admdvs = $3"
KNOWN = f"select f.certno as shown, {_PERSON} {_KEPT} where {_SHOWN}"
NUMBERED = f"select f.psn_no as shown, {_PERSON} {_KEPT} where f.psn_no = any($1::text[])"
EXACTLY = f"select {_ROWS} where k.psn_no = $1 for no key update"
ALIKE = f"""
select {_ROWS} where k.admdvs = $1 and k.name = any($2::text[]) and k.birth_on = any($3::date[]) and k.merged_into is null
"""
LISTED = f"""
select {_ROWS}
where k.admdvs = any($1::text[]) and k.division like $2 || '%' and ($3 = '' or k.name = $3) and ($4 = '' or k.certno = $4)
  and ($5 = '' or k.household_no = $5) and k.psn_no > $6
order by k.psn_no limit $7
"""
CHANGES = "select * from people.change where psn_no = $1 order by recorded_at, change_id"
MERGES = """
select * from people.merge where $1 in (kept_no, merged_no, merge_id) order by made_at, merge_id
"""
DOUBTS = """
select * from people.doubt d where admdvs = any($1::text[]) and ($2 = '' or state = $2) and ($3 = '' or kind = $3)
  and (d.psn_no is null or exists (select from people.person p where p.psn_no = d.psn_no))
order by opened_at, doubt_id limit $4
"""
DOUBT = "select * from people.doubt where doubt_id = $1 for update"


async def find_person(tx: Connection, psn_no: str) -> asyncpg.Record | None:
    """Return a person by person number."""
    return await tx.fetchrow(BY_NUMBER, psn_no)


async def find_by_certificate(tx: Connection, *, cert_type: str, certno: str) -> asyncpg.Record | None:
    """Return a person by kind and number of a document; a lower-case check letter is the same number."""
    return await tx.fetchrow(BY_CERTIFICATE, cert_type, certno.upper())


async def find_by_card(tx: Connection, card_no: str) -> asyncpg.Record | None:
    """Return a person by social-security card number."""
    return await tx.fetchrow(BY_CARD, card_no)


async def has_document(tx: Connection, psn_no: str, *, certno: str) -> bool:
    """Say whether a number that was merged into a person stands under this document."""
    return await tx.fetchrow(DOCUMENT_OF, psn_no, certno.upper()) is not None


async def balance_of(tx: Connection, psn_no: str) -> int:
    """Return the balance of the own account in fen, 0 where there is none."""
    return await tx.fetchval(BALANCE, psn_no) or 0


async def known_by_documents(
    tx: Connection, *, admdvs: str, cert_type: str, certnos: Sequence[str]
) -> dict[str, Person]:
    """Return the persons of a region by document number; a merged one is the person that was kept."""
    return {row["shown"]: person_of(row) for row in await tx.fetch(KNOWN, cert_type, list(certnos), admdvs)}


async def known_by_numbers(tx: Connection, psn_nos: Sequence[str]) -> dict[str, Person]:
    """Return persons by the number asked for; one that was merged is the person that was kept."""
    return {row["shown"]: person_of(row) for row in await tx.fetch(NUMBERED, list(psn_nos))}


async def take_person(tx: Connection, psn_no: str) -> Person | None:
    """Return a person by exactly this number and lock the row until the transaction ends."""
    row = await tx.fetchrow(EXACTLY, psn_no)
    return None if row is None else person_of(row)


async def list_alike(tx: Connection, *, admdvs: str, names: Sequence[str], births: Sequence[date]) -> list[Person]:
    """Return persons who share a name and a date of birth with one of many."""
    return [person_of(row) for row in await tx.fetch(ALIKE, admdvs, list(names), list(births))]


async def list_persons(
    tx: Connection, *, regions: Sequence[str], division: str = "", name: str = "", certno: str = "", household_no: str = "",
    after: str = "", limit: int = 100,
) -> list[Person]:
    """Return persons in the order of their numbers, those after ``after``; ``division`` limits to a county or town."""
    rows = await tx.fetch(LISTED, list(regions), division, name, certno.upper(), household_no, after, limit)
    return [person_of(row) for row in rows]


async def list_changes(tx: Connection, psn_no: str) -> list[Change]:
    """Return every change of a person, the oldest first."""
    return [Change(**dict(row)) for row in await tx.fetch(CHANGES, psn_no)]


async def list_merges(tx: Connection, number: str) -> list[Merge]:
    """Return the merges of a person, or the one of this id."""
    return [_merge_of(row) for row in await tx.fetch(MERGES, number)]


async def list_doubts(
    tx: Connection, *, regions: Sequence[str], state: str = "", kind: str = "", limit: int = 500
) -> list[Doubt]:
    """Return cases in which it is in doubt who somebody is, the oldest first."""
    return [_doubt_of(row) for row in await tx.fetch(DOUBTS, list(regions), state, kind, limit)]


async def take_doubt(tx: Connection, doubt_id: str) -> Doubt | None:
    """Return a doubt and lock its row."""
    row = await tx.fetchrow(DOUBT, doubt_id)
    return None if row is None else _doubt_of(row)


def person_of(row: asyncpg.Record) -> Person:
    """Return the person of a row that has every column of the record."""
    return Person(**{name: row[name] for name in _NAMES})


def _merge_of(row: asyncpg.Record) -> Merge:
    return Merge(**{**dict(row), "moved": _json(row["moved"])})


def _doubt_of(row: asyncpg.Record) -> Doubt:
    return Doubt(**{**dict(row), "said": _json(row["said"])})


def _json(text: str) -> dict[str, Any]:
    return msgspec.json.decode(text, type=dict[str, Any])
