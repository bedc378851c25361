"""After a day at the counter the books are clean, every sale explains itself, and harm is found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg
import pytest

from tests.spec.pharmacy.conftest import Item
from tests.support.drugstore import Drugstore, Prescriber, sold
from tests.support.till import Refused, new_msgid
from yibao.domains.catalogue.queries import terms_for
from yibao.kernel.business_time import business_date
from yibao.kernel.clock import SystemClock
from yibao.kernel.refusal import Refusal
from yibao.usecases.settlement.explain_settlement import explain
from yibao.usecases.verification.verify_books import verify_books

Patient = Mapping[str, Any]


@pytest.fixture
def day(prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item]) -> dict[str, Any]:
    """Sell plainly and on a prescription, cancel, bring back; return the prescription of the last sale."""
    drugstore.sell(patient, [sold(drugs[0], 1), sold(drugs[30], 2)])
    rx = prescriber.prescribe(patient, [(drugs[0], 3)])
    accepted = drugstore.accept(rx)
    line = [sold(drugs[0], 2, rxno=rx["hiRxno"])]
    cancelled = drugstore.sell(patient, line)
    refund_id = new_msgid()
    drugstore.refund(patient, cancelled, msgid=refund_id)
    drugstore.till.call("2601", {"data": {"psn_no": patient["psn_no"], "omsgid": refund_id, "oinfno": "2103"}})
    drugstore.hand_out(rx, accepted, drugs[0], 1, flag="0")
    return rx


async def test_the_books_are_clean_and_every_sale_explains_itself(day: dict[str, Any], world_url: str) -> None:
    connection = await asyncpg.connect(world_url)
    try:
        assert [f for f in await verify_books(connection) if f.breaches] == []
        ids = await connection.fetch("select setl_id from settlements.settlement where med_type = '41'")
        assert len(ids) >= 4
        for row in ids:
            explained = await explain(connection, row["setl_id"])
            assert not isinstance(explained, Refusal)
            assert list(explained.differences) == []
    finally:
        await connection.close()


@pytest.mark.parametrize("harm", [
    "update dispensing.prescription_line set dispensed_e4 = dispensed_e4 - 1 where hi_rxno = $1",
    "update dispensing.dispensed set state = 'returned' where hi_rxno = $1",
    "delete from dispensing.handed_out where hi_rxno = $1",
    "update encounters.fee_line set quantity_e4 = quantity_e4 + 1 where rxno = $1",
])
async def test_harm_is_found(harm: str, day: dict[str, Any], world_url: str) -> None:
    connection = await asyncpg.connect(world_url)
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute(harm, day["hiRxno"])
        found = [f for f in await verify_books(connection) if f.breaches]
    finally:
        await transaction.rollback()
        await connection.close()
    assert any("处方" in f.says for f in found), found


@pytest.mark.drives("2601")
async def test_a_cancelled_sale_cannot_come_back_when_its_drugs_are_gone(
    prescriber: Prescriber, drugstore: Drugstore, patient: Patient, drugs: list[Item]
) -> None:
    rx = prescriber.prescribe(patient, [(drugs[0], 1)])
    drugstore.accept(rx)
    line = [sold(drugs[0], 1, rxno=rx["hiRxno"])]
    refund_id = new_msgid()
    drugstore.refund(patient, drugstore.sell(patient, line), msgid=refund_id)
    drugstore.sell(patient, line)
    undo = {"data": {"psn_no": patient["psn_no"], "omsgid": refund_id, "oinfno": "2103"}}
    with pytest.raises(Refused, match="其药品已被取走"):
        drugstore.till.call("2601", undo)


@pytest.mark.drives("2601")
async def test_a_sale_whose_reply_was_lost_is_undone_and_cannot_arrive_late(
    drugstore: Drugstore, patient: Patient, drugs: list[Item]
) -> None:
    msgid = new_msgid()
    undo = {"data": {"psn_no": patient["psn_no"], "omsgid": msgid, "oinfno": "2102"}}
    drugstore.till.call("2601", undo)  # nothing came yet: the message is void
    with pytest.raises(Refused, match="该报文已被冲正"):
        drugstore.sell(patient, [sold(drugs[0], 1)], msgid=msgid)


async def test_a_sale_reads_the_same_terms_as_every_other_bill(world: Mapping[str, Any], world_url: str) -> None:
    """The facts of a sale look items up in the database; the other bills ask the catalogue: both must agree."""
    codes = [i["med_list_codg"] for i in world["items"]]
    today = business_date(SystemClock().now())
    connection = await asyncpg.connect(world_url)
    try:
        # An item whose earlier edition counted until the day before yesterday.
        await connection.execute(
            "insert into catalogue.former_item (code, list_type, name, charge_type, negotiated, unit, spec, class_code, origin, "
            "version, valid_from, valid_to) select code, list_type, name || '（旧）', charge_type, not negotiated, unit, spec, "
            "class_code, origin, 'old', '2000-01-01', valid_from from catalogue.item where code = $1", codes[0],
        )
        compared = 0
        for admdvs in world["regions"]:
            for level in ("1", "3"):
                for on in (today, today.replace(year=2022, day=1), today.replace(year=2019, day=1)):
                    theirs = await terms_for(connection, admdvs=admdvs, codes=codes, on=on, level=level)
                    rows = await connection.fetch("select * from dispensing.terms_of($1, $2, $3, $4)", admdvs, codes, on, level)
                    ours = {row["code"]: tuple(row) for row in rows}
                    assert ours == {code: tuple(getattr(t, f) for f in t.__struct_fields__) for code, t in theirs.items()}
                    compared += len(ours)
    finally:
        await connection.close()
    assert compared > len(codes)
