"""Writes of filings. Whoever writes one moves the person's version in the same transaction (``MOVE_PERSON``)."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.applications.model import ChronicFiling, Injury, ProviderChoice, Referral, Registration
from yibao.infra.database import Connection

LOCK_PERSON = "select from people.person where psn_no = $1 for no key update"
MOVE_PERSON = "update people.person set version = version + 1 where psn_no = $1"
INSERT_REFERRAL = "insert into applications.referral select ($1::applications.referral).*"
INSERT_CHOICE = "insert into applications.provider_choice select ($1::applications.provider_choice).*"
INSERT_CHRONIC = "insert into applications.chronic_filing select ($1::applications.chronic_filing).*"
INSERT_INJURY = "insert into applications.injury select ($1::applications.injury).*"
INSERT_REGISTRATION = "insert into applications.maternity select ($1::applications.maternity).*"
CANCEL_REFERRAL = """
update applications.referral set cancelled_at = $3, detail = detail || jsonb_build_object('cancelled', $4::text)
where psn_no = $1 and filing_id = $2
"""
CANCEL_CHOICE = """
update applications.provider_choice set cancelled_at = $3, detail = detail || jsonb_build_object('cancelled', $4::text)
where psn_no = $1 and filing_id = $2
"""
CANCEL_INJURY = """
update applications.injury set cancelled_at = $3, detail = detail || jsonb_build_object('cancelled', $4::text)
where psn_no = $1 and filing_id = $2
"""
CANCEL_REGISTRATION = """
update applications.maternity set cancelled_at = $3, detail = detail || jsonb_build_object('cancelled', $4::text)
where psn_no = $1 and filing_id = $2
"""
CANCEL_CHRONIC = """
update applications.chronic_filing set state = 'cancelled', cancelled_at = $3, reason = $4
where psn_no = $1 and filing_id = $2
"""
DECIDE_CHRONIC = """
update applications.chronic_filing set state = $3, decided_at = $4, decided_by = $5, reason = $6
where psn_no = $1 and filing_id = $2
"""
END_CHOICE = "update applications.provider_choice set valid_to = $3 where psn_no = $1 and filing_id = $2"
RECOGNISE = """
insert into applications.chronic_recognition (psn_no, disease_code, valid_from, admdvs, disease_name, valid_to)
values ($1, $2, $3, $4, $5, $6)
"""
UNRECOGNISE = """
delete from applications.chronic_recognition where psn_no = $1 and disease_code = $2 and valid_from = $3
"""


async def lock_person(tx: Connection, psn_no: str) -> None:
    """Keep the person until the transaction ends: filings of one person are judged one after the other."""
    await tx.execute(LOCK_PERSON, psn_no)


async def add_referral(tx: Connection, referral: Referral) -> None:
    """Write a referral."""
    await tx.execute(MOVE_PERSON, referral.psn_no)
    await tx.execute(INSERT_REFERRAL, msgspec.structs.astuple(referral))


async def add_choice(tx: Connection, choice: ProviderChoice) -> None:
    """Write a choice and end the one that it replaces on the day it begins."""
    await tx.execute(MOVE_PERSON, choice.psn_no)
    if choice.replaces:
        await tx.execute(END_CHOICE, choice.psn_no, choice.replaces, choice.valid_from)
    await tx.execute(INSERT_CHOICE, msgspec.structs.astuple(choice))


async def add_chronic(tx: Connection, filing: ChronicFiling) -> None:
    """Write the filing of a chronic disease; an approved one makes the recognition."""
    await tx.execute(MOVE_PERSON, filing.psn_no)
    await tx.execute(INSERT_CHRONIC, msgspec.structs.astuple(filing))
    if filing.state == "approved":
        await _recognise(tx, filing)


async def decide_chronic(
    tx: Connection, filing: ChronicFiling, *, state: str, at: datetime, by: str, reason: str
) -> None:
    """Write the decision on a filed chronic disease; approval makes the recognition."""
    await tx.execute(MOVE_PERSON, filing.psn_no)
    await tx.execute(DECIDE_CHRONIC, filing.psn_no, filing.filing_id, state, at, by, reason)
    if state == "approved":
        await _recognise(tx, filing)


async def _recognise(tx: Connection, filing: ChronicFiling) -> None:
    await tx.execute(
        RECOGNISE, filing.psn_no, filing.disease_code, filing.valid_from, filing.admdvs, filing.disease_name,
        filing.valid_to,
    )


async def add_injury(tx: Connection, injury: Injury) -> None:
    """Write an injury."""
    await tx.execute(MOVE_PERSON, injury.psn_no)
    await tx.execute(INSERT_INJURY, msgspec.structs.astuple(injury))


async def add_registration(tx: Connection, registration: Registration) -> None:
    """Write the registration of a pregnancy."""
    await tx.execute(MOVE_PERSON, registration.psn_no)
    await tx.execute(INSERT_REGISTRATION, msgspec.structs.astuple(registration))


async def cancel_referral(tx: Connection, psn_no: str, filing_id: str, *, at: datetime, reason: str) -> None:
    """Cancel a referral as if it had never been."""
    await tx.execute(MOVE_PERSON, psn_no)
    await tx.execute(CANCEL_REFERRAL, psn_no, filing_id, at, reason)


async def cancel_choice(
    tx: Connection, psn_no: str, filing_id: str, *, replaced: str, replaced_to: date | None, at: datetime, reason: str
) -> None:
    """Cancel a choice as if it had never been: the one it ended holds again as before."""
    await tx.execute(MOVE_PERSON, psn_no)
    await tx.execute(CANCEL_CHOICE, psn_no, filing_id, at, reason)
    if replaced:
        await tx.execute(END_CHOICE, psn_no, replaced, replaced_to)


async def cancel_chronic(tx: Connection, filing: ChronicFiling, *, at: datetime, reason: str) -> None:
    """Cancel the filing of a chronic disease, and with it the recognition it made."""
    await tx.execute(MOVE_PERSON, filing.psn_no)
    await tx.execute(CANCEL_CHRONIC, filing.psn_no, filing.filing_id, at, reason)
    if filing.state == "approved":
        await tx.execute(UNRECOGNISE, filing.psn_no, filing.disease_code, filing.valid_from)


async def cancel_injury(tx: Connection, psn_no: str, filing_id: str, *, at: datetime, reason: str) -> None:
    """Cancel an injury as if it had never been filed."""
    await tx.execute(MOVE_PERSON, psn_no)
    await tx.execute(CANCEL_INJURY, psn_no, filing_id, at, reason)


async def cancel_registration(tx: Connection, psn_no: str, filing_id: str, *, at: datetime, reason: str) -> None:
    """Cancel the registration of a pregnancy as if it had never been."""
    await tx.execute(MOVE_PERSON, psn_no)
    await tx.execute(CANCEL_REGISTRATION, psn_no, filing_id, at, reason)
