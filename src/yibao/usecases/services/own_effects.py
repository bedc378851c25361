"""Items that end in an answer: what is on record of an employer or a person."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

from yibao.domains.certificates.queries import list_periods
from yibao.domains.services.queries import find_employer, find_person
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.identity_number import mask
from yibao.kernel.refusal import Refusal, refuse


class AskEmployer(msgspec.Struct, frozen=True, kw_only=True):
    """Which employer."""

    emp_no: str


class AskPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Which person."""

    psn_no: str


class EmployerSeen(msgspec.Struct, frozen=True):
    """An employer and how many it insures."""

    emp_no: str
    name: str
    uscc: str
    insured: int
    on: date


class PersonSeen(msgspec.Struct, frozen=True):
    """A person with the periods of enrolment."""

    psn_no: str
    name: str
    certno: str
    on: date
    periods: list[dict[str, Any]]


async def show_employer(tx: Connection, command: AskEmployer, *, now: datetime) -> EmployerSeen | Refusal:
    """Answer what is on record of an employer."""
    row = await find_employer(tx, command.emp_no)
    if row is None:
        return refuse("EMPLOYER_NOT_FOUND", "没有这个参保单位", field="emp_no", received=command.emp_no, remedy="请核对单位编号")
    return EmployerSeen(row["emp_no"], row["name"], row["uscc"], row["insured"], business_date(now))


async def show_person(tx: Connection, command: AskPerson, *, now: datetime) -> PersonSeen | Refusal:
    """Answer what is on record of a person; the identity number is masked."""
    row = await find_person(tx, command.psn_no)
    if row is None:
        return refuse("PERSON_NOT_FOUND", "没有这个参保人", field="psn_no", received=command.psn_no, remedy="请核对人员编号")
    periods = await list_periods(tx, command.psn_no, row["admdvs"])
    return PersonSeen(row["psn_no"], row["name"], mask(row["certno"]), business_date(now), [p.for_people() for p in periods])
