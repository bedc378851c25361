"""Writes of persons. Whoever changes a fact that settlements rest on moves the person's version in the same transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from yibao.domains.people.model import Change, Doubt, Merge, Person
from yibao.infra.database import Connection


def _insert(table: str, kind: type[msgspec.Struct], *, as_json: str = "") -> str:
    names = [f.name for f in msgspec.structs.fields(kind)]
    values = [f"${n}::jsonb" if name == as_json else f"${n}" for n, name in enumerate(names, 1)]
    return f"insert into {table} ({', '.join(names)}) values ({', '.join(values)})"  # noqa: S608 - names of our own fields


INSERT_PERSON = _insert("people.person", Person)
INSERT_CHANGE = _insert("people.change", Change)
INSERT_MERGE = _insert("people.merge", Merge, as_json="moved")
INSERT_DOUBT = _insert("people.doubt", Doubt, as_json="said") + " on conflict (doubt_id) do nothing"
MOVE = "update people.person set version = version + 1 where psn_no = any($1::text[])"
UNDO_MERGE = "update people.merge set undone_by = $2, undone_at = $3, undone_why = $4 where merge_id = $1"
TAKE_DOCUMENTS = """
select pg_advisory_xact_lock(hashtextextended('document/' || d, 0)) from unnest($1::text[]) with ordinality o(d, n) order by n
"""
MERGED_INTO = "update people.person set merged_into = $2 where psn_no = $1"
SETTLE_DOUBT = """
update people.doubt set state = 'settled', decision = $2, decided_by = $3, decided_at = $4 where doubt_id = $1
"""
FIELDS: Mapping[str, type] = {
    "name": str, "sex": str, "birth_on": date, "cert_type": str, "certno": str, "nation": str, "phone": str, "card_no": str,
    "division": str, "household_no": str, "died_on": date,
}
"""Fields that can change, with what they hold."""
_SET = {field: f"update people.person set {field} = $2 where psn_no = $1" for field in FIELDS}  # noqa: S608


async def take_documents(tx: Connection, documents: Sequence[tuple[str, str]]) -> None:
    """Wait until nobody else enrols any of these documents (kind, number), until the transaction ends.

    A person who is new has no row that could be locked. Always taken in one order, so that two batches never block each other.
    """
    await tx.execute(TAKE_DOCUMENTS, sorted({f"{kind}/{number}" for kind, number in documents}))


async def add_persons(tx: Connection, persons: Iterable[Person]) -> None:
    """Write persons that are new."""
    await tx.executemany(INSERT_PERSON, [msgspec.structs.astuple(p) for p in persons])


async def move_persons(tx: Connection, psn_nos: Sequence[str]) -> None:
    """Move the version of many persons, always in the order of their numbers."""
    await tx.execute(MOVE, sorted(set(psn_nos)))


async def change_fields(tx: Connection, psn_no: str, values: Mapping[str, Any], changes: Iterable[Change]) -> None:
    """Write new values of a person's fields, with the changes that say so."""
    for field, value in values.items():
        await tx.execute(_SET[field], psn_no, value)
    await add_changes(tx, changes)


async def add_changes(tx: Connection, changes: Iterable[Change]) -> None:
    """Write changes."""
    await tx.executemany(INSERT_CHANGE, [msgspec.structs.astuple(c) for c in changes])


async def add_merge(tx: Connection, merge: Merge) -> None:
    """Write a merge; from now on the merged number answers with the kept one."""
    await tx.execute(INSERT_MERGE, *_with_json(merge, "moved"))
    await tx.execute(MERGED_INTO, merge.merged_no, merge.kept_no)


async def undo_merge(tx: Connection, merge: Merge, *, by: str, at: datetime, why: str) -> None:
    """Mark a merge as undone; the number answers for itself again."""
    await tx.execute(UNDO_MERGE, merge.merge_id, by, at, why)
    await tx.execute(MERGED_INTO, merge.merged_no, None)


async def open_doubts(tx: Connection, doubts: Iterable[Doubt]) -> None:
    """Open cases to work; one that is known already stays as it is."""
    await tx.executemany(INSERT_DOUBT, [_with_json(d, "said") for d in doubts])


async def settle_doubt(tx: Connection, doubt_id: str, *, decision: str, by: str, at: datetime) -> None:
    """Close a case with what was decided."""
    await tx.execute(SETTLE_DOUBT, doubt_id, decision, by, at)


def _with_json(record: msgspec.Struct, field: str) -> tuple[Any, ...]:
    values = msgspec.structs.asdict(record)
    values[field] = msgspec.json.encode(values[field]).decode()
    return tuple(values.values())
