"""Kept files: what institutions upload and what is made for them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.clearing.model import KeptFile
from yibao.infra.database import Connection

INSERT = """
insert into clearing.file (file_no, admdvs, fixmedins_code, kind, name, content, digest, made_at, kept_until)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
BY_NUMBER = """
select file_no, admdvs, fixmedins_code, kind, name, content, digest, made_at, kept_until
from clearing.file where file_no = $1 and fixmedins_code = $2
"""
DROP_EXPIRED = "delete from clearing.file where fixmedins_code = $1 and kept_until <= $2"


async def keep_file(tx: Connection, file: KeptFile) -> None:
    """Keep a file, and let go of the institution's files whose time is over."""
    await tx.execute(DROP_EXPIRED, file.fixmedins_code, file.made_at)
    await tx.execute(INSERT, *msgspec.structs.astuple(file))


async def find_file(tx: Connection, *, file_no: str, fixmedins_code: str, now: datetime) -> KeptFile | None:
    """Return an institution's own file, None when there is none of that number or its time is over."""
    row = await tx.fetchrow(BY_NUMBER, file_no, fixmedins_code)
    if row is None or row["kept_until"] <= now:
        return None
    return KeptFile(*row)
