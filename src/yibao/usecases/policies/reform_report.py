"""Says what a simulated reform does: sums in words and numbers, a table of groups, and three charts."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from yibao.kernel.money import fen_to_yuan, yuan_text
from yibao.usecases.policies.draw_bars import Bar, Panel, draw_bars
from yibao.usecases.policies.reform_groups import GROUPINGS, GroupSum
from yibao.usecases.policies.simulate_reform import SHARES, Largest, Reform
from yibao.usecases.policies.who_pays import PAYERS

GROUPS_CSV: Final = "groups.csv"
_OWN = {"account_pay": "个人账户", "cash": "个人现金"}


def summary(reform: Reform) -> dict[str, Any]:
    """Return the result as plain data, amounts in yuan."""
    return {
        "admdvs": reform.admdvs, "region": reform.name, "year": reform.year, "seed": reform.seed,
        "persons": reform.persons, "visits": reform.visits, "amount": fen_to_yuan(reform.amount),
        "funds": {
            field: {"name": payer_name(field), "before": fen_to_yuan(b), "after": fen_to_yuan(a),
                    "change": fen_to_yuan(a - b)}
            for field, (b, a) in paying(reform).items()
        },
        "everybody": _plain(reform.everybody),
        "groups": {g: {name: _plain(group) for name, group in found.items()} for g, found in reform.groups.items()},
        "spread": [
            {"from": _yuan(low), "below": _yuan(high), "persons": people} for low, high, people in reform.spread
        ],
        "winners": [_told(entry) for entry in reform.winners], "losers": [_told(entry) for entry in reform.losers],
        "refused_visits": {"before": reform.refused[0], "after": reform.refused[1]},
    }  # fmt: skip


def paying(reform: Reform) -> dict[str, tuple[int, int]]:
    """Return what each fund, the accounts and the people's cash pay before and after, fen; idle ones left out."""
    names = [name for name in reform.funds if name not in SHARES]
    ranked = sorted(names, key=lambda name: (list(PAYERS).index(name) if name in PAYERS else len(PAYERS), name))
    return {name: reform.funds[name] for name in (*ranked, *_OWN) if any(reform.funds[name])}


def payer_name(field: str) -> str:
    """Return the Chinese name of a payer."""
    return _OWN.get(field) or PAYERS.get(field) or f"基金 {field.removeprefix('fund:')}"


def percent(part: int, whole: int) -> Decimal:
    """Return a share in percent with two decimals, 0 of nothing."""
    return (Decimal(100) * part / whole).quantize(Decimal("0.01")) if whole else Decimal(0)


def groups_csv(reform: Reform) -> str:
    """Return the table of groups, amounts in yuan."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["grouping", "group", *GroupSum.__struct_fields__])
    for grouping, found in reform.groups.items():
        for name, group in found.items():
            table.writerow([GROUPINGS[grouping], name, *_plain(group).values()])
    return out.getvalue()


def charts(reform: Reform) -> dict[str, str]:
    """Return file name -> SVG: who pays, who wins and loses, how large the changes are."""
    head = f"{reform.name} {reform.year} 年，{reform.persons} 个模拟参保人"
    funds = [
        Panel("", [
            Bar(f"{payer_name(f)} {word}", value, shade, yuan_text(value))
            for f, (b, a) in paying(reform).items() for word, value, shade in (("改前", b, "before"), ("改后", a, "after"))
        ])
    ]  # fmt: skip
    groups = [
        Panel(GROUPINGS[grouping], [
            bar for name, g in found.items() for bar in (
                Bar(f"{name} 少付", g.won, "won", f"{g.winners} 人，{yuan_text(g.won)}"),
                Bar(f"{name} 多付", g.lost, "lost", f"{g.losers} 人，{yuan_text(g.lost)}"),
            ) if bar.value
        ])
        for grouping, found in reform.groups.items()
    ]  # fmt: skip
    spread = [
        Panel("", [
            Bar(_between(low, high), people, "won" if (low or -1) < 0 else "lost", f"{people} 人")
            for low, high, people in reform.spread if (low, high) != (0, 1)
        ])
    ]  # fmt: skip
    same = sum(people for low, high, people in reform.spread if (low, high) == (0, 1))
    return {
        "funds.svg": draw_bars("各方支付（元）", head, funds),
        "groups.svg": draw_bars("谁少付、谁多付（元）", head, groups),
        "spread.svg": draw_bars("每人全年个人负担的变化（元）", f"{head}；{same} 人不变", spread),
    }


def _between(low: int | None, high: int | None) -> str:
    if low is None or low < 0:
        least = "" if low is None else f"{-low // 100}"
        most = -(high or 0) // 100
        return f"少付 {most} 以上" if not least else f"少付 {most}—{least}"
    return f"多付 {low // 100} 以上" if high is None else f"多付 {low // 100}—{high // 100}"


def _plain(group: GroupSum) -> dict[str, Any]:
    counts = ("persons", "winners", "losers")
    return {
        name: getattr(group, name) if name in counts else fen_to_yuan(getattr(group, name))
        for name in GroupSum.__struct_fields__
    }


def _told(entry: Largest) -> dict[str, Any]:
    return {
        "person": entry.person, "described": entry.described, "visits": entry.visits,
        "amount": fen_to_yuan(entry.amount), "before": fen_to_yuan(entry.before), "after": fen_to_yuan(entry.after),
        "change": fen_to_yuan(entry.after - entry.before), "visit": entry.cause.visit, "rules": entry.cause.rules,
        "cause": entry.cause.sentence,
    }  # fmt: skip


def _yuan(fen: int | None) -> Decimal | None:
    return None if fen is None else fen_to_yuan(fen)


def shares_of(reform: Reform) -> Mapping[str, tuple[Decimal, Decimal]]:
    """Return the share of the whole cost that each payer bears before and after, percent."""
    return {f: (percent(b, reform.amount), percent(a, reform.amount)) for f, (b, a) in paying(reform).items()}
