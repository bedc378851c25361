"""The charges laid out for the judges: returns taken off, sorted by time, found by item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property

import msgspec

from yibao.kernel.money import div_half_up
from yibao.policy.review.facts import Broken, Charge, Hit, Question
from yibao.policy.review.rules import Kind, Rule, RuleBook


class Desk:
    """One question with what the judges look up again and again."""

    def __init__(self, question: Question, book: RuleBook) -> None:
        self.question = question
        self.book = book
        self.bill = tuple(c for c in net(question.bill) if c.day >= book.valid_from)
        self._bill_ids = {id(c) for c in self.bill}
        self._drugs, self._pieces = book.items["drug"], book.items["piece"]

    @cached_property
    def bill_by_item(self) -> Mapping[str, tuple[Charge, ...]]:
        """Return the bill's charges by item code."""
        return _by_item(self.bill)

    @cached_property
    def all_by_item(self) -> Mapping[str, tuple[Charge, ...]]:
        """Return charges of bill and history by item code, each in the order of time, history first at one time."""
        return _by_item((*net(self.question.history), *self.bill))

    def is_billed(self, charge: Charge) -> bool:
        """Say whether a charge of this desk stands on the bill rather than in the history."""
        return id(charge) in self._bill_ids

    def rules_for(self, charge: Charge) -> tuple[Rule, ...]:
        """Return the rules about a charge's item: by code, for drugs and pieces by name too."""
        found = self.book.by_item.get(charge.item_code, ())
        if charge.list_type in self._drugs or charge.list_type in self._pieces:
            found += tuple(
                r for r in self.book.by_item.get(charge.item_name, ())
                if (r.kind.name == "piece_alone") == (charge.list_type in self._pieces)
            )
        return found

    def counted(self, code: str, kind: Kind) -> tuple[Charge, ...]:
        """Return every charge of an item that counts for a kind of rule."""
        found = self.all_by_item.get(code, ())
        if kind.reach == "person":
            return found
        here = self.question.visit.fixmedins_code
        return tuple(c for c in found if c.fixmedins_code == here)


def net(charges: Iterable[Charge]) -> tuple[Charge, ...]:
    """Take returns off the latest charges of the same item and price; what is wholly returned is left out."""
    kept: list[Charge] = []
    returns: list[Charge] = []
    for charge in sorted(charges, key=lambda c: c.at):
        if charge.quantity_e4 > 0:
            kept.append(charge)
        elif charge.quantity_e4 < 0:
            returns.append(charge)
    for back in returns:
        left = -back.quantity_e4
        for place in range(len(kept) - 1, -1, -1):
            one = kept[place]
            same = one.item_code == back.item_code and one.price_micro == back.price_micro
            if not left:
                break
            if same and one.quantity_e4 and one.mdtrt_id == back.mdtrt_id:
                taken = min(left, one.quantity_e4)
                left -= taken
                kept[place] = msgspec.structs.replace(
                    one, quantity_e4=one.quantity_e4 - taken, amount_fen=one.amount_fen - part_of(one, taken)
                )
    return tuple(c for c in kept if c.quantity_e4)


def part_of(charge: Charge, quantity_e4: int) -> int:
    """Return the money of a part of a charge's quantity, in fen, half up."""
    return div_half_up(charge.amount_fen * quantity_e4, charge.quantity_e4)


def whole(charge: Charge) -> Broken:
    """Return a charge that breaks a rule entirely."""
    return Broken(charge, charge.quantity_e4, charge.amount_fen)


def over(charge: Charge, quantity_e4: int) -> Broken:
    """Return a charge of which only a part of the quantity is too much."""
    return Broken(charge, quantity_e4, part_of(charge, quantity_e4))


def hit(
    rule: Rule, reason: str, broken: Iterable[Broken], *, involved: Iterable[Charge] = (), rule_id: str = ""
) -> Hit:
    """Return the hit of a rule, with the table's row as its basis."""
    text = f"：{rule.text}" if rule.text else ""
    basis = f"{rule.item_name or rule.item}【{rule.word}】{text}（{rule.source}）"
    kind = rule.kind
    return Hit(
        rule_id=rule_id or rule.rule_id, kind=kind.name, title=kind.title, severity=kind.severity,
        behaviour=kind.behaviour, reason=reason, basis=basis, broken=tuple(broken), involved=tuple(involved),
    )


def units(quantity_e4: int) -> str:
    """Return a quantity as text without trailing zeros."""
    whole_units, rest = divmod(quantity_e4, 10_000)
    return str(whole_units) if not rest else f"{whole_units}.{rest:04d}".rstrip("0")


def _by_item(charges: Iterable[Charge]) -> dict[str, tuple[Charge, ...]]:
    found: dict[str, list[Charge]] = {}
    for charge in charges:
        found.setdefault(charge.item_code, []).append(charge)
    return {code: tuple(sorted(of_item, key=lambda c: c.at)) for code, of_item in found.items()}
