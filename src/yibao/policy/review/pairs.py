"""Rules about charges beside each other: included items, one incision, pieces alone."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta

from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.money import div_half_up, share
from yibao.policy.review.desk import Desk, hit, whole
from yibao.policy.review.facts import Broken, Charge, Hit
from yibao.policy.review.rules import IncisionRule, PairRule, PieceRule, Rule


def judge_pair(rule: PairRule, desk: Desk) -> Hit | None:
    """Hit where an item is charged beside the one that includes it, within the rule's window.

    The included charge is the one too many. Where it was settled before, the later including charge stands for
    it, with the lesser of both amounts.
    """
    broken: dict[int, Broken] = {}
    involved: dict[int, Charge] = {}
    for main in desk.counted(rule.item, rule.kind):
        for part in desk.counted(rule.other, rule.kind):
            if not (desk.is_billed(main) or desk.is_billed(part)) or not _together(rule, main, part):
                continue
            if desk.is_billed(part):
                broken[id(part)] = whole(part)
                involved[id(main)] = main
            else:
                lesser = min(main.amount_fen, part.amount_fen)
                broken.setdefault(id(main), Broken(main, main.quantity_e4, lesser))
                involved[id(part)] = part
    if not broken:
        return None
    contains = f"（{rule.text}）" if rule.text else ""
    reason = f"{rule.item_name}{contains}已包括{rule.other_name}，{rule.word}内不得再收{rule.other_name}"
    return hit(rule, reason, broken.values(), involved=[c for key, c in involved.items() if key not in broken])


def _together(rule: PairRule, main: Charge, part: Charge) -> bool:
    if rule.window == "visit":
        return main.mdtrt_id == part.mdtrt_id
    if rule.window == "day":
        return main.day == part.day
    if rule.window == "hours":
        return abs(main.at - part.at) < timedelta(hours=rule.hours)
    return main.at.astimezone(SHANGHAI).replace(minute=0, second=0, microsecond=0) == part.at.astimezone(
        SHANGHAI
    ).replace(minute=0, second=0, microsecond=0)


def judge_incision(rules: Sequence[tuple[IncisionRule, Charge]], desk: Desk) -> Hit | None:
    """Hit where several operations of one group are charged on one day, all of them at the full price.

    The dearest counts in full; each further one may charge a share of its price that the region sets. One whose
    price is already within that share of its limit is not touched.
    """
    by_day: dict[object, list[tuple[IncisionRule, Charge]]] = {}
    for rule, charge in rules:
        by_day.setdefault((charge.day, charge.mdtrt_id), []).append((rule, charge))
    broken: list[Broken] = []
    first: list[Charge] = []
    named: IncisionRule | None = None
    allowed = desk.question.incision_share
    for operations in by_day.values():
        ranked = sorted(operations, key=lambda pair: -pair[1].price_micro)
        if len({charge.item_code for _, charge in ranked}) < 2:
            continue
        further = [(r, c) for r, c in ranked[1:] if not _is_reduced(c, allowed)]
        if further:
            named = named or further[0][0]
            first.append(ranked[0][1])
            broken += [_at_full_price(c, allowed) for _, c in further]
    if named is None:
        return None
    names = "、".join(sorted({b.charge.item_name for b in broken}))
    rest = "" if allowed is None else f"，超过规定的{allowed / 100:g}%"
    reason = f"{named.group}同日多项手术经同一切口，{names}按全价收费{rest}"
    return hit(named, reason, broken, involved=first)


def _is_reduced(charge: Charge, allowed: int | None) -> bool:
    if allowed is None or charge.limit_micro is None:
        return False
    return charge.price_micro <= div_half_up(charge.limit_micro * allowed, 10_000)


def _at_full_price(charge: Charge, allowed: int | None) -> Broken:
    amount = None if allowed is None else charge.amount_fen - share(charge.amount_fen, allowed)
    return Broken(charge, charge.quantity_e4, amount)


def judge_pieces(rules: Iterable[tuple[PieceRule, Charge]], desk: Desk) -> list[Hit]:
    """Hit for each prescription (a day, where none is named) whose pieces are all of those not paid alone."""
    marked = {id(charge): rule for rule, charge in rules}
    if not marked:
        return []
    by_rx: dict[tuple[str, object], list[Charge]] = {}
    for charge in desk.bill:
        if charge.list_type in desk.book.items["piece"]:
            by_rx.setdefault((charge.mdtrt_id, charge.rx or charge.day), []).append(charge)
    hits = []
    for pieces in by_rx.values():
        if any(id(piece) not in marked for piece in pieces):
            continue
        names = "、".join(sorted({piece.item_name for piece in pieces}))
        reason = f"{names}单独使用或全部由此类饮片组成的处方不予支付"
        rule: Rule = marked[id(pieces[0])]
        hits.append(hit(rule, reason, map(whole, pieces)))
    return hits
