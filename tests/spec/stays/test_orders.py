"""Every transaction of a stay in every state of a stay: done, or refused by name with nothing written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import asyncpg
import pytest

from tests.spec.stays.conftest import Charges, days_ago
from tests.support.till import Refused, new_msgid, total
from tests.support.unchanged import stored_of
from tests.support.ward import Stay, Ward

SAID = {
    "STAY_NOT_FOUND": "没有该参保人的这次住院", "STAY_CANCELLED": "入院登记已撤销", "STAY_DISCHARGED": "已.*办理出院",
    "STAY_NOT_DISCHARGED": "尚未办理出院", "FEE_LINES_LEFT": "还有费用明细", "NO_FEE_LINES": "没有未结算的费用明细",
    "STAY_SETTLED": "已结算", "LINE_SETTLED": "已参与结算", "STAY_OPEN_ELSEWHERE": "正在.*住院",
    "SETTLEMENT_NOT_FOUND": "没有该参保人这次就诊的这笔结算", "ALREADY_CANCELLED": "已经撤销", "NOT_A_VISIT": "不是门诊就诊",
    "LATER_SETTLEMENT_OF_STAY": "须从最后一笔起依次撤销", "ENCOUNTER_NOT_FOUND": "没有该参保人的这次就诊",
    "ENCOUNTER_CANCELLED": "挂号已撤销", "ENCOUNTER_IS_STAY": "是住院", "LINE_NOT_FOUND": "没有该流水号",
    "RETURN_OF_SETTLED": "被退明细已参与结算", "RETURN_OF_NOTHING": "没有可退的",
}
"""What a refusal of each code says to the sender, who does not see the code."""


class Scene:
    """One stay in a state, with what a transaction may need to name."""

    def __init__(self, ward: Ward, elsewhere: Ward, patient: Mapping[str, Any], day: int, charges: Charges) -> None:
        self.ward, self.elsewhere, self.patient, self.day = ward, elsewhere, patient, day
        self.charges = charges(2, each=2)
        self.stay = Stay(patient, "202600000000000000000000", self.at(0), "21")
        self.lines: list[str] = []
        self.open_fee = 0.0
        self.settled: list[str] = []

    def at(self, day: int) -> datetime:
        """Return a time of the stay's slot."""
        return days_ago(self.day - day, hour=9 + day)

    def admit(self) -> None:
        self.stay = self.ward.admit(self.patient, self.at(0))

    def charge(self) -> None:
        rows = [{**c, "feedetl_sn": str(100 + len(self.lines) + n)} for n, c in enumerate(self.charges)]
        self.ward.charge(self.stay, self.at(0), rows)
        self.lines += [r["feedetl_sn"] for r in rows]
        self.open_fee += total(rows)

    def settle(self, *, interim: bool) -> None:
        reply = self.ward.settle_stay(self.stay, self.open_fee, interim=interim)
        self.settled.append(reply["setlinfo"]["setl_id"])
        self.open_fee = 0.0

    def discharge(self) -> None:
        self.ward.discharge(self.stay, self.at(2))

    def leave(self) -> None:
        """Leave no open stay behind."""
        for undo in (self.discharge, lambda: self.ward.cancel_admission(self.stay)):
            try:
                undo()
            except Refused:
                continue


def nothing(_: Scene) -> None:
    """Do nothing: the stay is unknown."""


def admitted(s: Scene) -> None:
    s.admit()


def charged(s: Scene) -> None:
    s.admit()
    s.charge()


def part_settled(s: Scene) -> None:
    charged(s)
    s.settle(interim=True)


def part_settled_and_charged(s: Scene) -> None:
    part_settled(s)
    s.charge()


def discharged(s: Scene) -> None:
    charged(s)
    s.discharge()


def discharged_empty(s: Scene) -> None:
    s.admit()
    s.discharge()


def settled(s: Scene) -> None:
    discharged(s)
    s.settle(interim=False)


def settled_in_two(s: Scene) -> None:
    part_settled_and_charged(s)
    s.discharge()
    s.settle(interim=False)


def cancelled(s: Scene) -> None:
    s.admit()
    s.ward.cancel_admission(s.stay)


def bill(s: Scene, infno: str, *, interim: bool = False) -> Any:
    content = s.ward.stay_bill(s.stay, s.open_fee or 1, interim=interim)
    return s.ward.call(infno, content, insured_place=s.stay.place)


def back(s: Scene) -> Any:
    """Return the whole of the first line."""
    first = s.charges[0]
    row = {**first, "feedetl_sn": "999", "init_feedetl_sn": "100", "cnt": -first["cnt"],
           "det_item_fee_sumamt": -first["det_item_fee_sumamt"]}
    return s.ward.charge(s.stay, s.at(1), [row])


def flag(s: Scene) -> Any:
    p = s.patient
    return s.ward.call("2406", {"data": {
        **s.stay.key, "psn_cert_type": "01", "certno": p["certno"], "psn_name": p["psn_name"], "ipt_otp_no": s.stay.ipt_no or "x",
        "ipt_psn_sp_flag_type": "01", "ipt_psn_sp_flag": "1"}})


def visit_bill(s: Scene, infno: str) -> Any:
    visit = {"med_type": "21", "lines": s.charges}
    return s.ward.call(infno, s.ward.bill(s.patient, visit, s.stay.mdtrt_id), insured_place=s.stay.place)


TRANSACTIONS: dict[str, Callable[[Scene], Any]] = {
    "2401 elsewhere": lambda s: s.elsewhere.admit(s.patient, s.at(2)),
    "2402": lambda s: s.discharge(),
    "2403": lambda s: s.ward.change(s.stay, adm_bed="13"),
    "2404": lambda s: s.ward.cancel_admission(s.stay),
    "2405": lambda s: s.ward.cancel_discharge(s.stay),
    "2301": lambda s: s.charge(),
    "2301 return": back,
    "2302": lambda s: s.ward.withdraw(s.stay, "100"),
    "2303": lambda s: bill(s, "2303"),
    "2304": lambda s: bill(s, "2304"),
    "2304 interim": lambda s: bill(s, "2304", interim=True),
    "2305 first": lambda s: s.ward.cancel_settlement(s.stay, s.settled[0] if s.settled else "1"),
    "2305 last": lambda s: s.ward.cancel_settlement(s.stay, s.settled[-1] if s.settled else "1"),
    "2406": flag,
    "2202": lambda s: s.ward.call("2202", {"data": {**s.stay.key, "ipt_otp_no": s.stay.ipt_no or "x"}}),
    "2205": lambda s: s.ward.call("2205", {"data": {**s.stay.key, "chrg_bchno": "0000"}}),
    "2207": lambda s: visit_bill(s, "2207"),
}
_UNKNOWN = {
    "2401 elsewhere": "", "2402": "STAY_NOT_FOUND", "2403": "STAY_NOT_FOUND", "2404": "STAY_NOT_FOUND",
    "2405": "STAY_NOT_FOUND", "2301": "STAY_NOT_FOUND", "2301 return": "STAY_NOT_FOUND", "2302": "STAY_NOT_FOUND",
    "2303": "STAY_NOT_FOUND", "2304": "STAY_NOT_FOUND", "2304 interim": "STAY_NOT_FOUND",
    "2305 first": "SETTLEMENT_NOT_FOUND", "2305 last": "SETTLEMENT_NOT_FOUND", "2406": "STAY_NOT_FOUND",
    "2202": "ENCOUNTER_NOT_FOUND", "2205": "ENCOUNTER_NOT_FOUND", "2207": "ENCOUNTER_NOT_FOUND",
}
_STAY = {"2202": "NOT_A_VISIT", "2205": "NOT_A_VISIT", "2207": "ENCOUNTER_IS_STAY"}
_UNSETTLED = {"2305 first": "SETTLEMENT_NOT_FOUND", "2305 last": "SETTLEMENT_NOT_FOUND"}
_ENDED = {"2401 elsewhere": "", "2402": "STAY_DISCHARGED", "2403": "STAY_DISCHARGED", "2404": "STAY_DISCHARGED",
          "2301": "STAY_DISCHARGED", "2301 return": "STAY_DISCHARGED", "2302": "STAY_DISCHARGED",
          "2304 interim": "STAY_DISCHARGED", "2406": "STAY_DISCHARGED"}
_OPEN = {"2401 elsewhere": "STAY_OPEN_ELSEWHERE", "2402": "", "2403": "", "2405": "STAY_NOT_DISCHARGED", "2301": "",
         "2304": "STAY_NOT_DISCHARGED", "2406": ""}
# "" is done; else the code of the refusal. The table says all that is allowed.
ALLOWED: dict[Callable[[Scene], None], dict[str, str]] = {
    nothing: _UNKNOWN,
    admitted: {**_STAY, **_UNSETTLED, **_OPEN, "2404": "", "2301 return": "RETURN_OF_NOTHING", "2302": "LINE_NOT_FOUND",
               "2303": "NO_FEE_LINES", "2304 interim": "NO_FEE_LINES"},
    charged: {**_STAY, **_UNSETTLED, **_OPEN, "2404": "FEE_LINES_LEFT", "2301 return": "", "2302": "", "2303": "",
              "2304 interim": ""},
    part_settled: {**_STAY, **_OPEN, "2404": "FEE_LINES_LEFT", "2301 return": "RETURN_OF_SETTLED", "2302": "LINE_SETTLED",
                   "2303": "NO_FEE_LINES", "2304 interim": "NO_FEE_LINES", "2305 first": "", "2305 last": ""},
    part_settled_and_charged: {**_STAY, **_OPEN, "2404": "FEE_LINES_LEFT", "2301 return": "RETURN_OF_SETTLED",
                               "2302": "LINE_SETTLED", "2303": "", "2304 interim": "", "2305 first": "", "2305 last": ""},
    discharged: {**_STAY, **_UNSETTLED, **_ENDED, "2405": "", "2303": "", "2304": ""},
    discharged_empty: {**_STAY, **_UNSETTLED, **_ENDED, "2405": "", "2303": "NO_FEE_LINES", "2304": "NO_FEE_LINES"},
    settled: {**_STAY, **_ENDED, "2405": "STAY_SETTLED", "2303": "STAY_SETTLED", "2304": "STAY_SETTLED", "2305 first": "",
              "2305 last": ""},
    settled_in_two: {**_STAY, **_ENDED, "2405": "STAY_SETTLED", "2303": "STAY_SETTLED", "2304": "STAY_SETTLED",
                     "2305 first": "LATER_SETTLEMENT_OF_STAY", "2305 last": ""},
    cancelled: {**dict.fromkeys(_UNKNOWN, "STAY_CANCELLED"), "2401 elsewhere": "", "2305 first": "SETTLEMENT_NOT_FOUND",
                "2305 last": "SETTLEMENT_NOT_FOUND", "2202": "ENCOUNTER_CANCELLED", "2205": "ENCOUNTER_CANCELLED",
                "2207": "ENCOUNTER_CANCELLED"},
}
STATES = {state.__name__: state for state in ALLOWED}


def test_the_table_names_every_pair() -> None:
    for state, allowed in ALLOWED.items():
        assert allowed.keys() == TRANSACTIONS.keys(), state.__name__
        assert set(allowed.values()) - {""} <= SAID.keys()


@pytest.fixture
def scene(
    ward_for: Callable[..., Ward], patient: Mapping[str, Any], slot: Callable[[], int], charges_of: Charges
) -> Iterator[Callable[[], Scene]]:
    ward, elsewhere = ward_for(), ward_for(scheme="tif_sha256")

    def make() -> Scene:
        return Scene(ward, elsewhere, patient, slot(), charges_of)

    yield make
    ward.close()
    elsewhere.close()


@pytest.mark.drives("2401", "2402", "2403", "2404", "2405", "2301", "2302", "2303", "2304", "2305", "2406")
@pytest.mark.parametrize("state", STATES)
def test_every_transaction_in_every_state(state: str, scene: Callable[[], Scene], world_url: str) -> None:
    enter, allowed = STATES[state], ALLOWED[STATES[state]]
    stood = scene()
    enter(stood)
    before = stored_of(world_url, stood.patient["psn_no"])
    for infno, code in allowed.items():
        if not code:
            continue
        with pytest.raises(Refused, match=SAID[code]):
            TRANSACTIONS[infno](stood)
        assert stored_of(world_url, stood.patient["psn_no"]) == before, f"{infno} in {state} wrote something"
    stood.leave()
    for infno, code in allowed.items():
        if code:
            continue
        fresh = scene()
        enter(fresh)
        done = TRANSACTIONS[infno](fresh)
        if infno == "2401 elsewhere":
            fresh.elsewhere.cancel_admission(done)
        fresh.leave()


@pytest.mark.drives("2601")
def test_a_lost_admission_is_taken_back_by_its_message(scene: Callable[[], Scene], world_url: str) -> None:
    s = scene()
    content, msgid = s.ward.admission(s.patient, s.at(0)), new_msgid()
    undo = {"data": {"psn_no": s.patient["psn_no"], "omsgid": msgid, "oinfno": "2401"}}
    first = s.ward.call("2401", content, msgid=msgid)["result"]["mdtrt_id"]
    assert s.ward.call("2601", undo) is None
    again = s.ward.admit(s.patient, s.at(0), ipt_no=content["mdtrtinfo"]["ipt_no"])
    assert again.mdtrt_id != first
    # Undone already: success without effect.
    before = stored_of(world_url, s.patient["psn_no"])
    assert s.ward.call("2601", undo) is None
    after = stored_of(world_url, s.patient["psn_no"])
    assert before[:-32] == after[:-32]  # all but the messages, of which there is one more
    s.stay = again
    s.charge()
    with pytest.raises(Refused, match=SAID["FEE_LINES_LEFT"]):
        s.ward.call("2601", {"data": {**undo["data"], "omsgid": _message_of(world_url, again.mdtrt_id)}})
    s.leave()


def _message_of(url: str, mdtrt_id: str) -> str:
    async def look() -> str:
        connection = await asyncpg.connect(url)
        found: str = await connection.fetchval(
            "select msgid from platform.message where mdtrt_id = $1 and infno = '2401'", mdtrt_id)
        await connection.close()
        return found

    return asyncio.run(look())
