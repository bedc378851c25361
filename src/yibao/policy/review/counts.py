"""Rules that count: times a day, times in a period, paid days, and what was ordered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from yibao.policy.review.desk import Desk, hit, over, units, whole
from yibao.policy.review.facts import Broken, Charge, Hit
from yibao.policy.review.rules import CourseRule, FrequencyRule, OrderFrequency, Rule

_UNIT_E4 = 10_000


def judge_frequency(rule: FrequencyRule, desk: Desk, charges: Sequence[Charge]) -> Hit | None:
    """Hit where more is charged than the times allowed in any window of the rule's days.

    Charges are taken in order of time, those of the history first: what they leave of the allowance is the bill's.
    Two charges count together when fewer than ``days`` days lie between them (one day: on the same day).
    """
    counted = desk.counted(charges[0].item_code, rule.kind)
    broken, involved = _too_often(desk, counted, allowed_e4=rule.times * _UNIT_E4, days=rule.days)
    if not broken:
        return None
    total = units(sum(b.quantity_e4 for b in broken))
    period = "每日" if rule.days == 1 else f"{rule.days}天内"
    reason = f"{rule.item_name}{period}最多收费{rule.times}个计价单位，超出{total}个"
    return hit(rule, reason, broken, involved=involved)


def _too_often(
    desk: Desk, counted: Sequence[Charge], *, allowed_e4: int, days: int
) -> tuple[list[Broken], list[Charge]]:
    """Return what exceeds the allowance, and the other charges that used it up."""
    taken: list[tuple[Charge, int]] = [(c, c.quantity_e4) for c in counted if not desk.is_billed(c)]
    broken: list[Broken] = []
    involved: dict[int, Charge] = {}
    for charge in counted:
        if not desk.is_billed(charge):
            continue
        near = [(c, q) for c, q in taken if abs((c.day - charge.day).days) < days]
        left = max(0, allowed_e4 - sum(q for _, q in near))
        fits = min(left, charge.quantity_e4)
        if fits < charge.quantity_e4:
            broken.append(over(charge, charge.quantity_e4 - fits))
            involved.update((id(c), c) for c, _ in near)
        taken.append((charge, fits))
    wrong = {id(b.charge) for b in broken}
    return broken, [c for key, c in involved.items() if key not in wrong]


def judge_course(rule: CourseRule, desk: Desk, charges: Sequence[Charge]) -> Hit | None:
    """Hit for the days after the last one that is paid."""
    course = rule.course
    counted = desk.counted(charges[0].item_code, rule.kind)
    if course.within == "stay":
        here = desk.question.visit.mdtrt_id
        counted = tuple(c for c in counted if c.mdtrt_id == here)
    last_paid: date | None = None
    paid: set[date] = set()
    begin: date | None = None
    broken: list[Broken] = []
    for charge in counted:
        covered = [charge.day + timedelta(days=n) for n in range(max(1, charge.days))]
        if begin is None or (
            course.within != "stay" and last_paid is not None and (charge.day - last_paid).days > course.gap_days
        ):
            begin, paid = charge.day, set()
        if course.measure == "span":
            outside = [d for d in covered if (d - begin).days >= course.days]
        else:
            room = course.days - len(paid)
            outside = [d for d in covered if d not in paid][max(0, room):]
        paid.update(d for d in covered if d not in outside)
        last_paid = max(last_paid or covered[-1], covered[-1])
        if outside and desk.is_billed(charge):
            all_outside = len(outside) == len(covered)
            broken.append(
                whole(charge) if all_outside else over(charge, charge.quantity_e4 * len(outside) // len(covered))
            )
    if not broken:
        return None
    measured = "自首日起" if course.measure == "span" else "支付"
    within = "单次住院" if course.within == "stay" else "一个疗程"
    reason = f"{rule.item_name}{within}{measured}不超过{course.days}天，{broken[0].charge.day}起超出"
    wrong = {id(b.charge) for b in broken}
    return hit(rule, reason, broken, involved=[c for c in counted if id(c) not in wrong][-5:])


def judge_orders(desk: Desk, charges: Sequence[Charge]) -> Hit | None:
    """Hit where a service is charged more often than it was ordered; orders as needed set no limit."""
    kind = desk.book.kinds["ordered_frequency"]
    ordered: dict[OrderFrequency, list[Charge]] = {}
    for charge in charges:
        frequency = desk.book.frequencies.get(charge.frequency.lower()) if charge.frequency else None
        if frequency is not None and frequency.bounded and charge.list_type in desk.book.items["service"]:
            ordered.setdefault(frequency, []).append(charge)
    for frequency, of_item in ordered.items():
        broken, involved = _too_often(
            desk, of_item, allowed_e4=frequency.times * _UNIT_E4, days=frequency.period_days
        )
        if broken:
            first = of_item[0]
            rule = Rule(
                f"{kind.code}-{first.item_code}", kind, first.item_code, first.item_name, frequency.name, "医嘱频次表"
            )
            total = units(sum(b.quantity_e4 for b in broken))
            reason = f"{first.item_name}医嘱频次为{frequency.name}，多收{total}次"
            return hit(rule, reason, broken, involved=involved)
    return None
