"""Reads of e-prescriptions and of pharmacies' ways to them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import asyncpg

from yibao.infra.database import Connection

BY_NUMBER = "select * from dispensing.prescription where hi_rxno = $1"
BY_TRACE_CODE = "select * from dispensing.prescription where trace_code = $1"
OWN_NUMBER = """
select hi_rxno from dispensing.prescription where fixmedins_code = $1 and hosp_rxno = $2 and state <> 'cancelled'
"""
LINES = "select * from dispensing.prescription_line where psn_no = $1 and hi_rxno = $2 order by ordinal"
# What a patient may have dispensed now, the newest first.
OPEN_OF_PERSON = """
select p.* from dispensing.prescription p
where p.psn_no = $1 and p.state = 'valid' and p.prescribed_at <= $2 and p.valid_until >= $2
  and exists (select from dispensing.prescription_line l
              where l.psn_no = p.psn_no and l.hi_rxno = p.hi_rxno and l.dispensed_e4 < l.allowed_e4)
order by p.prescribed_at desc, p.hi_rxno desc
"""
SIGNATURE = "select * from dispensing.signature where fixmedins_code = $1 and sign_value = $2"
BY_AUTHORISATION = "select * from dispensing.authorisation where auth_rxno = $1"
OF_GRANT = """
select * from dispensing.authorisation where psn_no = $1 and hi_rxno = $2 and fixmedins_code = $3 and token_digest = $4
"""
BY_REVIEW = """
select * from dispensing.authorisation where psn_no = $1 and hi_rxno = $2 and fixmedins_code = $3 and review_sn = $4
"""
LATEST = """
select * from dispensing.authorisation where psn_no = $1 and hi_rxno = $2 and fixmedins_code = $3
order by granted_at desc, auth_rxno desc limit 1
"""
LAST_REVIEW = """
select * from dispensing.authorisation where psn_no = $1 and hi_rxno = $2 and review_sn is not null
order by review_sn desc limit 1
"""
# Every drug that a prescription may name in a region on a day, with what the region pays for it.
DRUGS = """
select i.code, i.name, i.list_type, i.spec, i.dosage_form, i.unit, i.maker, i.approval_no, i.negotiated, i.detail,
       t.class_level, t.restriction, t.valid_from, t.valid_to, count(*) over () as total
from catalogue.item i
join catalogue.term t on t.admdvs = $1 and t.code = i.code and t.valid_from <= $2 and (t.valid_to is null or t.valid_to > $2)
where i.list_type in ('101', '102', '103', '104', '106') and i.valid_from <= $2 and (i.valid_to is null or i.valid_to > $2)
  and ($3::text[] is null or i.code = any ($3)) and ($4 = '' or position($4 in i.name) > 0)
  and ($5::boolean is null or i.negotiated = $5) and ($6::boolean is null or (t.class_level <> '03') = $6)
order by i.code limit $7 offset $8
"""
LOCK_PERSON = "select from people.person where psn_no = $1 for no key update"


async def find_prescription(tx: Connection, hi_rxno: str, *, lock: bool = False) -> asyncpg.Record | None:
    """Return a prescription by its number; with ``lock`` nobody settles for the patient or changes it meanwhile."""
    found = await tx.fetchrow(BY_NUMBER, hi_rxno)
    if lock and found is not None:
        await tx.execute(LOCK_PERSON, found["psn_no"])
        found = await tx.fetchrow(BY_NUMBER, hi_rxno)
    return found


async def find_by_trace_code(tx: Connection, trace_code: str) -> asyncpg.Record | None:
    """Return a prescription by the code that the patient shows."""
    return await tx.fetchrow(BY_TRACE_CODE, trace_code)


async def find_own_number(tx: Connection, *, fixmedins_code: str, hosp_rxno: str) -> str | None:
    """Return the prescription that uses an institution's own number, None if it is free."""
    return await tx.fetchval(OWN_NUMBER, fixmedins_code, hosp_rxno)  # type: ignore[no-any-return]


async def list_prescribed(tx: Connection, *, psn_no: str, hi_rxno: str) -> list[asyncpg.Record]:
    """Return the prescribed drugs in their order, with what was dispensed of each."""
    return await tx.fetch(LINES, psn_no, hi_rxno)


async def list_open(tx: Connection, psn_no: str, *, at: datetime) -> list[asyncpg.Record]:
    """Return the prescriptions of a person that are in force and not used up at an instant, the newest first."""
    return await tx.fetch(OPEN_OF_PERSON, psn_no, at)


async def find_signature(tx: Connection, *, fixmedins_code: str, sign_value: str) -> asyncpg.Record | None:
    """Return what the platform signed for an institution under this value."""
    return await tx.fetchrow(SIGNATURE, fixmedins_code, sign_value)


async def find_authorisation(tx: Connection, auth_rxno: str) -> asyncpg.Record | None:
    """Return an authorisation by its number."""
    return await tx.fetchrow(BY_AUTHORISATION, auth_rxno)


async def find_by_token(
    tx: Connection, *, psn_no: str, hi_rxno: str, fixmedins_code: str, token_digest: bytes
) -> asyncpg.Record | None:
    """Return a pharmacy's authorisation for a prescription by the digest of its token."""
    return await tx.fetchrow(OF_GRANT, psn_no, hi_rxno, fixmedins_code, token_digest)


async def find_by_review(
    tx: Connection, *, psn_no: str, hi_rxno: str, fixmedins_code: str, review_sn: str
) -> asyncpg.Record | None:
    """Return a pharmacy's authorisation for a prescription by the number its review got."""
    return await tx.fetchrow(BY_REVIEW, psn_no, hi_rxno, fixmedins_code, review_sn)


async def find_latest(
    tx: Connection, *, psn_no: str, hi_rxno: str, fixmedins_code: str
) -> asyncpg.Record | None:
    """Return a pharmacy's newest authorisation for a prescription."""
    return await tx.fetchrow(LATEST, psn_no, hi_rxno, fixmedins_code)


async def last_review(tx: Connection, *, psn_no: str, hi_rxno: str) -> asyncpg.Record | None:
    """Return the newest review of a prescription by any pharmacy."""
    return await tx.fetchrow(LAST_REVIEW, psn_no, hi_rxno)


async def list_drugs(
    tx: Connection, *, admdvs: str, on: date, codes: Sequence[str] | None, name: str, is_dual_channel: bool | None,
    is_paid: bool | None, limit: int, offset: int,
) -> list[asyncpg.Record]:
    """Return a page of the drugs a prescription may name in a region on a day; each row has the ``total``."""
    return await tx.fetch(DRUGS, admdvs, on, codes, name, is_dual_channel, is_paid, limit, offset)
