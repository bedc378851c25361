"""Frozen records of the catalogue."""

from __future__ import annotations

from datetime import date

import msgspec


class ItemTerm(msgspec.Struct, frozen=True, gc=False):
    """An item as a region reimburses it on one day of service, at an institution of one level.

    Attributes:
        code: national item code (``med_list_codg``).
        list_type: ``101`` drug, ``102`` piece, ``201`` service, ``301`` consumable.
        charge_type: class of charge (``med_chrgitm_type``).
        class_level: ``01`` class A, ``02`` class B, ``03`` not covered.
        restricted: whether use is restricted; ``restriction`` is the sentence of the catalogue.
        first_pay: prior self-pay in ten-thousandths; None leaves it to the region's default.
        limit_micro: price ceiling of the unit in millionths of a yuan; None is no ceiling.
        negotiated: whether the price was negotiated with the maker.
        origin: ``national``, or ``demo`` where the code is invented.
        version: version of the catalogue the item came with.
        source: where class and restriction come from.
        assumed: class or restriction is invented or carried over to a day it was not published for.
        limit_source: where the ceiling comes from, ``""`` if there is none.
        limit_assumed: the ceiling is invented or carried over.
    """

    code: str
    name: str
    list_type: str
    charge_type: str
    unit: str
    spec: str
    class_code: str
    negotiated: bool
    origin: str
    version: str
    class_level: str
    restricted: bool
    restriction: str
    first_pay: int | None
    source: str
    assumed: bool
    limit_micro: int | None
    limit_source: str
    limit_assumed: bool
    term_from: date
    term_to: date | None


class CatalogueItem(msgspec.Struct, frozen=True):
    """An item as the latest edition of the national list has it; ``valid_to`` is the first day it is no longer in it."""

    code: str
    list_type: str
    name: str
    valid_from: date
    valid_to: date | None
    unit: str = ""
    spec: str = ""
    dosage_form: str = ""
    maker: str = ""
    approval_no: str = ""


class Successor(msgspec.Struct, frozen=True):
    """What took the place of a retired code, from ``valid_from`` on."""

    code: str
    name: str
    valid_from: date


class BadCell(msgspec.Struct, frozen=True):
    """Why a value of a catalogue file cannot be taken, and what to do about it (Chinese)."""

    reason: str
    remedy: str


class BadRow(msgspec.Struct, frozen=True):
    """One fault of a catalogue file.

    Attributes:
        line: line of the file, the header is line 1.
        column: name of the column, ``""`` where the whole line is meant.
        received: what stands there, shortened.
        reason, remedy: what is wrong and what to do, in Chinese.
    """

    line: int
    column: str
    received: str
    reason: str
    remedy: str

    def sentence(self) -> str:
        """Return the fault as one Chinese sentence."""
        where = f"第{self.line}行" + (f" {self.column}" if self.column else "")
        received = f"（收到：{self.received}）" if self.received else ""
        return f"{where}：{self.reason}{received}，{self.remedy}"
