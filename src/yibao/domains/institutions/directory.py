"""What institutions look up about institutions: each other, and their own departments and staff."""

from __future__ import annotations

from datetime import date

import msgspec

from yibao.infra.database import Connection


class DirectoryEntry(msgspec.Struct, frozen=True):
    """An institution as everybody may see it."""

    fixmedins_code: str
    name: str
    uscc: str
    kind: str
    hosp_lv: str | None


class DepartmentEntry(msgspec.Struct, frozen=True):
    """A department with its head, beds, and how many people of each kind are registered in it today.

    Attributes:
        detail: what the institution told of it beside that (3401, 3402), among it its own head counts.
    """

    dept_code: str
    name: str
    caty: str
    opened_on: date
    closed_on: date | None
    head_name: str
    head_phone: str
    beds: int
    doctors: int
    nurses: int
    pharmacists: int
    technicians: int
    detail: dict[str, str]


class StaffEntry(msgspec.Struct, frozen=True):
    """A registered practitioner with certificate, as the own institution may see it."""

    code: str
    name: str
    kind: str
    cert_type: str
    certno: str
    dept_code: str
    registered_on: date
    left_on: date | None


FIND_INSTITUTIONS = """
select fixmedins_code, name, uscc, kind, hosp_lv from institutions.institution
where kind = $1 and ($2::text is null or fixmedins_code = $2)
  and ($3::text is null or position($3 in name) > 0)
order by fixmedins_code limit $4
"""
DEPARTMENTS = """
select d.dept_code, d.name, d.caty, d.opened_on, d.closed_on, d.head_name, d.head_phone, d.beds,
       count(p.code) filter (where p.kind = '1') as doctors, count(p.code) filter (where p.kind = '2') as nurses,
       count(p.code) filter (where p.kind = '3') as pharmacists, count(p.code) filter (where p.kind = '4') as technicians,
       d.detail
from institutions.department d
left join institutions.practitioner p on p.fixmedins_code = d.fixmedins_code and p.dept_code = d.dept_code
    and p.registered_on <= $2 and (p.left_on is null or p.left_on > $2)
where d.fixmedins_code = $1
group by d.fixmedins_code, d.dept_code order by d.dept_code
"""
STAFF = """
select code, name, kind, cert_type, certno, dept_code, registered_on, left_on from institutions.practitioner
where fixmedins_code = $1 and kind = $2 and ($3::text is null or cert_type = $3)
  and ($4::text is null or certno = $4) and ($5::text is null or position($5 in name) > 0)
  and ($6::text is null or code = $6)
order by code
"""


async def find_institutions(
    tx: Connection, *, kind: str, code: str | None, name: str | None, limit: int
) -> list[DirectoryEntry]:
    """Find institutions of a kind by code or by part of the name, at most ``limit``."""
    return [DirectoryEntry(*row) for row in await tx.fetch(FIND_INSTITUTIONS, kind, code, name, limit)]


async def list_departments(tx: Connection, *, fixmedins_code: str, today: date) -> list[DepartmentEntry]:
    """List the departments of an institution."""
    rows = await tx.fetch(DEPARTMENTS, fixmedins_code, today)
    return [
        DepartmentEntry(**dict(row) | {"detail": msgspec.json.decode(row["detail"], type=dict[str, str])}) for row in rows
    ]


async def list_staff(
    tx: Connection, *, fixmedins_code: str, kind: str, cert_type: str | None, certno: str | None,
    name: str | None, code: str | None,
) -> list[StaffEntry]:
    """List the practitioners of one kind of an institution, by code."""
    rows = await tx.fetch(STAFF, fixmedins_code, kind, cert_type, certno, name, code)
    return [StaffEntry(*row) for row in rows]
