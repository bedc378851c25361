"""Random walks of pharmacies over one prescription, against a plain count of boxes that knows no database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from random import Random
from typing import Any

import asyncpg
import pytest

from tests.spec.pharmacy.conftest import Item
from tests.support.drugstore import Drugstore, Prescriber, sold
from tests.support.till import Refused, Till, new_msgid

STEPS = 120
PRESCRIBED = 6
"""Boxes of each of the two drugs."""


class Boxes:
    """What was taken, plainly: per pharmacy and drug, boxes in bills, boxes in details, boxes for cash."""

    def __init__(self) -> None:
        self.settled: dict[tuple[int, int], int] = defaultdict(int)
        self.issued: dict[tuple[int, int], int] = defaultdict(int)
        self.cash: dict[tuple[int, int], int] = defaultdict(int)

    def taken(self, drug: int) -> int:
        """Return the boxes of a drug that left: the same box in bill and details is one."""
        return sum(self.cash[p, drug] + max(self.settled[p, drug], self.issued[p, drug]) for p in (0, 1))

    def add(self, kind: dict[tuple[int, int], int], place: tuple[int, int], boxes: int) -> bool:
        """Take boxes (or give them back, negative) unless more than was prescribed would have left."""
        kind[place] += boxes
        if self.taken(place[1]) <= PRESCRIBED:
            return True
        kind[place] -= boxes
        return False


class Walk:
    """Does one thing after the other at the counters and in the plain count, and compares the answers."""

    def __init__(
        self, rng: Random, stores: list[Drugstore], patient: Mapping[str, Any], drugs: list[Item], rx: dict[str, Any],
        *, is_pooled: bool,
    ) -> None:
        self.is_pooled = is_pooled
        self.rng, self.stores, self.patient, self.drugs, self.rx = rng, stores, patient, drugs, rx
        self.accepted = [store.accept(rx) for store in stores]
        self.boxes = Boxes()
        self.sales: list[tuple[int, int, int, Any]] = []
        self.refunds: list[tuple[int, int, int, Any, str]] = []
        self.bills: list[tuple[int, int, int, str]] = []
        self.details: list[tuple[int, int, int, bool, str]] = []
        self.done: dict[str, int] = defaultdict(int)

    def step(self) -> None:
        """Do one thing."""
        acts = [self.sell, self.sell, self.refund, self.undo_refund, self.hand_out, self.hand_out, self.take_back]
        act = self.rng.choice([*acts, self.bill, self.withdraw] if self.is_pooled else acts)
        place = self.rng.randrange(len(self.stores)), self.rng.randrange(2)
        act(place, self.rng.randint(1, 3))

    def agree(self, expected: bool, act: Callable[[], Any], name: str) -> Any:
        """Do it over HTTP; the counter must answer as the plain count does."""
        try:
            answer = act()
        except Refused as refused:
            if expected:
                raise AssertionError(f"{name} was refused") from refused
            self.done[f"{name} refused"] += 1
            return None
        assert expected, f"{name} was allowed"
        self.done[name] += 1
        return answer

    def line(self, place: tuple[int, int], boxes: int) -> dict[str, Any]:
        """Return a line on the prescription."""
        return sold(self.drugs[place[1]], boxes, rxno=self.rx["hiRxno"])

    def sell(self, place: tuple[int, int], boxes: int) -> None:
        """Sell (2102)."""
        store = self.stores[place[0]]
        expected = self.boxes.add(self.boxes.settled, place, boxes)
        sale = self.agree(expected, lambda: store.sell(self.patient, [self.line(place, boxes)]), "sell")
        if sale is not None:
            self.sales.append((*place, boxes, sale))

    def refund(self, _place: tuple[int, int], _boxes: int) -> None:
        """Cancel a sale (2103)."""
        if self.sales:
            pharmacy, drug, boxes, sale = self.sales.pop(self.rng.randrange(len(self.sales)))
            msgid = new_msgid()
            assert self.boxes.add(self.boxes.settled, (pharmacy, drug), -boxes)
            self.agree(True, lambda: self.stores[pharmacy].refund(self.patient, sale, msgid=msgid), "refund")
            self.refunds.append((pharmacy, drug, boxes, sale, msgid))

    def undo_refund(self, _place: tuple[int, int], _boxes: int) -> None:
        """Undo the cancellation of a sale (2601)."""
        if self.refunds:
            pharmacy, drug, boxes, sale, msgid = self.refunds.pop(self.rng.randrange(len(self.refunds)))
            undo = {"data": {"psn_no": self.patient["psn_no"], "omsgid": msgid, "oinfno": "2103"}}
            expected = self.boxes.add(self.boxes.settled, (pharmacy, drug), boxes)
            self.agree(expected, lambda: self.stores[pharmacy].till.call("2601", undo), "undo refund")
            if expected:
                self.sales.append((pharmacy, drug, boxes, sale))

    def bill(self, place: tuple[int, int], boxes: int) -> None:
        """Upload a line of a pooled purchase (2204); it counts from now on."""
        till = self.stores[place[0]].till
        visit = {**self.patient["visit"], "dise_codg": "", "med_type": "11", "lines": [self.line(place, boxes)]}
        mdtrt_id = till.register(self.patient)
        till.record(self.patient, visit, mdtrt_id)
        expected = self.boxes.add(self.boxes.settled, place, boxes)
        if self.agree(expected, lambda: till.upload(self.patient, visit, mdtrt_id), "bill") is not None:
            self.bills.append((*place, boxes, mdtrt_id))

    def withdraw(self, _place: tuple[int, int], _boxes: int) -> None:
        """Withdraw the lines of a pooled purchase (2205)."""
        if self.bills:
            pharmacy, drug, boxes, mdtrt_id = self.bills.pop(self.rng.randrange(len(self.bills)))
            key = {"psn_no": self.patient["psn_no"], "mdtrt_id": mdtrt_id, "chrg_bchno": "0000"}
            assert self.boxes.add(self.boxes.settled, (pharmacy, drug), -boxes)
            self.agree(True, lambda: self.stores[pharmacy].till.call("2205", {"data": key}), "withdraw")

    def hand_out(self, place: tuple[int, int], boxes: int) -> None:
        """Tell of drugs handed out (7207), of a bill or for cash."""
        is_insured = self.rng.random() < 0.5
        kind = self.boxes.issued if is_insured else self.boxes.cash
        store, accepted = self.stores[place[0]], self.accepted[place[0]]
        serial = self.agree(
            self.boxes.add(kind, place, boxes),
            lambda: store.hand_out(self.rx, accepted, self.drugs[place[1]], boxes, flag="1" if is_insured else "0"),
            "hand out",
        )
        if serial is not None:
            self.details.append((*place, boxes, is_insured, serial))

    def take_back(self, _place: tuple[int, int], _boxes: int) -> None:
        """Void a detail (7208); not one of boxes that a bill has."""
        if self.details:
            index = self.rng.randrange(len(self.details))
            pharmacy, drug, boxes, is_insured, serial = self.details[index]
            place = pharmacy, drug
            expected = not is_insured or self.boxes.settled[place] <= self.boxes.issued[place] - boxes
            self.agree(expected, lambda: self.stores[pharmacy].take_back(self.rx["hiRxno"], serial) or True, "take back")
            if expected:
                del self.details[index]
                assert self.boxes.add(self.boxes.issued if is_insured else self.boxes.cash, place, -boxes)


@pytest.mark.drives("2102", "2103", "2601", "2204", "2205", "7207", "7208")
@pytest.mark.parametrize(
    ("region", "schemes", "is_pooled"),
    # Two pharmacies, where the law pays for sales alone; one, where it pays pooled purchases too (ZB-207).
    [("441300", ("none", "tif_sha256"), False), ("370300", ("none",), True)],
)
async def test_a_random_walk_counts_as_plain_boxes_do(
    region: str, schemes: tuple[str, ...], is_pooled: bool,
    prescriber_in: Callable[..., Prescriber], till_for: Callable[..., Till], world: Mapping[str, Any], drugs: list[Item],
    world_url: str,
) -> None:
    seed = 20_260
    patient = max(
        (p for p in world["patients"] if p["insuplc_admdvs"] == region and p["insutype"] == "310"
         and p["visit"]["med_type"] == "11"), key=lambda p: p["balance"],
    )
    stores = [Drugstore(till_for(region, scheme, kind="2")) for scheme in schemes]
    rx = prescriber_in(region).prescribe(patient, [(drug, PRESCRIBED) for drug in drugs[:2]])
    walk = Walk(Random(seed), stores, patient, drugs, rx, is_pooled=is_pooled)
    for _ in range(STEPS):
        walk.step()
    connection = await asyncpg.connect(world_url)
    rows = await connection.fetch(
        "select dispensed_e4 from dispensing.prescription_line where hi_rxno = $1 order by ordinal", rx["hiRxno"]
    )
    await connection.close()
    assert [row[0] for row in rows] == [walk.boxes.taken(drug) * 10_000 for drug in (0, 1)]
    reached = ["sell", "sell refused", "refund", "undo refund", "undo refund refused", "hand out", "hand out refused",
               "take back", "take back refused"]
    for name in (*reached, "bill", "bill refused", "withdraw") if is_pooled else reached:
        assert walk.done[name] > 0, f"seed {seed} never came to: {name} ({dict(walk.done)})"
