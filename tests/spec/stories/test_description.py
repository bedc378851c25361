"""What a stranger's client reads in demo.json is there, complete, and leads to the stated amounts."""

from __future__ import annotations

import json
from decimal import Decimal
from itertools import count
from typing import Any

import pytest

from tests.spec.stories.conftest import now, silent
from yibao.demo.description import describe
from yibao.demo.first_visit import settle_first_visit
from yibao.demo.histories import replay_histories
from yibao.demo.hospital import Hospital, Send
from yibao.demo.orders import Desk, OrderLine, VisitOrder
from yibao.demo.stories import stories
from yibao.domains.access.passwords import matches
from yibao.infra.database import Database
from yibao.kernel.business_time import business_date

SEED = 7
"""The seed of the test world."""
REGIONS = ["370300", "441300"]
INSTITUTION = {"fixmedins_code", "fixmedins_name", "admdvs", "kind", "level", "auth", "opter", "opter_name",
               "departments", "doctors"}
PATIENT = {"story", "psn_no", "psn_name", "certno", "mdtrt_cert_type", "insutype", "psn_type", "insuplc_admdvs",
           "balance", "visit", "expected"}
VISIT = {"med_type", "dise_codg", "diag_code", "diag_name", "lines"}
LINE = {"med_list_codg", "medins_list_codg", "pric", "cnt", "det_item_fee_sumamt"}
ITEM = {"med_list_codg", "medins_list_codg", "name", "list_type", "chrgitm_lv", "price", "selfpay_prop"}


async def read(world: Database) -> dict[str, Any]:
    """Return the description as a client reads it: through JSON text, numbers exact."""
    described = await describe(world, base_url="http://127.0.0.1:8080", today=business_date(now()), seed=SEED)
    text = json.dumps(described, ensure_ascii=False)
    decoded: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return decoded


@pytest.fixture(scope="module")
async def described(world: Database, send: Send) -> dict[str, Any]:
    """Play the histories and describe the world before anybody came."""
    await replay_histories(world, send, now=now, progress=silent)
    return await read(world)


def test_every_promised_key_is_there(described: dict[str, Any]) -> None:
    assert described["regions"] == REGIONS
    assert described["base_url"] + described["endpoint"] == (
        "http://127.0.0.1:8080/fsi/api/rsfComIfsService/callService"
    )
    for institution in described["institutions"]:
        assert set(institution) >= INSTITUTION
        assert set(institution["auth"]) == {"scheme", "access_key", "secret"}
        assert all({"dr_codg", "dr_name", "dept_code", "dept_name"} <= set(d) for d in institution["doctors"])
    for patient in described["patients"]:
        assert set(patient) >= PATIENT
        assert set(patient["visit"]) >= VISIT
        assert all(set(line) >= LINE for line in patient["visit"]["lines"])
    assert all(set(item) >= ITEM for item in described["items"])


def test_there_are_twenty_institutions_and_one_without_signature_comes_first_in_each_region(
    described: dict[str, Any],
) -> None:
    assert len(described["institutions"]) == 20
    for region in REGIONS:
        home = [i for i in described["institutions"] if i["admdvs"] == region and i["auth"]["scheme"] == "none"]
        assert not home[0]["suspended"]
        assert home[0]["agreement_to"] > described["today"]
    schemes = {i["auth"]["scheme"] for i in described["institutions"]}
    assert schemes == {"none", "api_hmac_sha1", "tif_sha256"}
    assert all(i["auth"]["secret"] for i in described["institutions"] if i["auth"]["scheme"] != "none")


def test_there_are_fifty_patients_and_twenty_in_each_city(described: dict[str, Any]) -> None:
    assert len(described["patients"]) >= 50
    for region in REGIONS:
        assert sum(p["insuplc_admdvs"] == region for p in described["patients"]) >= 20
    assert len(described["patients"]) == len([s for s in stories() if not s.apart])


def test_first_pay_is_each_citys_own(described: dict[str, Any]) -> None:
    items = {i["med_list_codg"]: i for i in described["items"]}
    drug = items["XA02ADL183A001010101007"]
    # Class B drugs: 10 % in Zibo (ZB-415), 5 % in Huizhou (HZ-408).
    assert drug["selfpay_prop_by_region"] == {"370300": Decimal("0.1"), "441300": Decimal("0.05")}
    assert drug["selfpay_prop"] == Decimal("0.1")
    # The hospital's fee for an emergency consultation is class C in this price list.
    assert items["001102000030000"]["selfpay_prop"] == 1
    assert len(described["items"]) == 802


async def test_the_pages_passwords_open_the_pages(world: Database, described: dict[str, Any]) -> None:
    for institution in described["institutions"][:2]:
        login = institution["pages"]["login"]
        rows = await world.fetch("select password_hash from access.staff where login = $1", login)
        assert matches(rows[0]["password_hash"], institution["pages"]["password"])


async def test_passwords_of_another_seed_are_not_told(world: Database) -> None:
    other = await describe(world, base_url="http://x", today=business_date(now()), seed=SEED + 1)
    assert {i["pages"]["password"] for i in other["institutions"]} == {None}


async def test_a_stranger_settles_every_patient_from_the_description_alone(
    described: dict[str, Any], send: Send, world: Database
) -> None:
    hospital = Hospital(send, now=now, serials=count(2000))
    wrong = {}
    for number, patient in enumerate(described["patients"]):
        settled = await hospital.settle(order_from(described, patient, number))
        given = {field: Decimal(settled.setlinfo[field]) for field in patient["expected"]}
        if given != patient["expected"]:
            wrong[patient["story"]] = (given, patient["expected"])
    assert not wrong
    after = await read(world)
    assert after["patients"] == []
    assert len(after["played"]) == len(described["patients"])


async def test_the_first_visit_settles_again_and_again_and_touches_no_patient(
    world: Database, send: Send
) -> None:
    before = await read(world)
    first = await settle_first_visit(world, send, now=now)
    assert first.setlinfo["medfee_sumamt"] == Decimal("250.90")
    assert await world.fetch("select 1 from settlements.settlement where setl_id = $1", first.setl_id)
    after = await read(world)
    assert [p["story"] for p in after["patients"]] == [p["story"] for p in before["patients"]]
    assert first.patient not in {p["psn_name"] for p in after["patients"]}


def order_from(described: dict[str, Any], patient: dict[str, Any], number: int) -> VisitOrder:
    """Make the order as a stranger's client would, from the description alone."""
    home = next(
        i for i in described["institutions"]
        if i["admdvs"] == patient["insuplc_admdvs"] and i["auth"]["scheme"] == "none"
    )
    doctor = home["doctors"][0]
    caty = next(d["caty"] for d in home["departments"] if d["dept_code"] == doctor["dept_code"])
    visit = patient["visit"]
    return VisitOrder(
        psn_no=patient["psn_no"], psn_name=patient["psn_name"], certno=patient["certno"],
        insutype=patient["insutype"], insuplc_admdvs=patient["insuplc_admdvs"],
        desk=Desk(
            home["fixmedins_code"], home["fixmedins_name"], home["admdvs"], home["opter"], home["opter_name"],
            doctor["dept_code"], doctor["dept_name"], caty, doctor["dr_codg"], doctor["dr_name"],
        ),
        visit_no=f"STRANGER{number:04d}", med_type=visit["med_type"], diag_code=visit["diag_code"],
        diag_name=visit["diag_name"], dise_codg=visit["dise_codg"],
        lines=tuple(
            OrderLine(*(x[k] if isinstance(x[k], str) else Decimal(x[k]) for k in (
                "med_list_codg", "medins_list_codg", "pric", "cnt", "det_item_fee_sumamt"
            )))
            for x in visit["lines"]
        ),
    )
