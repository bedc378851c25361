"""What the installed base sends and needs, row by row: a stranger's HIS works by changing an address.

Each test bears the row of the list of client quirks that it proves; rows that are about the content of a
business reply (settlement identities, refunds, catalogue files) are proved where those replies are made.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import httpx
import pytest

from tests.spec.gateway.test_senders import api_headers
from tests.spec.gateway.world import HMAC, OPEN, envelope, post, registration, settlement
from yibao.kernel import identity_number

CERTNO = identity_number.make("370303", date(1990, 3, 7), 759)


async def _ok(client: httpx.AsyncClient, body: dict[str, Any] | bytes, **how: Any) -> dict[str, Any]:
    response = await post(client, body, **how)
    assert response.status_code == 200
    reply: dict[str, Any] = response.json()
    assert reply["infcode"] == 0, reply["err_msg"]
    return reply


def _query(**data: Any) -> dict[str, Any]:
    return {"data": {"psn_no": "P1", "begntime": "2026-01-01 00:00:00", "endtime": "2026-03-02 00:00:00", "med_type": "11",
                     **data}}


# ── they send ──


async def test_business_node_with_a_capital(client: httpx.AsyncClient) -> None:
    """Row: business node ``input``, and also ``Input``."""
    body = envelope("2201", None)
    del body["input"]
    reply = await _ok(client, {**body, "Input": registration()})
    assert reply["output"]["input"]["data"]["psn_no"] == "37030000000000000001"


async def test_business_node_as_json_text(client: httpx.AsyncClient) -> None:
    """Row: input sent as JSON text (one region)."""
    reply = await _ok(client, envelope("2201", json.dumps(registration(), ensure_ascii=False)))
    assert reply["output"]["input"]["data"]["dr_name"] == "王医生"


EMPTY = ("dev_no", "dev_safe_info", "cainfo", "sign_no", "insuplc_admdvs", "signtype", "opter_name", "inf_time", "recer_sys_code",
         "fixmedins_name", "infver", "opter", "mdtrtarea_admvs", "opter_type")


@pytest.mark.parametrize("empty", ["left out", "", None, "null"])
async def test_empty_envelope_fields(client: httpx.AsyncClient, empty: str | None) -> None:
    """Row: empty envelope fields: left out, empty text, JSON null, the text null."""
    body = envelope("1101", {"data": {"psn_cert_type": "01", "certno": CERTNO}})
    for name in EMPTY:
        if empty == "left out":
            del body[name]
        else:
            body[name] = empty
    reply = await _ok(client, body)
    assert reply["output"]["envelope"]["sign_no"] == ""
    assert reply["output"]["envelope"]["opter_type"] == "1"


@pytest.mark.parametrize("field", ["recer_sys_code", "infver", "signtype"])
@pytest.mark.parametrize("value", ["SY", "CSB", "370300", "医保核心", "1", "1.0", "1.0.0", "V1.0", "a very long receiver name"])
async def test_never_tested_envelope_fields(client: httpx.AsyncClient, field: str, value: str) -> None:
    """Row: recer_sys_code, infver, signtype hold any text."""
    await _ok(client, envelope("2201", registration(), **{field: value}))


async def test_numbers_as_text_and_as_numbers_mixed(client: httpx.AsyncClient) -> None:
    """Row: JSON numbers and quoted strings, mixed inside one message; codes as JSON numbers."""
    await _ok(client, envelope("2207", settlement(
        medfee_sumamt="123.45", fulamt_ownpay_amt=0, overlmt_selfpay="0", preselfpay_amt=1.50, inscp_scp_amt="1.5000",
        acct_used_flag=1, insutype=310, med_type=11, psn_no=370300, mdtrt_id=20260302,
    )))
    reply = await _ok(client, envelope("2201", registration(insutype=310, ipt_otp_no=100.0, psn_no=37030000000000000001)))
    data = reply["output"]["input"]["data"]
    assert (data["insutype"], data["ipt_otp_no"], data["psn_no"]) == ("310", "100", "37030000000000000001")


async def test_key_order_and_indentation(client: httpx.AsyncClient) -> None:
    """Row: any key order, any indentation."""
    body = dict(reversed(envelope("2201", registration()).items()))
    await _ok(client, json.dumps(body, indent=8).replace("\n", "\r\n").encode())


async def test_lists_and_objects_for_each_other(client: httpx.AsyncClient) -> None:
    """Row: a single object where the table says list, a list of one where it says object."""
    line = {
        "feedetl_sn": 1, "mdtrt_id": "M", "psn_no": "P", "chrg_bchno": "B", "rx_circ_flag": "0",
        "fee_ocur_time": "2026-03-02 09:00:00", "med_list_codg": "X", "medins_list_codg": "Y", "det_item_fee_sumamt": "4.52",
        "cnt": 1, "pric": 4.52, "bilg_dept_codg": "A", "bilg_dept_name": "B", "bilg_dr_codg": "C", "bilg_dr_name": "D",
        "hosp_appr_flag": 0,
    }
    as_object = await _ok(client, envelope("2204", {"feedetail": line}))
    assert len(as_object["output"]["input"]["feedetail"]) == 1
    as_list = await _ok(client, envelope("2201", {"data": [registration()["data"]]}))
    assert as_list["output"]["input"]["data"]["psn_no"]


@pytest.mark.parametrize("msgid", [
    "H37030300001202603020930001234", "20260302093000" + "1234567890ab", "8d7c1a0e4b5f4f0c9e1d2a3b4c5d6e",
    "20260302093000" + "2201" + "9f3ac01b",
])
async def test_message_ids_of_every_shape(client: httpx.AsyncClient, msgid: str) -> None:
    """Row: 26 to 30 characters, not always beginning with the institution code."""
    assert 26 <= len(msgid) <= 30
    await _ok(client, envelope("2201", registration(), msgid=msgid))


@pytest.mark.parametrize("sign_no", [None, "sign_no", "0123456789abcdef0123456789abcdef"])
async def test_sign_no_is_never_demanded(client: httpx.AsyncClient, sign_no: str | None) -> None:
    """Row: sign_no missing, the literal text, real."""
    await _ok(client, envelope("2201", registration(), sign_no=sign_no))


async def test_insured_place_empty_before_it_is_known(client: httpx.AsyncClient) -> None:
    """Row: insuplc_admdvs empty in 9001 and 1101."""
    await _ok(client, envelope("1101", {"data": {"psn_cert_type": "01", "certno": CERTNO}}, insuplc_admdvs=""))


@pytest.mark.parametrize("infno", ["2203", "2203A"])
async def test_both_visit_uploads(client: httpx.AsyncClient, infno: str) -> None:
    """Row: the old 2203 and 2203A are both in use; diag_time as a date is its midnight."""
    content = {
        "mdtrtinfo": {"mdtrt_id": "M", "psn_no": "P", "med_type": "11", "begntime": "2026-03-02"},
        "diseinfo": [{"diag_type": "1", "diag_srt_no": 1, "diag_code": "J06.900", "diag_name": "上感", "diag_dept": "A02",
                      "dise_dor_no": "D1", "dise_dor_name": "王", "diag_time": "2026-03-02", "vali_flag": "01"}],
    }
    reply = await _ok(client, envelope(infno, content))
    sent = reply["output"]["input"]
    assert sent["mdtrtinfo"]["begntime"] == sent["diseinfo"][0]["diag_time"] == "2026-03-02T00:00:00+08:00"
    assert sent["diseinfo"][0]["vali_flag"] == "1"


async def test_split_amounts_may_be_zero(client: httpx.AsyncClient) -> None:
    """Row: 2207 copies the four split amounts of 2206; some send 0."""
    await _ok(client, envelope("2207", settlement(fulamt_ownpay_amt=0, preselfpay_amt=0, inscp_scp_amt="0")))


async def test_certificate_number_may_be_its_type(client: httpx.AsyncClient) -> None:
    """Row: 2206 with mdtrt_cert_no = the certificate type reaches the use case."""
    data = {k: v for k, v in settlement(mdtrt_cert_no="02")["data"].items() if k not in (
        "fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")}
    await _ok(client, envelope("2206", {"data": data}))


async def test_a_datetime_where_the_table_says_date(client: httpx.AsyncClient) -> None:
    """Row: stmt_enddate … 23:59:59 is cut to the day; begntime as a date is midnight."""
    reply = await _ok(client, envelope("5201", _query(begntime="2026-01-01", endtime="2026-03-02 23:59:59")))
    assert reply["output"]["input"]["data"]["begntime"] == "2026-01-01T00:00:00+08:00"
    told = (await post(client, envelope("3201", {"data": {
        "insutype": "310", "clr_type": "11", "setl_optins": "370300", "stmt_begndate": "2026-03-01",
        "stmt_enddate": "2026-03-01 23:59:59", "medfee_sumamt": "0", "fund_pay_sumamt": 0, "acct_pay": 0,
        "fixmedins_setl_cnt": "0",
    }}))).json()
    assert "尚未开通" in told["err_msg"]  # validated; no handler in this test's gateway


@pytest.mark.parametrize(("field", "sent", "taken"), [
    ("mdtrt_cert_type", "2", "02"), ("mdtrt_cert_type", 2, "02"), ("insutype", "0310", "310"), ("caty", "A02", "A02"),
    ("caty", "全科医疗科", "A02"), ("mdtrt_cert_type", "居民身份证", "02"),
])
async def test_codes_are_normalised_then_tested(client: httpx.AsyncClient, field: str, sent: Any, taken: str) -> None:
    """Row: without or with one more leading zero, as JSON numbers, or as the name."""
    reply = await _ok(client, envelope("2201", registration(**{field: sent})))
    assert reply["output"]["input"]["data"][field] == taken
    assert reply["warn_msg"] is None


async def test_an_own_department_code_is_taken_with_a_warning(client: httpx.AsyncClient) -> None:
    """Row: caty as an own code or name: the table is open."""
    reply = await _ok(client, envelope("2201", registration(caty="发热门诊（东院区）夜间")))
    assert reply["output"]["input"]["data"]["caty"] == "发热门诊（东院区）夜间"
    assert "data.caty" in reply["warn_msg"]


@pytest.mark.parametrize("echo", [
    {}, {"certno": "x" * 60, "psn_cert_type": "77", "psn_name": "张三" * 20, "psn_type": "1101"},
    {"psn_name": "", "psn_type": None},
])
async def test_person_echo_fields_are_not_tested(client: httpx.AsyncClient, echo: dict[str, Any]) -> None:
    """Row: certno, psn_cert_type, psn_name, psn_type are left out by most; the visit knows them."""
    for infno, content in (("2201", registration(**echo)), ("2207", settlement(**echo))):
        assert (await _ok(client, envelope(infno, content)))["warn_msg"] is None


@pytest.mark.parametrize("data", [
    {"psn_cert_type": "01", "certno": CERTNO},
    {"psn_cert_type": "01", "certno": CERTNO, "psn_name": "", "mdtrt_cert_type": "02", "mdtrt_cert_no": "1"},
])
async def test_identification_in_the_oldest_form(client: httpx.AsyncClient, data: dict[str, str]) -> None:
    """Row: 1101 psn_name empty; in the oldest form only psn_cert_type and certno."""
    await _ok(client, envelope("1101", {"data": data}))


async def test_vendor_fields_are_ignored(client: httpx.AsyncClient) -> None:
    """Row: more fields than the table, in the envelope and in the body, of any kind."""
    content = registration(return_date="x", serv_code=[1, {"a": None}], exp_content="", huge=10**30, odd="\ud800")
    content["extra"] = {"deep": [1, 2]}
    reply = await _ok(client, json.dumps({**envelope("2201", content), "vendor": {"a": 1}}).encode())
    assert "return_date" not in reply["output"]["input"]["data"]
    assert "extra" not in reply["output"]["input"]


@pytest.mark.parametrize("exp_content", ["{\"TRUM_FLAG\":\"0\"}", {"TRUM_FLAG": "0"}, "", None])
async def test_extension_content(client: httpx.AsyncClient, exp_content: Any) -> None:
    """Row: exp_content among the vendor fields, as text or as the object itself."""
    await _ok(client, envelope("2201", registration(exp_content=exp_content)))


async def test_stock_sales_without_prescriber(client: httpx.AsyncClient) -> None:
    """Row: 3505, 3506 without prescriber, pharmacist, lot, date, mdtrt_sn, drugtracinfo: warn, do not lose the sale."""
    sale = {
        "med_list_codg": "X", "fixmedins_hilist_id": "Y", "fixmedins_hilist_name": "阿莫西林", "fixmedins_bchno": "1",
        "rx_flag": 1, "trdn_flag": "0", "rtal_docno": "R", "sel_retn_cnt": "2", "sel_retn_time": "2026-03-02",
        "sel_retn_opter_name": "李",
    }
    for infno in ("3505", "3506"):
        told = (await post(client, envelope(infno, {"selinfo": sale}))).json()["err_msg"]
        assert "尚未开通" in told, told
    del sale["rtal_docno"]
    told = (await post(client, envelope("3505", {"selinfo": sale}))).json()["err_msg"]
    assert "selinfo.rtal_docno" in told


async def test_a_sale_return_under_another_node(client: httpx.AsyncClient) -> None:
    """Row: 3504 with node selinfo instead of purcinfo."""
    told = (await post(client, envelope("3504", {"selinfo": {"med_list_codg": "X" * 60}}))).json()["err_msg"]
    assert "purcinfo.med_list_codg" in told
    assert "长度60" in told


@pytest.mark.parametrize("content", ["", {}, None, {"data": {}}])
async def test_departments_are_asked_with_nothing(client: httpx.AsyncClient, content: Any) -> None:
    """Row: 5101 input is an empty text."""
    await _ok(client, envelope("5101", content))


async def test_prescriptions_in_both_forms(client: httpx.AsyncClient) -> None:
    """Row: 7101 in snake_case is alive beside camelCase; required text may be empty."""
    for spelling in ("hosp_rxno", "hospRxno"):
        told = (await post(client, envelope("7101", {"data": {spelling: ""}}))).json()["err_msg"]
        other = "hospRxno" if spelling == "hosp_rxno" else "hosp_rxno"
        assert f"data.{spelling}" not in told
        assert f"data.{other}" not in told
        assert ("mdtrt_id" in told) == (spelling == "hosp_rxno"), told
        assert ("mdtrtId" in told) == (spelling == "hospRxno"), told


async def test_retries_are_safe(client: httpx.AsyncClient) -> None:
    """Row: POST repeated up to three times: one effect, the same bytes."""
    body = envelope("2201", registration())
    assert len({(await post(client, body)).content for _ in range(3)}) == 1


async def test_a_fixed_apikey_or_no_header_at_all(client: httpx.AsyncClient) -> None:
    """Row: headers: a fixed apikey; none; the _api_* set with either form of the name."""
    await _ok(client, envelope("2201", registration()), headers={"apikey": "0123"})
    for name in ("2201", "api_2201"):
        await _ok(client, envelope("2201", registration(), code=HMAC), headers=api_headers(_api_name=name))


# ── they need ──


async def test_failures_come_with_status_200_and_a_reason_first(client: httpx.AsyncClient) -> None:
    """Rows: HTTP 200 for failures; output null, inf_refmsgid empty, the Chinese reason, a trace id in brackets."""
    refused = envelope("5302", {"data": {"psn_no": "P1", "biz_appy_type": "01"}})
    for body in (refused, envelope("5301", {"data": {"psn_no": "P"}})):
        response = await post(client, body)
        reply = response.json()
        assert response.status_code == 200
        assert type(reply["infcode"]) is int
        assert reply["infcode"] == -1
        assert reply["output"] is None
        assert reply["inf_refmsgid"] == ""
        reason, _, trace = reply["err_msg"].rpartition(" [")
        assert any("\u4e00" <= letter <= "\u9fff" for letter in reason)
        assert trace.rstrip("]").isdigit()


async def test_every_reply_has_a_content_type(client: httpx.AsyncClient) -> None:
    """Row: one client crashes without it."""
    for body in (b"", b"{", json.dumps(envelope("2201", registration())).encode()):
        assert (await post(client, body)).headers["content-type"] == "application/json;charset=utf-8"


async def test_codes_of_persons_kinds_are_four_digits(client: httpx.AsyncClient) -> None:
    """Row: persons' kinds are mostly four digits: no warning where the first two are known."""
    body = envelope("5201", _query())
    assert (await _ok(client, body))["warn_msg"] is None
    assert OPEN in body["msgid"]
