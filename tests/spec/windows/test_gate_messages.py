"""The last minutes before a stop at a hospital's counter: what is said, what still goes, and what a lost reply is worth."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.till import new_msgid, total
from tests.support.ward import Stay, Ward
from tests.support.window_city import City, at

CHARGE = {"pric": 100.0, "cnt": 30, "det_item_fee_sumamt": 3000.0}
LAST, STOP = "2021-10-09 23:59:59.999", "2021-10-10 00:00"


@pytest.fixture(scope="module")
def city(city_at: Any) -> City:
    """The city of the first notice on the day after it was published."""
    opened: City = city_at("2021-09-30 09:00", exact=True)
    opened.publish("zibo-2021")
    return opened


@pytest.fixture(scope="module")
def ward(city: City) -> Ward:
    """A ward."""
    return city.ward()


def insured(city: City, nth: int) -> dict[str, Any]:
    """Return the n-th insured employee of the city."""
    found = [p for p in city.world["patients"] if p["insuplc_admdvs"][:4] == "3703" and p["insutype"] == "310"]
    return dict(found[nth])


def discharged(city: City, ward: Ward, nth: int) -> tuple[Stay, dict[str, Any]]:
    """Return a stay from 10-02 to 10-08 that is discharged and not settled, and its bill."""
    city.turn("2021-10-08 16:00")
    item = next(i for i in city.world["items"] if i["chrgitm_lv"] == "01" and i["list_type"] == "201")
    charges = [{**CHARGE, "med_list_codg": item["med_list_codg"], "medins_list_codg": item["medins_list_codg"]}]
    stay = ward.admit(insured(city, nth), at("2021-10-02 09:00"))
    ward.charge(stay, at("2021-10-02 10:00"), charges)
    ward.discharge(stay, at("2021-10-08 10:00"))
    return stay, ward.stay_bill(stay, total(charges))


def sent(ward: Ward, content: dict[str, Any], place: str, *, msgid: str | None = None) -> tuple[bytes, dict[str, Any]]:
    """Send 2304 and return the reply's bytes and what they say."""
    reply = ward.send(ward.envelope("2304", content, msgid=msgid or new_msgid(), insured_place=place))
    return reply, json.loads(reply)


def test_a_bill_that_the_notice_wants_settled_before_the_stop_is_settled_to_its_last_instant(city: City, ward: Ward) -> None:
    stay, bill = discharged(city, ward, 0)
    rules = [r for r in city.gate().plans[0].rules if r.disposition == "settle_before"]
    assert any("inpatient_settlement" in r.when.business and "P1" in r.when.position for r in rules)
    city.turn(LAST)
    answer = sent(ward, bill, stay.place)[1]
    assert answer["infcode"] == 0, answer


def test_a_reply_that_was_lost_is_given_again_after_the_stop_and_a_new_message_is_refused(city: City, ward: Ward) -> None:
    stay, bill = discharged(city, ward, 1)
    city.turn(LAST)
    msgid = new_msgid()
    first, answer = sent(ward, bill, stay.place, msgid=msgid)
    assert answer["infcode"] == 0, answer

    city.turn(STOP)
    again, _ = sent(ward, bill, stay.place, msgid=msgid)
    assert again == first, "whoever lost the reply learns that it was settled"
    other = json.loads(json.dumps(bill)) | {"data": {**bill["data"], "invono": "1"}}
    reused = sent(ward, other, stay.place, msgid=msgid)[1]
    assert "已用于另一笔内容不同的交易" in reused["err_msg"]
    refused = sent(ward, bill, stay.place)[1]
    assert refused["infcode"] == -1
    assert "暂停" in refused["err_msg"]


def test_a_message_refused_by_the_window_spends_no_number_and_settles_after_it(city: City, ward: Ward) -> None:
    stay, bill = discharged(city, ward, 2)
    city.turn(STOP)
    msgid = new_msgid()
    _, refused = sent(ward, bill, stay.place, msgid=msgid)
    assert refused["infcode"] == -1
    assert "补录" in refused["err_msg"], "what may become of the bill is said with the no"
    rows = city.fetch("select 1 from platform.message where msgid = $1", msgid)
    assert rows == []
    city.turn("2021-10-19 00:00")
    _, settled = sent(ward, bill, stay.place, msgid=msgid)
    assert settled["infcode"] == 0, settled
    assert city.breaches() == {}


def test_without_a_plan_the_other_city_notices_nothing(city: City) -> None:
    city.turn("2021-10-12 10:00")
    hall = city.hall("intake", "441300")
    person = next(p["psn_no"] for p in city.world["patients"] if p["insuplc_admdvs"][:4] == "4413" and p["insutype"] == "310")
    answer = hall.send("GET", f"/people/{person}/account")
    assert answer.status_code == 200
    assert not [h for h in answer.headers if h.startswith("x-yibao-a")]


def test_stopped_now_is_told_to_anybody(city: City) -> None:
    city.turn("2021-10-12 10:00")
    hall = city.hall()
    told = hall.read("/windows/now", admdvs="370300")["rows"]
    assert {t["stage"] for t in told} == {"frozen"}
    assert {t["restart"] for t in told} == {"10月18日（星期一）24:00时起"}
    assert hall.read("/windows/now", admdvs="441300")["rows"] == []
