"""Traceability codes: one code, one pack, one sale. Pure.

A pack that is sold twice without having come back is either not the pack it says it is or was paid twice: it is
flagged, never refused, for the goods have left the shop. Pieces of one pack are sold under its code many times; a
virtual code (3592B) stands for a batch of goods that bear none.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from yibao.domains.dispensing.stock_model import Alert, Movement, TraceCode

_SAID = {
    "sold_twice": "已售出且未退货，请核对追溯码",
    "sold_after_split": "整盒与拆零先后以同一追溯码销售",
    "other_item": "此前以另一医疗目录编码上传",
    "virtual_elsewhere": "是其他机构或其他批次的虚拟追溯码",
}


class Traces:
    """The codes of one upload while it is judged.

    Attributes:
        now: every code that the upload names, as it is afterwards.
    """

    def __init__(self, known: Mapping[str, TraceCode], *, fixmedins_code: str) -> None:
        self._own = fixmedins_code
        self._known = known
        self.now: dict[str, TraceCode] = {}

    def take(self, movement: Movement, warnings: list[str]) -> tuple[tuple[tuple[str, int], ...], tuple[Alert, ...]]:
        """Return what a record does to its codes (+1 sold, -1 came back, 0 neither) and which of them are flagged."""
        events: dict[str, int] = {}
        alerts: list[Alert] = []
        for code in movement.trace_codes:
            if code in events:
                warnings.append(f"追溯码{code}在这条记录中重复")
                continue
            before = self.now.get(code) or self._known.get(code)
            reasons = self._reasons(movement, before)
            warnings += [f"追溯码{code}{_SAID[reason]}" for reason in reasons]
            if before is not None:
                alerts += [Alert(code, reason, before.seller, before.sold_at) for reason in reasons]
            effect = self._effect(movement, before)
            if movement.kind == "sale_return" and effect == 0 and not movement.is_split:
                warnings.append(f"追溯码{code}没有销售记录")
            events[code] = effect
            self.now[code] = self._after(movement, before, code, effect)
        return tuple(events.items()), tuple(alerts)

    def _reasons(self, movement: Movement, before: TraceCode | None) -> list[str]:
        if movement.kind != "sale" or before is None:
            return []
        is_ours = (before.fixmedins_code, before.own_code, before.bchno) == (self._own, *movement.shelf)
        if before.is_virtual:
            return [] if is_ours else ["virtual_elsewhere"]
        reasons = ["other_item"] if before.item_code != movement.item_code else []
        if before.whole_sold > 0:
            reasons.append("sold_twice")
        elif before.split_sold > 0 and not movement.is_split:
            reasons.append("sold_after_split")
        return reasons

    @staticmethod
    def _effect(movement: Movement, before: TraceCode | None) -> int:
        if movement.is_split or (before is not None and before.is_virtual):
            return 0
        if movement.kind == "sale":
            return 1
        return -1 if movement.kind == "sale_return" and before is not None and before.whole_sold > 0 else 0

    def _after(self, movement: Movement, before: TraceCode | None, code: str, effect: int) -> TraceCode:
        known = before or TraceCode(
            code, self._own, movement.item_code, movement.own_code, movement.bchno, False, 0, 0, "", None
        )
        if known.is_virtual:
            return known
        is_sale = movement.kind == "sale"
        return msgspec.structs.replace(
            known, fixmedins_code=self._own, item_code=movement.item_code, own_code=movement.own_code,
            bchno=movement.bchno, whole_sold=known.whole_sold + effect,
            split_sold=known.split_sold + (is_sale and movement.is_split), seller=self._own if is_sale else known.seller,
            sold_at=movement.occurred_at if is_sale else known.sold_at,
        )
