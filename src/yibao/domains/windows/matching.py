"""Which rules of a plan cover what was asked, the most specific first. Pure.

Every request asks, so a plan is laid out once by business and channel: what is left to compare is the few rules of one cell.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from yibao.domains.windows.model import Asked, Plan, Rule, Selector

SEVERAL = (
    "business", "transaction", "channel", "insutype", "psn_type", "institution", "visit_class", "position", "cause",
    "county", "payer",
)
"""Fields of a selector that name several allowed values of a fact of the same name."""
BY_BUSINESS, BY_CHANNEL, ANY_SIDE = "business", "channel", ""
_PROVINCE, _CITY = 2, 4
_PLANS_KEPT = 32
_CELL = ("business", "channel")


class _Laid(msgspec.Struct, frozen=True):
    """A rule with the facts it names beside business and channel, in the order they are compared."""

    rule: Rule
    named: tuple[tuple[str, frozenset[str]], ...]
    is_plain: bool


class _Layout:
    """The rules of one plan by side, business and channel; cells are laid out when first asked for."""

    __slots__ = ("cells", "channels", "plan", "ranked")

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        order = sorted(enumerate(plan.rules), key=lambda r: (specificity(r[1]), r[0]), reverse=True)
        self.ranked = tuple(rule for _, rule in order)
        self.channels = frozenset(c for r in plan.rules for c in r.when.channel)
        self.cells: dict[tuple[str, str, str], tuple[_Laid, ...]] = {}

    def cell(self, side: str, business: str, channel: str) -> tuple[_Laid, ...]:
        """Return the rules that may cover a business by a channel."""
        key = side, business, channel if channel in self.channels else ""
        found = self.cells.get(key)
        if found is None:
            found = self.cells[key] = tuple(
                _laid(r) for r in self.ranked
                if (not side or side in sides(r)) and (not r.when.business or business in r.when.business)
                and (not r.when.channel or channel in r.when.channel)
            )
        return found


_layouts: dict[int, _Layout] = {}
"""Layouts by identity of the plan, which each of them keeps alive; the oldest makes room."""


def fitting(plan: Plan, asked: Asked, side: str = ANY_SIDE) -> list[Rule]:
    """Return the rules that cover what was asked, the most specific first, of equals the one further down the plan."""
    return [
        laid.rule for laid in _layout(plan).cell(side, asked.business, asked.channel)
        if all(getattr(asked, fact) in allowed for fact, allowed in laid.named)
        and (laid.is_plain or _fits_rest(laid.rule.when, asked))
    ]


def fits(selector: Selector, asked: Asked) -> bool:
    """Say whether a selector covers what was asked; a fact that is not known is covered only where none is asked for."""
    return all(
        not (allowed := getattr(selector, fact)) or getattr(asked, fact) in allowed for fact in SEVERAL
    ) and _fits_rest(selector, asked)


def place_of(asked: Asked) -> str:
    """Return where somebody is treated as seen from where he is insured; not known is local."""
    care, home = asked.care_admdvs or asked.admdvs, asked.admdvs
    if care[:_CITY] == home[:_CITY]:
        return "local"
    return "province" if care[:_PROVINCE] == home[:_PROVINCE] else "cross"


def specificity(rule: Rule) -> tuple[int, float]:
    """Return how specific a rule is: how many facts it names, then whether it began later."""
    when = rule.when
    named = sum(bool(getattr(when, fact)) for fact in (*SEVERAL, "place")) + (when.urgent is not None)
    named += when.amount_from_fen is not None or when.amount_to_fen is not None
    return named, rule.begin.timestamp() if rule.begin else 0.0


def sides(rule: Rule) -> frozenset[str]:
    """Return against which tracks a rule counts: that of the business unless it names channels only, that of a channel it
    names."""
    named = rule.when.business or rule.when.transaction or not rule.when.channel
    return frozenset({*((BY_BUSINESS,) if named else ()), *((BY_CHANNEL,) if rule.when.channel else ())})


def may_fit(rules: Sequence[Rule], asked: Asked) -> list[Rule]:
    """Return the rules that may cover what was asked once more is known of it: facts not known do not exclude them."""
    known = [fact for fact in SEVERAL if getattr(asked, fact) or fact == "cause"]
    return [
        r for r in rules
        if all(not (allowed := getattr(r.when, fact)) or getattr(asked, fact) in allowed for fact in known)
        and (not r.when.place or place_of(asked) in r.when.place)
    ]


def _layout(plan: Plan) -> _Layout:
    found = _layouts.get(id(plan))
    if found is None or found.plan is not plan:
        while len(_layouts) >= _PLANS_KEPT:
            _layouts.pop(next(iter(_layouts)), None)
        found = _layouts[id(plan)] = _Layout(plan)
    return found


def _laid(rule: Rule) -> _Laid:
    when = rule.when
    named = tuple((f, frozenset(v)) for f in SEVERAL if f not in _CELL and (v := getattr(when, f)))
    is_plain = not when.place and when.urgent is None and when.amount_from_fen is None and when.amount_to_fen is None
    return _Laid(rule, named, is_plain)


def _fits_rest(selector: Selector, asked: Asked) -> bool:
    if selector.place and place_of(asked) not in selector.place:
        return False
    if selector.urgent is not None and selector.urgent != asked.urgent:
        return False
    if selector.amount_from_fen is None and selector.amount_to_fen is None:
        return True
    amount = asked.amount_fen
    return amount is not None and (selector.amount_from_fen or 0) <= amount and (
        selector.amount_to_fen is None or amount < selector.amount_to_fen
    )
