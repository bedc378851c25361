"""An institution's departments as it tells of them (3401-3403): what is so now, and what was told when."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.infra.database import Connection


class DepartmentRecord(msgspec.Struct, frozen=True):
    """A department as the institution describes it.

    Attributes:
        closed_on: first day it is closed.
        detail: what decides nothing: introduction, scope, head count by kind, insured beds, day of foundation.
    """

    dept_code: str
    name: str
    caty: str
    opened_on: date
    closed_on: date | None
    head_name: str
    head_phone: str
    beds: int
    detail: dict[str, str]


FIND = """
select dept_code, name, caty, opened_on, closed_on, head_name, head_phone, beds, detail from institutions.department
where fixmedins_code = $1 and dept_code = any($2::text[])
order by dept_code for update
"""
# Of two who open the same department at once the later one is told: a new row meets the key, it does not overwrite.
OPEN = """
insert into institutions.department (fixmedins_code, admdvs, dept_code, name, caty, opened_on, closed_on, head_name,
    head_phone, beds, detail)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""
CHANGE = """
update institutions.department set admdvs = $2, name = $4, caty = $5, opened_on = $6, closed_on = $7, head_name = $8,
    head_phone = $9, beds = $10, detail = $11
where fixmedins_code = $1 and dept_code = $3
"""
ADD_CHANGE = """
insert into institutions.department_change (fixmedins_code, dept_code, change_id, admdvs, kind, content, changed_at)
values ($1, $2, $3, $4, $5, $6, $7)
"""
# Where a patient lies now is told by the stay; an encounter without one has the department of its admission.
IN_HOSPITAL = """
select coalesce(s.dept_code, e.dept_code) as dept_code, count(*) as patients from encounters.encounter e
left join encounters.stay s on s.psn_no = e.psn_no and s.mdtrt_id = e.mdtrt_id
where e.fixmedins_code = $1 and e.state = 'admitted' and coalesce(s.dept_code, e.dept_code) = any($2::text[])
group by 1
"""
STAFF_IN = """
select count(*) from institutions.practitioner
where fixmedins_code = $1 and dept_code = $2 and registered_on <= $3 and (left_on is null or left_on > $3)
"""


async def find_departments(
    tx: Connection, *, fixmedins_code: str, dept_codes: list[str]
) -> dict[str, DepartmentRecord]:
    """Find and lock departments by code."""
    found = {}
    for row in await tx.fetch(FIND, fixmedins_code, dept_codes):
        values = dict(row)
        values["detail"] = msgspec.json.decode(values["detail"], type=dict[str, str])
        found[values["dept_code"]] = DepartmentRecord(**values)
    return found


async def put_department(
    tx: Connection, record: DepartmentRecord, *, fixmedins_code: str, admdvs: str, kind: str, change_id: str, at: datetime
) -> None:
    """Write a department as it is now, and what was told of it, which stays on record.

    Args:
        kind: opened, reopened, changed or closed.
    """
    await tx.execute(
        OPEN if kind == "opened" else CHANGE, fixmedins_code, admdvs, record.dept_code, record.name, record.caty,
        record.opened_on, record.closed_on,
        record.head_name, record.head_phone, record.beds, msgspec.json.encode(record.detail).decode(),
    )
    content = msgspec.json.encode(record).decode()
    await tx.execute(ADD_CHANGE, fixmedins_code, record.dept_code, change_id, admdvs, kind, content, at)


async def count_patients(tx: Connection, *, fixmedins_code: str, dept_codes: list[str]) -> dict[str, int]:
    """Count the patients who lie in departments now; a department without any is absent."""
    return {row["dept_code"]: row["patients"] for row in await tx.fetch(IN_HOSPITAL, fixmedins_code, dept_codes)}


async def count_staff(tx: Connection, *, fixmedins_code: str, dept_code: str, on: date) -> int:
    """Count the practitioners registered in a department on a day."""
    counted: int = await tx.fetchval(STAFF_IN, fixmedins_code, dept_code, on)
    return counted
