"""The whole outpatient chain, sign-in to cancellation, through every way in and every sender check."""

from __future__ import annotations

import csv
import json
import secrets
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Any

import pytest

from tests.support.till import Till, wire_now

PATHS = {
    r["infno"]: r["path"]
    for r in csv.DictReader(files("yibao.data").joinpath("interface/paths.csv").read_text("utf-8").splitlines())
}
SINGLE = "/fsi/api/rsfComIfsService/callService"

WAYS: dict[str, Callable[[str], str]] = {
    "one address for everything": lambda infno: SINGLE,
    "base and number": lambda infno: f"/base/of/a/region/{infno}",
    "base without a slash between": lambda infno: f"/isp-api/{infno}",
    "powercsb": lambda infno: f"/isp-api/powercsb/{infno}",
    "a path per transaction": lambda infno: PATHS.get(infno, SINGLE),
    "number at the root": lambda infno: f"/{infno}",
    "upload form": lambda infno: SINGLE,
}


class TravellingTill(Till):
    """A till that sends each message by a given way."""

    def __init__(self, like: Till, way: str) -> None:
        super().__init__("http://" + like._host + SINGLE, like.counter)
        self._way = way

    def send(self, message: Mapping[str, Any]) -> bytes:
        """Send by this till's way."""
        self._path = WAYS[self._way](str(message["infno"]))
        if self._way == "upload form":
            return self._send_form(message)
        return super().send(message)

    def _send_form(self, message: Mapping[str, Any]) -> bytes:
        import http.client

        mark = secrets.token_hex(12)
        body = (
            f'--{mark}\r\nContent-Disposition: form-data; name="jsonStr"\r\n\r\n'
            f"{json.dumps(message, ensure_ascii=False)}\r\n--{mark}--\r\n"
        ).encode()
        connection = http.client.HTTPConnection(self._host, timeout=30)
        connection.request("POST", self._path, body, {
            "Content-Type": f"multipart/form-data; boundary={mark}", **self._signed(str(message["infno"]))})
        return connection.getresponse().read()


def drive(till: Till, patient: Mapping[str, Any], other_schemes_level: bool = False) -> None:
    """Drive a visit from sign-in to cancellation and hold the chain's promises."""
    visit, place = patient["visit"], patient["insuplc_admdvs"]
    signed_in = till.call("9001", {"signIn": {"opter_no": till.counter.opter, "mac": "00-00", "ip": "127.0.0.1"}})
    assert signed_in["signinoutb"]["sign_no"]
    person = till.call("1101", {"data": {
        "mdtrt_cert_type": "02", "mdtrt_cert_no": patient["certno"], "psn_cert_type": "01", "certno": patient["certno"]}})
    assert person["baseinfo"]["psn_no"] == patient["psn_no"]
    before = next(i["balc"] for i in person["insuinfo"] if i["insutype"] == patient["insutype"])
    check = till.call("2001", {"data": {
        "psn_no": patient["psn_no"], "insutype": patient["insutype"], "fixmedins_code": till.counter.fixmedins_code,
        "med_type": visit["med_type"], "begntime": wire_now()}}, insured_place=place)
    assert check["trtinfo"][0]["trt_enjymnt_flag"] == "1"
    bill = till.prepare(patient, visit)
    trial = till.call("2206", bill, insured_place=place)
    for unset in ("setl_id", "setl_time", "clr_way", "clr_optins"):
        assert trial["setlinfo"][unset] is None
    final = till.call("2207", bill, insured_place=place)
    _hold_identities(final)
    for name in ("medfee_sumamt", "fund_pay_sumamt", "psn_part_amt", "acct_pay", "psn_cash_pay", "balc", "act_pay_dedc"):
        assert trial["setlinfo"][name] == final["setlinfo"][name], name
    info = final["setlinfo"]
    keys = {k: info[k] for k in ("setl_id", "mdtrt_id", "psn_no")}
    assert till.call("5203", {"data": keys})["setlinfo"]["medfee_sumamt"] == info["medfee_sumamt"]
    assert len(till.call("5204", {"data": keys})) == len(visit["lines"])
    refund = till.call("2208", {"data": keys})["setlinfo"]
    for name in ("medfee_sumamt", "fund_pay_sumamt", "acct_pay", "psn_cash_pay", "act_pay_dedc", "inscp_scp_amt"):
        assert refund[name] == -info[name], name
    assert refund["balc"] == before, "the account is back where it was"
    till.call("2205", {"data": {"psn_no": patient["psn_no"], "mdtrt_id": info["mdtrt_id"], "chrg_bchno": "1"}})
    till.call("9002", {"signOut": {"sign_no": signed_in["signinoutb"]["sign_no"], "opter_no": till.counter.opter}})


def _fen(amount: object) -> int:
    return round(float(str(amount)) * 100)


def _hold_identities(final: Mapping[str, Any]) -> None:
    """Hold I1 on the head and on the payers."""
    i = {k: _fen(v) for k, v in final["setlinfo"].items() if isinstance(v, int | float)}
    assert i["medfee_sumamt"] == i["fulamt_ownpay_amt"] + i["overlmt_selfpay"] + i["preselfpay_amt"] + i["inscp_scp_amt"]
    assert i["medfee_sumamt"] == i["fund_pay_sumamt"] + i["psn_part_amt"] + i["hosp_part_amt"]
    assert i["fund_pay_sumamt"] == sum(
        i[n] for n in ("hifp_pay", "cvlserv_pay", "hifes_pay", "hifmi_pay", "hifob_pay", "maf_pay", "oth_pay"))
    assert i["psn_part_amt"] == i["acct_pay"] + i["psn_cash_pay"]
    payers = sum(_fen(d["fund_payamt"]) for d in final["setldetail"])
    assert payers == i["fund_pay_sumamt"] + i["acct_pay"] + i["hosp_part_amt"]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.drives("9001", "1101", "2001", "2201", "2203A", "2204", "2206", "2207", "5203", "5204", "2208", "2205", "9002")
def test_the_chain_goes_through_every_way_in(till: Till, patient_of: Callable[[str], dict[str, Any]], way: str) -> None:
    travelling = TravellingTill(till, way)
    drive(travelling, patient_of("zb-active-first"))
    travelling.close()


@pytest.mark.parametrize("scheme", ["none", "api_hmac_sha1", "tif_sha256"])
@pytest.mark.parametrize(("region", "story"), [("370300", "zb-active-first"), ("441300", None)])
def test_the_chain_goes_through_every_sender_check(
    till_for: Callable[..., Till], world: dict[str, Any], region: str, story: str | None, scheme: str
) -> None:
    patient = next(
        p for p in world["patients"]
        if p["insuplc_admdvs"] == region and (story is None or p["story"] == story) and p["visit"]["med_type"] == "11"
    )
    till = till_for(region=region, scheme=scheme)
    drive(till, patient)
    till.close()


def test_an_identification_is_found_by_the_person_it_found(
    till: Till, patient_of: Callable[[str], dict[str, Any]], world_url: str
) -> None:
    import asyncio

    import asyncpg

    patient, msgid = patient_of("zb-active-first"), secrets.token_hex(15)
    till.call("1101", {"data": {
        "mdtrt_cert_type": "02", "mdtrt_cert_no": patient["certno"], "psn_cert_type": "01", "certno": patient["certno"],
    }}, msgid=msgid)

    async def logged() -> str | None:
        connection = await asyncpg.connect(world_url)
        async with asyncio.timeout(10):
            while True:
                row = await connection.fetchrow("select psn_no from platform.traffic where msgid = $1", msgid)
                if row is not None:
                    await connection.close()
                    found: str | None = row["psn_no"]
                    return found

    assert asyncio.run(logged()) == patient["psn_no"]
