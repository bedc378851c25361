"""``verify`` and ``explain`` know stays: silent where nothing is wrong, and finding what was tampered with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import asyncpg
import pytest

from tests.spec.stays.conftest import Charges, days_ago
from tests.support.till import total
from tests.support.ward import Ward
from yibao.infra.database import PORTAL, Database
from yibao.kernel.refusal import Refusal
from yibao.usecases.inspection.field_names import packaged
from yibao.usecases.inspection.show_settlement import show_settlement
from yibao.usecases.settlement.explain_settlement import explain
from yibao.usecases.verification.verify_books import Finding, verify_books


async def _verify(url: str, *, harm: str = "") -> list[Finding]:
    connection = await asyncpg.connect(url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        if harm:
            await connection.execute(harm)
        return [f for f in await verify_books(connection) if f.breaches]
    finally:
        await transaction.rollback()
        await connection.close()


@pytest.fixture(scope="module")
def settled(ward_for: Callable[..., Ward], world: dict[str, Any], charges_of: Charges) -> dict[str, str]:
    """Settle a stay with a return, two interims and a final; reverse the final and settle it anew. Return ids."""
    ward = ward_for()
    patient = next(p for p in world["patients"] if p["insutype"] == "310" and p["insuplc_admdvs"] == "370300")
    stay = ward.admit(patient, days_ago(20))
    charges = [{**c, "feedetl_sn": str(900 + n)} for n, c in enumerate(charges_of(4))]
    ward.charge(stay, days_ago(19), charges)
    first = charges[0]
    back = {**first, "feedetl_sn": "990", "init_feedetl_sn": "900", "cnt": -first["cnt"],
            "det_item_fee_sumamt": -first["det_item_fee_sumamt"]}
    ward.charge(stay, days_ago(18), [back])
    one = ward.settle_stay(stay, total(charges[1:]), interim=True)["setlinfo"]
    more = charges_of(2, first=4)
    ward.charge(stay, days_ago(12), more)
    two = ward.settle_stay(stay, total(more), interim=True)["setlinfo"]
    last = charges_of(2, first=6)
    ward.charge(stay, days_ago(5), last)
    ward.discharge(stay, days_ago(4))
    wrong = ward.settle_stay(stay, total(last))["setlinfo"]
    ward.cancel_settlement(stay, wrong["setl_id"])
    final = ward.settle_stay(stay, total(last))["setlinfo"]
    return {"stay": stay.mdtrt_id, "one": one["setl_id"], "two": two["setl_id"], "final": final["setl_id"]}


def test_untouched_books_are_clean(settled: Mapping[str, str], world_url: str) -> None:
    assert asyncio.run(_verify(world_url)) == []


def test_a_stay_explains_itself(settled: Mapping[str, str], world_url: str) -> None:
    async def look(setl_id: str) -> Any:
        connection = await asyncpg.connect(world_url)
        try:
            return await explain(connection, setl_id)
        finally:
            await connection.close()

    found = {name: asyncio.run(look(settled[name])) for name in ("one", "two", "final")}
    assert not any(isinstance(x, Refusal) or x.differences for x in found.values())
    assert [(x.stay.period_from, x.stay.period_to, x.stay.is_interim) for x in found.values()] == [
        (1, 1, True), (2, 2, True), (3, 4, False)]
    assert [len(x.lines) for x in found.values()] == [5, 2, 2]
    assert {x.stay.admission for x in found.values()} == {1}


def test_the_settlement_page_shows_the_stay_and_what_each_line_rests_on(
    settled: Mapping[str, str], world_url: str
) -> None:
    async def look() -> Any:
        database = await Database.open(world_url, role=PORTAL, size=1)
        async with database.transaction(regions=("370300",)) as tx:
            code = await tx.fetchval("select fixmedins_code from settlements.settlement where setl_id = $1", settled["one"])
            sheet = await show_settlement(tx, institution=code, setl_id=settled["one"], names=packaged(), policies={})
        await database.close()
        return sheet

    sheet = asyncio.run(look())
    assert all(check.holds for check in sheet.checks)
    assert "第1次住院；中途结算第1期费用" in sheet.stay.sentence()
    returned = [line for line in sheet.lines if line.init_sn]
    assert [line.reason for line in returned] == ["退明细900"]
    assert all(line.basis for line in sheet.lines if not line.init_sn)


FINAL = "(select setl_id from settlements.stay_in_force where not is_interim limit 1)"
STAY = "(select mdtrt_id from settlements.stay_in_force where not is_interim limit 1)"
HARMS = {
    "a period is covered twice": (
        f"update settlements.stay_settlement set period_from = period_from - 1 where setl_id = {FINAL}", "I1"),
    "a period is left out": (
        f"update settlements.stay_settlement set period_from = period_from + 1 where setl_id = {FINAL}", "I1"),
    "a final settlement of somebody still in": (
        f"update encounters.encounter set state = 'admitted' where mdtrt_id = {STAY}", "I1"),
    "the discharge was moved": (
        f"update encounters.stay set discharged_at = discharged_at + interval '1 day' where mdtrt_id = {STAY}", "I1"),
    "a line before the admission": (
        "update encounters.fee_line set occurred_at = occurred_at - interval '30 days' where mdtrt_id = "
        f"{STAY} and feedetl_sn = '901'", "I1"),
    "more returned than charged": (
        "update encounters.fee_line set quantity_e4 = quantity_e4 - 10000 where feedetl_sn = '990'", "I1"),
    "a return of another item": ("update encounters.fee_line set item_code = 'X' where feedetl_sn = '990'", "I1"),
    "a stay without its cover": (f"delete from settlements.stay_settlement where setl_id = {FINAL}", "I3"),
    "a deductible of the stay was lowered": (
        "update settlements.counter set used_fen = used_fen - 1 where year = 0 and code like '%#stay:%'", "I2"),
}


@pytest.mark.parametrize("harm", HARMS)
def test_harm_is_found(settled: Mapping[str, str], world_url: str, harm: str) -> None:
    sql, invariant = HARMS[harm]
    assert invariant in {f.invariant for f in asyncio.run(_verify(world_url, harm=sql))}
