"""What a stranger's client reads in demo.json is there, complete, and leads to the stated amounts on the platform."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from tests.spec.stories.conftest import now, silent
from yibao.demo.description import describe
from yibao.demo.desks import order_of, read_desks
from yibao.demo.first_visit import settle_first_visit
from yibao.demo.histories import replay_histories
from yibao.demo.hospital import Hospital, Send, VisitRefused
from yibao.demo.orders import Desk, OrderLine, VisitOrder
from yibao.demo.stories import FIRST_VISIT, Story, stories
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
PATIENTS = [s for s in stories() if not s.apart]
FIRST = next(s for s in stories() if s.key == FIRST_VISIT)
APART = [s for s in stories() if s.apart and s.key != FIRST_VISIT]
ITEM = {"med_list_codg", "medins_list_codg", "name", "list_type", "chrgitm_lv", "price", "selfpay_prop"}


def key_of(story: Story) -> str:
    """Name a test case after its story."""
    return story.key


async def read(world: Database, base_url: str = "http://127.0.0.1:8080") -> dict[str, Any]:
    """Return the description as a client reads it: through JSON text, numbers exact."""
    described = await describe(world, base_url=base_url, today=business_date(now()), seed=SEED)
    text = json.dumps(described, ensure_ascii=False)
    decoded: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return decoded


@pytest.fixture(scope="module")
async def described(world: Database, send: Send) -> dict[str, Any]:
    """Play the histories, once, and describe the world before anybody came."""
    wanted = sum(len(s.history) for s in stories())
    assert await replay_histories(world, send, now=now, progress=silent) == wanted
    assert await replay_histories(world, send, now=now, progress=silent) == 0
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


@pytest.mark.parametrize("story", PATIENTS, ids=key_of)
async def test_a_stranger_settles_the_patient_from_the_description_alone(
    story: Story, described: dict[str, Any], hospital: Hospital
) -> None:
    patient = next(p for p in described["patients"] if p["story"] == story.key)
    settled = await hospital.settle(order_from(described, patient))
    given = {field: Decimal(settled.setlinfo[field]) for field in patient["expected"]}
    assert given == patient["expected"] == story.expected


@pytest.mark.parametrize("story", APART, ids=key_of)
async def test_the_stories_apart_settle_or_are_refused_as_told(
    story: Story, described: dict[str, Any], world: Database, hospital: Hospital
) -> None:
    told = next(p for p in described["more_stories"] if p["story"] == story.key)
    order = order_of(
        story, story.visit, await read_desks(world), psn_no=told["psn_no"], certno=told["certno"],
        visit_no=f"APART{told['psn_no'][-4:]}",
    )
    assert order.desk.fixmedins_code == told["fixmedins_code"]
    if not story.refusal:
        settled = await hospital.settle(order)
        assert {field: Decimal(settled.setlinfo[field]) for field in story.expected} == story.expected
        return
    with pytest.raises(VisitRefused) as refused:
        await hospital.settle(order)
    assert story.refusal in refused.value.reason


async def test_a_settled_patient_is_listed_as_played(world: Database, described: dict[str, Any]) -> None:
    after = await read(world)
    assert after["patients"] == []
    assert {p["story"] for p in after["played"]} == {p["story"] for p in described["patients"]}


async def test_the_first_visit_settles_again_and_again_and_touches_no_patient(
    world: Database, send: Send
) -> None:
    first = await settle_first_visit(world, send, now=now)
    assert {f: first.setlinfo[f] for f in FIRST.expected} == FIRST.expected
    assert first.setlinfo["hifp_pay"] > 0
    assert await world.fetch("select 1 from settlements.settlement where setl_id = $1", first.setl_id)
    again = await settle_first_visit(world, send, now=now)
    assert again.setl_id != first.setl_id
    after = await read(world)
    assert first.patient not in {p["psn_name"] for p in after["patients"] + after["played"]}


def order_from(described: dict[str, Any], patient: dict[str, Any]) -> VisitOrder:
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
        visit_no=f"STRANGER{patient['psn_no'][-4:]}", med_type=visit["med_type"], diag_code=visit["diag_code"],
        diag_name=visit["diag_name"], dise_codg=visit["dise_codg"],
        lines=tuple(
            OrderLine(*(x[k] if isinstance(x[k], str) else Decimal(x[k]) for k in (
                "med_list_codg", "medins_list_codg", "pric", "cnt", "det_item_fee_sumamt"
            )))
            for x in visit["lines"]
        ),
    )
