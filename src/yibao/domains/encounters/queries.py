"""Reads of encounters, diagnoses and fee lines."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from yibao.infra.database import Connection

BY_ID = "select * from encounters.encounter where psn_no = $1 and mdtrt_id = $2"
LOCK_PERSON = "select from people.person where psn_no = $1 for no key update"
TAKEN = """
select mdtrt_id from encounters.encounter where fixmedins_code = $1 and ipt_otp_no = $2 and state <> 'cancelled'
"""
BETWEEN = """
select e.*, s.mdtrt_id is not null as is_stay, s.discharged_at, s.discharge_way, s.bed, s.diagnosis_code,
       s.diagnosis_name, s.operation_code, s.operation_name, s.died_on, s.detail,
       s.dept_code as stay_dept_code, s.dept_name as stay_dept_name
from encounters.encounter e
left join encounters.stay s on s.psn_no = e.psn_no and s.mdtrt_id = e.mdtrt_id
where e.psn_no = $1 and e.fixmedins_code = $2 and e.begin_at between $3 and $4 and ($5 = '' or e.med_type = $5)
  and ($6 = '' or e.mdtrt_id = $6) and e.state <> 'cancelled'
order by e.begin_at
"""
DIAGNOSES = "select * from encounters.diagnosis where psn_no = $1 and mdtrt_id = $2 order by ordinal"
LINES = "select * from settlements.lines_of($1, $2) order by occurred_at, length(feedetl_sn), feedetl_sn"
SERIALS = "select feedetl_sn from encounters.fee_line where psn_no = $1 and mdtrt_id = $2"
BATCH_DISEASES = """
select distinct chrg_bchno, disease_code from encounters.fee_line where psn_no = $1 and mdtrt_id = $2
"""
HAS_GROUPED_LINES = """
select exists (select from encounters.fee_line where psn_no = $1 and mdtrt_id = $2 and line_group <> '')
"""
COUNT_LINES = "select count(*) from encounters.fee_line where psn_no = $1 and mdtrt_id = $2"
MEDICINES = """
select l.*, e.med_type, e.fixmedins_code, t.name as fixmedins_name from encounters.fee_line l
join encounters.encounter e on e.psn_no = l.psn_no and e.mdtrt_id = l.mdtrt_id
join institutions.institution t on t.fixmedins_code = e.fixmedins_code
where l.psn_no = $1 and l.occurred_at between $2 and $3 and l.list_type in ('101', '102', '103', '104', '106')
  and settlements.is_covered(l.psn_no, l.mdtrt_id, l.chrg_bchno)
order by l.occurred_at, l.mdtrt_id, l.feedetl_sn
"""


async def find_encounter(
    tx: Connection, *, psn_no: str, mdtrt_id: str, lock: bool = False
) -> asyncpg.Record | None:
    """Return an encounter of a person; with ``lock`` both stay locked until the transaction ends.

    A settlement on its way may hold the person alone: who checks what is settled must have waited for it.
    """
    found = await tx.fetchrow(BY_ID + (" for update" if lock else ""), psn_no, mdtrt_id)
    if lock and found is not None:
        await tx.execute(LOCK_PERSON, psn_no)
    return found


async def find_by_visit_no(tx: Connection, *, fixmedins_code: str, visit_no: str) -> str | None:
    """Return the id of the encounter that uses the institution's visit number, if any."""
    return await tx.fetchval(TAKEN, fixmedins_code, visit_no)  # type: ignore[no-any-return]


async def list_encounters(
    tx: Connection, *, psn_no: str, fixmedins_code: str, begin: datetime, end: datetime, med_type: str,
    mdtrt_id: str,
) -> list[asyncpg.Record]:
    """Return a person's encounters at one institution that began in ``[begin, end]``; "" selects all.

    A stay has the columns of its stay beside (``is_stay``); they are null for a visit.
    """
    return await tx.fetch(BETWEEN, psn_no, fixmedins_code, begin, end, med_type, mdtrt_id)


async def list_diagnoses(tx: Connection, *, psn_no: str, mdtrt_id: str) -> list[asyncpg.Record]:
    """Return the diagnoses of an encounter in their order."""
    return await tx.fetch(DIAGNOSES, psn_no, mdtrt_id)


async def list_lines(tx: Connection, *, psn_no: str, setl_id: str) -> list[asyncpg.Record]:
    """Return the fee lines that a settlement covers: of a visit's charge batch, or of the periods of a stay.

    A refund or a reinstatement covers those of what it mirrors.
    """
    return await tx.fetch(LINES, psn_no, setl_id)


async def list_medicines(
    tx: Connection, *, psn_no: str, begin: datetime, end: datetime
) -> list[asyncpg.Record]:
    """Return the settled medicine lines of a person at any institution in ``[begin, end]``."""
    return await tx.fetch(MEDICINES, psn_no, begin, end)
