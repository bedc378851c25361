"""Before the stop exactly those are reminded who have something open that a rule is about, each once for each rule."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.support.hall import problem_of
from tests.support.register_desk import transfer
from tests.support.window_city import City, at
from yibao.domains.windows.shipped import plan_text
from yibao.kernel.actor import Actor
from yibao.usecases.windows.propose_plan import withdraw_plan

REGION, PLAN = "370300", "zibo-2021"
MORE = """
[[rule]]
id = "T-STOCK"
disposition = "stock_up"
when.business = ["chronic_settlement"]
phase = ["last_call"]
says = "门诊慢特病患者可在停机前一次取足六十天的药"
terms.days = 60

[[rule]]
id = "T-RETIRE"
disposition = "retire"
when.business = ["resident_contribution"]
when.channel = ["pos"]
phase = ["normal", "last_call", "drain", "restricted", "after"]
says = "POS 机缴费停用，请改用手机小程序"
terms.successor = "app"
"""
BILL = """
insert into contributions.bill (bill_id, admdvs, payer_kind, payer_no, kind, month, ordinal, count, amount_fen, state, due_on,
    pay_from, made_at)
values ($1, '370300', $2, $3, 'regular', '2021-10-01', 1, 1, $4, 'sent', '2021-10-25', '2021-10-01', now()) returning bill_id
"""
DUE = """
insert into contributions.due (psn_no, due_id, admdvs, relation_id, insutype, month, months, kind, payer_kind, payer_no,
    base_fen, parts, amounts, funds, total_fen, bill_id, state, assessed_at, policy_version)
values ($1, '390-2021-t', '370300', 'r', '390', '2021-10-01', 1, 'regular', $2, $3, 0, '{person.basic}', array[$4]::bigint[],
    '{310200}', $4, $5, 'sent', now(), 'test') returning due_id
"""
PAID = """
insert into contributions.payment (payment_id, admdvs, bill_id, payer_no, amount_fen, channel, paid_at, paid_on,
    recorded_at, state)
values ('T-POS-1', '370300', 'none', $1, 100, 'pos', now(), '2021-09-01', now(), 'received') returning payment_id
"""


@pytest.fixture(scope="module")
def city(city_at: Any) -> City:
    opened: City = city_at("2021-10-08 08:00")
    opened.publish((plan_text(PLAN) or "") + MORE)
    return opened


def concerned(city: City, rule: str = "") -> dict[tuple[str, str], set[str]]:
    """Return whom the plan concerns now: rule and group to numbers of people, employers and institutions."""
    answer = city.hall("audit").read(f"/notices/{PLAN}/concerned", admdvs=REGION, rule=rule, limit=200)
    found: dict[tuple[str, str], set[str]] = {}
    for row in answer["rows"]:
        found.setdefault((row["rule"], row["group"]), set()).add(row["psn_no"] or row["emp_no"] or row["fixmedins_code"])
    return found


def test_who_has_something_open_is_concerned_and_nobody_else(city: City) -> None:
    ann, bob, cat, dan, eve, fay = (city.patient(story)["psn_no"] for story in (
        "zb-active-first", "zb-active-over-deductible", "zb-retired-first", "zb-resident-first", "zb-child-first",
        "zb-active-emergency"))
    patients = {p["psn_no"]: p for p in (city.patient(s) for s in (
        "zb-active-first", "zb-active-over-deductible", "zb-retired-first", "zb-resident-first", "zb-active-emergency"))}
    before = concerned(city)
    # Nobody of the small world is in care or owes anything; the chronic patients of the region are as recorded.
    chronic = {r["psn_no"] for r in city.fetch("""
        select distinct c.psn_no from applications.chronic_recognition c
        join enrolment.relation r on r.psn_no = c.psn_no and r.status = '1'
        where c.admdvs = '370300' and c.valid_from <= '2021-10-08' and (c.valid_to is null or c.valid_to > '2021-10-08')""")}
    assert before == {("T-STOCK", "chronic"): chronic}
    assert chronic

    ward, till = city.ward(), city.till(index=1)
    ward.admit(patients[ann], at("2021-10-05 09:00"))
    left = ward.admit(patients[bob], at("2021-10-04 09:00"))
    ward.discharge(left, at("2021-10-07 10:00"))
    city.hall("intake").do("/applications", transfer(patients[cat]))
    visit = patients[dan]["visit"]
    mdtrt_id = till.register(patients[dan], begin="2021-10-07 08:30:00")
    till.record(patients[dan], visit, mdtrt_id, begin="2021-10-07 08:30:00")
    till.upload(patients[dan], visit, mdtrt_id, begin="2021-10-07 08:30:00")
    # Fay's stay is settled: she has nothing open.
    ward.whole_stay(patients[fay], at("2021-10-02 09:00"), patients[fay]["visit"]["lines"], days=3)
    employer = city.fetch("select emp_no from enrolment.employer where admdvs = '370300' order by emp_no limit 1")[0]["emp_no"]
    city.fetch(BILL, "T-UNIT", "unit", employer, 5000)
    city.fetch(BILL, "T-EVE", "person", eve, 32000)
    city.fetch(DUE, eve, "person", eve, 32000, "T-EVE")
    city.fetch(PAID, eve)

    hospital, other = ward.counter.fixmedins_code, till.counter.fixmedins_code
    found = concerned(city)
    assert found.pop(("T-STOCK", "chronic")) == chronic
    # By the notice: P1 settles before (R14); a stay that goes on may end before the stop (R14), inside it (R12), or after (R13).
    assert found == {
        ("ZB-R14", "stay_ended"): {bob, hospital}, ("ZB-R14", "stay_open"): {ann, hospital}, ("ZB-R14", "visit"): {dan, other},
        ("ZB-R12", "stay_open"): {ann, hospital}, ("ZB-R13", "stay_open"): {ann, hospital},
        ("ZB-R01", "dues"): {employer}, ("ZB-R02", "dues"): {eve}, ("T-RETIRE", "user"): {eve},
        ("ZB-R03", "application"): {cat}, ("ZB-R03B", "application"): {cat},
    }


def test_each_is_told_once_for_each_rule_in_chunks_of_any_size(city: City) -> None:
    review = city.hall("review")
    rows = city.hall("audit").read(f"/notices/{PLAN}/concerned", admdvs=REGION, limit=200)["rows"]
    expected = {(r["rule"], r["psn_no"], r["emp_no"], r["fixmedins_code"]) for r in rows}
    sent = review.do(f"/notices/{PLAN}/send", {"admdvs": REGION})
    assert (sent["sent"], sent["left"]) == (len(expected), 0)
    told = city.fetch("select rule, psn_no, emp_no, fixmedins_code, text, version from notices.message where kind = 'last_call'")
    assert {(m["rule"], m["psn_no"], m["emp_no"], m["fixmedins_code"]) for m in told} == expected
    assert len(told) == len(expected)
    assert review.do(f"/notices/{PLAN}/send", {"admdvs": REGION})["sent"] == 0
    eve = city.patient("zb-child-first")["psn_no"]
    assert any("有1张缴费单共320.00元尚未缴纳" in m["text"] for m in told if m["psn_no"] == eve)
    # No disease and no identity number stands in a message.
    for name in ("zb-chronic-hypertension", "zb-chronic-cancer"):
        person = city.patient(name)
        mine = [m["text"] for m in told if m["psn_no"] == person["psn_no"]]
        assert mine
        assert not any(person["certno"] in text or "高血压" in text or "肿瘤" in text for text in mine)
    counts = city.hall("audit").read(f"/notices/{PLAN}/sent", admdvs=REGION)["rows"]
    assert sum(c["told"] for c in counts) == len(expected)


def test_a_message_is_read_once(city: City) -> None:
    counter = city.hall("intake")
    eve = city.patient("zb-child-first")["psn_no"]
    message = counter.read(f"/people/{eve}/messages")["rows"][0]
    place = f"/people/{eve}/messages/{message['message_id']}/read"
    first = datetime.fromisoformat(counter.do(place)["read_at"])
    assert datetime.fromisoformat(counter.do(place)["read_at"]) == first
    assert datetime.fromisoformat(counter.read(f"/people/{eve}/messages")["rows"][0]["read_at"]) == first
    other = city.patient("zb-active-first")["psn_no"]
    assert counter.refused(f"/people/{other}/messages/{message['message_id']}/read")["code"] == "MESSAGE_NOT_FOUND"


def test_an_institution_reads_its_own_messages_only(city: City) -> None:
    code, other = (city.institution(index=n)["fixmedins_code"] for n in (0, 1))
    own = city.hall(code)
    rows = own.read(f"/institutions/{code}/messages")["rows"]
    assert rows
    assert problem_of(own.send("GET", f"/institutions/{other}/messages"))["code"] == "INSTITUTION_NOT_FOUND"
    assert own.do(f"/notices/messages/{rows[0]['message_id']}/read")["read_at"]
    theirs = city.hall("intake").read(f"/institutions/{other}/messages")["rows"][0]["message_id"]
    assert own.refused(f"/notices/messages/{theirs}/read")["code"] == "MESSAGE_NOT_FOUND"


def test_subscriptions_name_one_subscriber_and_a_track_that_stands_still(city: City) -> None:
    counter, eve = city.hall("intake"), city.patient("zb-child-first")["psn_no"]
    asked = {"admdvs": REGION, "plan": PLAN, "business": "inpatient_settlement", "psn_no": eve}
    made = counter.do("/notices/subscriptions", asked)
    assert (made["track"], made["ended_at"]) == ("settlement", None)
    assert counter.do("/notices/subscriptions", asked) == made
    assert counter.refused("/notices/subscriptions", asked | {"fixmedins_code": "H37030000001"})["code"] == "ADDRESSEE_INVALID"
    assert counter.refused("/notices/subscriptions", asked | {"psn_no": ""})["code"] == "ADDRESSEE_INVALID"
    assert counter.refused("/notices/subscriptions", asked | {"business": "nothing"})["code"] == "TRACK_NOT_FOUND"
    assert counter.refused("/notices/subscriptions", asked | {"plan": "nobody-2021"})["code"] == "PLAN_NOT_FOUND"
    ended = counter.do(f"/notices/subscriptions/{made['subscription_id']}/end", {"psn_no": eve})
    assert ended["ended_at"]
    assert counter.refused(f"/notices/subscriptions/{made['subscription_id']}/end", {})["code"] == "SUBSCRIPTION_NOT_FOUND"


def test_no_bulletin_before_anything_is_back(city: City) -> None:
    assert city.hall("review").refused(f"/notices/{PLAN}/bulletins", {"admdvs": REGION})["code"] == "BULLETIN_TOO_EARLY"
    assert city.hall("audit").read(f"/notices/{PLAN}/bulletins", admdvs=REGION)["rows"] == []


def test_a_stranger_reads_the_notice_and_nothing_else(city: City) -> None:
    stranger = city.hall("audit")
    text = stranger.read(f"/notices/{PLAN}", admdvs=REGION, view="phone")["text"]
    assert len(text) <= 500
    rows = stranger.read(f"/notices/{PLAN}/promises", admdvs=REGION)["rows"]
    assert any(r["promise"] == "refused" and r["business"] == "inpatient_settlement" for r in rows)
    assert problem_of(stranger.send("GET", "/notices/nobody-2021", query={"admdvs": REGION}))["code"] == "PLAN_NOT_FOUND"


def test_whoever_was_told_of_a_version_is_told_that_it_was_withdrawn(city: City) -> None:
    review = city.hall("review")
    text = (plan_text(PLAN) or "") + MORE
    later = text.replace('restart = "2021-10-18 24:00"', 'restart = "2021-10-19 24:00"')
    second = city.publish(later.replace("10月18日（星期一）24:00", "10月19日（星期二）24:00"), reason="推迟一天")
    told = review.do(f"/notices/{PLAN}/send", {"admdvs": REGION})
    assert "restart_moved" in told["kinds"]
    bob = city.patient("zb-active-over-deductible")["psn_no"]
    city.clock.turn(city.clock.now() + timedelta(minutes=5))
    city.do(withdraw_plan, REGION, PLAN, second.version, why="验收提前完成", actor=Actor(
        login="clerk.first", channel="cli", regions=city.shelf.regions))
    back = review.do(f"/notices/{PLAN}/send", {"admdvs": REGION})
    assert back["kinds"] == {"amended": told["sent"]}
    mine = [r["text"] for r in city.hall("intake").read(f"/people/{bob}/messages")["rows"] if r["kind"] == "amended"]
    assert len(mine) == 1
    assert "第2版公告已撤回（验收提前完成），仍按第1版办理" in mine[0]
    assert "由10月19日（星期二）24:00时起改为10月18日（星期一）24:00时起" in mine[0]
    assert review.do(f"/notices/{PLAN}/send", {"admdvs": REGION})["sent"] == 0
