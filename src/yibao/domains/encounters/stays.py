"""Stays as they are stored, their reads and writes. A stay is an encounter with one more row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta

import asyncpg
import msgspec

from yibao.domains.encounters.model import Diagnosis, Encounter
from yibao.domains.encounters.operations import INSERT_ENCOUNTER, move_person
from yibao.infra.database import Connection
from yibao.kernel.business_time import is_midnight

_LAST_OF_DAY = timedelta(days=1) - timedelta(microseconds=1)

BY_ID = """
select e.*, s.open_period, s.admitted_at, s.discharged_at, s.discharge_way, s.diagnosis_code, s.diagnosis_name, s.bed,
       s.operation_code, s.operation_name, s.detail,
       coalesce((select max(c.period_to) from settlements.stay_in_force c
        where c.psn_no = e.psn_no and c.mdtrt_id = e.mdtrt_id), 0) as covered,
       (select max(c.setl_id) from settlements.stay_in_force c
        where c.psn_no = e.psn_no and c.mdtrt_id = e.mdtrt_id and not c.is_interim) as final_id
from encounters.encounter e join encounters.stay s on s.psn_no = e.psn_no and s.mdtrt_id = e.mdtrt_id
where e.psn_no = $1 and e.mdtrt_id = $2
"""
LOCK_ENCOUNTER = "select from encounters.encounter where psn_no = $1 and mdtrt_id = $2 for update"
LOCK_PERSON = "select from people.person where psn_no = $1 for no key update"
OPEN_STAY = """
select e.mdtrt_id, e.fixmedins_code, t.name, e.begin_at from encounters.encounter e
join institutions.institution t on t.fixmedins_code = e.fixmedins_code
where e.psn_no = $1 and e.state = 'admitted' and e.mdtrt_id <> $2
"""
OVERLAPPING = """
select e.mdtrt_id, t.name, s.admitted_at, s.discharged_at
from encounters.stay s
join encounters.encounter e on e.psn_no = s.psn_no and e.mdtrt_id = s.mdtrt_id
join institutions.institution t on t.fixmedins_code = e.fixmedins_code
where s.psn_no = $1 and s.mdtrt_id <> $2 and e.state = 'discharged' and s.discharged_at > $3
  and case when (s.admitted_at at time zone 'Asia/Shanghai')::time = '00:00'
           then s.admitted_at + interval '1 day' <= $4 else s.admitted_at < $4 end
order by s.admitted_at limit 1
"""
DIED = """
select s.died_on, s.mdtrt_id, t.name from encounters.stay s
join encounters.encounter e on e.psn_no = s.psn_no and e.mdtrt_id = s.mdtrt_id
join institutions.institution t on t.fixmedins_code = e.fixmedins_code
where s.psn_no = $1 and s.died_on < $2 and e.state = 'discharged' order by s.died_on limit 1
"""
INSERT_STAY = "insert into encounters.stay select ($1::encounters.stay).*"
CHANGE_ENCOUNTER = """
update encounters.encounter set ipt_otp_no = $3, med_type = $4, begin_at = $5, cert_type = $6, atddr_no = $7, dr_name = $8,
    dept_code = $9, dept_name = $10, caty = $11, disease_code = $12, disease_name = $13, condition = $14, maternity = $15,
    pregnancy_months = $16, foetuses = $17, exp_content = $18 where psn_no = $1 and mdtrt_id = $2
"""
CHANGE_STAY = """
update encounters.stay set admitted_at = $3, diagnosis_code = $4, diagnosis_name = $5, dept_code = $6, dept_name = $7,
    bed = $8, operation_code = $9, operation_name = $10, detail = $11, changed_at = $12
where psn_no = $1 and mdtrt_id = $2
"""
DISCHARGE = """
update encounters.stay set discharged_at = $3, discharge_way = $4, died_on = $5, dept_code = $6, dept_name = $7, bed = $8,
    operation_code = $9, operation_name = $10, detail = $11, changed_at = $12 where psn_no = $1 and mdtrt_id = $2
"""
MATERNITY = """
update encounters.encounter set maternity = $3, pregnancy_months = $4, foetuses = $5 where psn_no = $1 and mdtrt_id = $2
"""
SET_STATE = "update encounters.encounter set state = $3 where psn_no = $1 and mdtrt_id = $2"
TAKE_BACK_DISCHARGE = """
update encounters.stay set discharged_at = null, discharge_way = '', died_on = null, changed_at = $3
where psn_no = $1 and mdtrt_id = $2
"""
VOID_DIAGNOSES = "delete from encounters.diagnosis where psn_no = $1 and mdtrt_id = $2 and ordinal = any($3::integer[])"
PUT_DIAGNOSES = """
insert into encounters.diagnosis as d select * from unnest($1::encounters.diagnosis[])
on conflict (psn_no, mdtrt_id, ordinal) do update set kind = excluded.kind, code = excluded.code, name = excluded.name,
    is_main = excluded.is_main, dept = excluded.dept, doctor_code = excluded.doctor_code,
    doctor_name = excluded.doctor_name, at = excluded.at, adm_cond = excluded.adm_cond
"""
LINES = """
select feedetl_sn, init_sn, item_code, price_micro, quantity_e4, amount_fen, own_fen, over_fen, first_fen, scope_fen,
       first_pay, settlements.period_of(chrg_bchno) as period, occurred_at
from encounters.fee_line where psn_no = $1 and mdtrt_id = $2
"""
DELETE_SERIALS = "delete from encounters.fee_line where psn_no = $1 and mdtrt_id = $2 and feedetl_sn = any($3::text[])"
MOVE_LINES = "update encounters.fee_line set mdtrt_id = $3 where psn_no = $1 and mdtrt_id = $2"
IN_HOSPITAL = """
select e.*, p.name, p.cert_type as psn_cert_type, p.certno, p.sex, p.birth_on from encounters.encounter e
join people.person p on p.psn_no = e.psn_no
where e.fixmedins_code = $1 and ($2 = '' or e.psn_no = $2) and e.state in ('admitted', 'discharged')
  and e.begin_at between $3 and $4
  and (e.state = 'admitted' or not exists (
      select from settlements.stay_in_force c
        where c.psn_no = e.psn_no and c.mdtrt_id = e.mdtrt_id and not c.is_interim))
order by e.begin_at, e.mdtrt_id
"""


class Stay(msgspec.Struct, frozen=True):
    """One row of ``encounters.stay``; the fields stand in the order of the table. ``detail`` is JSON text."""

    psn_no: str
    mdtrt_id: str
    admdvs: str
    fixmedins_code: str
    open_period: int
    admitted_at: datetime
    discharged_at: datetime | None
    discharge_way: str
    died_on: date | None
    diagnosis_code: str
    diagnosis_name: str
    dept_code: str
    dept_name: str
    bed: str
    operation_code: str
    operation_name: str
    detail: str
    changed_at: datetime


async def find_stay(tx: Connection, *, psn_no: str, mdtrt_id: str, lock: bool = False) -> asyncpg.Record | None:
    """Return a stay of a person with its encounter's columns.

    ``covered`` is the last period that a settlement in force covers (0: none), ``final_id`` the final settlement in
    force. With ``lock`` the person stays locked until the transaction ends: a settlement on its way is waited for.
    """
    if lock:
        # The order of locks that every deed keeps: encounter, person.
        await tx.execute(LOCK_ENCOUNTER, psn_no, mdtrt_id)
        await tx.execute(LOCK_PERSON, psn_no)
    return await tx.fetchrow(BY_ID, psn_no, mdtrt_id)


async def lock_person(tx: Connection, psn_no: str) -> None:
    """Lock a person, so that admissions of one person come one after the other."""
    await tx.execute(LOCK_PERSON, psn_no)


async def find_open_stay(tx: Connection, psn_no: str, *, other_than: str = "") -> asyncpg.Record | None:
    """Return where a person lies in hospital now, if anywhere."""
    return await tx.fetchrow(OPEN_STAY, psn_no, other_than)


async def find_overlapping(
    tx: Connection, psn_no: str, *, begin: datetime, end: datetime, other_than: str = ""
) -> asyncpg.Record | None:
    """Return an ended stay that overlaps a period; to leave and to enter at one instant is no overlap.

    Nor on one day, where the time of one of them is midnight: it was then sent as a plain date, its hour is not known.
    """
    after = begin + _LAST_OF_DAY if is_midnight(begin) else begin
    return await tx.fetchrow(OVERLAPPING, psn_no, other_than, after, end)


async def find_death(tx: Connection, psn_no: str, *, before: date) -> asyncpg.Record | None:
    """Return the stay that a person left by death on an earlier day (``died_on``, ``mdtrt_id``, hospital's ``name``).

    A hospital's word: it cannot change the register of people, and may take it back with its discharge (2405).
    """
    return await tx.fetchrow(DIED, psn_no, before)


async def add_stay(tx: Connection, encounter: Encounter, stay: Stay, diagnoses: Sequence[Diagnosis]) -> None:
    """Write a new stay with its encounter and diagnoses."""
    await move_person(tx, encounter.psn_no)
    await tx.execute(INSERT_ENCOUNTER, msgspec.structs.astuple(encounter))
    await tx.execute(INSERT_STAY, msgspec.structs.astuple(stay))
    await put_diagnoses(tx, diagnoses)


async def change_admission(tx: Connection, encounter: Sequence[object], stay: Sequence[object]) -> None:
    """Write what is said anew of an admission; the values stand in the order of ``CHANGE_ENCOUNTER``, ``CHANGE_STAY``."""
    await move_person(tx, str(encounter[0]))
    await tx.execute(CHANGE_ENCOUNTER, *encounter)
    await tx.execute(CHANGE_STAY, *stay)


async def end_stay(tx: Connection, stay: Sequence[object], *, maternity: tuple[str, int, int] | None) -> None:
    """Write the end of a stay; the values stand in the order of ``DISCHARGE``.

    Args:
        maternity: word of the law, months and children, where the discharge says them anew.
    """
    psn_no, mdtrt_id = str(stay[0]), str(stay[1])
    await move_person(tx, psn_no)
    await tx.execute(DISCHARGE, *stay)
    if maternity is not None:
        await tx.execute(MATERNITY, psn_no, mdtrt_id, *maternity)
    await tx.execute(SET_STATE, psn_no, mdtrt_id, "discharged")


async def reopen_stay(tx: Connection, *, psn_no: str, mdtrt_id: str, now: datetime) -> None:
    """Take the end of a stay back."""
    await move_person(tx, psn_no)
    await tx.execute(TAKE_BACK_DISCHARGE, psn_no, mdtrt_id, now)
    await tx.execute(SET_STATE, psn_no, mdtrt_id, "admitted")


async def put_diagnoses(tx: Connection, diagnoses: Sequence[Diagnosis]) -> None:
    """Write diagnoses; one with an ordinal that is there takes its place."""
    if diagnoses:
        await tx.execute(PUT_DIAGNOSES, [msgspec.structs.astuple(d) for d in diagnoses])


async def void_diagnoses(tx: Connection, *, psn_no: str, mdtrt_id: str, ordinals: Iterable[int]) -> None:
    """Remove diagnoses by ordinal."""
    await tx.execute(VOID_DIAGNOSES, psn_no, mdtrt_id, list(ordinals))


async def list_stay_lines(tx: Connection, *, psn_no: str, mdtrt_id: str) -> list[asyncpg.Record]:
    """Return what returns and withdrawals need of all lines of a stay."""
    return await tx.fetch(LINES, psn_no, mdtrt_id)


async def withdraw_serials(tx: Connection, *, psn_no: str, mdtrt_id: str, serials: Iterable[str]) -> None:
    """Delete fee lines of a stay by serial."""
    await move_person(tx, psn_no)
    await tx.execute(DELETE_SERIALS, psn_no, mdtrt_id, sorted(serials))


async def move_lines(tx: Connection, *, psn_no: str, origin: str, target: str) -> None:
    """Move the fee lines of a cancelled stay to the one that takes its place."""
    await move_person(tx, psn_no)
    await tx.execute(MOVE_LINES, psn_no, origin, target)


async def list_in_hospital(
    tx: Connection, *, fixmedins_code: str, psn_no: str, begin: datetime, end: datetime
) -> list[asyncpg.Record]:
    """Return who was admitted to an institution in ``[begin, end]`` and is not finally settled; "" takes all persons."""
    return await tx.fetch(IN_HOSPITAL, fixmedins_code, psn_no, begin, end)
