"""What an uploaded stock record does: pure, over what is known, record after record.

A sale is never lost for what is doubtful about it: stock below zero, a code sold before, a settlement that is not
there are told and kept on record. Refused is only what cannot be: a return of what never went out.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import msgspec

from yibao.domains.dispensing.stock_model import (
    SIGNS,
    Entry,
    Movement,
    Origin,
    Settled,
    Shelf,
    Stock,
    Totals,
    TraceCode,
)
from yibao.domains.dispensing.traces_rules import Traces
from yibao.kernel.refusal import Fault

NO_NATIONAL_CODE = "NMLC999"
"""Stands for the national code of goods that have none."""


_LENGTHS = {
    "item_code": (50, "med_list_codg"), "own_code": (150, "fixmedins_hilist_id"), "bchno": (30, "fixmedins_bchno"),
    "name": (200, "fixmedins_hilist_name"), "lot": (100, "manu_lotnum"), "setl_id": (30, "setl_id"),
    "psn_no": (30, "psn_no"), "origin_id": (50, "medins_prod_no"),
}
"""Longest texts; the tables of the batch forms state none. By the field that holds them on the wire."""
_TRACE_CODE_MAX = 100
_NUMBER_MAX = 10**16
"""What quantities and prices stay below: a million million units, ten thousand million yuan."""
_FIRST_YEAR = 1970


class Known(msgspec.Struct, frozen=True):
    """Everything that is known before the upload.

    Attributes:
        after_counts: what moved on a shelf after the day of a count in this upload, by shelf and day.
        items: national codes that the catalogue holds.
    """

    stocks: Mapping[Shelf, Stock]
    totals: Mapping[Shelf, Totals]
    origins: Mapping[str, Origin]
    after_counts: Mapping[tuple[Shelf, date], int]
    traces: Mapping[str, TraceCode]
    settlements: Mapping[str, Settled]
    items: frozenset[str]


class Book:
    """The stock of one institution while an upload is judged: it moves with every record that is taken.

    Attributes:
        entries: records taken so far, as they are to be written.
        quantities: what is there now, for every shelf that moved.
        counted: day of the last count of every shelf that was counted.
    """

    def __init__(self, known: Known, *, fixmedins_code: str, today: date) -> None:
        self._known = known
        self._own = fixmedins_code
        self._today = today
        self.entries: list[Entry] = []
        self.quantities: dict[Shelf, int] = {}
        self.counted: dict[Shelf, date] = {}
        self._totals = dict(known.totals)
        self._returned = {number: origin.returned_e4 for number, origin in known.origins.items()}
        self.traces = Traces(known.traces, fixmedins_code=fixmedins_code)

    def take(self, movement: Movement, *, record_id: str, path: str) -> tuple[list[Fault], list[str]]:
        """Take one record unless it has faults; return faults and warnings.

        Args:
            path: where the record stands on the wire.
        """
        faults = self._faults(movement, path)
        if faults:
            return faults, []
        warnings: list[str] = []
        delta = 0 if movement.kind == "count" else self._sign(movement) * movement.quantity_e4
        quantity = self._moved(movement, delta, warnings)
        events, alerts = self.traces.take(movement, warnings)
        mdtrt_id = self._settlement_of(movement, warnings)
        self._say_doubts(movement, quantity, warnings)
        self.quantities[movement.shelf] = quantity
        self._count_up(movement)
        self.entries.append(Entry(movement, record_id, delta, mdtrt_id, events, alerts))
        return [], warnings

    @staticmethod
    def _sign(movement: Movement) -> int:
        return movement.direction if movement.kind == "change" else SIGNS[movement.kind]

    def _stock(self, shelf: Shelf) -> int:
        if shelf in self.quantities:
            return self.quantities[shelf]
        known = self._known.stocks.get(shelf)
        return known.quantity_e4 if known else 0

    def _counted_on(self, shelf: Shelf) -> date | None:
        known = self._known.stocks.get(shelf)
        return self.counted.get(shelf, known.counted_on if known else None)

    def _moved(self, movement: Movement, delta: int, warnings: list[str]) -> int:
        """Return the stock after the record: a count sets it, a movement before the last count changes nothing."""
        shelf, counted_on = movement.shelf, self._counted_on(movement.shelf)
        is_late = counted_on is not None and movement.on < counted_on
        if is_late:
            warnings.append(f"发生在{counted_on}盘存之前，已记录，不改变库存")
            return self._stock(shelf)
        if movement.kind != "count":
            return self._stock(shelf) + delta
        self.counted[shelf] = movement.on
        later = self._known.after_counts.get((shelf, movement.on), 0)
        later += sum(e.delta_e4 for e in self.entries if e.movement.shelf == shelf and e.movement.on > movement.on)
        return movement.quantity_e4 + later

    def _count_up(self, movement: Movement) -> None:
        t = self._totals.get(movement.shelf, Totals())
        n = movement.quantity_e4
        if movement.origin_id:
            self._returned[movement.origin_id] = self._returned.get(movement.origin_id, 0) + n
        self._totals[movement.shelf] = Totals(
            t.purchased + n * (movement.kind == "purchase"),
            t.supplier_returned + n * (movement.kind == "supplier_return"),
            t.sold + n * (movement.kind == "sale"), t.sale_returned + n * (movement.kind == "sale_return"),
            t.was_counted or movement.kind == "count",
            t.moved_in_by_type | ({movement.change_type} if movement.change_type else frozenset()),
        )

    def _say_doubts(self, movement: Movement, quantity: int, warnings: list[str]) -> None:
        known = self._known.stocks.get(movement.shelf)
        # A batch that never came in is not short of anything; its opening stock is simply not known here.
        if quantity < 0 and self._sign_or_zero(movement) < 0:
            warnings.append(f"批次{movement.bchno}库存不足，结存{quantity_text(quantity)}，请核对盘存或补传入库")
        if movement.kind == "sale" and not movement.trace_codes:
            warnings.append("未上传追溯码，没有追溯码的商品请用3592B取虚拟追溯码")
        if movement.kind in ("sale", "purchase") and movement.expires_on and movement.expires_on < movement.on:
            warnings.append(f"商品已过有效期{movement.expires_on}")
        if movement.item_code not in self._known.items and movement.item_code != NO_NATIONAL_CODE:
            warnings.append(f"医疗目录编码{movement.item_code}不在国家目录内")
        elif known is not None and known.item_code != movement.item_code:
            warnings.append(f"同一批次此前的医疗目录编码为{known.item_code}")
        twins = self._totals.get(movement.shelf, Totals())
        if movement.twin and {"purchase": twins.purchased, "supplier_return": twins.supplier_returned}[movement.twin]:
            warnings.append("该批次已用3503或3504上传，请核对是否重复")

    @classmethod
    def _sign_or_zero(cls, movement: Movement) -> int:
        return 0 if movement.kind == "count" else cls._sign(movement)

    def _settlement_of(self, movement: Movement, warnings: list[str]) -> str:
        """Return the visit of the settlement a sale names; one that is not the sender's is as good as none."""
        if not movement.setl_id:
            return ""
        settled = self._known.settlements.get(movement.setl_id)
        if settled is None or settled.fixmedins_code != self._own:
            warnings.append(f"结算ID{movement.setl_id}不是本机构的结算")
            return ""
        if settled.state != "active" and movement.kind == "sale":
            warnings.append(f"结算ID{movement.setl_id}已撤销，请用3506上传退货")
        return settled.mdtrt_id

    def _faults(self, movement: Movement, path: str) -> list[Fault]:
        faults = []
        count_field = {"count": "inv_cnt", "change": "cnt", "purchase": "purc_retn_cnt", "supplier_return": "purc_retn_cnt"}
        field = f"{path}.{count_field.get(movement.kind, 'sel_retn_cnt')}"
        shown = quantity_text(movement.quantity_e4)
        if movement.quantity_e4 < 0 or (movement.quantity_e4 == 0 and movement.kind != "count"):
            faults.append(Fault("QUANTITY_NOT_POSITIVE", "数量须大于0", field, shown, "退货也请填写正数"))
        faults += _size_faults(movement, path, field)
        if movement.on > self._today:
            faults.append(Fault("STOCK_IN_FUTURE", "发生日期晚于今天", f"{path}.{movement.on_field}", str(movement.on),
                                "请核对日期"))
        if movement.kind == "change" and movement.direction == 0:
            faults.append(Fault("CHANGE_TYPE_UNKNOWN", "库存变更类型不在字典内", f"{path}.inv_chg_type", movement.change_type,
                                "请按字典inv_chg_type填写"))
        if movement.made_on and movement.expires_on and movement.expires_on < movement.made_on:
            faults.append(Fault("PERIOD_REVERSED", "有效期止早于生产日期", f"{path}.expy_end", str(movement.expires_on),
                                "请更正日期"))
        if not faults and movement.kind in ("sale_return", "supplier_return"):
            faults += self._return_faults(movement, path, field)
        return faults

    def _return_faults(self, movement: Movement, path: str, field: str) -> list[Fault]:
        if movement.origin_id:
            return self._origin_faults(movement, path, field)
        t = self._totals.get(movement.shelf, Totals())
        is_sale = movement.kind == "sale_return"
        went, back = (t.sold, t.sale_returned) if is_sale else (t.purchased, t.supplier_returned)
        if not is_sale and t.was_counted:
            # What was there at the first count was bought before anybody told the platform of purchases.
            went = max(went, back + self._stock(movement.shelf))
        word = "销售" if is_sale else "采购"
        if went == 0:
            return [Fault("NOTHING_TO_RETURN", f"没有这个批次的{word}记录", f"{path}.fixmedins_bchno", movement.bchno,
                          f"请先上传{word}；上线前的{word}请用3502登记其他{'入' if is_sale else '出'}库")]
        if back + movement.quantity_e4 > went:
            return [Fault("RETURN_EXCEEDS", f"退货超过{word}：已{word}{quantity_text(went)}，已退{quantity_text(back)}", field,
                          quantity_text(movement.quantity_e4), "请核对退货数量")]
        return []

    def _origin_faults(self, movement: Movement, path: str, field: str) -> list[Fault]:
        wanted, name = ("sale", "medins_prod_sel_no") if movement.kind == "sale_return" else ("purchase", "medins_prod_purc_no")
        origin = self._known.origins.get(movement.origin_id)
        if origin is None or origin.kind != wanted or origin.state != "valid":
            return [Fault("ORIGIN_NOT_FOUND", "没有这个流水号的记录", f"{path}.{name}", movement.origin_id,
                          "请核对流水号，或不填流水号按批次退货")]
        if (origin.own_code, origin.bchno) != movement.shelf:
            return [Fault("ORIGIN_DIFFERS", f"流水号对应的商品为{origin.own_code}、批次{origin.bchno}", f"{path}.{name}",
                          movement.origin_id, "请核对流水号与批次")]
        back = self._returned.get(movement.origin_id, 0)
        if back + movement.quantity_e4 > origin.quantity_e4:
            return [Fault("RETURN_EXCEEDS", f"退货超过原数量{quantity_text(origin.quantity_e4)}，已退{quantity_text(back)}",
                          field, quantity_text(movement.quantity_e4), "请核对退货数量")]
        return []


def _size_faults(movement: Movement, path: str, field: str) -> list[Fault]:
    """Return what no storeroom has: endless names, numbers beyond all goods, days before there was anything to keep."""
    faults = [
        Fault("FIELD_TOO_LONG", f"长度{len(getattr(movement, name))}超过上限{limit}", f"{path}.{wire}",
              getattr(movement, name)[:20], f"请缩短到{limit}个字符以内")
        for name, (limit, wire) in _LENGTHS.items() if len(getattr(movement, name)) > limit
    ]
    faults += [
        Fault("FIELD_TOO_LONG", f"追溯码超过{_TRACE_CODE_MAX}个字符", f"{path}.drugtracinfo", code[:20], "请核对追溯码")
        for code in movement.trace_codes if len(code) > _TRACE_CODE_MAX
    ]
    if max(movement.quantity_e4, movement.price_micro or 0) >= _NUMBER_MAX:
        faults.append(Fault("NUMBER_TOO_LARGE", "数量或单价过大", field, "", "请核对数量与单价"))
    if movement.on.year < _FIRST_YEAR:
        faults.append(Fault("DAY_TOO_EARLY", "发生日期过早", path, str(movement.on), "请核对日期"))
    return faults


def quantity_text(quantity_e4: int) -> str:
    """Return a quantity as text without needless zeros: 15000 is ``1.5``."""
    sign, (whole, rest) = "-" if quantity_e4 < 0 else "", divmod(abs(quantity_e4), 10_000)
    return f"{sign}{whole}.{rest:04d}".rstrip("0").rstrip(".")
