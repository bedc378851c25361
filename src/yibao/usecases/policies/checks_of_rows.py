"""Checks of rows against each other: never reached, cases left out, ratios that fall, ceilings beyond reach."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from yibao.kernel.money import WHOLE, yuan_text
from yibao.policy.law.arranging import NEEDED
from yibao.policy.law.keys import KINDS
from yibao.policy.law.values import Band, ratio_text
from yibao.usecases.policies.lawbook import Entry, Lawbook, uncovered
from yibao.usecases.policies.remarks import Remark, about

_TIMES_A_YEAR = {"": 1, "year": 1, "quarter": 4, "month": 12}
_LEVELS = ("1", "2", "3")
_PHARMACY = frozenset("2")
"""Pharmacies have no level."""


def check_rows_together(book: Lawbook) -> Iterator[Remark]:
    """Yield what is odd about rows that stand beside each other."""
    yield from _unreachable(book)
    yield from _left_out(book)
    yield from _falling(book)
    yield from _beyond_reach(book)
    yield from _held_by_another(book)
    yield from _layers_beyond_reach(book)


def _unreachable(book: Lawbook) -> Iterator[Remark]:
    """Rows whose every case is taken by rows before them."""
    for rows in book.choices():
        for number, row in enumerate(rows):
            before = [r for r in rows[:number] if book.within(row, r)]
            if before and not uncovered(row.start, row.end, before):
                first = before[0]
                yield about(
                    book, row, kind="unreachable", field="when",
                    message=f"永远用不到：{first.row.used.rule}（{first.file} 第 {first.line} 行）的条件更宽、写在前面，已先适用",
                    proposal="把本行移到那一行之前，或写 priority = 1，或在那一行的 when 中排除本行的情形",
                )  # fmt: skip


def _left_out(book: Lawbook) -> Iterator[Remark]:
    """Levels and person classes for which a benefit has no row, although it names others."""
    for benefit in book.of("benefit"):
        for key in NEEDED:
            rows = [r for r in book.of(key) if _serves(book, r, benefit)]
            now = [r for r in rows if r.row.valid_to is None and r.codes("institution_kind") != _PHARMACY]
            for dimension, codes in (("level", _LEVELS), ("person", _persons(book, benefit))):
                if not now or any(r.codes(dimension) is None for r in now):
                    continue
                missing = [c for c in codes if not any(r.allows(dimension, c) for r in now)]
                if missing and any(benefit.allows(dimension, c) for c in missing):
                    names = "、".join(book.policy.words.names.get(f"{dimension}.{c}", c) for c in missing)
                    said = "机构级别" if dimension == "level" else "人员类别"
                    yield about(
                        book, now[-1], kind="left_out", field=f"when.{dimension}",
                        message=f"{benefit.row.extra.get('title', benefit.row.word)}的{KINDS[key].name}没有规定"
                        f"{said} {names}，这些情形的结算会被拒绝",
                        proposal=f'补一行 when = {{ {dimension} = "{missing[0]}" }} 的取值',
                    )  # fmt: skip


def _falling(book: Lawbook) -> Iterator[Remark]:
    """Bands that pay a smaller share of the higher amounts."""
    for entry in book.entries:
        for lower, higher in pairwise(entry.row.bands):
            if higher.ratio < lower.ratio:
                yield about(
                    book, entry, kind="falling_bands", field="bands",
                    message=f"分段比例由 {ratio_text(lower.ratio)} 降到 {ratio_text(higher.ratio)}，费用高的一段反而付得少",
                    proposal="核对各段比例的次序；确实如此规定的，在 note 中写明依据",
                )  # fmt: skip
                break


def _beyond_reach(book: Lawbook) -> Iterator[Remark]:
    """Ceilings above what the ratio can make of all the cost that counts before it."""
    for cap in book.of("pool_cap"):
        if cap.row.absent or not cap.row.number or cap.fields.get("window", "year") != "year":
            continue
        limits = [r for r in book.of("item_limit") if _beside(book, r, cap)]
        ratios = [r for r in book.of("pool_ratio") if _beside(book, r, cap)]
        always = any(book.within(cap, r) for r in limits) or _each_benefit(book, cap, limits)
        if not always or not ratios or any(not r.row.counter or r.row.absent for r in limits):
            continue
        most = max(_yearly(r) for r in limits)
        ratio = min(WHOLE, max(_highest(r) for r in ratios) + _bonus(book, cap))
        payable = most * ratio // WHOLE
        if 0 < payable < cap.row.number:
            yield about(
                book, cap, kind="cap_beyond_reach", field="value",
                message=f"限额 {yuan_text(cap.row.number)} 元永远达不到：一年至多计入 {yuan_text(most)} 元费用，"
                f"按最高 {ratio_text(ratio)} 也只付 {yuan_text(payable)} 元",
                proposal=f'核对限额或计入限额；若后者才是限额，此处写 value = "不设"，否则不高于 "{yuan_text(payable)}元"',
            )  # fmt: skip


def _held_by_another(book: Lawbook) -> Iterator[Remark]:
    """Ceilings that a lower one always cuts before: same payments, counted at least as much."""
    caps = [c for c in book.of("pool_cap") if not c.row.absent]
    counted: dict[str, set[str]] = {}
    for cap in caps:
        counted.setdefault(cap.row.counter, set()).update(book.benefits_of(cap))
    for cap in caps:
        others = [
            other for other in caps
            if other.row.counter != cap.row.counter
            and book.within(cap, other)
            and other.row.number <= cap.row.number
            and counted[cap.row.counter] <= counted[other.row.counter]
            and other.fields.get("window", "year") == "year"
            and "each_other_disease" not in other.row.extra
        ]  # fmt: skip
        if others and not uncovered(cap.start, cap.end, others):
            other = others[0]
            yield about(
                book, cap, kind="cap_beyond_reach", field="value",
                message=f"限额 {cap.row.used.value} 永远达不到：{other.row.used.rule}（{other.file} 第 {other.line} 行）"
                f"的限额 {other.row.used.value} 也计这些支付，总是先到",
                proposal=f'写低于 {other.row.used.value} 的限额，或删去本行',
            )  # fmt: skip


def _layers_beyond_reach(book: Lawbook) -> Iterator[Remark]:
    """Limits of layers above what their closed bands can pay at all."""
    for cap in book.of("layer_cap"):
        ratios = [r for r in book.of("layer_ratio") if r.choice()[1:] == cap.choice()[1:] and _beside(book, r, cap)]
        if cap.row.absent or not ratios or any(not r.row.bands or r.row.bands[-1].upper is None for r in ratios):
            continue
        most = max(_payable(r.row.bands) for r in ratios)
        if most < cap.row.number:
            yield about(
                book, cap, kind="cap_beyond_reach", field="value",
                message=f"限额 {cap.row.used.value} 永远达不到：各段付满也只有 {yuan_text(most)} 元",
                proposal=f'核对末段的上限；没有上限的，末段不写 to，否则限额不高于 "{yuan_text(most)}元"',
            )  # fmt: skip


def _payable(bands: tuple[Band, ...]) -> int:
    paid = lowest = 0
    for band in bands:
        upper = band.upper or lowest
        paid, lowest = paid + (upper - lowest) * band.ratio // WHOLE, upper
    return paid


def _each_benefit(book: Lawbook, cap: Entry, limits: list[Entry]) -> bool:
    """Say whether every benefit of a cap has a limit that holds for all its cases."""
    benefits = book.benefits_of(cap)
    open_to_all = {b for r in limits if set(r.when) <= {"benefit", "insutype"} for b in book.benefits_of(r)}
    return bool(benefits) and benefits <= open_to_all


def _beside(book: Lawbook, row: Entry, cap: Entry) -> bool:
    overlap = row.start <= cap.end and cap.start <= row.end
    return overlap and book.together(row, cap) and bool(book.benefits_of(row) & book.benefits_of(cap))


def _yearly(limit: Entry) -> int:
    return limit.row.number * _TIMES_A_YEAR.get(str(limit.fields.get("window", "")), 10_000)


def _highest(ratio: Entry) -> int:
    formula = getattr(ratio.row, "formula", None)
    return WHOLE if formula is not None else max([ratio.row.number, *(b.ratio for b in ratio.row.bands)])


def _bonus(book: Lawbook, cap: Entry) -> int:
    highest: dict[tuple[str, ...], int] = {}
    for row in book.of("pool_bonus"):
        if _beside(book, row, cap):
            highest[row.choice()] = max(highest.get(row.choice(), 0), row.row.number)
    return WHOLE if any(_beside(book, row, cap) for row in book.of("own_factor")) else sum(highest.values())


def _persons(book: Lawbook, benefit: Entry) -> tuple[str, ...]:
    """Return the person classes that rows of the benefit's insurance name."""
    found: dict[str, None] = {}
    insutypes = benefit.codes("insutype") or frozenset()
    for row in book.entries:
        if row.codes("insutype") == insutypes and _serves(book, row, benefit):
            found.update(dict.fromkeys(sorted(row.codes("person") or ())))
    return tuple(found)


def _serves(book: Lawbook, row: Entry, benefit: Entry) -> bool:
    insutypes = benefit.codes("insutype") or frozenset()
    return benefit.row.word in book.benefits_of(row) and any(row.allows("insutype", i) for i in insutypes)
