"""Certificates: issued to people, checked by strangers."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.certificates.queries import list_certificates as find_all
from yibao.entrypoints.api.fields import Id, PsnNo, Words
from yibao.entrypoints.api.routing import PDF, deed, public, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.refusal import Refusal
from yibao.usecases.certificates.check_certificate import Checked, check_certificate
from yibao.usecases.certificates.commands import CheckCertificate, IssueCertificate, RevokeCertificate
from yibao.usecases.certificates.issue_certificate import Issued, issue_certificate, revoke_certificate
from yibao.usecases.certificates.print_certificate import print_certificate


class CertificateRow(msgspec.Struct, frozen=True):
    """A certificate of a person."""

    certificate_no: str
    kind: str
    issued_at: datetime
    valid_to: date
    code: str
    is_revoked: bool


class Certificates(msgspec.Struct, frozen=True):
    """A person's certificates, the newest first."""

    rows: list[CertificateRow]


class Revoking(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a certificate no longer holds."""

    reason: Words


@deed("/certificates", verb="issue_certificate", status=201)
async def issue_one_certificate(call: Call, data: IssueCertificate) -> Issued | Refusal:
    """Issue a certificate of enrolment or benefit from the facts of today."""
    return await issue_certificate(call.tx, data, actor=call.actor, now=call.now, ids=call.ids)


@deed("/certificates/{certificate_no}/revoke", verb="revoke_certificate")
async def revoke_one_certificate(call: Call, certificate_no: Id, data: Revoking) -> Issued | Refusal:
    """Revoke a certificate; two people."""
    command = RevokeCertificate(certificate_no=certificate_no, reason=data.reason)
    return await revoke_certificate(call.tx, command, actor=call.actor, now=call.now, ids=call.ids)


@read("/people/{psn_no}/certificates", verb="list_certificates")
async def list_person_certificates(call: Call, psn_no: PsnNo) -> Certificates:
    """List the certificates of a person."""
    return Certificates([
        CertificateRow(c.certificate_no, c.kind, c.issued_at, c.valid_to, c.code, c.revoked_at is not None)
        for c in await find_all(call.tx, psn_no)
    ])


@read("/certificates/{certificate_no}/pdf", verb="list_certificates", produces=PDF)
async def print_one_certificate(call: Call, certificate_no: Id) -> bytes | Refusal:
    """Print a certificate, the same bytes each time."""
    return await print_certificate(call.tx, certificate_no, actor=call.actor)


@public("/certificates/check", method="POST")
async def check_one_certificate(call: Call, data: CheckCertificate) -> Checked | Refusal:
    """Check a certificate by number and code, and if wished its printed text or the file: one altered sign is noticed."""
    return await check_certificate(call.tx, data, now=call.now)


ROUTES = (
    issue_one_certificate, revoke_one_certificate, list_person_certificates, print_one_certificate, check_one_certificate,
)
