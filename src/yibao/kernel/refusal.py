"""A refusal is the expected no: a value, never an exception."""

from __future__ import annotations

import msgspec


class Fault(msgspec.Struct, frozen=True):
    """One thing wrong with a request.

    Attributes:
        code: a stable sentence-like code, e.g. ``ENCOUNTER_NOT_FOUND``.
        reason: what was wrong, in Chinese, for the person at the counter.
        field: path of the field on the wire (``data.psn_no``, ``feedetail[2].cnt``) or ``""``.
        received: what was received, masked where it names a person; ``""`` if nothing fits.
        remedy: what to do next, in Chinese.
        basis: the rule or clause behind the refusal, ``""`` where it is the interface itself.
    """

    code: str
    reason: str
    field: str = ""
    received: str = ""
    remedy: str = ""
    basis: str = ""

    def sentence(self) -> str:
        """Return the fault as one Chinese sentence with field, what was received and remedy."""
        text = self.reason
        if self.field and self.field not in text:
            text = f"{self.field}：{text}"
        if self.received:
            text = f"{text}（收到：{self.received}）"
        if self.remedy:
            text = f"{text}，{self.remedy}"
        return text


class Refusal(msgspec.Struct, frozen=True):
    """All faults of one request; the first one names the refusal."""

    faults: tuple[Fault, ...]

    @property
    def code(self) -> str:
        """Return the code of the first fault, which by precedence names the refusal."""
        return self.faults[0].code

    def sentence(self) -> str:
        """Return all faults as one text, numbered when there is more than one."""
        if len(self.faults) == 1:
            return self.faults[0].sentence()
        return "；".join(f"{i}. {f.sentence()}" for i, f in enumerate(self.faults, 1))


def refuse(
    code: str, reason: str, *, field: str = "", received: str = "", remedy: str = "", basis: str = ""
) -> Refusal:
    """Return a refusal with a single fault."""
    return Refusal((Fault(code, reason, field, received, remedy, basis),))
