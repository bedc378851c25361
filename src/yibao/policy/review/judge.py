"""Holds a bill against all rules about its items; pure: the facts come in as arguments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from yibao.policy.review.counts import judge_course, judge_frequency, judge_orders
from yibao.policy.review.desk import Desk
from yibao.policy.review.facts import Charge, Hit, Question
from yibao.policy.review.pairs import judge_incision, judge_pair, judge_pieces
from yibao.policy.review.person import judge_age, judge_level, judge_sex, judge_visit
from yibao.policy.review.rules import (
    AgeRule,
    CourseRule,
    FrequencyRule,
    IncisionRule,
    LevelRule,
    PairRule,
    PieceRule,
    Rule,
    RuleBook,
    SexRule,
    VisitRule,
)

_JUDGES: dict[type[Rule], Callable[[Any, Desk, Sequence[Charge]], Hit | None]] = {
    SexRule: judge_sex, AgeRule: judge_age, VisitRule: judge_visit, LevelRule: judge_level,
    FrequencyRule: judge_frequency, CourseRule: judge_course,
}


def review(question: Question, book: RuleBook, *, only: Collection[str] = ()) -> tuple[Hit, ...]:
    """Return every rule that the bill breaks, the gravest first.

    Args:
        only: rule ids or codes of kinds to look at; empty for all rules.
    """
    desk = Desk(question, book)
    hits = [h for h in _hits(desk) if not only or h.rule_id in only or book.kinds[h.kind].code in only]
    return tuple(sorted(hits, key=lambda h: (h.severity, h.rule_id)))


def _hits(desk: Desk) -> Iterator[Hit]:
    incisions: dict[str, list[tuple[IncisionRule, Charge]]] = {}
    pieces: list[tuple[PieceRule, Charge]] = []
    for charges in desk.bill_by_item.values():
        for rule in desk.rules_for(charges[0]):
            judge = _JUDGES.get(type(rule))
            if judge is not None:
                yield from _if_any(judge(rule, desk, charges))
            elif isinstance(rule, IncisionRule):
                incisions.setdefault(rule.group, []).extend((rule, c) for c in charges)
            elif isinstance(rule, PieceRule):
                pieces += [(rule, c) for c in charges]
        yield from _if_any(judge_orders(desk, charges))
    for pair in _pairs(desk):
        yield from _if_any(judge_pair(pair, desk))
    for group in incisions.values():
        yield from _if_any(judge_incision(group, desk))
    yield from judge_pieces(pieces, desk)


def _pairs(desk: Desk) -> Iterator[PairRule]:
    """Yield each pair rule once whose two items are both there, at least one of them on the bill."""
    seen: set[str] = set()
    present = desk.all_by_item
    for code in desk.bill_by_item:
        of_item = (r for r in desk.book.by_item.get(code, ()) if isinstance(r, PairRule) and r.other in present)
        included = (r for r in desk.book.included.get(code, ()) if r.item in present)
        for rule in (*of_item, *included):
            if rule.rule_id not in seen:
                seen.add(rule.rule_id)
                yield rule


def _if_any(found: Hit | None) -> Iterator[Hit]:
    if found is not None:
        yield found
