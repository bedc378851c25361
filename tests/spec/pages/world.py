"""A small handmade world for the pages: two hospitals of one region, one of another, one visit told in full.

All numbers and names are invented; citizen numbers are made from an unused division.
"""

from __future__ import annotations

import json
from datetime import date, datetime, timedelta
from typing import Any

from yibao.domains.access.passwords import hash_password
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.identity_number import make
from yibao.policy.decision import Step, Used

NOW = datetime(2026, 11, 22, 10, 30, tzinfo=SHANGHAI)
REGIONS = {"370300": "淄博市", "441300": "惠州市"}
OURS, OTHERS, FAR = "H37030200001", "H37030200002", "H44130200001"
PASSWORD = "correct horse 电池"
CERTNO = make("370399", date(1968, 3, 14), 31)
STRANGER = make("370399", date(1975, 5, 2), 117)
PSN, NAME = "37030000000000000001", "张小敏"
VISIT, VISIT_NO, BATCH = "202611220800000000001", "MZ20261122001", "B001"
SETTLED = "202611220810000000007"
XSS = '<script>document.title="owned"</script><img src=x onerror=alert(1)>'


def msgid(code: str, at: datetime, serial: int) -> str:
    """Return a message id as clients make them."""
    return f"{code}{at:%Y%m%d%H%M%S}{serial:04d}"


def request_body(infno: str, at: datetime, serial: int, content: object, code: str = OURS) -> bytes:
    """Return a request as a client sends it."""
    return json.dumps({
        "infno": infno, "msgid": msgid(code, at, serial), "mdtrtarea_admvs": "370300", "insuplc_admdvs": "370300",
        "recer_sys_code": "99", "infver": "V1.0", "opter_type": "1", "opter": "0001", "opter_name": "李会计",
        "inf_time": f"{at:%Y-%m-%d %H:%M:%S}", "fixmedins_code": code, "fixmedins_name": "示例市第一医院",
        "sign_no": "", "input": content,
    }, ensure_ascii=False).encode()


def reply_body(output: object, *, infcode: int = 0, err_msg: str = "") -> bytes:
    """Return a reply as the gateway sends it."""
    return json.dumps({
        "infcode": infcode, "inf_refmsgid": "370300202611220810000000000001", "refmsg_time": "20261122081000000",
        "respond_time": "20261122081000012", "err_msg": err_msg, "warn_msg": "", "output": output,
        "enctype": None, "signtype": None, "cainfo": None,
    }, ensure_ascii=False).encode()


LINES = [
    ("1", "XC09CAX138A001010178445", "缬沙坦胶囊", "01", 25_600000, 20000, 5120, 0, 0, 0, 5120, ""),
    ("2", "XA10BAE046A001010100001", "恩格列净片", "02", 42_350000, 30000, 12705, 0, 0, 1271, 11434, ""),
    ("3", "001102000010000-110200001", "普通门诊诊查费", "01", 20_000000, 10000, 2000, 0, 500, 0, 1500, ""),
    ("4", "XB05ZZZ000A001010100002", "营养制剂", "03", 68_000000, 10000, 6800, 6800, 0, 0, 0, "不在目录支付范围内"),
]
FEES = {"amount": 26625, "own": 6800, "over": 500, "first": 1271, "scope": 18054}
FACTS = b'{"institution":{"level":"2"}}'
SHARES = {"fund": 9027, "account": 12000, "cash": 5598}

STEPS = (
    Step("scope", "符合政策范围的费用", 26625, 18054, "266.25 − 68.00 − 5.00 − 12.71 ＝ 180.54"),
    Step("deductible", "起付标准", 18054, 0, "本年度已满起付线，本次不再扣除", (
        Used("ZB-201", "门诊起付标准", "300.00 元", "一级、二级医疗机构，在职", "2026-01-01", "第八条第一款",
             "示例市人民政府文件〔2025〕1号", "official", "H"),), "op_deductible", 30000, 30000),
    Step("pool", "统筹基金支付", 18054, 9027, "(180.54 − 0.00) × 50% ＝ 90.27", (
        Used("ZB-202", "门诊支付比例", "50%", "二级医疗机构，在职", "2026-01-01", "", "某网站转载", "public_page", "L"),
        Used("ZB-203", "年度支付限额", "4500.00 元", "在职", "2026-01-01", "", "按上年度延续", "assumed", "L"),
    ), "op_pool", 51000, 60027),
    Step("account", "个人账户支付", 17598, 12000, "账户余额 120.00，应付 175.98，付 120.00"),
    Step("cash", "个人现金支付", 17598, 5598, "175.98 − 120.00 ＝ 55.98"),
)


async def fill(tx: Connection) -> None:
    """Write the world, as the owner of the database."""
    for code, name in REGIONS.items():
        await tx.execute("insert into platform.region values ($1, $2)", code, name)
    secret = hash_password(PASSWORD)
    for login, code, region, name in (
        ("ours", OURS, "370300", "王晓明"), ("others", OTHERS, "370300", "赵琳"), ("far", FAR, "441300", "陈海"),
        ("lock", OURS, "370300", "孙可"), ("late", OURS, "370300", "周舟"),
    ):
        await tx.execute(
            "insert into access.staff (login, fixmedins_code, admdvs, name, password_hash) values ($1,$2,$3,$4,$5)",
            login, code, region, name, secret,
        )
    for psn_no, region, certno, name in (
        (PSN, "370300", CERTNO, NAME), ("37030000000000000002", "370300", STRANGER, "钱陌生"),
    ):
        await tx.execute(
            "insert into people.person (psn_no, admdvs, cert_type, certno, name, sex, birth_on) "
            "values ($1, $2, '01', $3, $4, '1', '1968-03-14')", psn_no, region, certno, name,
        )
    await _catalogue(tx)
    await _visit(tx)
    await _messages(tx)


async def _visit(tx: Connection) -> None:
    at = NOW.replace(hour=8, minute=0)
    await tx.execute(
        "insert into encounters.encounter (psn_no, mdtrt_id, admdvs, care_admdvs, fixmedins_code, insutype, psn_type, "
        "ipt_otp_no, med_type, begin_at, cert_type, cert_digest, atddr_no, dr_name, dept_code, dept_name, caty, "
        "disease_code, disease_name, state, opter, registered_at) values ($1, $2, '370300', '370300', $3, '310', "
        "'1101', $4, '11', $5, '02', $6, 'D370302000001', '刘医生', 'A03', '内科', 'A03', '', '', 'visited', '0001', $5)",
        PSN, VISIT, OURS, VISIT_NO, at, sm3(CERTNO.encode()),
    )
    for sn, code, name, level, price, count, amount, own, over, first, scope, reason in LINES:
        await tx.execute(
            "insert into encounters.fee_line (psn_no, mdtrt_id, feedetl_sn, admdvs, chrg_bchno, occurred_at, item_code, "
            "local_code, item_name, list_type, charge_type, class_level, price_micro, quantity_e4, amount_fen, "
            "limit_micro, first_pay, own_fen, over_fen, first_fen, scope_fen, restricted, hosp_appr_flag, reason, "
            "catalogue_version, dept_code, dept_name, doctor_code, doctor_name, uploaded_at) values ($1, $2, $3, "
            "'370300', $4, $5, $6, $6, $7, '101', '09', $8, $9, $10, $11, $12, 1000, $13, $14, $15, $16, $17, '1', "
            "$18, '2026', 'A03', '内科', 'D370302000001', '刘医生', $5)",
            PSN, VISIT, sn, BATCH, at, code, name, level, price, count, amount, 15_000000 if over else None,
            own, over, first, scope, sn == "2", reason,
        )
    await insert_settlement(tx, setl_id=SETTLED, at=NOW.replace(hour=8, minute=10))


async def _catalogue(tx: Connection) -> None:
    """List two of the items: one with an invented class, one with an official class and an invented ceiling."""
    for n, level, ratio, source, assumed in ((1, "02", 1000, "示例数据", True), (2, "01", 0, "国家目录", False)):
        code = LINES[n][1]
        await tx.execute(
            "insert into catalogue.item (code, list_type, name, charge_type, origin, valid_from, version) "
            "values ($1, '101', $2, '09', 'demo', '2021-01-01', '1')", code, LINES[n][2],
        )
        await tx.execute(
            "insert into catalogue.term (admdvs, code, valid_from, class_level, first_pay, source, assumed) "
            "values ('370300', $1, '2025-01-01', $2, $3, $4, $5)", code, level, ratio, source, assumed,
        )
    await tx.execute(
        "insert into catalogue.price_limit (admdvs, code, level, valid_from, limit_micro, source, assumed) "
        "values ('370300', $1, '2', '2025-01-01', 15000000, '示例数据', true)", LINES[2][1],
    )


async def insert_settlement(
    tx: Connection, *, setl_id: str, at: datetime, code: str = OURS, sign: int = 1, origin: str | None = None,
    psn_no: str = PSN, mdtrt_id: str = VISIT, region: str = "370300", batch: str = BATCH,
) -> None:
    """Write one settlement row; ``sign`` -1 and ``origin`` make it a refund."""
    row: dict[str, Any] = {
        "psn_no": psn_no, "setl_id": setl_id, "admdvs": region, "care_admdvs": region, "mdtrt_id": mdtrt_id,
        "chrg_bchno": batch, "fixmedins_code": code, "insutype": "310", "med_type": "11", "benefit": "outpatient",
        "year": 2026, "service_on": at.date(), "settled_at": at, "kind": "refund" if origin else "settlement",
        "state": "closed" if origin else "active", "origin_id": origin,
        "medfee_fen": FEES["amount"], "own_fen": FEES["own"], "over_fen": FEES["over"], "first_fen": FEES["first"],
        "scope_fen": FEES["scope"], "deductible_fen": 0, "hifp_fen": SHARES["fund"], "fund_fen": SHARES["fund"],
        "person_fen": SHARES["account"] + SHARES["cash"], "account_fen": SHARES["account"],
        "cash_fen": SHARES["cash"],
    }
    row |= dict.fromkeys(("cvlserv_fen", "hifes_fen", "hifmi_fen", "hifob_fen", "maf_fen", "oth_fen"), 0)
    row |= dict.fromkeys(("shared_fen", "hospital_fen"), 0)
    row = {n: sign * v if n.endswith("_fen") else v for n, v in row.items()}
    row |= {
        "balance_fen": 0, "pool_ratio": 5000, "fund_types": ["310100", "310200"],
        "fund_amounts": [sign * SHARES["fund"], sign * SHARES["account"]], "counter_codes": ["op_pool"],
        "counter_deltas": [sign * SHARES["fund"]], "facts": FACTS, "policy_version": "0123456789abcdef0123",
        "account_use": "1", "cert_type": "02", "clr_type": "11", "clr_way": "1", "clr_optins": "370300",
        "sender": code, "msgid": msgid(code, at, 7), "opter": "0001",
    }
    names, marks = ", ".join(row), ", ".join(f"${i}" for i in range(1, len(row) + 1))
    await tx.execute(f"insert into settlements.settlement ({names}) values ({marks})", *row.values())


async def insert_deed(
    tx: Connection, *, code: str, region: str, infno: str, at: datetime, serial: int, request: bytes, reply: bytes,
    took_ms: int = 9, mdtrt_id: str | None = VISIT, setl_id: str | None = None, psn_no: str | None = PSN,
) -> None:
    """Write one message row."""
    await tx.execute(
        "insert into platform.message (sender, msgid, admdvs, infno, state, psn_no, mdtrt_id, setl_id, request, "
        "request_digest, reply, received_at, replied_at) values ($1,$2,$3,$4,'answered',$5,$6,$7,$8,$9,$10,$11,$12)",
        code, msgid(code, at, serial), region, infno, psn_no, mdtrt_id, setl_id, request, sm3(request), reply, at,
        at + timedelta(milliseconds=took_ms),
    )


async def insert_log(
    tx: Connection, *, entry_id: str, code: str, region: str, infno: str, at: datetime, serial: int, outcome: str,
    request: bytes, reply: bytes, refusal_code: str | None = None, psn_no: str | None = PSN,
    mdtrt_id: str | None = None, took_us: int = 2300, given_msgid: str | None = None,
) -> None:
    """Write one row of the traffic log."""
    await tx.execute(
        "insert into platform.traffic values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13)",
        entry_id, code, given_msgid if given_msgid is not None else msgid(code, at, serial), region, infno, outcome,
        refusal_code, psn_no, mdtrt_id, request, reply, at, took_us,
    )


async def _messages(tx: Connection) -> None:
    at = NOW.replace(hour=7, minute=58)
    person = {"data": {"mdtrt_cert_type": "02", "mdtrt_cert_no": CERTNO, "psn_cert_type": "01", "certno": CERTNO,
                       "psn_name": NAME}}
    base = {"baseinfo": {"psn_no": PSN, "psn_cert_type": "01", "certno": CERTNO, "psn_name": NAME, "gend": "1",
                         "brdy": "1968-03-14"}, "insuinfo": [{"insutype": "310", "psn_type": "1101", "balc": 120.00}]}
    await insert_log(
        tx, entry_id="t1", code=OURS, region="370300", infno="1101", at=at, serial=1, outcome="answered",
        request=request_body("1101", at, 1, person), reply=reply_body(base),
    )
    at = NOW.replace(hour=8, minute=0)
    await insert_deed(
        tx, code=OURS, region="370300", infno="2201", at=at, serial=2,
        request=request_body("2201", at, 2, {"data": {"psn_no": PSN, "insutype": "310", "begntime": str(at)[:19],
                             "mdtrt_cert_type": "02", "ipt_otp_no": VISIT_NO, "dr_name": "刘医生"}}),
        reply=reply_body({"data": {"mdtrt_id": VISIT, "psn_no": PSN, "ipt_otp_no": VISIT_NO}}),
    )
    at = NOW.replace(hour=8, minute=5)
    details = [{"feedetl_sn": n, "mdtrt_id": VISIT, "psn_no": PSN, "chrg_bchno": BATCH, "med_list_codg": code,
                "medins_list_codg": code, "det_item_fee_sumamt": amount / 100, "cnt": count / 10000,
                "pric": price / 1_000_000, "hosp_appr_flag": "1", "medins_list_name": name}
               for n, code, name, _, price, count, amount, *_ in LINES]
    await insert_deed(
        tx, code=OURS, region="370300", infno="2204", at=at, serial=3, took_ms=14,
        request=request_body("2204", at, 3, {"feedetail": details}),
        reply=reply_body({"result": [{"feedetl_sn": n, "det_item_fee_sumamt": amount / 100, "chrgitm_lv": level,
                                      "fulamt_ownpay_amt": own / 100, "overlmt_amt": over / 100,
                                      "preselfpay_amt": first / 100, "inscp_scp_amt": scope / 100}
                                     for n, _, _, level, _, _, amount, own, over, first, scope, _ in LINES]}),
    )
    at = NOW.replace(hour=8, minute=9)
    settle = {"data": {"psn_no": PSN, "mdtrt_cert_type": "02", "mdtrt_cert_no": CERTNO, "certno": CERTNO,
                       "med_type": "11", "medfee_sumamt": 266.30, "psn_setlway": "01", "mdtrt_id": VISIT,
                       "chrg_bchno": BATCH, "insutype": "310", "acct_used_flag": "1", "invono": XSS}}
    await insert_log(
        tx, entry_id="t2", code=OURS, region="370300", infno="2207", at=at, serial=6, outcome="refused",
        refusal_code="AMOUNT_DIFFERS", mdtrt_id=VISIT, request=request_body("2207", at, 6, settle),
        reply=reply_body(None, infcode=-1, err_msg=(
            "1. data.medfee_sumamt：医疗费总额与已上传明细之和不一致（收到：266.30），请重新核对后再结算；"
            "2. data.invono：发票号超过20个字符（收到：" + XSS + "），请更正 [a1b2c3d4]")),
    )
    at = NOW.replace(hour=8, minute=10)
    settle["data"] |= {"medfee_sumamt": 266.25, "invono": "00012345"}
    await insert_deed(
        tx, code=OURS, region="370300", infno="2207", at=at, serial=7, setl_id=SETTLED, took_ms=12,
        request=request_body("2207", at, 7, settle),
        reply=reply_body({"setlinfo": {"mdtrt_id": VISIT, "setl_id": SETTLED, "psn_no": PSN, "psn_name": NAME,
                          "psn_cert_type": "01", "certno": CERTNO, "insutype": "310", "psn_type": "1101",
                          "medfee_sumamt": 266.25, "fund_pay_sumamt": 90.27, "hifp_pay": 90.27, "acct_pay": 120.00,
                          "psn_cash_pay": 55.98, "balc": 0.00, "med_type": "11"},
                          "setldetail": [{"fund_pay_type": "310100", "inscp_scp_amt": 180.54, "fund_payamt": 90.27},
                                         {"fund_pay_type": "310200", "fund_payamt": 120.00}]}),
    )
    at = NOW.replace(hour=8, minute=11)
    await insert_log(
        tx, entry_id="t3", code=OURS, region="370300", infno="2207", at=at, serial=7, outcome="replayed",
        mdtrt_id=VISIT, request=request_body("2207", at, 7, settle), reply=reply_body({}),
        given_msgid=msgid(OURS, NOW.replace(hour=8, minute=10), 7),
    )
    await insert_log(
        tx, entry_id="t4", code=OURS, region="370300", infno="2401", at=at, serial=8, outcome="refused", psn_no=None,
        refusal_code="BODY_NOT_JSON", request=b'{"infno":"2401","psn_name":"\xe5\xbc\xa0\xe5\xb0\x8f\xe6\x95\x8f",'
        b'"certno":"' + CERTNO.encode() + b'", broken \xff\xfe', reply=reply_body(None, infcode=-1, err_msg="报文不是JSON"),
        given_msgid="",
    )
    for serial, (infno, outcome) in enumerate(
        [("5201", "answered"), ("5301", "answered"), ("1312", "answered"), ("5203", "unavailable")] * 8, 20
    ):
        await insert_log(
            tx, entry_id=f"q{serial}", code=OURS, region="370300", infno=infno, serial=serial, outcome=outcome,
            at=NOW - timedelta(minutes=serial), request=request_body(infno, at, serial, {"data": {"psn_no": PSN}}),
            reply=reply_body({"data": []}), took_us=900 + serial * 37, psn_no=None,
        )
    for code, region in ((OTHERS, "370300"), (FAR, "441300")):
        await insert_deed(
            tx, code=code, region=region, infno="2201", at=at, serial=1, mdtrt_id=f"V{code}", psn_no="P" + code,
            request=request_body("2201", at, 1, {"data": {"ipt_otp_no": "secret of " + code}}, code),
            reply=reply_body({}),
        )
        await insert_log(
            tx, entry_id=f"x{code}", code=code, region=region, infno="5201", at=at, serial=2, outcome="answered",
            request=b"{}", reply=b"{}", psn_no="37030000000000000002",
        )
        await insert_settlement(
            tx, setl_id=f"S{code}", at=at, code=code, psn_no=f"P{code}", mdtrt_id=f"V{code}", region=region,
        )
