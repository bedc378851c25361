"""Natural keys of messages: who is told what is worked out, never drawn, so that it is told once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from yibao.domains.notices.model import KINDS, Message
from yibao.kernel.refusal import Fault

_DIGITS = 32
ADDRESSEES = ("psn_no", "emp_no", "fixmedins_code")


def key_of(message: Message) -> str:
    """Return what makes a message another one to the same addressee."""
    return message.key or f"{message.plan}:{message.version}:{message.rule}:{message.about}"


def message_id_of(message: Message) -> str:
    """Return the number of a message: the digest of addressee, kind and key."""
    return digest_of(message.psn_no, message.emp_no, message.fixmedins_code, message.kind, key_of(message))


def digest_of(*parts: str) -> str:
    """Return the first digits of the SM3 of some texts, told apart by a sign that none of them holds."""
    return hashlib.new("sm3", "\x1f".join(parts).encode()).hexdigest()[:_DIGITS]


def message_faults(message: Message) -> list[str]:
    """Say what is wrong with a message: whoever sends one of these has a defect."""
    faults = []
    if sum(bool(getattr(message, name)) for name in ADDRESSEES) != 1:
        faults.append("exactly one addressee")
    if message.kind not in KINDS:
        faults.append(f"unknown kind {message.kind}")
    if not message.text.strip():
        faults.append("says nothing")
    return faults


def addressee_faults(given: Iterable[str]) -> list[Fault]:
    """Refuse what names no addressee, or more than one.

    Args:
        given: number of the person, of the employer and code of the institution, each ``""`` where it is not given.
    """
    if sum(bool(number) for number in given) == 1:
        return []
    return [Fault("ADDRESSEE_INVALID", "须且只能写明一个：参保人、单位或定点医药机构", "psn_no",
                  remedy="请填写 psn_no、emp_no、fixmedins_code 中的一个")]
