"""Writes of encounters, diagnoses and fee lines."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.domains.encounters.model import Diagnosis, Encounter, FeeLine
from yibao.infra.database import Connection

INSERT_ENCOUNTER = "insert into encounters.encounter select ($1::encounters.encounter).*"
CANCEL = "update encounters.encounter set state = 'cancelled' where psn_no = $1 and mdtrt_id = $2"
RECORD_VISIT = """
update encounters.encounter set med_type = $3, begin_at = $4, disease_code = $5, disease_name = $6, condition = $7,
    maternity = $8, pregnancy_months = $9, foetuses = $10, exp_content = $11, state = 'visited'
where psn_no = $1 and mdtrt_id = $2
"""
DELETE_DIAGNOSES = "delete from encounters.diagnosis where psn_no = $1 and mdtrt_id = $2"
INSERT_DIAGNOSES = "insert into encounters.diagnosis select * from unnest($1::encounters.diagnosis[])"
INSERT_LINES = "insert into encounters.fee_line select * from unnest($1::encounters.fee_line[])"
DELETE_LINES = """
delete from encounters.fee_line l where l.psn_no = $1 and l.mdtrt_id = $2 and ($3 = '' or l.chrg_bchno = $3)
  and not exists (select from settlements.settlement s where s.psn_no = l.psn_no and s.mdtrt_id = l.mdtrt_id
                  and s.chrg_bchno = l.chrg_bchno and s.kind = 'settlement' and s.state = 'active')
"""


MOVE_PERSON = "update people.person set version = version + 1 where psn_no = $1"


async def move_person(tx: Connection, psn_no: str) -> None:
    """Move the person's version: settlements that were being decided on the old facts begin anew."""
    await tx.execute(MOVE_PERSON, psn_no)


async def add_encounter(tx: Connection, encounter: Encounter) -> None:
    """Write a newly registered encounter."""
    await tx.execute(INSERT_ENCOUNTER, msgspec.structs.astuple(encounter))


async def cancel_encounter(tx: Connection, *, psn_no: str, mdtrt_id: str) -> None:
    """Mark an encounter as cancelled; it stays for the record."""
    await move_person(tx, psn_no)
    await tx.execute(CANCEL, psn_no, mdtrt_id)


async def record_visit(
    tx: Connection, *, psn_no: str, mdtrt_id: str, med_type: str, begin_at: datetime, disease_code: str,
    disease_name: str, condition: str, diagnoses: Sequence[Diagnosis], maternity: str = "", pregnancy_months: int = 0,
    foetuses: int = 1, exp_content: str = "",
) -> None:
    """Write the visit's data and put the given diagnoses in place of earlier ones."""
    await move_person(tx, psn_no)
    await tx.execute(RECORD_VISIT, psn_no, mdtrt_id, med_type, begin_at, disease_code, disease_name, condition, maternity,
                     pregnancy_months, foetuses, exp_content)
    await tx.execute(DELETE_DIAGNOSES, psn_no, mdtrt_id)
    await tx.execute(INSERT_DIAGNOSES, [msgspec.structs.astuple(d) for d in diagnoses])


async def add_lines(tx: Connection, lines: Sequence[FeeLine]) -> None:
    """Write fee lines of one encounter in one statement."""
    await move_person(tx, lines[0].psn_no)
    await tx.execute(INSERT_LINES, [msgspec.structs.astuple(line) for line in lines])


async def withdraw_lines(tx: Connection, *, psn_no: str, mdtrt_id: str, batch: str) -> int:
    """Delete the unsettled fee lines of a batch ("" for all batches) and return how many there were."""
    await move_person(tx, psn_no)
    tag = await tx.execute(DELETE_LINES, psn_no, mdtrt_id, batch)
    return int(tag.rsplit(" ", 1)[1])
