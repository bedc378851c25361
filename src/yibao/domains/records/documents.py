"""Documents that institutions upload: one row as it stands, every replaced version beside it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from yibao.infra.database import Connection
from yibao.kernel.business_time import to_wire


class Document(msgspec.Struct, frozen=True):
    """One document; the fields stand in the order of the table. ``content`` is JSON in the words of the wire."""

    fixmedins_code: str
    kind: str
    doc_key: str
    admdvs: str
    infno: str
    psn_no: str
    mdtrt_id: str
    mdtrt_sn: str
    is_valid: bool
    version: int
    told_on: date | None
    content: str
    received_at: datetime
    msgid: str
    opter: str
    opter_name: str


EARLIER = """
select doc_key, psn_no, mdtrt_id, version, is_valid from records.document
where fixmedins_code = $1 and kind = $2 and doc_key = any($3::text[]) order by doc_key for update
"""
ARCHIVE = """
insert into records.document_version
select d.*, $4 from records.document d where d.fixmedins_code = $1 and d.kind = $2 and d.doc_key = any($3::text[])
"""
KEEP = """
insert into records.document select * from unnest($1::records.document[])
on conflict (fixmedins_code, kind, doc_key) do update set infno = excluded.infno, psn_no = excluded.psn_no,
    mdtrt_id = excluded.mdtrt_id, mdtrt_sn = excluded.mdtrt_sn, is_valid = excluded.is_valid,
    version = excluded.version, told_on = excluded.told_on, content = excluded.content,
    received_at = excluded.received_at, msgid = excluded.msgid, opter = excluded.opter, opter_name = excluded.opter_name
"""
OF_PERSON = """
select d.*, i.name as fixmedins_name from records.document d
join institutions.institution i on i.fixmedins_code = d.fixmedins_code
where d.psn_no = $1 and d.kind = any($2::text[]) and d.is_valid and d.admdvs = $3
  and ($4::text is null or d.fixmedins_code = $4)
order by d.told_on desc nulls last, d.received_at desc, d.doc_key
"""
OF_VISIT = """
select * from records.document where fixmedins_code = $1 and kind = $2 and mdtrt_sn = $3 and is_valid order by doc_key
"""
FIND = """
select d.*, null::timestamptz as replaced_at from records.document d
where d.fixmedins_code = $1 and d.kind = $2 and ($3::text is null or d.doc_key = $3)
  and ($4::text is null or d.psn_no = $4) and ($5::text is null or d.mdtrt_sn = $5)
order by d.doc_key limit $6
"""
VERSIONS = "select * from records.document_version where fixmedins_code = $1 and kind = $2 and doc_key = $3 order by version"
VISITS = """
select e.psn_no, e.mdtrt_id, e.fixmedins_code, e.state from unnest($1::text[], $2::text[]) a(psn_no, mdtrt_id)
join encounters.encounter e on e.psn_no = a.psn_no and e.mdtrt_id = a.mdtrt_id
"""
LOOKS = """
select exists (select from encounters.encounter e where e.psn_no = $1 and e.fixmedins_code = $2
               and e.state <> 'cancelled' and e.begin_at >= $3)
    or exists (select from records.look_permit p where p.psn_no = $1 and p.fixmedins_code = $2 and p.valid_to > $4)
"""
PERMIT = """
insert into records.look_permit (psn_no, permit_id, admdvs, fixmedins_code, given_at, valid_to, opter)
values ($1, $2, $3, $4, $5, $6, $7)
"""
_NUMBERS = msgspec.json.Decoder(float_hook=Decimal)
_TEXTS = msgspec.json.Encoder(decimal_format="number")


def encode_content(value: Any) -> str:
    """Return validated content as JSON in the words of the wire: times without zone, numbers exact."""
    return _TEXTS.encode(_said(value)).decode()


def content_of(row: asyncpg.Record) -> Any:
    """Return the content of a row; numbers with a fraction are ``Decimal``."""
    return _NUMBERS.decode(row["content"])


def _said(value: Any) -> Any:
    if isinstance(value, datetime):
        return to_wire(value)
    if isinstance(value, dict):
        return {name: _said(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_said(inner) for inner in value]
    return value


async def earlier_of(
    tx: Connection, *, fixmedins_code: str, kind: str, keys: Sequence[str]
) -> dict[str, asyncpg.Record]:
    """Return what is kept under some keys, locked until the transaction ends: key -> row."""
    return {row["doc_key"]: row for row in await tx.fetch(EARLIER, fixmedins_code, kind, list(keys))}


async def keep(tx: Connection, documents: Sequence[Document], *, replaced: Sequence[str], now: datetime) -> None:
    """Write documents of one institution and kind; what stood under ``replaced`` keys is kept as a version."""
    first = documents[0]
    if replaced:
        await tx.execute(ARCHIVE, first.fixmedins_code, first.kind, list(replaced), now)
    await tx.execute(KEEP, [msgspec.structs.astuple(d) for d in documents])


async def list_of_person(
    tx: Connection, *, psn_no: str, kinds: Sequence[str], region: str, fixmedins_code: str | None
) -> list[asyncpg.Record]:
    """Return a person's valid documents of some kinds in a region, newest first; None takes every institution."""
    return await tx.fetch(OF_PERSON, psn_no, list(kinds), region, fixmedins_code)


async def list_of_visit(tx: Connection, *, fixmedins_code: str, kind: str, mdtrt_sn: str) -> list[asyncpg.Record]:
    """Return the valid documents of one kind of a visit by the institution's own number of it."""
    return await tx.fetch(OF_VISIT, fixmedins_code, kind, mdtrt_sn)


async def find(
    tx: Connection, *, fixmedins_code: str, kind: str, doc_key: str | None, psn_no: str | None, mdtrt_sn: str | None,
    limit: int,
) -> list[asyncpg.Record]:
    """Return an institution's documents of one kind, void ones too; None takes all."""
    return await tx.fetch(FIND, fixmedins_code, kind, doc_key, psn_no, mdtrt_sn, limit)


async def list_versions(tx: Connection, *, fixmedins_code: str, kind: str, doc_key: str) -> list[asyncpg.Record]:
    """Return what later uploads replaced, oldest first."""
    return await tx.fetch(VERSIONS, fixmedins_code, kind, doc_key)


async def visits_of(
    tx: Connection, keys: Sequence[tuple[str, str]]
) -> dict[tuple[str, str], asyncpg.Record]:
    """Return institution and state of visits and stays by person and id; unknown ones are absent."""
    rows = await tx.fetch(VISITS, [psn_no for psn_no, _ in keys], [mdtrt_id for _, mdtrt_id in keys]) if keys else []
    return {(row["psn_no"], row["mdtrt_id"]): row for row in rows}


async def may_look(tx: Connection, *, psn_no: str, fixmedins_code: str, since: datetime, today: date) -> bool:
    """Say whether an institution treats a person since then, or holds the person's permit today."""
    return bool(await tx.fetchval(LOOKS, psn_no, fixmedins_code, since, today))


async def add_permit(
    tx: Connection, *, psn_no: str, permit_id: str, admdvs: str, fixmedins_code: str, now: datetime, valid_to: date,
    opter: str,
) -> None:
    """Write that a person lets an institution see what others have found, up to before ``valid_to``."""
    await tx.execute(PERMIT, psn_no, permit_id, admdvs, fixmedins_code, now, valid_to, opter)
