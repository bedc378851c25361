"""Reads of what benefit status rests on, and of the spells."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import asyncpg

from yibao.infra.database import Connection

# In the order of their numbers: two batches that meet the same people cannot wait for each other in a circle.
TAKE = """
select psn_no, birth_on, died_on from people.person where psn_no = any($1::text[]) order by psn_no for no key update
"""
RELATIONS = """
select psn_no, relation_id, admdvs, insutype, psn_type, account_kind, enrolment_kind, insured_on, paused_on,
       status = '4' as is_ended, recorded_at, ended_recorded_at, benefit_from, benefit_to, paid_months, status_reason
from enrolment.relation where psn_no = any($1::text[]) and insutype in ('310', '390')
order by psn_no, insured_on, relation_id
"""
DUES = """
select psn_no, insutype, month, months, kind, paid_on, assessed_at, paid_at
from contributions.due
where psn_no = any($1::text[]) and insutype in ('310', '390') and kind in ('regular', 'back', 'lump') and months > 0
  and state not in ('cancelled', 'refunded')
order by psn_no, due_id
"""
IDENTITIES = """
select psn_no, identity_type, valid_from, valid_to from enrolment.special_identity
where psn_no = any($1::text[]) order by psn_no, identity_type, valid_from
"""
ELSEWHERE = """
select psn_no, first_month, until_month from enrolment.year_credit
where psn_no = any($1::text[]) and insutype = '310' and kind = 'transferred' and first_month is not null
  and withdrawn_at is null
order by psn_no, first_month
"""
OPENINGS = """
select psn_no, relation_id, benefit_from, benefit_to, paid_months from entitlement.opening where psn_no = any($1::text[])
"""
_COLUMNS = """psn_no, insutype, begin_on, end_on, known_from, known_to, admdvs, is_due, reason, rules, relation_id, psn_type,
       account_kind, paid_months, policy_version"""
_SPELLS = f"{_COLUMNS} from entitlement.spell"
KNOWN_NOW = f"select {_SPELLS} where psn_no = any($1::text[]) and known_to is null"
NEWEST = "select psn_no, max(known_from) as known_from from entitlement.spell where psn_no = any($1::text[]) group by psn_no"
ON_DAY = f"""
select {_SPELLS} where psn_no = $1 and known_to is null and begin_on <= $2 and (end_on is null or end_on > $2)
"""
STANDING = "select * from entitlement.standing($1, $2, $3)"
HISTORY = f"""
select {_SPELLS} where psn_no = $1 and ($2 = '' or insutype = $2) and known_from <= $3 and (known_to is null or known_to > $3)
order by insutype, begin_on
"""


async def find_standing(tx: Connection, psn_no: str, *, insutype: str, on: date) -> asyncpg.Record | None:
    """Return who somebody is in an insurance on a day, as known now; None if never insured by then."""
    return await tx.fetchrow(STANDING, psn_no, insutype, on)


async def spells_on(tx: Connection, psn_no: str, *, on: date) -> list[asyncpg.Record]:
    """Return the spell of each insurance that holds on a day, as known now."""
    return await tx.fetch(ON_DAY, psn_no, on)


async def list_spells(
    tx: Connection, psn_no: str, *, known_at: datetime, insutype: str = ""
) -> list[asyncpg.Record]:
    """Return the spells of a person as they were known at an instant, by insurance and day."""
    return await tx.fetch(HISTORY, psn_no, insutype, known_at)


async def take_people(tx: Connection, psn_nos: Sequence[str]) -> list[asyncpg.Record]:
    """Lock persons until the transaction ends and return their days of birth and death."""
    return await tx.fetch(TAKE, psn_nos)
