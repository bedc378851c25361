"""Writes of certificates."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.certificates.model import Certificate
from yibao.infra.database import Connection

_NAMES = [f.name for f in msgspec.structs.fields(Certificate)]
_INSERT = "insert into certificates.certificate"
INSERT = f"{_INSERT} ({', '.join(_NAMES)}) values ({', '.join(f'${n}' for n in range(1, len(_NAMES) + 1))})"
KEEP_PDF = """
update certificates.certificate set pdf = $3, pdf_digest = $4 where psn_no = $1 and certificate_no = $2 and pdf is null
"""
REVOKE = """
update certificates.certificate set revoked_at = $3, revoked_why = $4
where psn_no = $1 and certificate_no = $2 and revoked_at is null
"""


async def add_certificate(tx: Connection, certificate: Certificate) -> None:
    """Write a new certificate."""
    await tx.execute(INSERT, *msgspec.structs.astuple(certificate))


async def keep_pdf(tx: Connection, certificate: Certificate, pdf: bytes, digest: bytes) -> None:
    """Keep the first print; a later one is not kept."""
    await tx.execute(KEEP_PDF, certificate.psn_no, certificate.certificate_no, pdf, digest)


async def revoke(tx: Connection, certificate: Certificate, *, at: datetime, why: str) -> None:
    """Say that a certificate no longer holds."""
    await tx.execute(REVOKE, certificate.psn_no, certificate.certificate_no, at, why)
