"""Stock of an institution: what it uploads (3501-3506), what is there now, and traceability codes. Frozen records."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

Kind = Literal["count", "change", "purchase", "supplier_return", "sale", "sale_return"]
SIGNS: dict[str, int] = {"purchase": 1, "supplier_return": -1, "sale": -1, "sale_return": 1}
"""What a record of a kind does to the stock; a change says it itself, a count sets it."""

Shelf = tuple[str, str]
"""Own code and batch serial: what stock is kept by."""


class Movement(msgspec.Struct, frozen=True):
    """One record as uploaded. Quantities in ten-thousandths of the smallest priced unit, prices in millionths of a yuan.

    Attributes:
        on_field: what the day is called where it came from, for messages.
        direction: of a change: 1 in, -1 out; 0 otherwise.
        twin: kind of upload that tells of the same goods as this change, ``""`` if none.
        is_split: pieces of a pack, so that its traceability code may be sold again.
        origin_id: the platform's number of the sale or purchase that a return names, ``""`` if it names none.
        detail: what decides nothing and is given back.
    """

    kind: Kind
    bchno: str
    own_code: str
    item_code: str
    name: str
    quantity_e4: int
    occurred_at: datetime
    on: date
    on_field: str = ""
    direction: int = 0
    twin: str = ""
    change_type: str = ""
    price_micro: int | None = None
    rx_flag: str = ""
    is_split: bool = False
    lot: str = ""
    made_on: date | None = None
    expires_on: date | None = None
    origin_id: str = ""
    setl_id: str = ""
    psn_no: str = ""
    cert_digest: bytes | None = None
    trace_codes: tuple[str, ...] = ()
    detail: dict[str, str] = {}

    @property
    def shelf(self) -> Shelf:
        """Return what its stock is kept by."""
        return self.own_code, self.bchno


class Stock(msgspec.Struct, frozen=True):
    """What is there of an own item in one batch; negative where more went out than came in.

    Attributes:
        counted_on: day of the last count, None if never counted.
        moved_on: day of the last count or movement.
    """

    own_code: str
    bchno: str
    stock_id: str
    item_code: str
    name: str
    quantity_e4: int
    counted_on: date | None
    moved_on: date
    rx_flag: str
    is_split: bool
    lot: str
    made_on: date | None
    expires_on: date | None
    memo: str
    updated_at: datetime


class Totals(msgspec.Struct, frozen=True):
    """What was uploaded of a shelf so far, by kind, in ten-thousandths; deleted records do not count."""

    purchased: int = 0
    supplier_returned: int = 0
    sold: int = 0
    sale_returned: int = 0
    was_counted: bool = False
    moved_in_by_type: frozenset[str] = frozenset()


class Origin(msgspec.Struct, frozen=True):
    """The sale or purchase that a return names, and how much of it came back already."""

    kind: str
    own_code: str
    bchno: str
    quantity_e4: int
    returned_e4: int
    state: str


class TraceCode(msgspec.Struct, frozen=True):
    """A traceability code as it is known: who told of it last, as which item, and how often it was sold.

    Attributes:
        whole_sold: packs sold under it, less those returned.
        split_sold: times pieces of its pack were sold.
    """

    trace_code: str
    fixmedins_code: str
    item_code: str
    own_code: str
    bchno: str
    is_virtual: bool
    whole_sold: int
    split_sold: int
    seller: str
    sold_at: datetime | None


class Settled(msgspec.Struct, frozen=True):
    """The settlement a sale names: whose, and whether it still stands."""

    fixmedins_code: str
    mdtrt_id: str
    state: str


class Alert(msgspec.Struct, frozen=True):
    """A traceability code that should not have been sold as it was."""

    trace_code: str
    reason: str
    earlier_seller: str
    earlier_at: datetime | None


class Entry(msgspec.Struct, frozen=True):
    """A record as it is written: what it adds to the stock, and what it does to its traceability codes."""

    movement: Movement
    record_id: str
    delta_e4: int
    mdtrt_id: str
    events: tuple[tuple[str, int], ...]
    alerts: tuple[Alert, ...]
