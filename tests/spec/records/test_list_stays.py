"""Lists of stays that were settled in several parts, lists sent at the same time, and what is proven on live data."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.spec.records.conftest import CHRONIC, ORDINARY, PatientOf, Stayed
from tests.support.lists import changed, chronic_list, forget_list, on_database, stay_list
from tests.support.till import Refused, Till, new_msgid, total
from tests.support.ward import Ward
from yibao.demo.description import ENDPOINT
from yibao.kernel.business_time import SHANGHAI
from yibao.usecases.verification.record_checks import RECORD_CHECKS


@pytest.fixture
def ward(world: dict[str, Any], till: Till) -> Ward:
    """Return a ward beside the till."""
    return Ward(world["base_url"] + ENDPOINT, till.counter)


def test_each_settlement_of_a_stay_has_its_own_list(
    ward: Ward, patient_of: PatientOf, world: dict[str, Any], world_url: str
) -> None:
    drugs = [i for i in world["items"] if i["list_type"] == "101" and i["chrgitm_lv"] != "03"]
    charges = [[{"med_list_codg": d["med_list_codg"], "medins_list_codg": d["medins_list_codg"], "pric": d["price"], "cnt": 10,
                 "det_item_fee_sumamt": round(float(d["price"]) * 100) * 10 / 100} for d in part]
               for part in (drugs[:2], drugs[2:3])]
    came = datetime.now(SHANGHAI).replace(hour=8, minute=30, second=0, microsecond=0) - timedelta(days=6)
    left = came + timedelta(days=5)
    stay = ward.admit(patient_of("zb-retired-first"), came)
    ward.charge(stay, came, charges[0])
    interim = ward.settle_stay(stay, total(charges[0]), interim=True)
    open_list = changed(changed(stay_list(interim, ward, came, left), "setlinfo.dscg_time", None), "setlinfo.dscg_way", None)
    ward.call("4101", open_list)

    ward.charge(stay, came + timedelta(days=2), charges[1])
    ward.discharge(stay, left)
    final = ward.settle_stay(stay, total(charges[1]))
    ward.call("4101", stay_list(final, ward, came, left))
    for settled, part in ((interim, charges[0]), (final, charges[1])):
        told = ward.call("4103", {"data": {"setl_id": settled["setlinfo"]["setl_id"]}})
        assert told["setlinfo"]["chk_cont"] is None, "neither list has a fault, though the stay went on after the first"
        assert round(sum(i["item_sumamt"] for i in told["iteminfo"]), 2) == total(part), "its own periods only"

    ward.cancel_settlement(stay, final["setlinfo"]["setl_id"])
    with pytest.raises(Refused, match="R02"):
        ward.call("4101", stay_list(final, ward, came, left))
    ward.call("4101", stay_list(interim, ward, came, left))


def test_lists_sent_at_once_are_one_list(till_for: Callable[..., Till], stayed: Stayed, world_url: str) -> None:
    tills = [till_for() for _ in range(4)]
    with ThreadPoolExecutor(len(tills)) as pool:
        replies = list(pool.map(lambda t: t.call("4101", stayed.content)["data"]["setl_list_id"], tills))
    assert len(set(replies)) == 1
    rows = on_database(world_url, "select version, state from records.settlement_list where setl_id = $1", stayed.setl_id)
    assert [tuple(r) for r in rows] == [(4, "checked")]


def test_a_repeated_message_is_answered_and_not_done_again(till: Till, stayed: Stayed, world_url: str) -> None:
    message = till.envelope("4101", stayed.content, msgid=new_msgid())
    first = till.ask(message)
    assert till.ask(message) == first
    rows = on_database(world_url, "select version from records.settlement_list where setl_id = $1", stayed.setl_id)
    assert rows[0]["version"] == 1


def test_what_is_proven_on_live_data(till: Till, patient_of: PatientOf, world_url: str) -> None:
    patient = patient_of(CHRONIC)
    settled = till.settle(patient, patient["visit"])
    content = chronic_list(settled, till, patient["visit"])
    for state in ("0", "1", "1"):
        till.call("4101", changed(content, "setlinfo.stas_type", state))
    report = {"labinfo": {"mdtrt_sn": "V", "psn_no": patient["psn_no"], "mdtrt_id": till.register(patient_of(ORDINARY)),
                          "rpotc_no": "VERIFY", "vali_flag": "1"}}
    report["labinfo"]["psn_no"] = patient_of(ORDINARY)["psn_no"]
    for _ in range(2):
        till.call("4502", report)

    def breaches() -> list[int]:
        return [len(on_database(world_url, check.sql)) for check in RECORD_CHECKS]

    assert breaches() == [0] * len(RECORD_CHECKS)
    setl_id = settled["setlinfo"]["setl_id"]
    broken = (
        "update records.settlement_list set mdtrt_id = '0' where setl_id = $1",
        "update records.settlement_list set state = 'used' where setl_id = $1",
        "update records.list_event set state_from = 'used' where setl_id = $1 and seq = 1",
    )
    for n, sql in enumerate(broken):
        on_database(world_url, sql, setl_id)
        assert breaches()[n] == 1, "each check finds what it is for"
    on_database(world_url, "delete from records.document_version where doc_key = 'VERIFY'")
    assert breaches()[3] == 1
    forget_list(world_url, setl_id)


@pytest.mark.parametrize("table", ["settlement_list", "list_event", "document", "document_version", "look_permit"])
def test_every_table_is_fenced_by_region(world_url: str, table: str) -> None:
    rows = on_database(world_url, "select relrowsecurity and relforcerowsecurity as fenced from pg_class "
                                  "where oid = ('records.' || $1)::regclass", table)
    assert rows[0]["fenced"]
    granted = on_database(world_url, "select privilege_type as p from information_schema.role_table_grants "
                                     "where table_schema = 'records' and table_name = $1 and grantee = 'yibao_gateway'", table)
    writes = {r["p"] for r in granted} - {"SELECT"}
    assert writes == ({"INSERT", "UPDATE"} if table in ("settlement_list", "document") else {"INSERT"}), "history only grows"
