"""Malformed messages at full size: against the served platform, with a demo world and an open, billed visit in it."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from itertools import count
from typing import Any

import httpx

from tests.proofs.fuzz_messages import ENDPOINT
from tests.proofs.fuzz_messages import run as send_all
from tests.proofs.platform import Platform, Result, Served
from yibao.demo.description import describe
from yibao.demo.hospital import IDENTITY_CARD, Hospital
from yibao.demo.orders import Desk, OrderLine, VisitOrder
from yibao.demo.senders import http_sender
from yibao.demo.world import SEED
from yibao.entrypoints.gateway.registry import offered
from yibao.infra.database import Database
from yibao.kernel.business_time import business_date, to_wire
from yibao.kernel.clock import SystemClock

BATCH = "B1"
_SHOWN_MAX = 20
_CLOCK = SystemClock()
WRONG = (
    "answers_of_500_or_defects", "partial_writes", "refusals_without_the_field", "accepted_without_basis",
)


def _order(demo: dict[str, Any]) -> VisitOrder:
    """Return a visit of the first patient whose institution does not sign."""
    patient = demo["patients"][0]
    home = next(
        i for i in demo["institutions"]
        if i["auth"]["scheme"] == "none" and i["admdvs"] == patient["insuplc_admdvs"] and i["doctors"]
    )
    doctor, visit = home["doctors"][0], patient["visit"]
    caty = next(d["caty"] for d in home["departments"] if d["dept_code"] == doctor["dept_code"])
    desk = Desk(
        home["fixmedins_code"], home["fixmedins_name"], home["admdvs"], home["opter"], home["opter_name"],
        doctor["dept_code"], doctor["dept_name"], caty, doctor["dr_codg"], doctor["dr_name"],
    )
    lines = tuple(
        OrderLine(
            line["med_list_codg"], line["medins_list_codg"], Decimal(str(line["pric"])), Decimal(str(line["cnt"])),
            Decimal(str(line["det_item_fee_sumamt"])),
        )
        for line in visit["lines"]
    )
    return VisitOrder(
        psn_no=patient["psn_no"], psn_name=patient["psn_name"], certno=patient["certno"], insutype=patient["insutype"],
        insuplc_admdvs=patient["insuplc_admdvs"], desk=desk, visit_no="FUZZ1", med_type=visit["med_type"],
        diag_code=visit["diag_code"], diag_name=visit["diag_name"], dise_codg=visit["dise_codg"], lines=lines,
    )


async def _open_visit(order: VisitOrder, endpoint: str) -> str:
    """Register a visit and upload its bill, so that settlements are tried on something; return its id."""
    hospital = Hospital(http_sender(endpoint), now=_CLOCK.now, serials=count(1))
    mdtrt_id = await hospital.register(order)
    await hospital.record(order, mdtrt_id)
    await hospital.upload(order, mdtrt_id, BATCH)
    return mdtrt_id


def _envelope(order: VisitOrder) -> dict[str, Any]:
    """Return a valid envelope."""
    desk = order.desk
    return {
        "infno": "", "msgid": "", "mdtrtarea_admvs": desk.admdvs, "insuplc_admdvs": order.insuplc_admdvs,
        "recer_sys_code": "FSI", "dev_no": "", "dev_safe_info": "", "cainfo": "", "signtype": "SM3", "infver": "V1.0",
        "opter_type": "1", "opter": desk.opter, "opter_name": desk.opter_name, "inf_time": to_wire(_CLOCK.now()),
        "fixmedins_code": desk.fixmedins_code, "fixmedins_name": desk.fixmedins_name, "sign_no": "",
    }


def _known(order: VisitOrder, mdtrt_id: str) -> dict[str, Any]:
    """Return values that this world knows, so that messages reach the deeds' own writes."""
    desk, line, now = order.desk, order.lines[0], to_wire(_CLOCK.now())
    return {
        "psn_no": order.psn_no, "certno": order.certno, "mdtrt_cert_no": order.certno, "psn_name": order.psn_name,
        "mdtrt_cert_type": IDENTITY_CARD, "psn_cert_type": "01", "insutype": order.insutype, "med_type": order.med_type,
        "atddr_no": desk.dr_codg, "dr_name": desk.dr_name, "dept_code": desk.dept_code, "dept_name": desk.dept_name,
        "bilg_dr_codg": desk.dr_codg, "bilg_dept_codg": desk.dept_code, "dise_dor_no": desk.dr_codg,
        "diag_code": order.diag_code, "dise_codg": order.dise_codg, "diag_type": "1", "vali_flag": "1",
        "mdtrt_id": mdtrt_id, "chrg_bchno": BATCH, "medfee_sumamt": str(order.total), "psn_setlway": "01",
        "fulamt_ownpay_amt": "0", "overlmt_selfpay": "0", "preselfpay_amt": "0", "inscp_scp_amt": "0",
        "begntime": now, "diag_time": now, "fee_ocur_time": now, "acct_used_flag": "1",
        "med_list_codg": line.med_list_codg, "medins_list_codg": line.medins_list_codg, "pric": str(line.pric),
        "cnt": str(line.cnt), "det_item_fee_sumamt": str(line.det_item_fee_sumamt), "hosp_appr_flag": "0",
        "fixmedins_code": desk.fixmedins_code,
    }


async def _prove(n: int, seed: int, served: Served, database_url: str) -> dict[str, Any]:
    database = await Database.open(database_url, role=None, size=2)
    base_url = served.endpoint.removesuffix(ENDPOINT)
    try:
        demo = await describe(database, base_url=base_url, today=business_date(_CLOCK.now()), seed=SEED)
        order = _order(demo)
        mdtrt_id = await _open_visit(order, served.endpoint)
        deeds = frozenset(infno for infno, handler in offered().items() if handler.kind != "query")
        async with httpx.AsyncClient(base_url=base_url, timeout=30.0) as client:
            return await send_all(
                n, seed, client, database=database, envelope=_envelope(order), deeds=deeds,
                known=_known(order, mdtrt_id), batch=1000,
            )
    finally:
        await database.close()


def run(n: int, seed: int, platform: Platform) -> Result:
    """Send ``n`` messages with one fault each; list the kinds that were accepted with the line that allows each."""
    with platform.served() as served:
        counted = asyncio.run(_prove(n, seed, served, served.books._url))
        breaches, defects = served.verify()["breaches"], served.defects
    for name in WRONG:
        for line in counted[name][:_SHOWN_MAX]:
            print(f"  {name}: {line}")
    done = {name: value for name, value in counted.items() if name not in (*WRONG, "n", "seed")}
    return Result(done, {**{name: len(counted[name]) for name in WRONG}, "defects": defects, "breaches": breaches})
