"""Keep files for institutions: what they upload, and what is made for them."""

from __future__ import annotations

from datetime import datetime, timedelta

from yibao.domains.clearing.files import find_file, keep_file
from yibao.domains.clearing.model import RESULT, UPLOADED, KeptFile
from yibao.domains.institutions.model import Institution
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.refusal import Refusal, refuse

KEPT_DAYS = 30
_PREFIX = {UPLOADED: "U", RESULT: "R"}


def is_kept_number(file_no: str) -> bool:
    """Say whether a file number is one of the files kept here."""
    return file_no[:1] in _PREFIX.values() and file_no[1:].isdecimal()


async def keep(
    tx: Connection, *, institution: Institution, kind: str, name: str, content: bytes, number: str, now: datetime
) -> KeptFile:
    """Keep a file for ``KEPT_DAYS``; ``number`` is a new identifier, which the kind's letter is put before."""
    file = KeptFile(
        _PREFIX[kind] + number, institution.region, institution.fixmedins_code, kind, name, content, sm3(content), now,
        now + timedelta(days=KEPT_DAYS),
    )
    await keep_file(tx, file)
    return file


async def fetch(
    tx: Connection, *, institution: Institution, file_no: str, now: datetime, field: str, kind: str = ""
) -> KeptFile | Refusal:
    """Return an institution's own file; another's, an unknown one and one whose time is over are refused alike."""
    file = await find_file(tx, file_no=file_no, fixmedins_code=institution.fixmedins_code, now=now)
    if file is None:
        return refuse("FILE_UNKNOWN", "没有这个文件查询号，或文件已过下载截止时间", field=field, received=file_no,
                      remedy="请核对文件查询号，过期的请重新上传或重新对账")
    if kind and file.kind != kind:
        return refuse("FILE_UNKNOWN", "该文件不是用9101上传的文件", field=field, received=file_no,
                      remedy="请填写9101返回的文件查询号")
    return file
