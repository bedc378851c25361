"""A hospital's record office in miniature: makes settlement lists of settled stays and visits, from the interface alone."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg

from tests.support.till import Till
from yibao.kernel.business_time import SHANGHAI

ACCOUNT_AND_HOSPITAL = ("310200", "999996")
PAYMENT_METHODS = {"1": "1", "40": "4", "50": "3"}
"""Way of clearing in the settlement's reply -> payment method of the list."""
Content = dict[str, Any]


def on_database(url: str, sql: str, *values: Any) -> list[asyncpg.Record]:
    """Run a statement as the owner and return its rows."""

    async def run() -> list[asyncpg.Record]:
        connection = await asyncpg.connect(url)
        try:
            return await connection.fetch(sql, *values)
        finally:
            await connection.close()

    return asyncio.run(run())


def forget_list(url: str, setl_id: str) -> None:
    """Take the list of a settlement and its history away, so that the next case begins anew."""
    for table in ("settlement_list", "list_event"):
        on_database(url, f"delete from records.{table} where setl_id = $1", setl_id)


def plant_person(url: str, psn_no: str, *, sex: str | None = None, birth_on: date | None = None) -> None:
    """Give a person another sex or day of birth."""
    on_database(url, "update people.person set sex = coalesce($2, sex), birth_on = coalesce($3, birth_on) "
                     "where psn_no = $1", psn_no, sex, birth_on)


def wire(at: datetime) -> str:
    """Return an instant as the wire writes it."""
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def funds_of(settled: Mapping[str, Any]) -> list[Content]:
    """Return ``payinfo`` as a hospital copies it from the settlement's reply."""
    return [{"fund_pay_type": d["fund_pay_type"], "fund_payamt": d["fund_payamt"]} for d in settled["setldetail"]
            if d["fund_pay_type"] not in ACCOUNT_AND_HOSPITAL]


def head(settled: Mapping[str, Any], till: Till) -> Content:
    """Return what every list's head has."""
    info = settled["setlinfo"]
    return {
        "psn_no": info["psn_no"], "mdtrt_id": info["mdtrt_id"], "setl_id": info["setl_id"], "medcasno": "BA000001",
        "ntly": "CHN", "prfs": "24", "curr_addr": "张店区某路1号", "dscg_caty": "A03", "bill_code": "37030022",
        "bill_no": "0012345678", "biz_sn": "LS0001", "medins_fill_dept": "医保办", "medins_fill_psn": "填报员",
        "patn_rlts": "01", "coner_name": "联系人", "coner_addr": "张店区某路1号", "coner_tel": "13800000000",
        "setl_begn_date": info["setl_time"][:10], "setl_end_date": info["setl_time"][:10],
        "hi_paymtd": PAYMENT_METHODS[info["clr_way"]],
        "chfpdr_code": till.counter.dr_codg,
    }


def stay_list(settled: Mapping[str, Any], till: Till, came: datetime, left: datetime) -> Content:
    """Return a faultless 4101 of a stay: a gall-bladder removed on the second day."""
    op = came.replace(hour=9, minute=0, second=0) + timedelta(days=1)
    doctor = till.counter.dr_codg
    return {
        "setlinfo": {
            **head(settled, till), "setl_begn_date": wire(came)[:10], "setl_end_date": wire(left)[:10], "adm_way": "2",
            "trt_type": "10", "adm_time": wire(came), "dscg_time": wire(left), "dscg_way": "1", "adm_caty": "A03",
            "adm_dept_code": till.counter.dept_code, "dscg_dept_code": till.counter.dept_code, "days_rinp_flag_31": "1",
            "lv1_nurscare_days": 2, "scd_nurscare_days": 3, "vent_used_dura": "0/3/30",
        },
        "diseinfo": [
            {"diag_type": "1", "diag_code": "K80.100", "diag_name": "胆囊结石伴其他胆囊炎", "adm_cond_type": "1",
             "maindiag_flag": "1"},
            {"diag_type": "1", "diag_code": "I10.x00x002", "diag_name": "高血压", "adm_cond_type": "1",
             "maindiag_flag": "0"},
        ],
        "oprninfo": [
            {"oprn_oprt_type": "1", "oprn_oprt_name": "胆囊切除术", "oprn_oprt_code": "51.2200", "anst_way": "1",
             "oper_dr_code": doctor, "anst_dr_code": doctor, "oprn_oprt_begntime": wire(op),
             "oprn_oprt_endtime": wire(op + timedelta(hours=2)), "anst_begntime": wire(op - timedelta(minutes=20)),
             "anst_endtime": wire(op + timedelta(hours=2, minutes=20))},
        ],
        "icuinfo": [
            {"scs_cutd_ward_type": "1", "scs_cutd_inpool_time": wire(op + timedelta(hours=3)),
             "scs_cutd_exit_time": wire(op + timedelta(hours=27, minutes=30)), "scs_cutd_sum_dura": "1/0/30"},
        ],
        "payinfo": funds_of(settled),
    }


def chronic_list(settled: Mapping[str, Any], till: Till, visit: Mapping[str, Any]) -> Content:
    """Return a faultless 4101 of chronic outpatient care."""
    day = settled["setlinfo"]["setl_time"][:10]
    return {
        "setlinfo": {**head(settled, till), "opsp_diag_caty": till.counter.dept_name, "opsp_mdtrt_date": day},
        "diseinfo": [{"diag_type": "1", "diag_code": visit["diag_code"], "diag_name": visit["diag_name"],
                      "adm_cond_type": "1", "maindiag_flag": "1"}],
        "payinfo": funds_of(settled),
    }


def charges_by_class(lines: Sequence[Mapping[str, Any]], split: Sequence[Mapping[str, Any]]) -> list[Content]:
    """Return ``iteminfo`` of the older form from the lines sent and the split the platform answered (2204)."""
    columns = {"01": "claa_sumfee", "02": "clab_amt", "03": "fulamt_ownpay_amt"}
    fen: dict[str, dict[str, int]] = {}
    for line in split:
        row = fen.setdefault(line["med_chrgitm_type"], {})
        amount = round(float(line["det_item_fee_sumamt"]) * 100)
        for name in ("amt", columns[line["chrgitm_lv"]]):
            row[name] = row.get(name, 0) + amount
    names = ("amt", "claa_sumfee", "clab_amt", "fulamt_ownpay_amt", "oth_amt")
    return [{"med_chrgitm": kind, **{n: row.get(n, 0) / 100 for n in names}} for kind, row in sorted(fen.items())]


def changed(content: Content, path: str, value: Any) -> Content:
    """Return a copy with one value set (``setlinfo.adm_way``, ``diseinfo.0.diag_code``); None takes it away."""
    made = copy.deepcopy(content)
    *way, last = [int(p) if p.isdecimal() else p for p in path.split(".")]
    node: Any = made
    for step in way:
        node = node[step]
    if value is None:
        del node[last]
    elif isinstance(last, int) and last == len(node):
        node.append(value)
    else:
        node[last] = value
    return made
