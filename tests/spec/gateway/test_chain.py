"""The whole outpatient chain through each way in and each sender check, with the platform's own handlers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from itertools import count
from typing import Any

import httpx
import pytest

from tests.spec.gateway.world import make_client
from yibao.demo.description import describe
from yibao.demo.world import build_world
from yibao.entrypoints.gateway import interface
from yibao.entrypoints.gateway.gateway import Gateway
from yibao.entrypoints.gateway.registry import Services
from yibao.entrypoints.gateway.routes import SINGLE_ENDPOINT
from yibao.entrypoints.gateway.senders import api_signature, tif_signature
from yibao.infra.config import Settings
from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.business_time import business_date, to_wire
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.policy.law.loading import load_policy
from yibao.usecases.catalogue.load_catalogue import load_all
from yibao.usecases.policies.publish_policies import publish_policies
from yibao.usecases.settlement.shelf import PolicyShelf

REGION = "370300"
CLOCK = SystemClock()
Ask = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
PATHS = {number: path for path, number in interface.load().paths.items()}
AMOUNTS = (
    "medfee_sumamt", "fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt", "fund_pay_sumamt",
    "psn_part_amt", "acct_pay", "psn_cash_pay", "hosp_part_amt",
)
_serial = count(1)


def silent(_title: str, _done: int, _total: int) -> None:
    """Take progress and say nothing."""


@pytest.fixture(scope="module")
async def demo(database: Database) -> dict[str, Any]:
    """Build a small world and return its description, as a stranger's client reads it."""
    now: datetime = CLOCK.now()
    await publish_policies(database, now=now)
    await load_all(database, now=now, ids=RandomIds())
    await build_world(database, persons=40, seed=7, today=business_date(now), progress=silent)
    return await describe(database, base_url="http://yibao.test", today=business_date(now), seed=7)


@pytest.fixture(scope="module")
async def client(demo: dict[str, Any], gateway_database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of the platform's gateway."""
    shelf = PolicyShelf({admdvs: load_policy(texts) for admdvs, texts in read_policy_files().items()})
    gateway = Gateway(Services(
        database=gateway_database, clock=CLOCK, ids=RandomIds(), policies=shelf, settings=Settings(demo=True)
    ))
    async with make_client(gateway) as opened:
        yield opened
    await gateway.close()


def _signed(auth: dict[str, Any], infno: str) -> dict[str, str]:
    """Return the headers that prove a sender."""
    at = CLOCK.now().timestamp()
    if auth["scheme"] == "api_hmac_sha1":
        values = {
            "_api_name": infno, "_api_version": "1.0.0", "_api_timestamp": str(int(at * 1000)),
            "_api_access_key": auth["access_key"],
        }
        return {**values, "_api_signature": api_signature(auth["secret"], values)}
    if auth["scheme"] == "tif_sha256":
        return {
            "x-tif-paasid": auth["access_key"], "x-tif-timestamp": str(int(at)), "x-tif-nonce": "n",
            "x-tif-signature": tif_signature(auth["secret"], str(int(at)), "n"),
        }
    return {}


def _asker(client: httpx.AsyncClient, institution: dict[str, Any], way: str) -> Ask:
    """Return a function that sends one transaction of an institution by one way in."""

    async def ask(infno: str, content: dict[str, Any]) -> dict[str, Any]:
        now = CLOCK.now()
        message = {
            "infno": infno, "msgid": f"{institution['fixmedins_code']}{next(_serial):018d}",
            "mdtrtarea_admvs": REGION, "insuplc_admdvs": REGION, "opter": "001", "opter_name": "张", "opter_type": "1",
            "recer_sys_code": "X", "infver": "V1.0", "inf_time": to_wire(now),
            "fixmedins_code": institution["fixmedins_code"], "fixmedins_name": institution["fixmedins_name"],
            "sign_no": "", "input": content,
        }
        headers = _signed(institution["auth"], infno)
        if way == "multipart":
            response = await client.post(
                SINGLE_ENDPOINT, data={"jsonStr": json.dumps(message)}, files={"file": b""}, headers=headers
            )
        else:
            path = {
                "single endpoint": SINGLE_ENDPOINT, "number in the path": f"/isp-api/powercsb/{infno}",
                "behind a base": f"/base/{infno}", "without a slash": f"/base{infno}",
                "own path": PATHS.get(infno, SINGLE_ENDPOINT),
            }[way]
            if way == "behind a base":
                del message["infno"]
            response = await client.post(path, content=json.dumps(message), headers={"content-type": "text/plain", **headers})
        reply: dict[str, Any] = response.json()
        assert reply["infcode"] == 0, (infno, reply["err_msg"])
        return reply["output"] or {}

    return ask


async def _visit(ask: Ask, patient: dict[str, Any], doctor: dict[str, str], caty: str) -> dict[str, Any]:
    """Register, record and upload; return the bill's data for 2206 and 2207."""
    now, visit, card = to_wire(CLOCK.now()), patient["visit"], patient["certno"]
    person = (await ask("1101", {"data": {
        "mdtrt_cert_type": "02", "mdtrt_cert_no": card, "psn_cert_type": "01", "certno": card, "psn_name": "",
    }}))["baseinfo"]
    assert {"psn_no", "psn_name", "certno", "gend", "brdy", "age"} <= person.keys()
    registered = (await ask("2201", {"data": {
        "psn_no": person["psn_no"], "insutype": patient["insutype"], "begntime": now, "mdtrt_cert_type": "02",
        "mdtrt_cert_no": card, "ipt_otp_no": f"OP{next(_serial)}", "atddr_no": doctor["dr_codg"],
        "dr_name": doctor["dr_name"], "dept_code": doctor["dept_code"], "dept_name": doctor["dept_name"], "caty": caty,
    }}))["data"]
    ids = {"mdtrt_id": registered["mdtrt_id"], "psn_no": registered["psn_no"]}
    await ask("2203", {
        "mdtrtinfo": {**ids, "med_type": visit["med_type"], "begntime": now, "dise_codg": visit["dise_codg"]},
        "diseinfo": [{
            "diag_type": "1", "diag_srt_no": 1, "diag_code": visit["diag_code"], "diag_name": visit["diag_name"],
            "diag_dept": doctor["dept_name"], "dise_dor_no": doctor["dr_codg"], "dise_dor_name": doctor["dr_name"],
            "diag_time": now, "vali_flag": "1",
        }],
    })
    uploaded = await ask("2204", {"feedetail": [
        {
            **ids, "feedetl_sn": str(number), "chrg_bchno": "B1", "dise_codg": visit["dise_codg"], "rx_circ_flag": "0",
            "fee_ocur_time": now, "bilg_dept_codg": doctor["dept_code"], "bilg_dept_name": doctor["dept_name"],
            "bilg_dr_codg": doctor["dr_codg"], "bilg_dr_name": doctor["dr_name"], "hosp_appr_flag": "0",
            **{key: line[key] for key in ("med_list_codg", "medins_list_codg", "pric", "cnt", "det_item_fee_sumamt")},
        }
        for number, line in enumerate(visit["lines"], 1)
    ]})
    assert len(uploaded["result"]) == len(visit["lines"])
    total = sum(round(line["det_item_fee_sumamt"] * 100) for line in visit["lines"])
    return {
        **ids, "ipt_otp_no": registered["ipt_otp_no"], "mdtrt_cert_type": "02", "mdtrt_cert_no": card,
        "med_type": visit["med_type"], "medfee_sumamt": f"{total / 100:.2f}", "psn_setlway": "01", "chrg_bchno": "B1",
        "insutype": patient["insutype"], "acct_used_flag": "1",
    }


def _fen(info: dict[str, Any]) -> dict[str, int]:
    return {name: round((info[name] or 0) * 100) for name in AMOUNTS}


WAYS = ("single endpoint", "number in the path", "behind a base", "without a slash", "own path", "multipart")
SCHEMES = ("none", "api_hmac_sha1", "tif_sha256")


@pytest.mark.slow
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.drives("2202", "2203")
async def test_the_outpatient_chain(demo: dict[str, Any], client: httpx.AsyncClient, way: str, scheme: str) -> None:
    """Sign in, identify, register, record, upload, try, settle, ask, cancel, withdraw, cancel, sign out."""
    institution = next(
        i for i in demo["institutions"]
        if i["auth"]["scheme"] == scheme and i["admdvs"][:4] == REGION[:4] and i["kind"] == "1" and i["doctors"]
    )
    doctor = institution["doctors"][0]
    caty = next(d["caty"] for d in institution["departments"] if d["dept_code"] == doctor["dept_code"])
    patient = next(
        p for p in demo["patients"] if p["insuplc_admdvs"] == REGION and p["visit"]["med_type"] == "11" and p["insutype"] == "310"
    )
    ask = _asker(client, institution, way)
    signed = await ask("9001", {"signIn": {"opter_no": "001", "mac": "m", "ip": "127.0.0.1"}})
    bill = await _visit(ask, patient, doctor, caty)
    trial = (await ask("2206", {"data": bill}))["setlinfo"]
    assert trial["setl_id"] is None
    splits = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
    settled = (await ask("2207", {"data": bill | {name: trial[name] for name in splits}}))["setlinfo"]
    assert _fen(settled) == _fen(trial)
    head = _fen(settled)
    assert head["medfee_sumamt"] == head["fund_pay_sumamt"] + head["psn_part_amt"] + head["hosp_part_amt"]
    assert head["medfee_sumamt"] == sum(head[name] for name in splits)
    ids = {"psn_no": bill["psn_no"], "mdtrt_id": bill["mdtrt_id"]}
    found = await ask("5203", {"data": {**ids, "setl_id": settled["setl_id"]}})
    assert found["setlinfo"]["setl_id"] == settled["setl_id"]
    refund = (await ask("2208", {"data": {**ids, "setl_id": settled["setl_id"]}}))["setlinfo"]
    assert refund["medfee_sumamt"] == -settled["medfee_sumamt"]
    await ask("2205", {"data": {**ids, "chrg_bchno": "0000"}})
    await ask("2202", {"data": {**ids, "ipt_otp_no": bill["ipt_otp_no"]}})
    await ask("9002", {"signOut": {"sign_no": signed["signinoutb"]["sign_no"], "opter_no": "001"}})


async def test_replies_hold_what_clients_need(demo: dict[str, Any], client: httpx.AsyncClient) -> None:
    """The bullets of what real clients need from business replies, on one visit."""
    institution = next(
        i for i in demo["institutions"]
        if i["auth"]["scheme"] == "none" and i["admdvs"][:4] == REGION[:4] and i["kind"] == "1" and i["doctors"]
    )
    doctor = institution["doctors"][0]
    caty = next(d["caty"] for d in institution["departments"] if d["dept_code"] == doctor["dept_code"])
    patient = next(
        p for p in demo["patients"] if p["insuplc_admdvs"] == REGION and p["visit"]["med_type"] == "11" and p["insutype"] == "310"
    )
    ask = _asker(client, institution, "single endpoint")
    person = await ask("1101", {"data": {
        "mdtrt_cert_type": "02", "mdtrt_cert_no": patient["certno"], "psn_cert_type": "01", "certno": patient["certno"],
    }})
    assert all(person["baseinfo"][name] not in (None, "") for name in ("psn_no", "psn_name", "certno", "gend", "brdy", "age"))
    assert all({"balc", "psn_type", "insutype", "insuplc_admdvs"} <= row.keys() for row in person["insuinfo"])
    assert all(len(row["psn_type"]) == 4 and row["balc"] is not None for row in person["insuinfo"])
    bill = await _visit(ask, patient, doctor, caty)
    ids = {"psn_no": bill["psn_no"], "mdtrt_id": bill["mdtrt_id"]}
    trial = (await ask("2206", {"data": bill | {"mdtrt_cert_no": "02"}}))["setlinfo"]
    assert [trial[name] for name in ("setl_id", "setl_time", "clr_way", "clr_optins")] == [None] * 4
    splits = dict.fromkeys(("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt"), 0)
    settled = await ask("2207", {"data": bill | splits})
    info = settled["setlinfo"]
    assert all(info[name] is not None for name in ("brdy", "age", "balc"))
    assert all(isinstance(info[name], (int, float)) for name in AMOUNTS)
    head = _fen(info)
    payers = {row["fund_pay_type"]: round(row["fund_payamt"] * 100) for row in settled["setldetail"]}
    assert sum(payers.values()) == head["fund_pay_sumamt"] + head["acct_pay"] + head["hosp_part_amt"]
    assert payers.get("310200", 0) + payers.get("310201", 0) == head["acct_pay"]
    visits = await ask("5201", {"data": {
        "psn_no": bill["psn_no"], "begntime": "2020-01-01", "endtime": "2099-01-01", "med_type": bill["med_type"],
    }})
    assert bill["mdtrt_id"] in {row["mdtrt_id"] for row in visits["mdtrtinfo"]}
    refund = (await ask("2208", {"data": {**ids, "setl_id": info["setl_id"]}}))["setlinfo"]
    for name in (*AMOUNTS, "act_pay_dedc"):
        assert refund[name] is None or round(refund[name] * 100) == -round((info[name] or 0) * 100), name
        assert not str(refund[name]).startswith("-0.0") or refund[name] != 0, name
    withdrawn = await ask("2205", {"data": {**ids, "chrg_bchno": "0000"}})
    assert withdrawn == {}
    departments = await ask("5101", "")  # type: ignore[arg-type]
    assert departments
