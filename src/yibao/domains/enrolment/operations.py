"""Writes of relations, employers, identities and years. Who calls them has the entitlement refreshed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

import msgspec

from yibao.domains.enrolment.model import Employer, EmployerChange, Relation, Retirement, YearCredit
from yibao.infra.database import Connection


def _insert(table: str, kind: type[msgspec.Struct]) -> str:
    names = [f.name for f in msgspec.structs.fields(kind)]
    return f"insert into {table} ({', '.join(names)}) values ({', '.join(f'${n}' for n in range(1, len(names) + 1))})"  # noqa: S608


INSERT_RELATION = _insert("enrolment.relation", Relation)
INSERT_EMPLOYER = _insert("enrolment.employer", Employer)
INSERT_EMPLOYER_CHANGE = _insert("enrolment.employer_change", EmployerChange)
INSERT_CREDIT = _insert("enrolment.year_credit", YearCredit)
INSERT_RETIREMENT = _insert("enrolment.retirement", Retirement)
END = """
update enrolment.relation set status = $3, status_reason = $4, paused_on = $5, end_cause = $6, ended_recorded_at = $7,
    benefit_to = least(coalesce(benefit_to, $5), greatest($5, benefit_from))
where psn_no = $1 and relation_id = $2
"""
DELETE_RELATION = "delete from enrolment.relation where psn_no = $1 and relation_id = $2"
REOPEN = """
update enrolment.relation set status = $3, status_reason = $4, paused_on = $5, end_cause = $6, ended_recorded_at = $7,
    benefit_to = $8
where psn_no = $1 and relation_id = $2
"""
END_EMPLOYER = "update enrolment.employer set state = $2, ended_on = $3, merged_into = $4 where emp_no = $1"
WITHDRAW_CREDIT = "update enrolment.year_credit set withdrawn_at = $3 where psn_no = $1 and credit_id = $2"
END_CONTINUING = """
update enrolment.retirement set ended_at = $2 where psn_no = $1 and completion = 'monthly' and ended_at is null
"""
INSERT_IDENTITY = """
insert into enrolment.special_identity (psn_no, identity_type, admdvs, valid_from, valid_to, source)
values ($1, $2, $3, $4, $5, $6)
on conflict (psn_no, identity_type, valid_from) do update set valid_to = excluded.valid_to, source = excluded.source
"""
END_IDENTITIES = """
update enrolment.special_identity set valid_to = greatest($3, valid_from)
where psn_no = any($1::text[]) and ($2 = '' or identity_type = $2) and (valid_to is null or valid_to > $3)
"""
EMPLOYER_FIELDS = frozenset({
    "name", "kind", "nature", "division", "address", "legal_name", "legal_cert_type", "legal_certno", "legal_phone",
    "bank_name", "bank_account", "handler_name", "handler_phone", "account_kind", "uscc",
})
"""Fields of an employer that can change."""
_SET = {field: f"update enrolment.employer set {field} = $2 where emp_no = $1" for field in EMPLOYER_FIELDS}  # noqa: S608


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """One relation that ends.

    Attributes:
        paused_on: first day on which it no longer holds.
        status: ``2`` paused or ``4`` ended; status_reason: in Chinese.
    """

    psn_no: str
    relation_id: str
    paused_on: date
    status: str
    status_reason: str
    cause: str
    recorded_at: datetime


async def add_relations(tx: Connection, relations: Iterable[Relation]) -> None:
    """Write relations that begin."""
    await tx.executemany(INSERT_RELATION, [msgspec.structs.astuple(r) for r in relations])


async def end_relations(tx: Connection, endings: Iterable[Ending]) -> None:
    """End relations; their benefits end at the latest with them until the entitlement is refreshed."""
    await tx.executemany(END, [
        (e.psn_no, e.relation_id, e.status, e.status_reason, e.paused_on, e.cause, e.recorded_at) for e in endings
    ])


async def delete_relation(tx: Connection, psn_no: str, relation_id: str) -> None:
    """Delete a relation that a merge had copied: a split gives it back."""
    await tx.execute(DELETE_RELATION, psn_no, relation_id)


async def reopen_relation(tx: Connection, relation: Relation) -> None:
    """Write state and end of a relation as the record has them."""
    await tx.execute(REOPEN, relation.psn_no, relation.relation_id, relation.status, relation.status_reason,
                     relation.paused_on, relation.end_cause, relation.ended_recorded_at, relation.benefit_to)


async def add_employer(tx: Connection, employer: Employer) -> None:
    """Write an employer that is new."""
    await tx.execute(INSERT_EMPLOYER, *msgspec.structs.astuple(employer))


async def change_employer_fields(
    tx: Connection, emp_no: str, values: Mapping[str, Any], changes: Iterable[EmployerChange]
) -> None:
    """Write new values of an employer's fields, with the changes that say so."""
    for field, value in values.items():
        await tx.execute(_SET[field], emp_no, value)
    await tx.executemany(INSERT_EMPLOYER_CHANGE, [msgspec.structs.astuple(c) for c in changes])


async def end_employer(tx: Connection, emp_no: str, *, state: str, on: date, merged_into: str | None = None) -> None:
    """End an employer."""
    await tx.execute(END_EMPLOYER, emp_no, state, on, merged_into)


async def add_credit(tx: Connection, credit: YearCredit) -> None:
    """Write months that count beside what was paid here."""
    await tx.execute(INSERT_CREDIT, *msgspec.structs.astuple(credit))


async def withdraw_credit(tx: Connection, *, psn_no: str, credit_id: str, at: datetime) -> None:
    """Take back months that were recognised wrongly; the row stays."""
    await tx.execute(WITHDRAW_CREDIT, psn_no, credit_id, at)


async def add_retirement(tx: Connection, retirement: Retirement) -> None:
    """Write how the years were held against the law; an earlier monthly continuing has come to its end."""
    await tx.execute(END_CONTINUING, retirement.psn_no, retirement.recorded_at)
    await tx.execute(INSERT_RETIREMENT, *msgspec.structs.astuple(retirement))


async def put_identities(
    tx: Connection, rows: Iterable[tuple[str, str, str, date, date | None, str]]
) -> None:
    """Write identities: (psn_no, identity type, region, from, up to, source); the same beginning again gets the new end."""
    await tx.executemany(INSERT_IDENTITY, list(rows))


async def end_identities(tx: Connection, psn_nos: Sequence[str], *, identity_type: str = "", on: date) -> None:
    """End the identities of persons on a day; ``""`` ends every kind."""
    await tx.execute(END_IDENTITIES, list(psn_nos), identity_type, on)
