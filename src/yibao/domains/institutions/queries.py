"""Reads of institutions; every statement is keyed by the institution."""

from __future__ import annotations

from typing import Any

from yibao.domains.institutions.model import Department, Institution, Practitioner, Sender, SignIn
from yibao.infra.database import Connection

_INSTITUTION = """
select fixmedins_code, admdvs, region, name, uscc, kind, hosp_lv, level, traits, agreement_no,
       agreement_from, agreement_to, suspended_on, auth_scheme, access_key, secret
from institutions.institution
"""
BY_CODE = _INSTITUTION + "where fixmedins_code = $1"
BY_ACCESS_KEY = _INSTITUTION + "where access_key = $1 and access_key <> ''"

PRACTITIONER = """
select code, name, kind, dept_code, registered_on, left_on
from institutions.practitioner where fixmedins_code = $1 and code = $2
"""
DEPARTMENT = """
select dept_code, name, caty, opened_on, closed_on
from institutions.department where fixmedins_code = $1 and dept_code = $2
"""
SIGN_IN = """
select sign_no, fixmedins_code, opter, signed_in_at, signed_out_at
from institutions.sign_in where sign_no = $1
"""


def _institution(row: Any) -> Institution:
    return Institution(
        fixmedins_code=row["fixmedins_code"], admdvs=row["admdvs"], region=row["region"], name=row["name"],
        uscc=row["uscc"], kind=row["kind"], hosp_lv=row["hosp_lv"], level=row["level"],
        traits=frozenset(row["traits"]), agreement_no=row["agreement_no"],
        agreement_from=row["agreement_from"], agreement_to=row["agreement_to"], suspended_on=row["suspended_on"],
    )


def _sender(row: Any) -> Sender:
    return Sender(_institution(row), row["auth_scheme"], row["access_key"], row["secret"])


async def find_institution(connection: Connection, fixmedins_code: str) -> Institution | None:
    """Return the institution with this code."""
    row = await connection.fetchrow(BY_CODE, fixmedins_code)
    return None if row is None else _institution(row)


async def find_sender(connection: Connection, fixmedins_code: str) -> Sender | None:
    """Return the institution with this code and how it signs."""
    row = await connection.fetchrow(BY_CODE, fixmedins_code)
    return None if row is None else _sender(row)


async def find_sender_by_access_key(connection: Connection, access_key: str) -> Sender | None:
    """Return the institution that signs with this access key."""
    row = await connection.fetchrow(BY_ACCESS_KEY, access_key)
    return None if row is None else _sender(row)


async def find_practitioner(connection: Connection, fixmedins_code: str, code: str) -> Practitioner | None:
    """Return a practitioner of the institution by national code."""
    row = await connection.fetchrow(PRACTITIONER, fixmedins_code, code)
    return None if row is None else Practitioner(**dict(row))


async def find_department(connection: Connection, fixmedins_code: str, dept_code: str) -> Department | None:
    """Return a department of the institution."""
    row = await connection.fetchrow(DEPARTMENT, fixmedins_code, dept_code)
    return None if row is None else Department(**dict(row))


async def find_sign_in(connection: Connection, sign_no: str) -> SignIn | None:
    """Return a sign-in by its number."""
    row = await connection.fetchrow(SIGN_IN, sign_no)
    return None if row is None else SignIn(**dict(row))
