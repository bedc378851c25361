"""Reads of applications with their steps, papers and pauses."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from yibao.domains.services.model import Application, Given, Pause, Step
from yibao.infra.database import Connection

_SELECT = "select " + ", ".join(f.name for f in msgspec.structs.fields(Application))
APPLICATION = f"{_SELECT} from services.application where application_id = $1"
LOCKED = f"{APPLICATION} for update"
LISTED = f"""
{_SELECT} from services.application
where ($1 = '' or admdvs = $1) and ($2 = '' or state = $2) and ($3 = '' or item_code = $3)
  and ($4 = '' or applicant_no = $4) and division like $5 || '%' and ($6::date is null or due_on < $6)
order by due_on nulls last, submitted_at, application_id limit $7
"""
IN_STATE = """
select application_id from services.application where admdvs = $1 and state = $2 order by submitted_at, application_id
"""
STEPS = """
select what, state, at, actor, channel, division, working_day, says from services.step
where application_id = $1 order by ordinal
"""
MATERIALS = """
select material, title, state, file_name, content, digest from services.material where application_id = $1 order by material
"""
PAUSES = "select begin_on, end_on from services.pause where application_id = $1 order by ordinal"
PERSON = """
select p.psn_no, p.name, p.cert_type, p.certno, p.sex, p.birth_on, p.admdvs, p.died_on from people.person p where p.psn_no = $1
"""
EMPLOYER = "select emp_no, name, uscc, admdvs from enrolment.employer where emp_no = $1"
EMPLOYED = """
select count(*) from enrolment.relation where emp_no = $1 and paused_on is null and status <> '4'
"""


async def find_application(tx: Connection, application_id: str, *, lock: bool = False) -> Application | None:
    """Return an application, held until the end of the transaction with ``lock``."""
    row = await tx.fetchrow(LOCKED if lock else APPLICATION, application_id)
    return None if row is None else Application(*row)


async def list_applications(tx: Connection, *criteria: Any) -> list[Application]:
    """Return applications by region, state, item, applicant, division, due before a day (each may be empty); at most so many."""
    return [Application(*row) for row in await tx.fetch(LISTED, *criteria)]


async def list_in_state(tx: Connection, admdvs: str, state: str) -> list[str]:
    """Return the ids of a region's applications in a state, the oldest first."""
    return [row[0] for row in await tx.fetch(IN_STATE, admdvs, state)]


async def list_steps(tx: Connection, application_id: str) -> list[Step]:
    """Return everything that happened to an application, in order."""
    return [Step(*row) for row in await tx.fetch(STEPS, application_id)]


async def list_given(tx: Connection, application_id: str) -> list[Given]:
    """Return the papers of an application."""
    return [Given(*row) for row in await tx.fetch(MATERIALS, application_id)]


async def list_pauses(tx: Connection, application_id: str) -> list[Pause]:
    """Return the pauses of an application's clock, in order."""
    return [Pause(*row) for row in await tx.fetch(PAUSES, application_id)]


async def find_person(tx: Connection, psn_no: str) -> asyncpg.Record | None:
    """Return who a person is."""
    return await tx.fetchrow(PERSON, psn_no)


async def find_employer(tx: Connection, emp_no: str) -> dict[str, Any] | None:
    """Return an employer with the number of people it insures now."""
    row = await tx.fetchrow(EMPLOYER, emp_no)
    return None if row is None else {**dict(row), "insured": await tx.fetchval(EMPLOYED, emp_no)}


def body_of(application: Application) -> dict[str, Any]:
    """Return the content of the deed that is asked for."""
    body: dict[str, Any] = json.loads(application.body)
    return body


def titles(given: Sequence[Given]) -> list[dict[str, str]]:
    """Return the papers without their content."""
    return [
        {"material": g.material, "title": g.title, "state": g.state, "file_name": g.file_name, "digest": g.digest.hex()}
        for g in given
    ]
