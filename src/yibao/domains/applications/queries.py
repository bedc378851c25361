"""Reads of filings."""

from __future__ import annotations

from datetime import date, datetime

import asyncpg

from yibao.domains.applications.model import ChronicFiling, ProviderChoice
from yibao.infra.database import Connection

CHRONIC = """
select disease_code, disease_name, valid_from, valid_to from applications.chronic_recognition
where psn_no = $1 and (valid_to is null or valid_to > $2) order by disease_code, valid_from
"""
FACTS = "select * from applications.filing_facts($1, $2, $3, $4)"
REFERRAL = "select * from applications.referral where psn_no = $1 and filing_id = $2"
REFERRALS_TO = """
select filing_id from applications.referral
where psn_no = $1 and to_code = $2 and cancelled_at is null and valid_from < coalesce($4, 'infinity'::date)
  and (valid_to is null or valid_to > $3) order by filing_id limit 1
"""
# Referrals by the day of referral: both ends of the asked period count.
REFERRALS = """
select r.*, p.cert_type, p.certno, p.name, p.sex, p.birth_on
from applications.referral r join people.person p on p.psn_no = r.psn_no
where r.psn_no = $1 and r.cancelled_at is null and r.referred_on between $2 and $3
order by r.referred_on, r.filing_id
"""
CHOICE = "select * from applications.provider_choice where psn_no = $1 and filing_id = $2"
LIVE_CHOICES = """
select c.* from applications.provider_choice c
where c.psn_no = $1 and c.kind = $2 and c.cancelled_at is null and (c.valid_to is null or c.valid_to > $3)
order by c.ordinal, c.valid_from, c.filing_id
"""
TRAITS = "select fixmedins_code, traits from institutions.institution where fixmedins_code = any($1::text[])"
CHRONIC_FILING = "select * from applications.chronic_filing where psn_no = $1 and filing_id = $2"
SAME_DISEASE = """
select filing_id from applications.chronic_filing
where psn_no = $1 and disease_code = $2 and state = 'filed' order by filed_at limit 1
"""
RECOGNISED_WITHIN = """
select valid_from from applications.chronic_recognition
where psn_no = $1 and disease_code = $2 and valid_from < coalesce($4, 'infinity'::date)
  and (valid_to is null or valid_to > $3)
order by valid_from limit 1
"""
SAME_INJURY = """
select filing_id from applications.injury
where psn_no = $1 and kind = $2 and cancelled_at is null and valid_from < coalesce($4, 'infinity'::date)
  and (valid_to is null or valid_to > $3)
order by filing_id limit 1
"""
INJURY = "select * from applications.injury where psn_no = $1 and filing_id = $2"
REGISTRATION = "select * from applications.maternity where psn_no = $1 and filing_id = $2"
LIVE_REGISTRATION = """
select filing_id from applications.maternity
where psn_no = $1 and cancelled_at is null and (valid_to is null or valid_to > $2) order by filing_id limit 1
"""
# What rests on a filing cannot lose it: settlements in force of care that began within its period, of one disease,
# at one institution, or of some visit classes; null asks for all.
USED = """
select s.setl_id from settlements.settlement s
join encounters.encounter e on e.psn_no = s.psn_no and e.mdtrt_id = s.mdtrt_id
cross join lateral (select (e.begin_at at time zone 'Asia/Shanghai')::date as began_on) d
where s.psn_no = $1 and s.kind = 'settlement' and s.state = 'active' and d.began_on >= $2
  and ($3::date is null or d.began_on < $3) and ($4::text is null or e.disease_code = $4)
  and ($5::text is null or s.fixmedins_code = $5) and ($6::text[] is null or s.med_type = any($6))
  and s.settled_at >= $7
order by s.settled_at limit 1
"""
FILING = "select kind, psn_no, admdvs, filed_by from applications.filing where filing_id = $1"
FILINGS = """
select f.*, p.name from applications.filing f join people.person p on p.psn_no = f.psn_no
where ($1 = '' or f.kind = $1) and ($2 = '' or f.state = $2) and ($3 = '' or f.psn_no = $3) and ($4 = '' or f.admdvs = $4)
order by f.filed_at, f.filing_id limit $5
"""


async def list_chronic_recognitions(tx: Connection, psn_no: str, *, on: date) -> list[asyncpg.Record]:
    """Return the recognitions of chronic diseases of a person that have not ended on a day."""
    return await tx.fetch(CHRONIC, psn_no, on)


async def read_filing_facts(
    tx: Connection, *, psn_no: str, fixmedins_code: str, insutype: str, on: date
) -> asyncpg.Record:
    """Return what counts for a person at an institution on a day; always one row, its columns begin with ``filed_``."""
    row = await tx.fetchrow(FACTS, psn_no, fixmedins_code, insutype, on)
    if row is None:
        raise AssertionError("filing_facts returned no row")
    return row


async def find_referral(tx: Connection, psn_no: str, filing_id: str) -> asyncpg.Record | None:
    """Return a referral of a person."""
    return await tx.fetchrow(REFERRAL, psn_no, filing_id)


async def find_referral_within(
    tx: Connection, psn_no: str, *, to_code: str, begin: date, end: date | None
) -> str | None:
    """Return a referral to an institution whose period meets ``[begin, end)``, None if there is none."""
    return await tx.fetchval(REFERRALS_TO, psn_no, to_code, begin, end)  # type: ignore[no-any-return]


async def list_referrals(tx: Connection, psn_no: str, *, begin: date, end: date) -> list[asyncpg.Record]:
    """Return a person's referrals of the days ``[begin, end]``, with who the person is."""
    return await tx.fetch(REFERRALS, psn_no, begin, end)


async def find_choice(tx: Connection, psn_no: str, filing_id: str) -> asyncpg.Record | None:
    """Return a choice of a person."""
    return await tx.fetchrow(CHOICE, psn_no, filing_id)


async def list_choices(tx: Connection, psn_no: str, *, kind: str, on: date) -> list[ProviderChoice]:
    """Return the choices of a kind that have not ended on a day, those that begin later included."""
    return [ProviderChoice(**dict(row)) for row in await tx.fetch(LIVE_CHOICES, psn_no, kind, on)]


async def traits_of(tx: Connection, codes: list[str]) -> frozenset[str]:
    """Return the traits that any of these institutions has."""
    rows = await tx.fetch(TRAITS, codes)
    return frozenset(trait for row in rows for trait in row["traits"])


async def find_chronic(tx: Connection, psn_no: str, filing_id: str) -> ChronicFiling | None:
    """Return the filing of a chronic disease."""
    row = await tx.fetchrow(CHRONIC_FILING, psn_no, filing_id)
    return ChronicFiling(**dict(row)) if row is not None else None


async def find_open_chronic(tx: Connection, psn_no: str, disease_code: str) -> str | None:
    """Return the filing of a disease that still waits for its decision, None if there is none."""
    return await tx.fetchval(SAME_DISEASE, psn_no, disease_code)  # type: ignore[no-any-return]


async def find_recognition_within(
    tx: Connection, psn_no: str, disease_code: str, *, begin: date, end: date | None
) -> date | None:
    """Return the first day of a recognition whose period meets ``[begin, end)``, None if there is none."""
    return await tx.fetchval(RECOGNISED_WITHIN, psn_no, disease_code, begin, end)  # type: ignore[no-any-return]


async def find_injury_within(
    tx: Connection, psn_no: str, *, kind: str, begin: date, end: date | None
) -> str | None:
    """Return a filed injury of a kind whose period meets ``[begin, end)``, None if there is none."""
    return await tx.fetchval(SAME_INJURY, psn_no, kind, begin, end)  # type: ignore[no-any-return]


async def find_injury(tx: Connection, psn_no: str, filing_id: str) -> asyncpg.Record | None:
    """Return a filed injury of a person."""
    return await tx.fetchrow(INJURY, psn_no, filing_id)


async def find_registered(tx: Connection, psn_no: str, filing_id: str) -> asyncpg.Record | None:
    """Return the registration of a pregnancy by its number."""
    return await tx.fetchrow(REGISTRATION, psn_no, filing_id)


async def find_registration(tx: Connection, psn_no: str, *, on: date) -> str | None:
    """Return the registration of a pregnancy that has not ended on a day, None if there is none."""
    return await tx.fetchval(LIVE_REGISTRATION, psn_no, on)  # type: ignore[no-any-return]


async def find_use(
    tx: Connection, psn_no: str, *, begin: date, end: date | None, since: datetime, disease_code: str | None = None,
    fixmedins_code: str | None = None, med_types: list[str] | None = None,
) -> str | None:
    """Return a settlement in force that rests on a filing of the period ``[begin, end)``, None if none does.

    Args:
        since: when the filing was made or approved; what was settled before knew nothing of it.
    """
    return await tx.fetchval(USED, psn_no, begin, end, disease_code, fixmedins_code, med_types, since)  # type: ignore[no-any-return]


async def find_filing(tx: Connection, filing_id: str) -> asyncpg.Record | None:
    """Return kind, person, region and filer of a filing of any kind."""
    return await tx.fetchrow(FILING, filing_id)


async def list_filings(
    tx: Connection, *, kind: str, state: str, psn_no: str, admdvs: str, most: int
) -> list[asyncpg.Record]:
    """Return filings of every kind, the oldest first; ``""`` selects all."""
    return await tx.fetch(FILINGS, kind, state, psn_no, admdvs, most)
