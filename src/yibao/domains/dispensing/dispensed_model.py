"""What was dispensed on prescriptions; fields stand in the order of their tables."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Kind = Literal["settled", "issued", "cash"]
"""What a quantity is: of an insured bill, of a bill's details, or paid in cash."""


class Dispensed(msgspec.Struct, frozen=True):
    """A fee line of an insured bill that was dispensed on a prescription; quantity in ten-thousandths."""

    psn_no: str
    mdtrt_id: str
    feedetl_sn: str
    admdvs: str
    hi_rxno: str
    item_code: str
    fixmedins_code: str
    quantity_e4: int
    at: datetime
    state: str = "taken"


class HandedOut(msgspec.Struct, frozen=True):
    """Details of a drug that left a pharmacy on a prescription, paid by insurance or in cash."""

    psn_no: str
    stoout_sn: str
    admdvs: str
    hi_rxno: str
    item_code: str
    fixmedins_code: str
    quantity_e4: int
    is_insured: bool
    at: datetime
    state: str
    document: str


class Wanted(msgspec.Struct, frozen=True):
    """A drug that is to be dispensed on a prescription.

    Attributes:
        path: where it stands in the message, for a refusal.
        number_path: where the prescription's number stands, ``""`` for ``rxno`` behind ``path``.
    """

    hi_rxno: str
    item_code: str
    quantity_e4: int
    path: str
    number_path: str = ""
    item_field: str = "med_list_codg"
    quantity_field: str = "cnt"


class Prescribed(msgspec.Struct, frozen=True):
    """A prescribed drug as a sale is judged by it (``dispensing.prescribed``).

    Attributes:
        review: ``passed`` or ``failed`` by this pharmacy, ``""`` before its review.
        use_e4, allowed_e4, dispensed_e4: quantity of one use, over all uses, and dispensed by anybody so far.
        settled_e4, issued_e4, cash_e4: what this pharmacy took: in insured bills, as told in its details, and in cash.
        last_at: when anything was dispensed on the prescription last.
        diagnoses: codes of the prescription's diagnoses.
    """

    hi_rxno: str
    psn_no: str
    admdvs: str
    fixmedins_code: str
    state: str
    attribute: str
    prescribed_at: datetime
    valid_until: datetime
    interval_days: int
    review: str
    item_code: str
    use_e4: int
    allowed_e4: int
    dispensed_e4: int
    is_approved: bool
    settled_e4: int
    issued_e4: int
    cash_e4: int
    last_at: datetime | None
    diagnoses: list[str]

    def taken_here(self) -> int:
        """Return what this pharmacy took; of the same boxes it tells in its bill and its details, in either order."""
        return self.cash_e4 + max(self.settled_e4, self.issued_e4)

    def room(self, kind: Kind) -> int:
        """Return how much more of a kind this pharmacy may take.

        Boxes in the details that stand in no bill yet leave room for that bill, and the other way round.
        """
        left_here = self.allowed_e4 - (self.dispensed_e4 - self.taken_here())
        told = {"settled": self.settled_e4, "issued": self.issued_e4}.get(kind, max(self.settled_e4, self.issued_e4))
        return left_here - self.cash_e4 - told
