"""Look up institutions, and an institution's own departments and practitioners."""

from __future__ import annotations

from datetime import date

from yibao.domains.institutions import directory
from yibao.domains.institutions.directory import DepartmentEntry, DirectoryEntry, StaffEntry
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse

MOST = 200
"""Institutions one look-up gives at most; a longer answer means a better keyword is needed."""


async def look_up_institutions(
    tx: Connection, *, kind: str, code: str | None, name: str | None
) -> list[DirectoryEntry] | Refusal:
    """Find institutions of a kind by code or by part of the name."""
    if code is None and name is None:
        return refuse(
            "NO_SEARCH_KEY", "定点医药机构编号和名称至少填写一项", field="medinsinfo.fixmedins_code",
            remedy="请填写编号或名称关键字",
        )
    found = await directory.find_institutions(tx, kind=kind, code=code, name=name, limit=MOST + 1)
    if len(found) > MOST:
        return refuse(
            "TOO_MANY_INSTITUTIONS", f"符合条件的机构超过{MOST}家", field="medinsinfo.fixmedins_name",
            received=name or "", remedy="请填写更完整的名称",
        )
    return found


async def look_up_departments(tx: Connection, *, fixmedins_code: str, today: date) -> list[DepartmentEntry]:
    """List the departments of the asking institution."""
    return await directory.list_departments(tx, fixmedins_code=fixmedins_code, today=today)


async def look_up_staff(
    tx: Connection, *, fixmedins_code: str, kind: str, cert_type: str | None, certno: str | None,
    name: str | None, code: str | None,
) -> list[StaffEntry]:
    """List the practitioners of the asking institution that fit; of no other institution."""
    return await directory.list_staff(
        tx, fixmedins_code=fixmedins_code, kind=kind, cert_type=cert_type, certno=certno, name=name, code=code
    )
