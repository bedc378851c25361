"""Which channels are open to whom, and from when a group may pay: package data, ``data/contributions/openings.toml``."""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from importlib import resources

import msgspec

ANY = "*"
TREASURY = "treasury"
COHORT = "paid_before_not_now"


class Opening(msgspec.Struct, frozen=True):
    """One row of the file: a channel (or all) for some payers, from one day to another; see the README beside it."""

    admdvs: str
    channel: str
    payer_kinds: tuple[str, ...]
    cohort: str
    valid_from: date = msgspec.field(name="from")
    opens: bool
    rule: str
    says: str
    source: str
    note: str = ""
    valid_to: date | None = msgspec.field(name="to", default=None)
    year: int | None = None
    open_from: date | None = None

    def counts(self, admdvs: str, payer_kind: str, on: date) -> bool:
        """Say whether the row is about such a payer on a day."""
        return (
            self.admdvs == admdvs and payer_kind in self.payer_kinds and self.valid_from <= on
            and (self.valid_to is None or on <= self.valid_to)
        )


class _File(msgspec.Struct, frozen=True):
    channels: dict[str, str]
    opening: tuple[Opening, ...]


@cache
def _file() -> _File:
    file = resources.files("yibao") / "data" / "contributions" / "openings.toml"
    return msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), _File)


def channel_names() -> dict[str, str]:
    """Return every channel with its Chinese name."""
    return dict(_file().channels)


def closed_by(admdvs: str, *, channel: str, payer_kind: str, on: date) -> Opening | None:
    """Return the row by which a channel is closed to such a payer on a day, None where it is open."""
    row = next(
        (o for o in _file().opening if not o.cohort and o.channel in (channel, ANY) and o.counts(admdvs, payer_kind, on)), None
    )
    return row if row is not None and not row.opens else None


def cohort_opening(admdvs: str, *, payer_kind: str, year: int, on: date) -> Opening | None:
    """Return the row by which those who paid the year before, but not this one, may pay from a day only."""
    return next(
        (o for o in _file().opening if o.cohort == COHORT and o.year == year and o.counts(admdvs, payer_kind, on)), None
    )


def open_channels(admdvs: str, payer_kind: str, on: date) -> list[str]:
    """Return the channels that are open to such a payer on a day, in the order of the file."""
    if payer_kind == "state":
        return [TREASURY]
    return [
        code for code in _file().channels
        if code != TREASURY and closed_by(admdvs, channel=code, payer_kind=payer_kind, on=on) is None
    ]
