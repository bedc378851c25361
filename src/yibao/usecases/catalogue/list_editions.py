"""List the editions of the catalogue that were loaded."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.catalogue.search import EDITIONS
from yibao.infra.database import Connection


class Edition(msgspec.Struct, frozen=True):
    """One load that changed something: rows of the file, rows that were new or different, and the file's SM3."""

    part: str
    version: str
    loaded_at: datetime
    rows: int
    changed: int
    source: str
    digest: str


async def list_editions(tx: Connection) -> list[Edition]:
    """List every load that changed something, in time."""
    return [Edition(*row) for row in await tx.fetch(EDITIONS)]
