"""A person asks for all that is stored about him or her: every table that names the person, row by row."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.trail import write_trail

NAMING = (
    "psn_no", "member_no", "sharer_no", "kept_no", "merged_no", "other_no", "heir_no", "payer_no", "spouse_psn_no",
    "child_no", "mother_no", "object",
)
"""Columns that hold a person number. ``object`` is what an audit row was about; ``payer_no`` may be an employer's instead."""

# The catalogue of the database itself is asked, so that no table that is added later is left out.
SOURCES = """
select n.nspname || '.' || c.relname as source, a.attname as named
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
join pg_attribute a on a.attrelid = c.oid and not a.attisdropped and a.attname = any($1)
where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
  and has_schema_privilege(n.oid, 'usage') and has_table_privilege(c.oid, 'select')
order by source, array_position($1, a.attname::text)
"""
PATIENT = "select set_config('statement_timeout', '60000', true)"
HOME = "select admdvs from people.person where psn_no = $1"
_BYTES = "\\x"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """One table: in which column the person is named, and the rows as they are stored."""

    source: str
    named: str
    count: int
    rows: list[dict[str, Any]]


class PersonExport(msgspec.Struct, frozen=True, kw_only=True):
    """All that the regions of whoever asks keep about a person.

    Attributes:
        digest: SM3 over ``sources`` as they are sent, hexadecimal; it also stands in the audit row.
    """

    psn_no: str
    made_at: datetime
    made_by: str
    reason: str
    regions: tuple[str, ...]
    digest: str
    sources: list[Source]


async def export_person(
    tx: Connection, psn_no: str, *, reason: str, actor: Actor, now: datetime, ids: Ids
) -> PersonExport | Refusal:
    """Return every stored row about a person, and leave an audit row that says who took it and why.

    Tables are read by the person number; where no index leads by it, that takes long, so this is allowed a minute.
    """
    home = await tx.fetchval(HOME, psn_no)
    if home is None:
        return refuse("PERSON_NOT_FOUND", "没有该人员编号的参保人", field="psn_no", received=psn_no, remedy="请核对人员编号")
    await tx.execute(PATIENT)
    sources = []
    for row in await tx.fetch(SOURCES, list(NAMING)):
        # Both names come from the database's own catalogue.
        schema, table = row["source"].split(".")
        found = await tx.fetch(f'select to_jsonb(t)::text from "{schema}"."{table}" t where t."{row["named"]}" = $1', psn_no)  # noqa: S608
        if found:
            rows = [_readable(msgspec.json.decode(r[0])) for r in found]
            rows.sort(key=lambda r: msgspec.json.encode(r, order="sorted"))
            sources.append(Source(source=row["source"], named=row["named"], count=len(rows), rows=rows))
    digest = sm3(msgspec.json.encode(sources)).hex()
    await write_trail(
        tx, actor, verb="export_person", object_id=psn_no, admdvs=home, state=[digest, reason], now=now, ids=ids
    )
    return PersonExport(
        psn_no=psn_no, made_at=now, made_by=actor.login, reason=reason, regions=actor.regions, digest=digest,
        sources=sources,
    )


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row with stored bytes as what they hold: a message is shown as JSON, a digest stays hexadecimal."""
    return {name: _content(value) if isinstance(value, str) else value for name, value in row.items()}


def _content(text: str) -> Any:
    if not text.startswith(_BYTES):
        return text
    content = bytes.fromhex(text.removeprefix(_BYTES))
    try:
        return msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return content.hex()
