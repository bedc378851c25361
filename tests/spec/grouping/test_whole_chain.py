"""A stay from admission to its group's standard, over HTTP throughout."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

import pytest

from tests.spec.grouping.conftest import Desk, Office
from tests.spec.grouping.test_results import COEFFICIENT, RATE, level_of, weight_of
from tests.support.lists import Content, changed
from tests.twin.grouping_reader import PlainReader

MAIN = ("K80.101", "胆囊结石伴慢性胆囊炎")


def with_main(content: Content) -> Content:
    """Return a list with another main diagnosis."""
    return changed(changed(content, "diseinfo.0.diag_code", MAIN[0]), "diseinfo.0.diag_name", MAIN[1])


@pytest.mark.drives("2401", "2301", "2402", "2304", "4101", "3605")
def test_a_stay_earns_its_groups_standard(zibo: Office, desk: Desk) -> None:
    """Cost is brought to 90 % of the standard, so that it is neither cheap nor costly: the standard itself is paid."""
    group = PlainReader().answer({
        "gend": "1", "age": "40", "age_days": "", "birth_weight_g": "", "dx_codes": f"{MAIN[0]}|I10.x00x002",
        "op_codes": "51.2200",
    })[2]
    coefficient = COEFFICIENT[level_of(desk, zibo.code)]
    standard = (weight_of(group) * RATE * coefficient).quantize(Decimal("0.01"), ROUND_HALF_UP)
    info, content = zibo.settle(standard * Decimal("0.9"))
    assert info["clr_way"] == "40"
    zibo.accept(with_main(content))
    [result] = [r for r in desk.group("370300")["results"] if r["setl_id"] == info["setl_id"]]
    assert (result["kind"], result["code"]) == ("standard", group)

    [row] = zibo.months("3605", setl_id=info["setl_id"])
    assert (row["drg_code"], Decimal(str(row["place_grp_pay_std"]))) == (group, standard)
    # The pool owes the standard less what the person and other funds bear.
    cost, pool = Decimal(str(info["medfee_sumamt"])), Decimal(str(info["hifp_pay"]))
    assert Decimal(result["due_fen"]) / 100 == standard - (cost - pool)


@pytest.mark.drives("2304")
def test_a_stay_settled_in_parts_is_one_case(zibo: Office, desk: Desk) -> None:
    """An interim settlement is no case; the final one is, with the cost and the payments of both."""
    first, last, content = zibo.settle_in_parts(Decimal(900))
    assert first["setl_id"] not in str(desk.group("370300"))
    zibo.accept(with_main(content))
    [result] = [r for r in desk.group("370300")["results"] if r["setl_id"] == last["setl_id"]]
    assert result["kind"] == "low"
    both = [Decimal(str(info[name])) for info in (first, last) for name in ("medfee_sumamt", "hifp_pay")]
    assert Decimal(result["standard_fen"]) / 100 == both[0] + both[2]
    assert Decimal(result["due_fen"]) / 100 == both[1] + both[3]
    # Another stay of this module may be in the same group.
    [total] = zibo.months("3611", fixmedins_code=zibo.code, dise_code=result["code"])
    assert Decimal(str(total["medfee_sumamt"])) >= both[0] + both[2]
