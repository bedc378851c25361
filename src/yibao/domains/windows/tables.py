"""The tables of what a window can stop: businesses, channels, ways in, registers and terms of rules."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec

NEVER = "-"
"""Business of a way in that no window stops."""
BEGINS = frozenset({"application", "filing", "admission"})
"""Kinds of business that begin something; while a track drains they are refused."""


class Business(msgspec.Struct, frozen=True):
    """Something a window can stop.

    Attributes:
        track: its family, which a plan's track may name for all of it.
        positions: positions of an episode at which its bill needs one money disposition, () without a bill.
    """

    code: str
    title: str
    track: str
    positions: tuple[str, ...]
    kind: str


class Term(msgspec.Struct, frozen=True):
    """What a rule may say beside its disposition; ``type``: text, time, date, count, ratio, flag, list, channels,
    register, disposition, or ``word:`` with the allowed words."""

    disposition: str
    term: str
    type: str
    says: str


class Book(msgspec.Struct, frozen=True):
    """A kind of register: ``money`` is deposit, refund, bill, amount or empty; ``keeper`` agency or institution."""

    kind: str
    title: str
    money: str
    keeper: str


class Way(msgspec.Struct, frozen=True):
    """A way by which people come, and the kinds of business that come by it."""

    code: str
    title: str
    kinds: tuple[str, ...]


@cache
def businesses() -> Mapping[str, Business]:
    """Return every business by code, in the order of the table."""
    return {
        r["code"]: Business(r["code"], r["title"], r["track"], _words(r["money"]), r["kind"]) for r in _rows("businesses")
    }


@cache
def families() -> Mapping[str, tuple[str, ...]]:
    """Return the codes of the businesses of each family."""
    found: dict[str, tuple[str, ...]] = {}
    for business in businesses().values():
        found[business.track] = (*found.get(business.track, ()), business.code)
    return found


@cache
def ways() -> Mapping[tuple[str, str], str]:
    """Return the business of each way in by kind and name; ``NEVER`` where no window stops it."""
    return {(r["kind"], r["name"]): r["business"] for r in _rows("ways")}


@cache
def channels() -> Mapping[str, Way]:
    """Return every channel by code."""
    return {r["code"]: Way(r["code"], r["title"], _words(r["kinds"])) for r in _rows("channels")}


@cache
def books() -> Mapping[str, Book]:
    """Return every kind of register."""
    return {r["kind"]: Book(r["kind"], r["title"], r["money"], r["keeper"]) for r in _rows("registers")}


@cache
def terms() -> Mapping[tuple[str, str], Term]:
    """Return every term by disposition (``*``: any) and name."""
    return {(r["disposition"], r["term"]): Term(**r) for r in _rows("terms")}


def business_of_way(kind: str, name: str) -> str:
    """Return the plain business of a way in, ``NEVER`` where no window stops it.

    A page has the business of the longest path that begins it. What the table does not know is never stopped; a test
    says that it knows everything.
    """
    if kind == "page":
        found = [path for what, path in ways() if what == "page" and name.startswith(path)]
        return ways()["page", max(found, key=len)] if found else NEVER
    return ways().get((kind, name), NEVER)


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("yibao").joinpath("data", "windows", f"{name}.csv").read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split("|")) if text else ()
