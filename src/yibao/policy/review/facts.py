"""What is judged: a person, a visit, its charges, and what was charged before."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.kernel.business_time import business_date


class Patient(msgspec.Struct, frozen=True):
    """The person; ``sex`` as the interface has it: 1 man, 2 woman, anything else unknown."""

    sex: str
    birth_on: date


class Visit(msgspec.Struct, frozen=True):
    """The visit whose charges are judged.

    Attributes:
        kinds: what it counts as: ``inpatient``, ``emergency``, ``maternity``, ``pharmacy``, ``work_injury``; an
            ordinary outpatient visit is none of them.
        level: level of the institution, 1, 2 or 3; ``""`` where it has none (a pharmacy).
    """

    mdtrt_id: str
    fixmedins_code: str
    kinds: frozenset[str]
    level: str


class Charge(msgspec.Struct, frozen=True):
    """One charged or ordered item.

    Attributes:
        charge_id: what the institution calls it: order id, or serial of the fee line.
        amount_fen: money in fen; negative with ``quantity_e4`` (ten-thousandths) for a return.
        price_micro: unit price in millionths of a yuan; ``limit_micro`` what a unit may cost, None if unknown.
        rx: prescription it stands on, ``""`` if unknown.
        frequency: code of the ordered frequency, ``""`` if unknown.
        days: days that it lasts, 1 if unknown.
    """

    charge_id: str
    mdtrt_id: str
    fixmedins_code: str
    item_code: str
    item_name: str
    list_type: str
    at: datetime
    quantity_e4: int
    amount_fen: int
    price_micro: int
    limit_micro: int | None = None
    rx: str = ""
    frequency: str = ""
    days: int = 1

    @property
    def day(self) -> date:
        """Return the calendar day in China."""
        return business_date(self.at)


class Question(msgspec.Struct, frozen=True):
    """Everything a review rests on.

    Attributes:
        bill: the charges that are judged.
        history: other charges of the person, which only count: earlier ones of the visit, and settled ones.
        incision_share: what a further operation through one incision may charge, ten-thousandths; None if the
            region says nothing.
    """

    patient: Patient
    visit: Visit
    bill: tuple[Charge, ...]
    history: tuple[Charge, ...] = ()
    incision_share: int | None = None


class Broken(msgspec.Struct, frozen=True):
    """A charge of the bill that breaks a rule: by how much.

    Attributes:
        quantity_e4: quantity that should not have been charged.
        amount_fen: its money; None where the rule does not say how much.
    """

    charge: Charge
    quantity_e4: int
    amount_fen: int | None


class Hit(msgspec.Struct, frozen=True):
    """One rule that the bill breaks.

    Attributes:
        rule_id: kind's code and what the rule is about, e.g. ``R06-002202020010000``.
        reason: Chinese sentence: what was charged and why that breaks the rule.
        basis: the table's row and its source.
        broken: charges of the bill; never empty.
        involved: other charges without which the rule would not have been broken.
    """

    rule_id: str
    kind: str
    title: str
    severity: str
    behaviour: str
    reason: str
    basis: str
    broken: tuple[Broken, ...]
    involved: tuple[Charge, ...] = ()

    @property
    def amount_fen(self) -> int | None:
        """Return the money charged against the rule; None where it is not known for some charge."""
        amounts = [b.amount_fen for b in self.broken]
        return None if None in amounts else sum(a for a in amounts if a is not None)
