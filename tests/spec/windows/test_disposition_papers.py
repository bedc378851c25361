"""Dispositions of papers and of money on its way, each sent through a real way in: REST for papers, the exchange for payments.

The plan is that of the first notice with its days in October 2025 and three rules of other cities' sort.
"""

from __future__ import annotations

import base64
from typing import Any

import pytest

from tests.support.window_city import City, plan_text
from yibao.domains.exchange.model import Incoming
from yibao.domains.exchange.rules import canonical
from yibao.domains.services.items import service_book
from yibao.entrypoints.exchange.handlers import HANDLERS
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.usecases.contributions.assess_residents import assess_residents
from yibao.usecases.contributions.send_bills import send_bills
from yibao.usecases.exchange.take_message import take_message

REGION, CERTIFICATE = "370300", "002036003001"
CLERK = Actor(login="clerk.first", channel="cli", regions=(REGION,), roles=("intake", "review"))
MORE = """
[[rule]]
id = "D-PRE"
disposition = "pre_accept"
when.business = ["certificate"]
when.channel = ["hall"]
phase = ["frozen"]
says = "线上提交的先收下，恢复后按提交先后办理"
terms.register = "online_intake"

[[rule]]
id = "D-RECEIPT"
disposition = "accept_effective_on_receipt"
when.business = ["injury_review"]
when.channel = ["window", "api"]
phase = ["frozen"]
says = "收件登记，自收件之日起生效"
terms.register = "counter_intake"

[[rule]]
id = "D-RETURN"
disposition = "refund_at_once"
when.business = ["contribution", "resident_contribution", "flexible_contribution"]
when.channel = ["tax", "bank", "exchange"]
phase = ["frozen"]
says = "停止缴费后到账的款项随到随退，恢复后请重新缴纳"
terms.register = "payment_returned"

[[register]]
kind = "online_intake"
title = "网上预受理登记"
keeper = "agency"

[[register]]
kind = "counter_intake"
title = "窗口收件登记"
keeper = "agency"
"""


@pytest.fixture(scope="module")
def city(city_at: Any) -> City:
    """Zibo on 9 October 2025, the notice published; next year's residents' dues are with the tax bureau."""
    opened: City = city_at("2025-10-09 08:00")
    opened.publish(plan_text("zibo-2021", year=2025) + MORE)
    opened.with_database(lambda d: assess_residents(d, admdvs=REGION, year=2026, now=opened.clock.now(), shelf=opened.shelf))
    opened.with_database(lambda d: send_bills(d, admdvs=REGION, now=opened.clock.now(), ids=opened.ids, actor=CLERK))
    return opened


def worked(city: City, kind: str) -> list[str]:
    """Have a book worked off by two people over REST and return the outcomes."""
    book = f"/regions/{REGION}/registers/{kind}"
    asked = city.hall("review").do(f"{book}/work", {"plan": "zibo-2021"})
    done = city.hall("approve").do(f"/proposals/{asked['proposal_id']}/approve", {})
    return [row["outcome"] for row in done["answer"]["rows"]]


def scan(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_papers_and_money_of_the_stop(city: City) -> None:
    person, hurt, resident = (city.patient(s) for s in ("zb-active-first", "zb-retired-first", "zb-resident-first"))
    counter = city.hall("intake")
    needed = [p.material for p in service_book().papers[CERTIFICATE] if p.rule == "required"]
    application = {
        "admdvs": REGION, "item_code": CERTIFICATE, "applicant_kind": "person", "applicant_no": person["psn_no"],
        "applicant_name": person["psn_name"], "phone": "13000000000", "channel": "hall", "body": {"psn_no": person["psn_no"]},
        "materials": [{"material": m, "file_name": "扫描件", "content": scan(m)} for m in needed],
    }

    # 12 October. On line: stored, numbered, undecided.
    city.turn("2025-10-12 10:00")
    stored = counter.do("/applications", application)
    assert (stored["state"], stored["register_no"]) == ("registered", "R370300-online_intake-000001")
    assert worked(city, "online_intake") == ["waiting"]

    # At the counter: an injury's papers hold from today, whatever day they ask for.
    injury = {"insutype": "", "kind": "accident", "injured_on": "2025-10-11", "place": "家中", "cause": "跌倒",
              "has_undertaking": False, "approved": True, "begin": "2025-10-20", "end": None, "detail": "{}"}
    kept = counter.do("/filing-papers", {
        "admdvs": REGION, "filing": "injury", "psn_no": hurt["psn_no"], "applicant_name": hurt["psn_name"], "content": injury,
        "papers": [{"code": "record", "title": "调查记录", "content": scan("x")}]})
    assert (kept["effective_on"], kept["state"]) == ("2025-10-12", "received")

    # The tax bureau tells of a payment made today: it pays nothing, goes back, and stands in the book.
    (due,) = city.fetch("select bill_id, payer_no from contributions.due where psn_no = $1 and kind = 'regular'",
                        resident["psn_no"])
    (bill,) = city.fetch("select amount_fen from contributions.bill where bill_id = $1", due["bill_id"])
    body = {"payment_id": "P1", "bill_id": due["bill_id"], "amount_fen": bill["amount_fen"], "channel": "tax_app",
            "paid_at": "2025-10-12T15:00:00+08:00", "payer_no": due["payer_no"], "admdvs": REGION}
    city.turn("2025-10-12 15:10")

    async def told(tx: Any, *, actor: Actor, now: Any, ids: Any) -> str:
        del actor
        message = Incoming(no=1, id="T1", kind="payment", admdvs=REGION, body=body, digest=sm3(canonical(body).encode()).hex())
        return await take_message(tx, message, party="tax", handlers=HANDLERS, now=now, ids=ids, shelf=city.shelf, gate=gate)

    gate = city.gate()
    assert city.do(told) == "done"
    (row,) = city.fetch("select state, paid_fen from registers.entry where kind = 'payment_returned'")
    assert (row["state"], row["paid_fen"]) == ("received", bill["amount_fen"])
    assert city.fetch("select state from contributions.bill where bill_id = $1", due["bill_id"])[0]["state"] == "sent"
    assert len(city.fetch("select 1 from exchange.outbox where kind = 'payment_return'")) == 1

    # 20 October: the application goes to the desk, the injury is filed with the day of its receipt.
    city.turn("2025-10-20 09:00")
    assert worked(city, "online_intake") == ["done"]
    released = city.hall("intake").read(f"/applications/{stored['application_id']}")
    assert released.get("application", released)["state"] == "submitted"
    assert worked(city, "counter_intake") == ["done"]
    (filed,) = city.fetch("select valid_from from applications.injury where psn_no = $1", hurt["psn_no"])
    assert f"{filed['valid_from']}" == "2025-10-12"
    assert city.breaches() == {}
