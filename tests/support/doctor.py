"""A doctor's desk and an appeals office: orders held against the rules, answers to warnings, appeals; the agency's verbs.

Written apart from the product, from the interface alone, beside the till of the same institution.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
from typer.testing import CliRunner

from tests.support.till import Till, wire_now
from yibao.entrypoints.cli.main import app
from yibao.kernel.business_time import SHANGHAI

ULTRASOUND = "002202020010000"      # 经阴道B超检查: for women, 71.00 yuan, class A
HBA1C = "002503020030000"           # 糖化血红蛋白测定: once in 15 days, 13.50 yuan, class A
MONITORING = "001103000010000"      # 急诊监护费: includes the bed of the day
WARD_BED = "001109000010000"        # 普通病房床位费
PDF = base64.b64encode(b"%PDF-1.4 appeal material").decode()


def line(code: str, count: int, price: float) -> dict[str, Any]:
    """Return a fee line of 2204 without the fields that a till fills in."""
    return {"med_list_codg": code, "medins_list_codg": f"YN{code[-6:]}", "cnt": count, "pric": price,
            "det_item_fee_sumamt": round(count * price, 2)}


def visit(*lines: Mapping[str, Any]) -> dict[str, Any]:
    """Return an outpatient visit with these lines."""
    return {"med_type": "11", "diag_code": "J06.900", "diag_name": "急性上呼吸道感染", "lines": list(lines)}


def order(
    code: str, count: float = 1, price: float = 71, *, name: str = "项目", list_type: str = "201", **more: Any
) -> dict[str, Any]:
    """Return an order of 3101; ``more`` overrides any of its fields."""
    return {
        "rx_id": f"RX{code}", "rxno": f"CF{code[-6:]}", "long_drord_flag": "0", "hilist_type": list_type, "chrg_type": "03",
        "drord_bhvr": "0", "hilist_code": code, "hilist_name": name, "hilist_lv": "01", "hilist_pric": price,
        "hosplist_code": f"YN{code[-6:]}", "hosplist_name": name, "cnt": count, "pric": price,
        "sumamt": round(count * price, 2), "ownpay_amt": 0, "selfpay_amt": 0, "spec": "次", "spec_unt": "次",
        "drord_begn_date": wire_now(), "drord_dept_codg": "A03", "drord_dept_name": "内科", "drord_dr_codg": "D1",
        "drord_dr_name": "医师", "drord_dr_profttl": "234", "curr_drord_flag": "1", **more,
    }


def analysis(
    till: Till, patient: Mapping[str, Any], mdtrt_id: str, orders: Sequence[Mapping[str, Any]], *, gend: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Return the content of 3101 or 3102 for one patient; ``more`` stands beside the patients."""
    c, now = till.counter, wire_now()
    visit_sent = {
        "mdtrt_id": mdtrt_id, "medins_id": c.fixmedins_code, "medins_name": c.fixmedins_name, "medins_admdvs": c.region,
        "medins_type": "A100", "medins_lv": "5", "adm_date": now, "dscg_date": now, "dscg_main_dise_codg": "J06.900",
        "dscg_main_dise_name": "急性上呼吸道感染", "dr_codg": c.dr_codg, "adm_dept_codg": c.dept_code,
        "adm_dept_name": c.dept_name, "dscg_dept_codg": c.dept_code, "dscg_dept_name": c.dept_name,
        "med_mdtrt_type": "1", "med_type": "11", "matn_stas": "1", "medfee_sumamt": 0, "ownpay_amt": 0, "selfpay_amt": 0,
        "setl_totlnum": 0, "insutype": patient["insutype"], "reim_flag": "2", "out_setl_flag": "0",
        "fsi_diagnose_dtos": [{"dise_id": "1", "inout_dise_type": "1", "maindise_flag": "1", "dias_srt_no": "1",
                               "dise_codg": "J06.900", "dise_name": "急性上呼吸道感染", "dise_date": now}],
        "fsi_order_dtos": list(orders),
    }
    number = str(patient["certno"])
    return {"data": {"patient_dtos": [{
        "patn_id": patient["psn_no"], "patn_name": patient.get("psn_name", "某人"),
        "gend": gend or ("1" if int(number[16]) % 2 else "2"), "brdy": f"{number[6:10]}-{number[10:12]}-{number[12:14]}",
        "poolarea": patient["insuplc_admdvs"], "curr_mdtrt_id": mdtrt_id, "fsi_encounter_dtos": [visit_sent],
    }], "trig_scen": "1", "syscode": "HIS", **more}}


def feedback(stage: str, *answers: tuple[str, str, str]) -> dict[str, Any]:
    """Return the content of 3103: warning id, way (1 goes on, 2 goes back) and reason of each answer."""
    return {"data": {"warn_type": stage, "warns": [
        {"warn_rslt_id": hit, "dspo_way": way, **({"dspo_way_rea": why} if why else {})} for hit, way, why in answers
    ]}}


def documents_asked(till: Till, *, stage: str = "1", page: int = 1, size: int = 50, **more: Any) -> dict[str, Any]:
    """Return the content of 3701 for yesterday to tomorrow."""
    today = datetime.now(SHANGHAI).date()
    c = till.counter
    return {"input": {"startTime": f"{today - timedelta(days=1)}", "endTime": f"{today + timedelta(days=1)}",
                      "medinsCodg": c.fixmedins_code, "medinsName": c.fixmedins_name, "currentPage": page,
                      "pageSize": size, "stage": stage, **more}}


def documents(till: Till, *, stage: str = "1") -> list[dict[str, Any]]:
    """Return the institution's documents at a node (3701)."""
    return list(till.call("3701", documents_asked(till, stage=stage))["pageResult"]["data"])


def document_of(till: Till, setl_id: str, world_url: str, *, stage: str = "1") -> dict[str, Any]:
    """Return the one document of a settlement (3701)."""
    known = rows(world_url, "select document_id from supervision.document where setl_id = $1", setl_id)
    (found,) = [d for d in documents(till, stage=stage) if d["docId"] in {r["document_id"] for r in known}]
    return found


def upload_material(till: Till) -> str:
    """Upload appeal material (3704) and return its id."""
    content = {"input": {"fsiAppealFileDTOList": [{"name": "申诉材料.pdf", "bytes": PDF}]}}
    return str(till.call("3704", content)["FsiFileUploadRsltDTO"]["attUploadId"])


def answer(
    till: Till, document: Mapping[str, Any], *, objects: bool = True, material: str = "", amount: float = 1,
    reason: str = "病情需要，已附病历", suspicions: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the content of 3702 or 3703: one answer for all suspicions of a document, or for the given ones."""
    c = till.counter
    ids = suspicions or [s["docSusptId"] for s in document["docSusptDTOS"]]
    more = {"susptAmt": amount, "attUploadId": material, "auditOpinion": reason} if objects else {}
    return {"input": {"medinsName": c.fixmedins_name, "medinsCodg": c.fixmedins_code, "remark": "", "docs": [
        {"docId": document["docId"], "docSusptDTOS": [
            {"docSusptId": s, "applyFlag": "1" if objects else "0", **more} for s in ids
        ]}
    ]}}


class Agency:
    """The agency's clerks at the command line."""

    def __init__(self, world_url: str, monkeypatch: Any) -> None:
        monkeypatch.setenv("YIBAO_DATABASE_URL", world_url)
        self._url = world_url

    def ask(self, *words: str) -> tuple[int, dict[str, Any]]:
        """Run ``yibao review ... --json`` and return exit code and answer."""
        result = CliRunner().invoke(app, ["review", *words, "--json"])
        assert result.stdout, f"{result.exception!r} {result.output}"
        return result.exit_code, json.loads(result.stdout)

    def do(self, *words: str) -> dict[str, Any]:
        """Run a verb that must succeed."""
        code, told = self.ask(*words)
        assert code == 0, told
        return told

    def run(self, *, region: str = "370300") -> dict[str, Any]:
        """Judge everything settled yesterday and today."""
        today = datetime.now(SHANGHAI).date()
        days = ("--from", f"{today - timedelta(days=1)}", "--to", f"{today}")
        return self.do("run", "--region", region, "--operator", "系统", *days)

    def refused(self, *words: str) -> str:
        """Run a verb that must be refused and return the code of the first fault."""
        code, told = self.ask(*words)
        assert code == 1, told
        return str(told["faults"][0]["code"])

    def appeal_time_is_over(self, document_id: str) -> None:
        """Move the last day of a document's time to appeal to the day before yesterday."""
        execute(self._url, "update supervision.document set appeal_until = $2 where document_id = $1", document_id,
                datetime.now(SHANGHAI).date() - timedelta(days=2))


def rows(url: str, sql: str, *values: Any) -> list[dict[str, Any]]:
    """Return the rows of a statement run as the owner of the tables."""
    async def ask() -> list[dict[str, Any]]:
        connection = await asyncpg.connect(url)
        try:
            return [dict(r) for r in await connection.fetch(sql, *values)]
        finally:
            await connection.close()

    return asyncio.run(ask())


def execute(url: str, sql: str, *values: Any) -> None:
    """Run a statement as the owner of the tables."""
    rows(url, sql, *values)
