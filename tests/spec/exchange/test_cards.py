"""A lost card is refused from the next message on, wherever it is shown; the identity card is not; a new card replaces it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.spec.exchange.conftest import Exchange
from tests.support.drugstore import Drugstore
from tests.support.offices import Office
from tests.support.till import Refused, Till, total
from tests.support.ward import ward_of
from yibao.demo.description import ENDPOINT
from yibao.infra.database import Database
from yibao.kernel.business_time import SHANGHAI
from yibao.usecases.settlement.shelf import PolicyShelf

REGION = "370300"


@pytest.fixture(scope="module")
def hr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    office = Office("hr", Path(tmp_path_factory.mktemp("hr"))).start()
    office.advance("2030-01-01T09:00")
    yield office
    office.stop()


class Holder:
    """Somebody with a card, at the counters of a hospital and a pharmacy, and at the office that issues cards."""

    def __init__(
        self, url: str, shelf: PolicyShelf, hr: Office, till: Till, drugstore: Drugstore, person: Mapping[str, Any],
        drug: Mapping[str, Any],
    ) -> None:
        self.drug, self.endpoint = drug, ""
        self.url, self.shelf, self.hr, self.till, self.drugstore, self.person = url, shelf, hr, till, drugstore, person
        self.card = self.fetch("select card_no from people.person where psn_no = $1", person["psn_no"])

    def fetch(self, sql: str, *values: Any) -> Any:
        async def run() -> Any:
            database = await Database.open(self.url, role=None, size=1)
            try:
                async with database.connection() as tx:
                    return await tx.fetchval(sql, *values)
            finally:
                await database.close()

        return asyncio.run(run())

    def at_office(self, act: str, **more: Any) -> None:
        """Do something at the office that issues cards, and have the platform hear of it."""
        self.hr.act(act, certno=self.person["certno"], admdvs=REGION, **more)
        self.relay()

    def relay(self) -> list[str]:
        async def run() -> list[str]:
            database = await Database.open(self.url, role=None, size=3)
            try:
                exchange = Exchange(database, self.shelf, self.hr)
                assert (await exchange.round())["hr"].error == ""
                assert await exchange.breaches() == []
                return await exchange.codes()
            finally:
                await database.close()

        return asyncio.run(run())

    def identify(self, card: str) -> Any:
        """Show a card at the counter (1101)."""
        return self.till.call("1101", {"data": {
            "mdtrt_cert_type": "03", "mdtrt_cert_no": card, "card_sn": "S1", "psn_cert_type": "01",
            "certno": self.person["certno"],
        }})

    def by_card(self, content: dict[str, Any], node: str = "data") -> dict[str, Any]:
        return {**content, node: {**content[node], "mdtrt_cert_type": "03", "mdtrt_cert_no": self.card, "card_sn": "S1"}}

    def register(self) -> Any:
        return self.till.call("2201", self.by_card(self.till.registration(self.person)), insured_place=REGION)

    def sale(self) -> dict[str, Any]:
        d = self.drug
        line = {"med_list_codg": d["med_list_codg"], "medins_list_codg": d["medins_list_codg"], "pric": d["price"], "cnt": 1,
                "det_item_fee_sumamt": d["price"]}
        return self.by_card(self.drugstore.purchase(self.person, [line]), "druginfo")


@pytest.fixture
def holder(
    world: Mapping[str, Any], world_url: str, shelf: PolicyShelf, hr: Office, till: Till, till_for: Callable[..., Till]
) -> Iterator[Holder]:
    person = next(p for p in world["patients"] if p["insuplc_admdvs"] == REGION and p["insutype"] == "310"
                  and p["visit"]["med_type"] == "11" and p["balance"] >= 1000)
    drugstore = Drugstore(till_for(REGION, kind="2"))
    drug = next(i for i in world["items"] if i["list_type"] == "101" and i["chrgitm_lv"] == "01")
    found = Holder(world_url, shelf, hr, till, drugstore, person, drug)
    found.endpoint = world["base_url"] + ENDPOINT
    yield found
    found.at_office("find_card", card_no=found.card)
    drugstore.till.close()


def test_a_lost_card_is_refused_everywhere_from_the_next_message_on(holder: Holder) -> None:
    bill = holder.by_card(holder.till.prepare(holder.person, holder.person["visit"]))
    assert holder.identify(holder.card)["baseinfo"]["psn_no"] == holder.person["psn_no"]
    holder.register()
    holder.drugstore.till.call("2101", holder.sale(), insured_place=REGION)
    holder.at_office("lose_card", card_no=holder.card)
    for what in (
        lambda: holder.identify(holder.card), holder.register,
        lambda: holder.till.call("2206", bill, insured_place=REGION),
        lambda: holder.till.call("2207", bill, insured_place=REGION),
        lambda: holder.drugstore.till.call("2101", holder.sale(), insured_place=REGION),
        lambda: holder.drugstore.till.call("2102", holder.sale(), insured_place=REGION),
    ):
        with pytest.raises(Refused, match=r"社会保障卡已挂失，不能使用.*请改用居民身份证"):
            what()
    by_identity = {"data": {**bill["data"], "mdtrt_cert_type": "02", "mdtrt_cert_no": holder.person["certno"]}}
    assert holder.till.call("2207", by_identity, insured_place=REGION)["setlinfo"]["setl_id"]


def test_a_card_that_is_lost_during_a_stay_does_not_settle_it(holder: Holder) -> None:
    ward = ward_of(holder.till, holder.endpoint)
    drug, begin = holder.drug, datetime.now(SHANGHAI) - timedelta(days=40)
    charge = {"med_list_codg": drug["med_list_codg"], "medins_list_codg": drug["medins_list_codg"], "pric": drug["price"],
              "cnt": 1, "det_item_fee_sumamt": drug["price"]}
    stay = ward.admit(holder.person, begin, mdtrt_cert_type="03", mdtrt_cert_no=holder.card, card_sn="S1")
    ward.charge(stay, begin, [charge])
    ward.discharge(stay, begin + timedelta(days=2))
    by_card = {"mdtrt_cert_type": "03", "mdtrt_cert_no": holder.card, "card_sn": "S1"}
    assert ward.try_stay(stay, total([charge]), **by_card)["setlinfo"]
    holder.at_office("lose_card", card_no=holder.card)
    for settle in (ward.try_stay, ward.settle_stay):
        with pytest.raises(Refused, match="社会保障卡已挂失"):
            settle(stay, total([charge]), **by_card)
    with pytest.raises(Refused, match="社会保障卡已挂失"):
        ward.admit(holder.person, begin + timedelta(days=20), mdtrt_cert_type="03", mdtrt_cert_no=holder.card, card_sn="S1")
    assert ward.settle_stay(stay, total([charge]))["setlinfo"]["setl_id"]
    ward.close()


def test_a_card_that_was_found_is_good_again(holder: Holder) -> None:
    holder.at_office("lose_card", card_no=holder.card)
    with pytest.raises(Refused, match="已挂失"):
        holder.identify(holder.card)
    holder.at_office("find_card", card_no=holder.card)
    assert holder.identify(holder.card)["baseinfo"]["psn_no"] == holder.person["psn_no"]
    holder.register()


def test_a_replaced_card_is_refused_in_words_and_the_new_one_is_good(holder: Holder) -> None:
    old = holder.card
    holder.at_office("replace_card", card_no="N" + old[1:], old_card_no=old)
    with pytest.raises(Refused, match=r"社会保障卡已补换新卡，不能使用.*请出示新卡"):
        holder.identify(old)
    with pytest.raises(Refused, match="补换过卡的请用新卡"):
        holder.register()
    holder.card = "N" + old[1:]
    assert holder.identify(holder.card)["baseinfo"]["psn_no"] == holder.person["psn_no"]
    holder.register()
    holder.at_office("replace_card", card_no=old, old_card_no=holder.card)
    holder.card = old


def test_news_that_come_late_do_not_undo_what_happened_after(holder: Holder) -> None:
    """Lost and found again the same day, told in the other order: the card stays good."""
    for at, state in (("2031-01-01T11:00:00+08:00", "found"), ("2031-01-01T10:00:00+08:00", "lost")):
        holder.hr.act("say", kind="card", admdvs=REGION, body={
            "certno": holder.person["certno"], "card_no": holder.card, "state": state, "at": at, "admdvs": REGION})
    holder.relay()
    assert holder.identify(holder.card)["baseinfo"]["psn_no"] == holder.person["psn_no"]


@pytest.mark.parametrize(("change", "code"), [
    ({"certno": "370399190001010000"}, "PERSON_NOT_FOUND"),
    ({"card_no": "X999"}, "CARD_NOT_OF_PERSON"),
    ({"state": "melted"}, "CARD_STATE_UNKNOWN"),
    ({"at": "yesterday"}, "MESSAGE_MALFORMED"),
])
def test_what_the_office_gets_wrong_is_a_case(holder: Holder, change: dict[str, str], code: str) -> None:
    body = {"certno": holder.person["certno"], "card_no": holder.card, "state": "lost", "at": "2032-01-01T10:00:00+08:00",
            "admdvs": REGION, **change}
    holder.hr.act("say", kind="card", admdvs=REGION, body=body)
    assert code in holder.relay()
    assert holder.identify(holder.card)["baseinfo"]["psn_no"] == holder.person["psn_no"]


def test_a_card_that_was_cancelled_is_refused(holder: Holder) -> None:
    """The last test of this module: a cancelled card is not good again."""
    holder.hr.advance("2040-01-01T09:00")
    holder.at_office("cancel_card", card_no=holder.card)
    with pytest.raises(Refused, match=r"已注销.*申领新卡"):
        holder.identify(holder.card)
