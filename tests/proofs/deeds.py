"""The three messages that move money, each made ready to be sent once, and what must be stored afterwards."""

from __future__ import annotations

import json
from dataclasses import dataclass
from random import Random
from typing import Any

from tests.proofs.books import Books
from tests.proofs.cast import Cast, Patient, draw_bill
from tests.support.till import Till

DEEDS = ("2207", "2208", "2601")
_MESSAGES = "select count(*) from platform.message where sender = $1 and msgid = $2"
_REPLY = "select reply from platform.message where sender = $1 and msgid = $2"
_RECORDS = """
select kind, state, setl_id from settlements.settlement
 where psn_no = $1 and mdtrt_id = $2 and chrg_bchno = $3
"""


@dataclass(frozen=True)
class Deed:
    """A message that is ready to be sent, the till that sends it, and the visit it is about."""

    infno: str
    till: Till
    patient: Patient
    mdtrt_id: str
    message: dict[str, Any]
    visit: dict[str, Any]
    batch: str = "1"

    def reads(self, reply: bytes) -> bool:
        """Say whether a reply reports success."""
        return bool(json.loads(reply).get("infcode") == 0)


def make_ready(cast: Cast, rng: Random, infno: str) -> Deed:
    """Do everything that must come before a 2207, 2208 or 2601, and return that message unsent."""
    patient = cast.patient()
    site = cast.home(patient)
    till = cast.till(site)
    visit = draw_bill(cast, rng, patient, site).visit
    bill = till.prepare(patient.wire, visit)
    mdtrt_id, place = bill["data"]["mdtrt_id"], patient.wire["insuplc_admdvs"]
    message = till.envelope("2207", bill, insured_place=place)
    if infno == "2207":
        return Deed(infno, till, patient, mdtrt_id, message, visit)
    settled = till.output(till.ask(message))["setlinfo"]
    psn_no = patient.wire["psn_no"]
    data = (
        {"setl_id": settled["setl_id"], "mdtrt_id": mdtrt_id, "psn_no": psn_no}
        if infno == "2208" else {"psn_no": psn_no, "omsgid": message["msgid"], "oinfno": "2207"}
    )
    return Deed(infno, till, patient, mdtrt_id, till.envelope(infno, {"data": data}, insured_place=place), visit)


def judge_stored(deed: Deed, books: Books, replies: list[bytes]) -> dict[str, int]:
    """Compare what is stored with the replies that one message got: lost, doubled and differing effects."""
    message = (deed.till.counter.fixmedins_code, deed.message["msgid"])
    records = books.fetch(_RECORDS, deed.patient.wire["psn_no"], deed.mdtrt_id, deed.batch)
    wanted = {("settlement", "active"): 1} if deed.infno == "2207" else {
        ("settlement", "reversed"): 1, ("refund", "active"): 1,
    }
    found: dict[tuple[str, str], int] = {}
    for row in records:
        key = (row["kind"], row["state"])
        found[key] = found.get(key, 0) + 1
    stored = books.fetch(_REPLY, *message)
    told_success = all(deed.reads(reply) for reply in replies)
    lost = not told_success or any(found.get(key, 0) < n for key, n in wanted.items()) or not stored
    doubled = len(records) > sum(wanted.values()) or books.value(_MESSAGES, *message) > 1
    differing = len(set(replies)) != 1 or (bool(stored) and stored[0]["reply"] != replies[0])
    return {"lost": int(lost), "doubled": int(doubled), "differing": int(differing)}
