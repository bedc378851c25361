"""What a use case of services is asked for; ``msgspec.convert`` makes one from a request's body."""

from __future__ import annotations

from typing import Any

import msgspec


class PaperGiven(msgspec.Struct, frozen=True, kw_only=True):
    """A paper handed in: its content in Base64, or a signed undertaking in its place."""

    material: str
    file_name: str = ""
    content: bytes = b""
    undertaking: bool = False


class SubmitApplication(msgspec.Struct, frozen=True, kw_only=True):
    """An application as somebody makes it.

    Attributes:
        applicant_kind: ``person employer heir school institution list``.
        applicant_no: psn_no or emp_no; empty where the item is to give the number.
        traits: words that ask for further papers: ``key_field`` (a key fact changes), ``heir``.
        body: content of the deed that is asked for.
        division: county or town of the office that takes it.
    """

    admdvs: str
    item_code: str
    applicant_kind: str
    applicant_name: str
    channel: str
    body: dict[str, Any]
    applicant_no: str = ""
    phone: str = ""
    traits: list[str] = []
    materials: list[PaperGiven] = []
    division: str = ""


class SupplementApplication(msgspec.Struct, frozen=True, kw_only=True):
    """Papers that come later."""

    application_id: str
    materials: list[PaperGiven]


class OnApplication(msgspec.Struct, frozen=True, kw_only=True):
    """A deed on an application; ``says`` is the opinion, the reason or the window behind it."""

    application_id: str
    says: str = ""


class RegisterApplication(msgspec.Struct, frozen=True, kw_only=True):
    """Take an application into the register of a window in which the business stands still."""

    application_id: str
    window_id: str


class SuspendApplication(msgspec.Struct, frozen=True, kw_only=True):
    """Let the clock of an application stand: for a window, or because somebody else must answer first."""

    application_id: str
    reason: str
    window_id: str = ""


class RateApplication(msgspec.Struct, frozen=True, kw_only=True):
    """How content the applicant was: 1 (not at all) to 5."""

    application_id: str
    stars: int
    says: str = ""
