"""Writes of e-prescriptions. Each moves the person's version: sales being decided on the old facts begin anew."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from yibao.domains.dispensing.prescriptions_model import Authorisation, Prescription, PrescriptionLine, Review
from yibao.infra.database import Connection

MOVE_PERSON = "update people.person set version = version + 1 where psn_no = $1"
ADD = "insert into dispensing.prescription select ($1::dispensing.prescription).*"
ADD_LINES = "insert into dispensing.prescription_line select * from unnest($1::dispensing.prescription_line[])"
ADD_SIGNATURE = """
insert into dispensing.signature (fixmedins_code, sign_value, admdvs, file_digest, text_digest, public_key, signed_at)
values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing
"""
USE_SIGNATURE = "update dispensing.signature set hi_rxno = $3 where fixmedins_code = $1 and sign_value = $2"
UPLOAD = """
update dispensing.prescription set state = 'valid', uploaded_at = $3, sign_value = $4, file_digest = $5, file = $6,
    document = document || $7::jsonb
where psn_no = $1 and hi_rxno = $2
"""
CANCEL = "update dispensing.prescription set state = 'cancelled', cancelled_at = $3 where psn_no = $1 and hi_rxno = $2"
GRANT = "insert into dispensing.authorisation select ($1::dispensing.authorisation).*"
ADVANCE = """
update dispensing.authorisation set state = $3, verify_sn = coalesce($4, verify_sn) where psn_no = $1 and auth_rxno = $2
"""
REVIEW = """
update dispensing.authorisation set state = $3, review_sn = $4, reviewed_at = $5, opinion = $6, pharmacist_code = $7,
    pharmacist_name = $8 where psn_no = $1 and auth_rxno = $2
"""


async def add_prescription(tx: Connection, prescription: Prescription, lines: Sequence[PrescriptionLine]) -> None:
    """Write a new prescription with its drugs."""
    await tx.execute(MOVE_PERSON, prescription.psn_no)
    await tx.execute(ADD, msgspec.structs.astuple(prescription))
    await tx.execute(ADD_LINES, [msgspec.structs.astuple(line) for line in lines])


async def add_signature(
    tx: Connection, *, fixmedins_code: str, sign_value: str, admdvs: str, file_digest: bytes, text_digest: bytes,
    public_key: str, now: datetime,
) -> None:
    """Keep what was signed for an institution; the same content signed again is the same signature."""
    await tx.execute(ADD_SIGNATURE, fixmedins_code, sign_value, admdvs, file_digest, text_digest, public_key, now)


async def put_in_force(
    tx: Connection, *, psn_no: str, hi_rxno: str, fixmedins_code: str, sign_value: str, file: bytes,
    file_digest: bytes, addition: str, now: datetime,
) -> None:
    """Put a checked prescription in force with its signed file; the signature belongs to it from now on.

    ``addition`` is a JSON object that the prescription's document grows by.
    """
    await tx.execute(MOVE_PERSON, psn_no)
    await tx.execute(UPLOAD, psn_no, hi_rxno, now, sign_value, file_digest, file, addition)
    await tx.execute(USE_SIGNATURE, fixmedins_code, sign_value, hi_rxno)


async def cancel_prescription(tx: Connection, *, psn_no: str, hi_rxno: str, now: datetime) -> None:
    """Make a prescription void; it stays for the record."""
    await tx.execute(MOVE_PERSON, psn_no)
    await tx.execute(CANCEL, psn_no, hi_rxno, now)


async def grant(tx: Connection, authorisation: Authorisation) -> None:
    """Write a pharmacy's new way to a prescription."""
    await tx.execute(GRANT, msgspec.structs.astuple(authorisation))


async def advance(tx: Connection, *, psn_no: str, auth_rxno: str, state: str, verify_sn: str | None = None) -> None:
    """Note that a pharmacy downloaded a prescription or verified its file."""
    await tx.execute(ADVANCE, psn_no, auth_rxno, state, verify_sn)


async def keep_review(
    tx: Connection, *, psn_no: str, auth_rxno: str, state: str, review_sn: str, review: Review
) -> None:
    """Write what a pharmacy's pharmacist found; a sale rests on it."""
    await tx.execute(MOVE_PERSON, psn_no)
    await tx.execute(
        REVIEW, psn_no, auth_rxno, state, review_sn, review.reviewed_at, review.opinion, review.pharmacist_code,
        review.pharmacist_name,
    )
