"""Rows into the database: COPY for the many, plain inserts for the few. Building twice changes nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, time
from typing import Any

import msgspec

from yibao.demo.employers import Employer
from yibao.demo.formulary import DRUGS_AND_PIECES, formulary
from yibao.demo.institutions import Site, StaffLogin
from yibao.demo.people import Life, Person, Recognition, Relation
from yibao.demo.places import Region
from yibao.domains.access.passwords import hash_password
from yibao.infra.database import Connection
from yibao.kernel.business_time import SHANGHAI
from yibao.ledger.posting import personal_account

_FOREVER = date(2099, 12, 31)


async def insert_regions(tx: Connection, regions: Iterable[Region]) -> None:
    """Insert the regions that are not there yet."""
    await tx.executemany(
        "insert into platform.region (admdvs, name) values ($1, $2) on conflict do nothing",
        [(r.admdvs, r.name) for r in regions],
    )


async def insert_employers(tx: Connection, employers: Iterable[Employer]) -> None:
    """Insert the employers that are not there yet."""
    await tx.executemany(
        "insert into enrolment.employer (emp_no, admdvs, name, uscc) values ($1, $2, $3, $4) on conflict do nothing",
        [(e.emp_no, e.admdvs, e.name, e.uscc) for e in employers],
    )


async def insert_site(tx: Connection, site: Site, staff: StaffLogin, *, now: datetime) -> None:
    """Insert an institution with departments, practitioners, item mappings and login, if it is not there yet."""
    plan = site.plan
    fresh = await tx.fetchval(
        """insert into institutions.institution (fixmedins_code, admdvs, region, name, uscc, kind, hosp_lv, level,
        traits, agreement_no, agreement_from, agreement_to, suspended_on, auth_scheme, access_key, secret)
        values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
        on conflict do nothing returning true""",
        plan.code, plan.division, plan.region, plan.name, site.uscc, plan.kind, plan.hosp_lv, plan.level,
        list(plan.traits), site.agreement_no, site.agreement_from, site.agreement_to, site.suspended_on,
        plan.scheme, site.access_key, site.secret,
    )
    if not fresh:
        return
    opened_on = site.agreement_from
    await _copy(tx, "institutions.department", [
        (plan.code, d.dept_code, plan.region, d.name, d.caty, opened_on, d.head_name, "0000-0000000", d.beds)
        for d in site.departments
    ], "fixmedins_code dept_code admdvs name caty opened_on head_name head_phone beds")
    await _copy(tx, "institutions.practitioner", [
        (plan.code, p.code, plan.region, p.name, p.kind, "01", p.certno, p.dept_code, opened_on)
        for p in site.practitioners
    ], "fixmedins_code code admdvs name kind cert_type certno dept_code registered_on")
    await _copy(tx, "institutions.item_mapping", [
        (plan.code, g.local_code, g.list_type, plan.region, g.code, g.name, opened_on, _FOREVER, "{}", now)
        for g in formulary().values() if plan.kind == "1" or g.list_type in DRUGS_AND_PIECES
    ], "fixmedins_code medins_list_codg list_type admdvs med_list_codg name valid_from valid_to detail updated_at")
    await tx.execute(
        """insert into access.staff (login, fixmedins_code, admdvs, name, password_hash)
        values ($1, $2, $3, $4, $5) on conflict do nothing""",
        staff.login, staff.fixmedins_code, staff.admdvs, staff.name, hash_password(staff.password),
    )


async def copy_lives(tx: Connection, lives: Sequence[Life], *, today: date) -> None:
    """COPY people with their relations, accounts, identities and recognitions; they must not be there yet."""
    posted_at = datetime.combine(today, time(), SHANGHAI)
    await _copy(tx, "people.person", [
        (p.psn_no, p.admdvs, "01", p.certno, p.name, p.sex, p.birth_on, p.died_on, p.card_no, p.story)
        for p in (life.person for life in lives)
    ], "psn_no admdvs cert_type certno name sex birth_on died_on card_no story")
    await _copy(
        tx, "enrolment.relation", [msgspec.structs.astuple(r) for life in lives for r in life.relations],
        " ".join(Relation.__struct_fields__),
    )
    await _copy(tx, "enrolment.special_identity", [
        (life.person.psn_no, i, life.person.admdvs, max(date(today.year - 2, 1, 1), life.person.birth_on))
        for life in lives for i in life.identities
    ], "psn_no identity_type admdvs valid_from")
    await _copy(
        tx, "applications.chronic_recognition",
        [msgspec.structs.astuple(r) for life in lives for r in life.recognitions],
        " ".join(Recognition.__struct_fields__),
    )
    owners: list[tuple[Person, int]] = [(x.person, x.balance) for x in lives if x.balance is not None]
    await _copy(tx, "ledger.personal_account", [
        (p.psn_no, p.admdvs, balance, life_start(p, today)) for p, balance in owners
    ], "psn_no admdvs balance_fen opened_on")
    await _copy(tx, "ledger.posting", [
        (p.psn_no, f"{p.psn_no}00", p.admdvs, "opening", posted_at,
         [opening_account(p.admdvs), personal_account(p.psn_no)], [-balance, balance])
        for p, balance in owners if balance
    ], "psn_no posting_id admdvs kind posted_at accounts amounts")


def opening_account(admdvs: str) -> str:
    """Return the ledger account that the balances brought in at the start came from."""
    return f"opening:{admdvs}"


def life_start(person: Person, today: date) -> date:
    """Return the day a person's account was opened."""
    return max(date(today.year - 2, 1, 1), person.birth_on)


async def _copy(tx: Connection, table: str, rows: Sequence[tuple[Any, ...]], columns: str) -> None:
    """COPY rows into a table by way of a temporary one: PostgreSQL refuses COPY under row-level security."""
    if not rows:
        return
    stage, listed = table.replace(".", "_"), ", ".join(columns.split())
    await tx.execute(
        f"create temp table if not exists {stage} on commit delete rows as select {listed} from {table} with no data"  # noqa: S608
    )
    await tx.copy_records_to_table(stage, schema_name="pg_temp", records=rows, columns=columns.split())
    await tx.execute(f"insert into {table} ({listed}) select {listed} from pg_temp.{stage}")  # noqa: S608
    await tx.execute(f"truncate pg_temp.{stage}")
