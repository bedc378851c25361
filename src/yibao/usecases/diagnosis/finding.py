"""What a check finds: fine, worth a look, or wrong, each with what to do."""

from __future__ import annotations

from typing import Literal

import msgspec

Level = Literal["ok", "warning", "error"]


class Finding(msgspec.Struct, frozen=True):
    """The result of one check.

    Attributes:
        check: stable name of the check, e.g. ``database.durability``.
        level: ``error`` means money or privacy is at risk, or the platform cannot work.
        message: what was found, in Chinese.
        remedy: what to do, in Chinese; empty when fine.
    """

    check: str
    level: Level
    message: str
    remedy: str = ""


def fine(check: str, message: str) -> Finding:
    """Return a finding that says all is well."""
    return Finding(check, "ok", message)


def worth_a_look(check: str, message: str, remedy: str) -> Finding:
    """Return a finding that does not stop the platform."""
    return Finding(check, "warning", message, remedy)


def wrong(check: str, message: str, remedy: str) -> Finding:
    """Return a finding that must be mended before money is moved."""
    return Finding(check, "error", message, remedy)
