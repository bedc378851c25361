"""Reads of enrolment relations, employers, special identities and years."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import asyncpg
import msgspec

from yibao.domains.enrolment.model import Employer, Relation, Retirement, YearCredit
from yibao.infra.database import Connection

RELATIONS = """
select r.*, coalesce(e.name, '') as emp_name
from enrolment.relation r left join enrolment.employer e on e.emp_no = r.emp_no
where r.psn_no = $1 order by r.insured_on desc
"""
IDENTITIES = "select * from enrolment.special_identity where psn_no = $1 order by valid_from"

_RELATION = ", ".join(f"r.{f.name}" for f in msgspec.structs.fields(Relation))
_RELATIONS = f"{_RELATION} from enrolment.relation r"
OF_PERSONS = f"select {_RELATIONS} where r.psn_no = any($1::text[]) order by r.psn_no, r.insured_on, r.relation_id"
OF_EMPLOYER = f"""
select {_RELATIONS} where r.emp_no = $1 and r.insured_on <= $2 and (r.paused_on is null or r.paused_on > $2)
  and r.status <> '4' and r.psn_no > $3 order by r.psn_no limit $4
"""
MEMBERS = "select count(*) from enrolment.relation r where r.emp_no = $1 and r.paused_on is null and r.status <> '4'"
_EMPLOYER = ", ".join(f"e.{f.name}" for f in msgspec.structs.fields(Employer))
_EMPLOYERS = f"{_EMPLOYER} from enrolment.employer e"
EMPLOYERS_BY_NUMBER = f"select {_EMPLOYERS} where e.emp_no = any($1::text[])"
EMPLOYER_BY_CODE = f"select {_EMPLOYERS} where e.admdvs = $1 and e.uscc = $2 and e.state = 'active'"
EMPLOYERS_LISTED = f"""
select {_EMPLOYERS} where e.admdvs = any($1::text[]) and e.division like $2 || '%' and ($3 = '' or e.state = $3)
  and ($4 = '' or e.name like '%' || $4 || '%') and e.emp_no > $5 order by e.emp_no limit $6
"""
ELSEWHERE = "select certno, admdvs from enrolment.enrolled_elsewhere($1, $2::text[], $3)"
_CREDIT = ", ".join(f"c.{f.name}" for f in msgspec.structs.fields(YearCredit))
_CREDITS = f"{_CREDIT} from enrolment.year_credit c"
CREDITS = f"select {_CREDITS} where c.psn_no = $1 and c.insutype = $2 and c.withdrawn_at is null order by c.credit_id"
_RETIREMENT = ", ".join(f"t.{f.name}" for f in msgspec.structs.fields(Retirement))
_RETIREMENTS = f"{_RETIREMENT} from enrolment.retirement t"
RETIREMENTS = f"select {_RETIREMENTS} where t.psn_no = $1 order by t.approved_on"
HOLDERS = """
select i.psn_no, i.valid_from, i.valid_to from enrolment.special_identity i
where i.admdvs = $1 and i.identity_type = $2 and (i.valid_to is null or i.valid_to > $3)
"""


async def list_relations(tx: Connection, psn_no: str) -> list[asyncpg.Record]:
    """Return all enrolment relations of a person, the newest first, with the employer's name."""
    return await tx.fetch(RELATIONS, psn_no)


async def find_relation(tx: Connection, psn_no: str, *, insutype: str, on: date) -> asyncpg.Record | None:
    """Return the relation for an insurance that counts on a day: the newest begun by then."""
    for row in await list_relations(tx, psn_no):
        if row["insutype"] == insutype and row["insured_on"] <= on:
            return row
    return None


async def list_identities(tx: Connection, psn_no: str) -> list[asyncpg.Record]:
    """Return all special identities of a person with their periods."""
    return await tx.fetch(IDENTITIES, psn_no)


async def relations_of(tx: Connection, psn_nos: Sequence[str]) -> dict[str, list[Relation]]:
    """Return all relations of many persons, the oldest first; a person without any is not in it."""
    found: dict[str, list[Relation]] = {}
    for row in await tx.fetch(OF_PERSONS, list(psn_nos)):
        found.setdefault(row["psn_no"], []).append(Relation(**dict(row)))
    return found


async def list_members(
    tx: Connection, emp_no: str, *, on: date, after: str = "", limit: int = 1000
) -> list[Relation]:
    """Return the relations through an employer on a day, in the order of the persons' numbers."""
    return [Relation(**dict(row)) for row in await tx.fetch(OF_EMPLOYER, emp_no, on, after, limit)]


async def count_members(tx: Connection, emp_no: str) -> int:
    """Return how many people are enrolled through an employer without an end."""
    return int(await tx.fetchval(MEMBERS, emp_no))


async def find_employers(tx: Connection, emp_nos: Sequence[str]) -> dict[str, Employer]:
    """Return employers by number."""
    rows = await tx.fetch(EMPLOYERS_BY_NUMBER, list(emp_nos))
    return {row["emp_no"]: _employer_of(row) for row in rows}


async def find_employer(tx: Connection, emp_no: str) -> Employer | None:
    """Return an employer by number."""
    return (await find_employers(tx, [emp_no])).get(emp_no)


async def find_by_credit_code(tx: Connection, *, admdvs: str, uscc: str) -> Employer | None:
    """Return the active employer of a region with this unified social credit code."""
    row = await tx.fetchrow(EMPLOYER_BY_CODE, admdvs, uscc)
    return None if row is None else _employer_of(row)


async def list_employers(
    tx: Connection, *, regions: Sequence[str], division: str = "", state: str = "", name: str = "", after: str = "",
    limit: int = 100,
) -> list[Employer]:
    """Return employers in the order of their numbers, those after ``after``; ``division`` limits to a county or town."""
    rows = await tx.fetch(EMPLOYERS_LISTED, list(regions), division, state, name, after, limit)
    return [_employer_of(row) for row in rows]


async def enrolled_elsewhere(
    tx: Connection, *, cert_type: str, certnos: Sequence[str], admdvs: str
) -> dict[str, str]:
    """Return the documents that are enrolled in another region now, with that region's code and nothing else."""
    return {row["certno"]: row["admdvs"] for row in await tx.fetch(ELSEWHERE, cert_type, list(certnos), admdvs)}


async def list_credits(tx: Connection, psn_no: str, *, insutype: str) -> list[YearCredit]:
    """Return the months that count beside what was paid here."""
    return [YearCredit(**dict(row)) for row in await tx.fetch(CREDITS, psn_no, insutype)]


async def list_retirements(tx: Connection, psn_no: str) -> list[Retirement]:
    """Return how a person's years were held against the law, the oldest first."""
    rows = await tx.fetch(RETIREMENTS, psn_no)
    return [Retirement(**{**dict(row), "rules": tuple(row["rules"])}) for row in rows]


async def list_holders(tx: Connection, *, admdvs: str, identity_type: str, on: date) -> list[asyncpg.Record]:
    """Return who holds an identity on a day or later: number and period."""
    return await tx.fetch(HOLDERS, admdvs, identity_type, on)


def _employer_of(row: asyncpg.Record) -> Employer:
    return Employer(**{**dict(row), "insurances": tuple(row["insurances"])})
