"""The messages that move money, each made ready to be sent once, and what must be stored afterwards."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.proofs.books import Books
from tests.proofs.cast import Cast, Patient, draw_bill
from tests.support.accountant import yuan
from tests.support.drugstore import Drugstore
from tests.support.till import Till, total
from tests.support.ward import Ward
from yibao.kernel.business_time import SHANGHAI

SETTLING = ("2207", "2304", "2304 interim", "2102")
"""Deeds that settle: in two statements, or in the person's turn when they meet a change."""
UNDOING = ("2208", "2305", "2103", "2601 of 2207", "2601 of 2304", "2601 of 2102")
CLAIM = "3203"
DEEDS = (*SETTLING, *UNDOING, CLAIM)
_MESSAGES = "select count(*) from platform.message where sender = $1 and msgid = $2"
_REPLY = "select reply from platform.message where sender = $1 and msgid = $2"
_RECORDS = """
select s.kind, s.state, o.state as origin_state from settlements.settlement s
left join settlements.settlement o on o.psn_no = s.psn_no and o.setl_id = s.origin_id
where s.sender = $1 and s.msgid = $2
"""
_OF_ENCOUNTER = "select count(*) from settlements.settlement where psn_no = $1 and mdtrt_id = $2"
_CLAIMS = """
select count(*) as claims, coalesce(sum(settlements), 0) as settlements from clearing.claim
where fixmedins_code = $1 and claimed_at >= $2 and state = 'claimed'
"""
_UNCLAIMED = """
select count(*) filter (where kind <> 'refund') - count(*) filter (where kind = 'refund') as visits,
       coalesce(sum(medfee_fen), 0)::bigint as medfee, coalesce(sum(scope_fen), 0)::bigint as scope,
       coalesce(sum(fund_fen), 0)::bigint as fund, coalesce(sum(cash_fen), 0)::bigint as cash,
       coalesce(sum(account_fen), 0)::bigint as account
from settlements.settlement s
where fixmedins_code = $1 and clr_type = $2 and clr_optins = $3
  and (settled_at at time zone 'Asia/Shanghai')::date = $4
  and not exists (select from clearing.claim_item i where i.psn_no = s.psn_no and i.setl_id = s.setl_id and i.is_live)
"""
_REMEDY = """
select i.code from catalogue.term t join catalogue.item i on i.code = t.code
where t.admdvs = $1 and i.list_type = '101' and not i.negotiated and t.class_level = '01' and not t.restricted
  and i.origin = 'national' and t.valid_to is null and i.valid_to is null order by i.code limit 1
"""


@dataclass(frozen=True)
class Deed:
    """A message that is ready to be sent, the till that sends it, and the visit, stay or sale it is about.

    ``mdtrt_id`` is empty where the message itself makes the encounter.
    """

    name: str
    till: Till
    patient: Patient
    mdtrt_id: str
    message: dict[str, Any]
    visit: dict[str, Any]
    batch: str = "1"
    made_at: datetime | None = None

    @property
    def infno(self) -> str:
        """Return the transaction."""
        return str(self.message["infno"])

    def reads(self, reply: bytes) -> bool:
        """Say whether a reply reports success."""
        return bool(json.loads(reply).get("infcode") == 0)


def make_ready(cast: Cast, rng: Random, name: str) -> Deed:
    """Do everything that must come before a deed, and return its message unsent."""
    if name == CLAIM:
        return _claim(cast, rng)
    if name in UNDOING:
        return _undoing(cast, rng, name)
    return _MAKERS[name](cast, rng)


def _visit(cast: Cast, rng: Random) -> Deed:
    patient = cast.patient()
    site = cast.home(patient)
    till = cast.till(site)
    visit = draw_bill(cast, rng, patient, site).visit
    bill = till.prepare(patient.wire, visit)
    message = till.envelope("2207", bill, insured_place=patient.region)
    return Deed("2207", till, patient, bill["data"]["mdtrt_id"], message, visit)


def _stay(cast: Cast, rng: Random, *, interim: bool = False) -> Deed:
    patient = cast.patient_for_a_stay()
    site = cast.home(patient)
    ward = Ward(cast.served.endpoint, site.counter)
    visit = draw_bill(cast, rng, patient, site).visit
    now = datetime.now(SHANGHAI)
    stay = ward.admit(patient.wire, now - timedelta(hours=2))
    ward.charge(stay, now - timedelta(hours=1), visit["lines"])
    if not interim:
        ward.discharge(stay, now - timedelta(minutes=1))
    message = ward.envelope("2304", ward.stay_bill(stay, total(visit["lines"]), interim=interim), insured_place=patient.region)
    return Deed("2304 interim" if interim else "2304", ward, patient, stay.mdtrt_id, message, visit)


def _interim(cast: Cast, rng: Random) -> Deed:
    return _stay(cast, rng, interim=True)


def sold_lines(cast: Cast, region: str, prices: list[tuple[int, int]]) -> list[dict[str, Any]]:
    """Return lines of a remedy that every pharmacy may sell, by price in yuan and count."""
    code = cast.served.books.value(_REMEDY, region)
    return [
        {"med_list_codg": code, "medins_list_codg": f"D{n}", "pric": price, "cnt": count, "det_item_fee_sumamt": price * count}
        for n, (price, count) in enumerate(prices, 1)
    ]


def _sale(cast: Cast, rng: Random) -> Deed:
    patient = cast.patient(insutype="310")
    store = Drugstore(Till(cast.served.endpoint, cast.pharmacy(patient.region)))
    lines = sold_lines(cast, patient.region, [(10, n) for n in range(1, rng.randint(2, 4))])
    content = store.purchase(patient.wire, lines)
    store.till.call("2101", content, insured_place=patient.region)
    message = store.till.envelope("2102", content, insured_place=patient.region)
    return Deed("2102", store.till, patient, "", message, {"lines": lines})


_MAKERS: dict[str, Callable[[Cast, Random], Deed]] = {
    "2207": _visit, "2304": _stay, "2304 interim": _interim, "2102": _sale,
}
_CANCELLED_BY = {"2207": "2208", "2304": "2305", "2102": "2103"}


def _undoing(cast: Cast, rng: Random, name: str) -> Deed:
    settles = next((s for s, u in _CANCELLED_BY.items() if u == name), name.removeprefix("2601 of "))
    deed = _MAKERS[settles](cast, rng)
    settled = deed.till.output(deed.till.ask(deed.message))["setlinfo"]
    psn_no, mdtrt_id = deed.patient.wire["psn_no"], settled["mdtrt_id"]
    data = (
        {"psn_no": psn_no, "omsgid": deed.message["msgid"], "oinfno": settles} if name.startswith("2601")
        else {"setl_id": settled["setl_id"], "mdtrt_id": mdtrt_id, "psn_no": psn_no}
    )
    message = deed.till.envelope(name.split()[0], {"data": data}, insured_place=deed.patient.region)
    return Deed(name, deed.till, deed.patient, mdtrt_id, message, deed.visit)


def _claim(cast: Cast, rng: Random) -> Deed:
    """A claim of everything that the hospital has not claimed yet of one clearing type today."""
    deed = _visit(cast, rng)
    settled = deed.till.output(deed.till.ask(deed.message))["setlinfo"]
    now = datetime.now(SHANGHAI)
    code, region = deed.till.counter.fixmedins_code, deed.till.counter.region
    row = cast.served.books.fetch(_UNCLAIMED, code, settled["clr_type"], region, now.date())[0]
    content = {"data": {
        "clr_type": settled["clr_type"], "setlym": f"{now:%Y%m}", "psntime": row["visits"], "medfee_sumamt": yuan(row["medfee"]),
        "med_sumfee": yuan(row["scope"]), "fund_appy_sum": yuan(row["fund"]), "cash_payamt": yuan(row["cash"]),
        "acct_pay": yuan(row["account"]), "begndate": f"{now:%Y-%m-%d}", "enddate": f"{now:%Y-%m-%d}",
    }}
    message = deed.till.envelope(CLAIM, content)
    return Deed(CLAIM, deed.till, deed.patient, "", message, deed.visit, made_at=now)


def judge_stored(deed: Deed, books: Books, replies: list[bytes]) -> dict[str, int]:
    """Compare what is stored with the replies that one message got: lost, doubled and differing effects."""
    message = (deed.till.counter.fixmedins_code, deed.message["msgid"])
    stored = books.fetch(_REPLY, *message)
    lost = not all(deed.reads(reply) for reply in replies) or not _left_right(deed, books) or not stored
    # Visits of the cutting proof carry many batches; there the message's own record counts.
    doubled = (deed.batch == "1" and effects(deed, books) > 1) or books.value(_MESSAGES, *message) > 1
    differing = len(set(replies)) != 1 or (bool(stored) and stored[0]["reply"] != replies[0])
    return {"lost": int(lost), "doubled": int(doubled), "differing": int(differing)}


def effects(deed: Deed, books: Books) -> int:
    """Return how often a deed took effect, under whatever message id."""
    if deed.name == CLAIM:
        return int(books.fetch(_CLAIMS, deed.till.counter.fixmedins_code, deed.made_at)[0]["claims"])
    if not deed.mdtrt_id:
        return len(books.fetch(_RECORDS, deed.till.counter.fixmedins_code, deed.message["msgid"]))
    found = int(books.value(_OF_ENCOUNTER, deed.patient.wire["psn_no"], deed.mdtrt_id))
    return found if deed.name in SETTLING else found - 1


def _left_right(deed: Deed, books: Books) -> bool:
    """Say whether what a message left is what it should leave."""
    if deed.name == CLAIM:
        return bool(books.fetch(_CLAIMS, deed.till.counter.fixmedins_code, deed.made_at)[0]["settlements"])
    records = books.fetch(_RECORDS, deed.till.counter.fixmedins_code, deed.message["msgid"])
    if deed.name in SETTLING:
        return [(r["kind"], r["state"]) for r in records] == [("settlement", "active")]
    return [(r["kind"], r["state"], r["origin_state"]) for r in records] == [("refund", "active", "reversed")]
