"""Clinical records are kept under their keys, linked to the visit, and given back; a later upload takes the place."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.spec.records.conftest import ORDINARY, PatientOf, Stayed
from tests.support.lists import Content, changed, on_database
from tests.support.messages import filled
from tests.support.till import Refused, Till
from yibao.entrypoints.cli.records import app

HEADS = {"4301": "rgstinfo", "4302": "oprninfo.0", "4401": "baseinfo", "4402": "data.0", "4402A": "data.0",
         "4501": "examinfo", "4502": "labinfo", "4503": "data.0", "4504": "data.0", "4505": "data.0", "4506": "data.0",
         "4601": "data.0", "4602": "data.0", "4701": "adminfo"}
OF_STAY = ("4401", "4402", "4402A", "4701")
KEYS: dict[str, dict[str, Any]] = {
    "4501": {"rpotc_no": "BG1", "rpt_date": "2026-01-05"}, "4502": {"rpotc_no": "JY1", "exam_item_code": "250101015"},
    "4503": {"rpotc_no": "XJ1", "germ_code": "G1", "germ_name": "大肠埃希菌", "exam_rslt": "阳性"},
    "4504": {"rpotc_no": "YM1", "germ_code": "G1", "germ_name": "大肠埃希菌", "sstb_code": "S1", "sstb_name": "头孢曲松"},
    "4601": {"bld_time": "2026-01-05 08:00:00", "bld_cat_code": "1", "bld_amt": 200},
}
OWN_NUMBERS = {"4402": "medcas_drord_detl_id", "4402A": "medcas_drord_detl_id", "4505": "palg_no", "4506": "appy_no",
               "4701": "adm_rec_no"}
GIVEN_BACK = {"4501": "4507", "4502": "4508", "4503": "4509", "4504": "4510", "4505": "4511", "4506": "4512"}


def record(infno: str, *, psn_no: str, mdtrt_id: str, serial: str = "MZ1") -> Content:
    """Return a record with everything its table requires, linked to a visit."""
    content = filled(infno)
    link = {"mdtrt_sn": serial, **({"psn_no": psn_no, "mdtrt_id": mdtrt_id} if psn_no else {})}
    own = {OWN_NUMBERS[infno]: f"N{serial}"} if infno in OWN_NUMBERS else {}
    for name, value in {**link, **own, **KEYS.get(infno, {})}.items():
        content = changed(content, f"{HEADS[infno]}.{name}", value)
    if infno == "4401":
        for node in ("diseinfo", "oprninfo", "icuinfo"):
            content[node][0]["mdtrt_sn"] = serial
        content["baseinfo"]["fixmedins_code"] = "H37030300001"
    if infno == "4501":
        content["imageinfo"][0]["rpotc_no"] = "BG1"
    return content


@pytest.fixture
def visit(till: Till, patient_of: PatientOf) -> tuple[str, str]:
    """Return person and id of a visit that is registered."""
    patient = patient_of(ORDINARY)
    return patient["psn_no"], till.register(patient)


def link_of(infno: str, stayed: Stayed, visit: tuple[str, str]) -> tuple[str, str]:
    return (stayed.psn_no, stayed.mdtrt_id) if infno in OF_STAY else visit


def documents(url: str, till: Till, kind: str, *words: str) -> list[dict[str, Any]]:
    """Return what the agency's command shows of an institution's records of a kind."""
    result = CliRunner().invoke(
        app, ["documents", "--institution", till.counter.fixmedins_code, "--kind", kind, *words, "--json"],
        env={"YIBAO_DATABASE_URL": url})
    assert result.exit_code == 0, result.stdout
    return list(json.loads(result.stdout)["documents"])


@pytest.mark.parametrize("infno", HEADS)
def test_a_record_is_kept_with_its_visit_and_read_back(
    till: Till, stayed: Stayed, visit: tuple[str, str], world_url: str, infno: str
) -> None:
    psn_no, mdtrt_id = link_of(infno, stayed, visit)
    sent = record(infno, psn_no=psn_no, mdtrt_id=mdtrt_id, serial=f"R{infno}")
    till.call(infno, sent)
    found = [d for d in documents(world_url, till, infno, "--visit", f"R{infno}") if d["mdtrt_id"] == mdtrt_id]
    assert [(d["psn_no"], d["version"], d["is_valid"]) for d in found] == [(psn_no, 1, True)]
    head: Any = sent
    for step in HEADS[infno].split("."):
        head = head[int(step)] if step.isdecimal() else head[step]
    kept = found[0]["content"] if infno in ("4402", "4402A", "4503", "4504", "4505", "4506", "4601", "4602") else (
        found[0]["content"][HEADS[infno].split(".")[0]])
    kept = kept[0] if isinstance(kept, list) else kept
    shown = {k: v for k, v in head.items() if k not in ("psn_name", "name")}
    assert {k: kept[k] for k in shown} == shown, "everything comes back as it was sent"


@pytest.mark.parametrize("infno", GIVEN_BACK)
@pytest.mark.drives("4501", "4502", "4503", "4504", "4505", "4506", "4507", "4508", "4509", "4510", "4511", "4512")
def test_a_report_is_given_back_replaced_and_voided(
    till: Till, visit: tuple[str, str], world_url: str, infno: str
) -> None:
    psn_no, mdtrt_id = visit
    asked = {"psn_no": psn_no, "pageSize": 10, "pageNum": 1, "fixmedins_code": till.counter.fixmedins_code}
    serial = f"G{infno}"
    sent = record(infno, psn_no=psn_no, mdtrt_id=mdtrt_id, serial=serial)
    if infno in ("4505", "4506"):
        key = "palg_no" if infno == "4505" else "appy_no"
        sent = changed(sent, f"data.0.{key}", f"K{infno}")
    else:
        sent = changed(sent, f"{HEADS[infno]}.rpotc_no", f"K{infno}")
        if infno == "4501":
            sent["imageinfo"][0]["rpotc_no"] = f"K{infno}"
    till.call(infno, sent)

    def given() -> list[dict[str, Any]]:
        rows = till.call(GIVEN_BACK[infno], asked)["data"]
        heads = [{**r, **r.get("examinfo", {}), **r.get("labinfo", {})} for r in rows]
        return [h for h in heads if h["mdtrt_sn"] == serial]

    [first] = given()
    assert first["fixmedins_code"] == till.counter.fixmedins_code
    assert first["fixmedins_name"] == till.counter.fixmedins_name
    till.call(infno, changed(sent, f"{HEADS[infno]}.appy_no", "SECOND") if infno not in ("4505", "4506") else sent)
    assert len(given()) == 1, "the later upload took the place of the earlier one"
    key = documents(world_url, till, infno, "--visit", serial)[0]["key"]
    versions = documents(world_url, till, infno, "--key", key, "--versions")
    assert [(v["version"], v["replaced_at"] is None) for v in versions] == [(1, False), (2, True)]
    till.call(infno, changed(sent, f"{HEADS[infno]}.vali_flag", "0"))
    assert given() == []
    assert [v["version"] for v in documents(world_url, till, infno, "--key", key, "--versions")] == [1, 2, 3]


def test_queries_filter_and_page(till: Till, visit: tuple[str, str]) -> None:
    psn_no, mdtrt_id = visit
    for n in range(3):
        sent = record("4502", psn_no=psn_no, mdtrt_id=mdtrt_id, serial="PAGE")
        sent = changed(sent, "labinfo.rpotc_no", f"P{n}")
        till.call("4502", changed(changed(sent, "labinfo.exam_item_code", f"PG{n % 2}"), "labinfo.rpt_date", f"2026-01-0{n + 1}"))
    asked = {"psn_no": psn_no, "pageSize": 1, "pageNum": 1, "exam_item_code": "PG0"}
    numbers = [till.call("4508", {**asked, "pageNum": n})["data"] for n in (1, 2, 3)]
    assert [[r["labinfo"]["rpotc_no"] for r in page] for page in numbers] == [["P2"], ["P0"], []], "newest first"
    with pytest.raises(Refused, match="从1起"):
        till.call("4508", {**asked, "pageNum": 0})


WRONG: list[tuple[str, str, Any, str]] = [
    ("4501", "examinfo.mdtrt_id", "no such visit", "没有该参保人的这次就诊"),
    ("4501", "examinfo.psn_no", None, "须同时填写人员编号与就诊ID"),
    ("4501", "imageinfo.0.rpotc_no", "BG2", "与报文主体的rpotc_no不一致"),
    ("4501", "examinfo.rpt_date", "2099-01-01", "日期晚于今天"),
    ("4501", "examinfo.vali_flag", "0", "没有可以作废的记录"),
    ("4505", "data.1", "the same again", "两份相同编号"),
]


@pytest.mark.parametrize(("infno", "path", "value", "said"), WRONG, ids=[f"{w[0]}-{w[1]}" for w in WRONG])
def test_a_faulty_record_is_refused_and_nothing_is_kept(
    till: Till, visit: tuple[str, str], world_url: str, infno: str, path: str, value: Any, said: str
) -> None:
    psn_no, mdtrt_id = visit
    sent = record(infno, psn_no=psn_no, mdtrt_id=mdtrt_id, serial="WRONG")
    if infno == "4501":
        sent = changed(sent, "examinfo.rpotc_no", "BG-W")
        sent["imageinfo"][0]["rpotc_no"] = "BG-W"
    wrong = changed(sent, path, dict(sent["data"][0]) if value == "the same again" else value)
    with pytest.raises(Refused, match=said):
        till.call(infno, wrong)
    assert documents(world_url, till, infno, "--visit", "WRONG") == []


def test_wrong_order_another_institutions_visit(till_for: Callable[..., Till], visit: tuple[str, str]) -> None:
    other = till_for(index=1)
    with pytest.raises(Refused, match="不是在本机构登记的"):
        other.call("4501", record("4501", psn_no=visit[0], mdtrt_id=visit[1]))


def test_wrong_order_a_cancelled_visit(till: Till, patient_of: PatientOf) -> None:
    patient = patient_of(ORDINARY)
    content = till.registration(patient)
    registered = till.call("2201", content, insured_place=patient["insuplc_admdvs"])["data"]
    till.call("2202", {"data": {"psn_no": patient["psn_no"], "mdtrt_id": registered["mdtrt_id"],
                                "ipt_otp_no": content["data"]["ipt_otp_no"]}})
    with pytest.raises(Refused, match="登记已撤销"):
        till.call("4301", record("4301", psn_no=patient["psn_no"], mdtrt_id=registered["mdtrt_id"]))


@pytest.mark.parametrize("infno", OF_STAY)
def test_wrong_order_a_ward_record_of_an_outpatient(till: Till, visit: tuple[str, str], infno: str) -> None:
    with pytest.raises(Refused, match="只能用于住院就诊"):
        till.call(infno, record(infno, psn_no=visit[0], mdtrt_id=visit[1]))


def test_wrong_order_an_outpatient_record_of_a_stay(till: Till, stayed: Stayed) -> None:
    with pytest.raises(Refused, match="只能用于门急诊就诊"):
        till.call("4301", record("4301", psn_no=stayed.psn_no, mdtrt_id=stayed.mdtrt_id))


def test_a_key_belongs_to_one_visit(till: Till, patient_of: PatientOf) -> None:
    patient = patient_of(ORDINARY)
    first, second = till.register(patient), till.register(patient)
    sent = changed(record("4505", psn_no=patient["psn_no"], mdtrt_id=first, serial="ONE"), "data.0.palg_no", "BL-ONE")
    till.call("4505", sent)
    with pytest.raises(Refused, match="已用于另一次就诊"):
        till.call("4505", changed(sent, "data.0.mdtrt_id", second))


def test_a_patient_without_insurance_is_kept_without_link(till: Till, world_url: str) -> None:
    till.call("4601", record("4601", psn_no="", mdtrt_id="", serial="ZF1"))
    [kept] = documents(world_url, till, "4601", "--visit", "ZF1")
    assert (kept["psn_no"], kept["mdtrt_id"], kept["is_valid"]) == ("", "", True)


def test_a_batch_of_orders_is_kept_whole(till: Till, stayed: Stayed, world_url: str) -> None:
    one = record("4402", psn_no=stayed.psn_no, mdtrt_id=stayed.mdtrt_id, serial="YZ1")["data"][0]
    till.call("4402", {"data": [{**one, "medcas_drord_detl_id": f"D{n}"} for n in range(300)]})
    assert len(documents(world_url, till, "4402", "--visit", "YZ1")) == 300
    extended = {**filled("4402A")["data"][0], "mdtrt_sn": "YZ1", "psn_no": stayed.psn_no, "mdtrt_id": stayed.mdtrt_id,
                "medcas_drord_detl_id": "D7"}
    till.call("4402A", {"data": [extended]})
    kept = documents(world_url, till, "4402", "--key", "D7")
    assert [(k["infno"], k["version"]) for k in kept] == [("4402A", 2)], "the extended form takes the same place"


def test_names_and_numbers_are_masked_for_readers(till: Till, stayed: Stayed, world_url: str) -> None:
    sent = record("4401", psn_no=stayed.psn_no, mdtrt_id=stayed.mdtrt_id, serial="MASK")
    sent = changed(changed(sent, "baseinfo.certno", "370301198001010015"), "baseinfo.psn_name", "张三丰")
    till.call("4401", sent)
    text = json.dumps(documents(world_url, till, "4401", "--visit", "MASK"), ensure_ascii=False)
    assert "370301198001010015" not in text
    assert "张三丰" not in text
    rows = on_database(world_url, "select content ->> 'baseinfo' as b from records.document where mdtrt_sn = 'MASK'")
    assert "张三丰" in rows[0]["b"], "kept as it was sent"
