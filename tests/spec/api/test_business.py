"""The core business over the API: what a hall does on an ordinary day, and what it is told when it may not."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from tests.spec.api.conftest import HallOf
from tests.support.hall import problem_of
from yibao.kernel.identity_number import make

REGION = "370300"
TODAY = datetime.now(ZoneInfo("Asia/Shanghai")).date()
CERTNO = make("370391", date(1990, 5, 17), 901)


@pytest.fixture(scope="module")
def employer(hall_of: HallOf) -> dict[str, Any]:
    """Enrol an employer over the API."""
    form = {"admdvs": REGION, "uscc": _uscc(), "name": "淄博示例陶瓷有限公司", "legal_name": "孙法人", "handler_name": "周经办",
            "handler_phone": "0533-0000000", "bank_name": "示例银行", "bank_account": "6200000000000001"}
    return hall_of("intake").do("/employers", form)


def _uscc() -> str:
    """Return a unified social credit code with its check character (GB 32100): weights are powers of 3 modulo 31."""
    letters, body = "0123456789ABCDEFGHJKLMNPQRTUWXY", "91370300MA3C4TEX1"
    total = sum(letters.index(c) * pow(3, n, 31) for n, c in enumerate(body))
    return body + letters[(31 - total % 31) % 31]


def test_an_employee_joins_and_is_shown_with_masked_numbers(hall_of: HallOf, employer: dict[str, Any]) -> None:
    hall = hall_of("intake")
    joined = hall.do("/enrolment/members", {
        "emp_no": employer["emp_no"], "name": "郑新人", "certno": CERTNO, "insured_on": str(TODAY.replace(day=1)),
        "wage_fen": 600_000, "evidence": "劳动合同"})
    psn_no = joined["begun"]["psn_no"]
    shown = hall.read(f"/people/{psn_no}")
    assert (shown["name"], shown["birth_on"], shown["sex"]) == ("郑新人", "1990-05-17", "1")
    assert CERTNO not in str(shown)
    assert [r["emp_no"] for r in shown["relations"]] == [employer["emp_no"]]
    members = hall.read(f"/employers/{employer['emp_no']}/members", on=str(TODAY))["rows"]
    assert [m["psn_no"] for m in members] == [psn_no]
    found = hall.ask("/people/search", {"certno": CERTNO})["rows"]
    assert [(p["psn_no"], p["name"]) for p in found] == [(psn_no, "郑*人")]


def test_somebody_else_under_the_same_number_is_a_case_and_no_overwrite(
    hall_of: HallOf, employer: dict[str, Any]
) -> None:
    hall = hall_of("intake")
    body = {"emp_no": employer["emp_no"], "name": "冒名者", "certno": CERTNO, "insured_on": str(TODAY.replace(day=1)),
            "evidence": "劳动合同"}
    first, again = (hall.send("POST", "/enrolment/members", body=body, key="doubted-joiner") for _ in range(2))
    assert (first.status_code, again.status_code) == (202, 202), "nobody was enrolled, and a repeat is told so too"
    assert (again.content, again.headers["idempotent-replayed"]) == (first.content, "true")
    held = first.json()
    assert held["begun"] is None
    assert held["held"]["doubt_id"] in {d["doubt_id"] for d in hall_of("review").read("/doubts")["rows"]}
    assert [p["name"] for p in hall.ask("/people/search", {"certno": CERTNO})["rows"]] == ["郑*人"]
    settled = hall_of("review").do(f"/doubts/{held['held']['doubt_id']}/settle", {"decision": "wrong_statement"})
    assert (settled["state"], settled["decision"]) == ("settled", "wrong_statement")


def test_a_name_is_changed_by_two_people_and_both_names_are_kept(hall_of: HallOf) -> None:
    review, approve = hall_of("review"), hall_of("approve")
    psn_no = review.ask("/people/search", {"certno": CERTNO})["rows"][0]["psn_no"]
    proposed = review.do(f"/people/{psn_no}/key-changes", {"changes": {"name": "郑新名"}, "evidence": "户口簿"})
    assert review.read(f"/people/{psn_no}")["name"] == "郑新人"
    approve.do(f"/proposals/{proposed['proposal_id']}/approve")
    assert review.read(f"/people/{psn_no}")["name"] == "郑新名"
    changes = review.read(f"/people/{psn_no}/changes")["rows"]
    assert [(c["field"], c["old_value"], c["new_value"], c["actor"]) for c in changes] == [
        ("name", "郑新人", "郑新名", "approve.370300")
    ]


def test_a_plain_change_takes_no_key_field(hall_of: HallOf) -> None:
    psn_no = hall_of("intake").ask("/people/search", {"certno": CERTNO})["rows"][0]["psn_no"]
    problem = hall_of("intake").refused(f"/people/{psn_no}/changes", {"changes": {"name": "郑三名"}})
    assert (problem["status"], problem["faults"][0]["field"].split(".")[0]) == (400, "changes")


def test_an_account_is_frozen_by_two_people(hall_of: HallOf, world: dict[str, Any]) -> None:
    patient = next(p for p in world["patients"] if p["insuplc_admdvs"] == REGION and p["balance"])
    path = f"/people/{patient['psn_no']}/account"
    statement = hall_of("intake").read(path)
    assert statement["ties"] is True
    assert statement["closing_fen"] == statement["balance_fen"] == round(patient["balance"] * 100)
    proposed = hall_of("review").do(path + "/freeze", {"cause": "court", "document": "示例裁定书1号"})
    frozen = hall_of("approve").do(f"/proposals/{proposed['proposal_id']}/approve")["answer"]
    assert (frozen["is_frozen"], frozen["balance_fen"]) == (True, statement["balance_fen"])


def test_a_county_clerk_names_nobody_of_another_county_in_a_body(hall_of: HallOf, world: dict[str, Any]) -> None:
    county, whole = hall_of("county"), hall_of("intake")
    patient = next(p for p in world["patients"] if p["insuplc_admdvs"] == REGION)
    whole.do(f"/people/{patient['psn_no']}/changes", {"changes": {"division": "370399"}})
    body = {"psn_no": patient["psn_no"], "member_no": patient["psn_no"], "kinship": "spouse", "consent": "同意书"}
    assert county.refused("/families", body)["code"] == "PERSON_NOT_FOUND"
    assert whole.refused("/families", body)["code"] != "PERSON_NOT_FOUND"
    bills = county.send("GET", f"/payers/{patient['psn_no']}/bills")
    assert (bills.status_code, problem_of(bills)["code"]) == (404, "PAYER_NOT_FOUND")
    assert whole.send("GET", f"/payers/{patient['psn_no']}/bills").status_code == 200


def test_the_exchange_and_the_month_can_be_looked_at(hall_of: HallOf) -> None:
    assert hall_of("review").read("/exchange")["rows"] == []
    checklist = hall_of("review").read("/closing/checklist", admdvs=REGION, month=f"{TODAY:%Y-%m}")
    assert checklist["rows"]


def test_a_file_of_payouts_is_looked_for_by_the_states_it_can_have(hall_of: HallOf) -> None:
    hall = hall_of("review")
    for state in ("made", "sent", "answered", "withdrawn"):
        assert hall.read("/payout-files", admdvs=REGION, state=state)["rows"] == []
    assert hall.send("GET", "/payout-files", query={"admdvs": REGION, "state": "checked"}).status_code == 400


def test_a_case_of_the_exchange_is_tried_again_by_the_region_alone(hall_of: HallOf) -> None:
    """What happens when it is tried is the relay's own test; here: who may, and what is said of a case that is none."""
    assert hall_of("intake").refused("/exchange/cases/C0/retry")["code"] == "ROLE_MISSING"
    assert hall_of("county").refused("/exchange/cases/C0/retry")["code"] in ("ROLE_MISSING", "DIVISION_NOT_YOURS")
    assert hall_of("review").refused("/exchange/cases/C0/retry")["code"] == "CASE_UNKNOWN"


def test_the_treasurys_money_is_booked_once(hall_of: HallOf, world_url: str) -> None:
    """A bill of the state of 1 yuan without dues: booked for what it says, on no later day than today, and not twice."""
    bill_id = "SB-370300-TEST"
    _run(world_url, "insert into contributions.bill (bill_id, admdvs, payer_kind, payer_no, kind, month, ordinal, count, "
                    "amount_fen, state, due_on, pay_from, made_at) values ($1, '370300', 'state', 'state:370300', 'subsidy', "
                    "date '2025-01-01', 1, 1, 100, 'open', date '2025-12-31', date '2025-01-01', now())", bill_id)
    hall, receipt = hall_of("review"), {"receipt_no": "CZ-1", "received_on": str(TODAY), "amount_fen": 100}
    path = f"/bills/{bill_id}/subsidy"
    assert hall_of("intake").refused(path, receipt)["code"] == "ROLE_MISSING"
    assert hall_of("review", "441300").refused(path, receipt)["code"] == "BILL_NOT_FOUND"
    assert hall.refused(path, receipt | {"amount_fen": 99})["code"] == "AMOUNT_DIFFERS"
    assert hall.refused(path, receipt | {"received_on": str(TODAY + timedelta(days=1))})["code"] == "RECEIVED_LATER"
    _run(world_url, "update contributions.bill set state = 'cancelled' where bill_id = $1", bill_id)
    assert hall.refused(path, receipt)["code"] == "BILL_CANCELLED"
    _run(world_url, "delete from contributions.bill where bill_id = $1", bill_id)


def _run(url: str, sql: str, *values: Any) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(sql, *values)
        finally:
            await connection.close()

    asyncio.run(run())
