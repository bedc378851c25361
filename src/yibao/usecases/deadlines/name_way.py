"""Name the way that is open while dues are on their way: what the plan says for this business, in place of a general word."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.windows.model import MONEY, Asked, Rule
from yibao.kernel.refusal import Fault, Refusal
from yibao.usecases.deadlines.release import CAUSE
from yibao.usecases.windows.pass_gate import Gate

CODE = "CONTRIBUTION_IN_TRANSIT"
_OUT_OF_SIGHT = "extend_deadline"


def has_transit(refusal: Refusal) -> bool:
    """Say whether a refusal rests on dues that are on their way."""
    return any(fault.code == CODE for fault in refusal.faults)


def name_way(refusal: Refusal, *, gate: Gate, asked: Asked, at: datetime, is_institution: bool = False) -> Refusal:
    """Return a refusal with what the plan says to do for this business; the same one where it has nothing to do with dues.

    Args:
        asked: what was asked for, by business and places; the cause is put in here.
        is_institution: the sentence for institutions, where the plan has one.
    """
    if not has_transit(refusal):
        return refusal
    rules = rules_of(gate, asked, at)
    if not rules:
        return refusal
    said = dict.fromkeys((rule.says_institution if is_institution else "") or rule.says for rule in rules)
    return Refusal(tuple(
        _named(fault, "；".join(said), rules[0].id) if fault.code == CODE else fault for fault in refusal.faults))


def rules_of(gate: Gate, asked: Asked, at: datetime) -> list[Rule]:
    """Return what plans say for somebody whose dues are on their way: first what becomes of the bill, then the rest."""
    judged = gate.ask(msgspec.structs.replace(asked, cause=CAUSE), at)
    rules = [hit.rule for hit in judged.hits if CAUSE in hit.rule.when.cause and hit.rule.disposition != _OUT_OF_SIGHT]
    return sorted(rules, key=lambda rule: rule.disposition not in MONEY)


def _named(fault: Fault, says: str, rule: str) -> Fault:
    return msgspec.structs.replace(fault, remedy=says, basis=rule)
