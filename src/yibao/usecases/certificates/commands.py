"""What a use case of certificates is asked for."""

from __future__ import annotations

import msgspec


class IssueCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """``certificate`` is ``enrolment`` (参保凭证, for a transfer) or ``benefit`` (待遇证明); ``purpose`` is printed."""

    psn_no: str
    certificate: str = "enrolment"
    purpose: str = ""


class CheckCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """What a stranger holds: number and code, and if they wish the printed text or the file itself.

    Attributes:
        statement: the text as it stands on the paper, line by line.
        file: the PDF, as bytes.
    """

    certificate_no: str
    code: str
    statement: str = ""
    file: bytes = b""


class RevokeCertificate(msgspec.Struct, frozen=True, kw_only=True):
    """Say that a certificate no longer holds, and why."""

    certificate_no: str
    reason: str
