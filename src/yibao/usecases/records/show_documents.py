"""Give stored records back to an agency: as they stand, with what later uploads replaced; numbers of people masked."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import asyncpg
import msgspec

from yibao.domains.records import documents
from yibao.infra.database import Connection
from yibao.kernel.identity_number import mask, mask_name

MASKED = {"certno": mask, "cert_no": mask, "psn_tel": mask, "coner_tel": mask, "psn_name": mask_name, "name": mask_name,
          "coner_name": mask_name, "patient_name": mask_name}
SHOWN_MAX = 1000


class ShownDocument(msgspec.Struct, frozen=True):
    """A stored record; ``replaced_at`` is None for the one that stands."""

    kind: str
    infno: str
    key: str
    version: int
    is_valid: bool
    psn_no: str
    mdtrt_id: str
    mdtrt_sn: str
    told_on: date | None
    received_at: datetime
    replaced_at: datetime | None
    msgid: str
    content: Any


async def show_documents(
    tx: Connection, *, fixmedins_code: str, kind: str, doc_key: str | None = None, psn_no: str | None = None,
    mdtrt_sn: str | None = None, with_versions: bool = False,
) -> list[ShownDocument]:
    """Return an institution's records of one kind, at most a thousand; with versions the replaced ones before each."""
    rows = await documents.find(
        tx, fixmedins_code=fixmedins_code, kind=kind, doc_key=doc_key, psn_no=psn_no, mdtrt_sn=mdtrt_sn, limit=SHOWN_MAX)
    shown = []
    for row in rows:
        if with_versions:
            earlier = await documents.list_versions(
                tx, fixmedins_code=fixmedins_code, kind=kind, doc_key=row["doc_key"])
            shown += [_shown(e) for e in earlier]
        shown.append(_shown(row))
    return shown


def _shown(row: asyncpg.Record) -> ShownDocument:
    return ShownDocument(
        row["kind"], row["infno"], row["doc_key"], row["version"], row["is_valid"], row["psn_no"], row["mdtrt_id"],
        row["mdtrt_sn"], row["told_on"], row["received_at"], row["replaced_at"], row["msgid"],
        _masked(documents.content_of(row)),
    )


def _masked(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        return {inner: _masked(one, inner) for inner, one in value.items()}
    if isinstance(value, list):
        return [_masked(one, name) for one in value]
    return MASKED[name](value) if name in MASKED and isinstance(value, str) else value
