"""What a stay earns, with the calculation beside each amount."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

import msgspec
import pytest

from yibao.policy.grouping.conditions import Facts
from yibao.policy.payment.packets import find_packet, index_packets
from yibao.policy.payment.reading import PaymentFault, read_terms
from yibao.policy.payment.standards import PaidStay, price_stay
from yibao.policy.payment.terms import Packet, Pool, Terms
from yibao.usecases.grouping.open_scheme import open_scheme
from yibao.usecases.grouping.open_terms import clearing_way, open_terms

DRG = """
admdvs = "999900"
name = "示例"
[[way]]
from = 2026-01-01
institution_kinds = ["1"]
med_types = ["21"]
clr_way = "40"
[[pool]]
year = 2026
name = "职工"
insutypes = ["310"]
fund_type = "310100"
method = "drg_rate"
weights = "w.csv"
rate_yuan = "10000.00"
budget_yuan = "1000000.00"
is_budget_hard = true
[[pool]]
year = 2026
name = "居民"
insutypes = ["390"]
fund_type = "390100"
method = "dip"
packets = "p.csv"
point_value_yuan = "100.00"
budget_yuan = "1000000.00"
is_budget_hard = true
[[coefficient]]
from = 2026-01-01
level = "3"
ratio = "1.1"
[[coefficient]]
from = 2026-01-01
fixmedins_code = "H99990000001"
ratio = "1.2"
[outlier]
high_multiple = "3"
high_share = "0.8"
low_multiple = "0.4"
long_stay_days = 60
ungrouped_share = "0.7"
[year_end]
cost_floor = "0.7"
overrun_max = "1.2"
overrun_share = "0.5"
[[by_disease]]
from = 2026-01-01
code = "BD"
name = "白内障"
diagnoses = ["H25"]
procedures = ["13.41"]
amount_yuan = "5200.00"
"""
TABLES = {
    "w.csv": "drg,weight\nGZ13,0.8500\n",
    "p.csv": "packet,name,kind,diagnosis,treatment,procedures,score\nK35.8:47.01,a,core,K35.8,,47.01,62.00\n",
}


def terms() -> Terms:
    return read_terms(DRG, TABLES)


def pool(insutype: str = "310") -> Pool:
    found = terms().pool_of(insutype=insutype, year=2026)
    assert found is not None
    return found


def stay(**changes: object) -> PaidStay:
    base = PaidStay(
        setl_id="1", fixmedins_code="H99990000009", level="2", insutype="310", settled_on=date(2026, 5, 1), group="GZ13",
        packet=None, main="K22.301", procedures=(), los_days=8, cost_fen=900_000, pool_fen=600_000,
    )
    return msgspec.structs.replace(base, **changes)


@pytest.mark.parametrize(("changes", "kind", "standard", "due"), [
    # 0.85 × 10 000.00 = 8 500.00; others bear 9 000 − 6 000 = 3 000, so the fund owes 5 500
    ({}, "standard", 850_000, 550_000),
    # level 3: 8 500 × 1.1 = 9 350; − 3 000
    ({"level": "3"}, "standard", 935_000, 635_000),
    # its own coefficient before its level's: 8 500 × 1.2 = 10 200; − 3 000
    ({"level": "3", "fixmedins_code": "H99990000001"}, "standard", 1_020_000, 720_000),
    # 30 000.00 > 3 × 8 500 = 25 500: (30 000 − 25 500) × 80 % = 3 600 beside 8 500; others 10 000
    ({"cost_fen": 3_000_000, "pool_fen": 2_000_000}, "high", 850_000, 210_000),
    # exactly 3 × 8 500 is not above it
    ({"cost_fen": 2_550_000, "pool_fen": 2_000_000}, "standard", 850_000, 300_000),
    # 3 399.99 < 0.4 × 8 500 = 3 400: what was paid stays
    ({"cost_fen": 339_999, "pool_fen": 200_000}, "low", 339_999, 200_000),
    ({"cost_fen": 340_000, "pool_fen": 200_000}, "standard", 850_000, 710_000),
    ({"los_days": 61}, "long_stay", 900_000, 600_000),
    ({"los_days": 60}, "standard", 850_000, 550_000),
    # no group: 70 % of 6 000
    ({"group": ""}, "ungrouped", 0, 420_000),
    ({"group": "GZ15"}, "no_weight", 0, 420_000),
    # 5 200 − 3 000
    ({"main": "H25.900", "procedures": ("13.4100x001",)}, "by_disease", 520_000, 220_000),
    ({"main": "H25.900"}, "standard", 850_000, 550_000),
    ({"is_exit": True, "group": ""}, "exit", 900_000, 600_000),
    # others bear more than the standard: the fund owes nothing, never less
    ({"cost_fen": 2_000_000, "pool_fen": 100_000}, "standard", 850_000, 0),
])
def test_by_rate(changes: dict[str, object], kind: str, standard: int, due: int) -> None:
    pay = price_stay(stay(**changes), pool(), terms())
    assert (pay.kind, pay.standard_fen, pay.due_fen) == (kind, standard, due), pay.reason


def test_by_points() -> None:
    # 62.00 points × 1.1 = 68.2 points at 100.00 yuan = 6 820.00; others bear 3 000
    packet = pool("390").packets[0]
    pay = price_stay(stay(insutype="390", packet=packet, level="3"), pool("390"), terms())
    assert (pay.points_e4, pay.standard_fen, pay.due_fen) == (682_000, 682_000, 382_000)
    assert pay.follows_value


def facts(main: str, *procedures: str) -> Facts:
    operations = tuple(code for code in procedures if code in open_scheme().valid_operations)
    return Facts(main, (main,), procedures, operations, bool(operations), True, False, False, False, 0)


def test_a_packet_is_the_most_exact_one() -> None:
    rows = (
        Packet("K35.8:47.01", "", "core", "K35.8", "", ("47.01",), 620_000),
        Packet("K35.8:47.01+54.5", "", "core", "K35.8", "", ("47.01", "54.5"), 900_000),
        Packet("K35:O", "", "comprehensive", "K35", "operation", (), 500_000),
        Packet("K35:C", "", "comprehensive", "K35", "conservative", (), 200_000),
    )
    packets = index_packets(rows)

    def found(*codes: str) -> str:
        packet = find_packet(facts(*codes), packets)
        return packet.code if packet else ""

    assert found("K35.801", "47.0100") == "K35.8:47.01"
    assert found("K35.801", "54.5100x005", "47.0100") == "K35.8:47.01+54.5"
    assert found("K35.801", "47.0900") == "K35:O"
    assert found("K35.801") == "K35:C"
    assert found("K35.801", "96.0800x005") == ""  # a procedure that is no operation: no such packet
    assert found("Z99.900") == ""


def test_how_a_visit_is_cleared() -> None:
    made = terms()
    ask = {"institution_kind": "1", "med_type": "21", "on": date(2026, 1, 1)}
    assert made.clearing_way(**ask) == "40"
    assert made.clearing_way(**ask | {"on": date(2025, 12, 31)}) == "1"
    assert made.clearing_way(**ask | {"med_type": "11"}) == "1"
    assert made.clearing_way(**ask | {"institution_kind": "2"}) == "1"
    assert clearing_way("441300", **ask) == "50"
    assert clearing_way("110000", **ask) == "1"


def test_a_year_without_a_file_of_its_own_takes_the_latest_before_it() -> None:
    assert terms().pool_of(insutype="310", year=2025) is None
    later = terms().pool_of(insutype="310", year=2027)
    assert later is not None
    assert (later.year, later.rate_fen) == (2027, 1_000_000)


@pytest.mark.parametrize(("old", "new", "says"), [
    ('method = "drg_rate"', 'method = "guess"', "guess"),
    ('rate_yuan = "10000.00"', "", "rate_yuan"),
    ('rate_yuan = "10000.00"', 'rate_yuan = "10000.001"', "decimals"),
    ("[outlier]", "[outlier", "payment file"),
    ('weights = "w.csv"', 'weights = "none.csv"', "none.csv"),
])
def test_a_file_with_a_fault_is_not_read(old: str, new: str, says: str) -> None:
    with pytest.raises(PaymentFault, match=says):
        read_terms(DRG.replace(old, new, 1), TABLES)


def test_a_group_with_two_weights_is_a_fault() -> None:
    with pytest.raises(PaymentFault, match="two weights"):
        read_terms(DRG, TABLES | {"w.csv": "drg,weight\nGZ13,0.85\nGZ13,0.86\n"})


def test_the_packaged_files_are_read_and_every_group_has_a_weight() -> None:
    groups = {group.code for _, _, group in open_scheme().groups()}
    for file in files("yibao.data").joinpath("payments").iterdir():
        if not file.name.endswith(".toml"):
            continue
        made = open_terms(file.name.removesuffix(".toml"))
        assert made is not None
        for one in made.pools:
            assert one.is_assumed, "no number here is a region's own"
            assert set(one.weights) == groups if not one.packets else len({p.code for p in one.packets}) == len(one.packets)
