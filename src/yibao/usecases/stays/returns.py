"""Returned fee lines: how much of a line is left, and what share of its split a return takes back."""

from __future__ import annotations

from collections.abc import Iterable

import asyncpg
import msgspec

from yibao.kernel.money import div_half_up, yuan_text
from yibao.kernel.refusal import Fault
from yibao.policy.lines import LineSplit
from yibao.usecases.visits.fee_line import LineInput


class Charged(msgspec.Struct, frozen=True):
    """A charged line as far as returns are concerned: fen, quantity in ten-thousandths, split in fen."""

    item_code: str
    price_micro: int
    quantity_e4: int
    amount_fen: int
    split: tuple[int, int, int, int]
    """fully own, over limit, first-pay, in scope"""
    first_pay: int = 0
    is_settled: bool = False


class Returned(msgspec.Struct, frozen=True):
    """What earlier returns of a line have taken back, as positive numbers."""

    quantity_e4: int = 0
    amount_fen: int = 0


def share_of_return(charged: Charged, *, before: int, now: int) -> tuple[int, int, int, int]:
    """Return the split of a return (negative fen) of ``now`` fen after ``before`` fen were returned already.

    The parts are cut at the same places as those of the charged line, in proportion to the amount and each place
    rounded half up. So a return splits exactly, nothing of the line ever becomes negative, and
    when all is returned nothing of any part is left.
    """
    taken = tuple(a - b for a, b in zip(_cut(charged, before + now), _cut(charged, before), strict=True))
    own, over, first, scope = taken
    return -own, -over, -first, -scope


def _cut(charged: Charged, amount: int) -> tuple[int, int, int, int]:
    """Return how the first ``amount`` fen of a line split."""
    if charged.amount_fen == 0:
        return 0, 0, 0, 0
    own, over, first, _ = charged.split
    places = (own, own + over, own + over + first)
    a, b, c = (div_half_up(place * amount, charged.amount_fen) for place in places)
    return a, b - a, c - b, amount - c


class ReturnBook:
    """What was charged and returned in one stay, so that no more comes back than went out."""

    def __init__(self, lines: Iterable[asyncpg.Record], *, covered: int) -> None:
        self._charged: dict[str, Charged] = {}
        self._returned: dict[str, Returned] = {}
        for x in lines:
            if x["quantity_e4"] > 0:
                self._charged[x["feedetl_sn"]] = Charged(
                    x["item_code"], x["price_micro"], x["quantity_e4"], x["amount_fen"],
                    (x["own_fen"], x["over_fen"], x["first_fen"], x["scope_fen"]), x["first_pay"], x["period"] <= covered,
                )
            else:
                self._count(x["init_sn"], -x["quantity_e4"], -x["amount_fen"])

    def charge(self, line: LineInput, split: LineSplit) -> None:
        """Note a charged line of the message that is being read."""
        self._charged[line.sn] = Charged(
            line.item_code, line.price_micro, line.quantity_e4, line.amount_fen,
            (split.own, split.over, split.first_pay, split.in_scope), split.first_pay_ratio,
        )

    def faults_of(self, line: LineInput, at: str) -> list[Fault]:
        """Return why a return (negative quantity) cannot be taken."""
        field = f"{at}.init_feedetl_sn"
        charged = self._charged.get(line.init_sn)
        if charged is None:
            return [Fault("RETURN_OF_NOTHING", "这次住院没有可退的该流水号明细", field, line.init_sn,
                          "请核对原费用流水号；退费明细本身不能再退")]
        if charged.is_settled:
            return [Fault("RETURN_OF_SETTLED", "被退明细已参与结算", field, line.init_sn,
                          "请先用2305撤销该结算，上传退费后重新结算")]
        faults = []
        for said, held, name, label in (
            (line.item_code, charged.item_code, "med_list_codg", "医疗目录编码"),
            (line.price_micro, charged.price_micro, "pric", "单价"),
        ):
            if said != held:
                shown = said if isinstance(said, str) else f"{said / 1e6:g}"
                faults.append(Fault("RETURN_DIFFERS", f"{label}与原明细不一致", f"{at}.{name}", shown,
                                    "退费须与原明细同项目、同单价"))
        before = self._returned.get(line.init_sn, Returned())
        left_e4 = charged.quantity_e4 - before.quantity_e4
        left_fen = charged.amount_fen - before.amount_fen
        if -line.quantity_e4 > left_e4:
            faults.append(Fault("RETURN_TOO_MUCH", f"退费数量超过原明细可退数量{left_e4 / 10000:g}", f"{at}.cnt",
                                f"{line.quantity_e4 / 10000:g}", "退费合计不能超过原明细"))
        if -line.amount_fen > left_fen or line.amount_fen > 0:
            faults.append(Fault("RETURN_TOO_MUCH", f"退费金额超过原明细可退金额{yuan_text(left_fen)}元",
                                f"{at}.det_item_fee_sumamt", yuan_text(line.amount_fen), "退费合计不能超过原明细"))
        return faults

    def take_back(self, line: LineInput) -> LineSplit:
        """Return the mirror share of the original's split, and count the return."""
        charged = self._charged[line.init_sn]
        before = self._returned.get(line.init_sn, Returned())
        own, over, first, scope = share_of_return(charged, before=before.amount_fen, now=-line.amount_fen)
        self._count(line.init_sn, -line.quantity_e4, -line.amount_fen)
        return LineSplit(own, over, first, scope, charged.first_pay, f"退明细{line.init_sn}")

    def _count(self, sn: str, quantity_e4: int, amount_fen: int) -> None:
        before = self._returned.get(sn, Returned())
        self._returned[sn] = Returned(before.quantity_e4 + quantity_e4, before.amount_fen + amount_fen)
