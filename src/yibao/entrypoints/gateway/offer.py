"""What the platform really does with each transaction of the interface: working, stored, or refused by name."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

from yibao.entrypoints.gateway import interface
from yibao.entrypoints.gateway.registry import offered

WITHOUT_TABLE = "none"
"""State of the field table of a transaction that is known by number and name only."""
Kind = Literal["working", "stored", "refused"]


class Reason(msgspec.Struct, frozen=True):
    """Why a transaction is refused, and what to do instead."""

    reason: str
    remedy: str


class Standing(msgspec.Struct, frozen=True):
    """What the platform does with one transaction.

    Attributes:
        kind: ``working`` (its effect is real and a test drives it there), ``stored`` (checked, kept and given back,
            no more claimed) or ``refused`` (by name, with the reason).
        says: in Chinese: what is kept and how it is given back, or why it is refused; ``""`` where it works.
        changes: whether it changes something, so that its ``msgid`` counts.
    """

    infno: str
    name_zh: str
    kind: Kind
    says: str
    changes: bool


def reason_of(infno: str) -> Reason:
    """Return why a transaction is not offered: the reason with the longest fitting number."""
    reasons = _reasons()
    return next(reasons[infno[:n]] for n in range(len(infno), -1, -1) if infno[:n] in reasons)


def standings() -> list[Standing]:
    """Return the standing of every transaction that has a field table, in the order of the interface."""
    handlers, stored = offered(), _stored()
    found = []
    for t in interface.load().transactions.values():
        if t.field_table == WITHOUT_TABLE:
            continue
        handler = handlers.get(t.infno)
        changes = handler is not None and handler.kind != "query"
        if handler is None:
            found.append(Standing(t.infno, t.name_zh, "refused", reason_of(t.infno).reason, False))
        elif t.infno in stored:
            found.append(Standing(t.infno, t.name_zh, "stored", stored[t.infno], changes))
        else:
            found.append(Standing(t.infno, t.name_zh, "working", "", changes))
    return found


@cache
def _reasons() -> Mapping[str, Reason]:
    return {r["prefix"]: Reason(r["reason"], r["remedy"]) for r in _rows("not_offered.csv")}


@cache
def _stored() -> Mapping[str, str]:
    return {r["infno"]: f"{r['kept']}；用{r['given_back_by']}取回" for r in _rows("stored.csv")}


def _rows(name: str) -> list[dict[str, str]]:
    source = files("yibao") / "data" / "interface" / name
    return list(csv.DictReader(source.read_text("utf-8").splitlines()))
