"""What a grouper is asked about: one finished stay, as its settlement list tells it."""

from __future__ import annotations

import msgspec


class GroupingCase(msgspec.Struct, frozen=True, gc=False):
    """One finished stay, complete in itself. Values stand as the list gave them; the grouper judges them.

    Attributes:
        case: the caller's own number of the case: a settlement, a record number.
        gend: sex of the wire: ``1`` male, ``2`` female; anything else is unknown.
        age: full years on the day of admission; ``None`` if not given.
        age_days: age in days, counted for infants (under one year); ``None`` if not given.
        birth_weight_g: weight at birth in whole grams; ``None`` if not given.
        los_days: days of the stay; ``None`` if not given.
        dscg_way: way of discharge of the wire (``5`` death); ``""`` if not given.
        dx_codes: diagnosis codes, the main one first; empty codes are left out by the caller.
        op_codes: procedure codes, the main one first; likewise.
    """

    case: str
    gend: str = ""
    age: int | None = None
    age_days: int | None = None
    birth_weight_g: int | None = None
    los_days: int | None = None
    dscg_way: str = ""
    dx_codes: tuple[str, ...] = ()
    op_codes: tuple[str, ...] = ()
