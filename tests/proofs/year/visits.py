"""Visits of the year: the gateway of the product in this process, under the proof's clock, and a till that talks to it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx

from tests.support.till import Counter, Till
from yibao.app import App
from yibao.demo.description import ENDPOINT


class Office:
    """A hospital's counter whose messages go to the gateway in this process; days are those of the proof."""

    def __init__(self, app: App, counter: Counter) -> None:
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://year", timeout=60)
        self._till = Till("http://year" + ENDPOINT, counter)
        self._sent = 0

    async def close(self) -> None:
        """Close the client."""
        await self._client.aclose()

    async def ask(self, infno: str, content: Any, *, region: str) -> dict[str, Any]:
        """Send one message and return the whole reply with amounts as decimals."""
        self._sent += 1
        msgid = f"{self._till.counter.fixmedins_code}{self._sent:018d}"
        message = self._till.envelope(infno, content, msgid=msgid, insured_place=region)
        reply = await self._client.post(ENDPOINT, json=message)
        answer: dict[str, Any] = json.loads(reply.content, parse_float=Decimal)
        return answer

    async def visit(
        self, patient: Mapping[str, Any], visit: Mapping[str, Any], *, at: datetime
    ) -> dict[str, Any] | str:
        """Drive a visit to its settlement; return its setlinfo, or the sentence of the refusal that ended it."""
        begin, region = f"{at:%Y-%m-%d %H:%M:%S}", patient["insuplc_admdvs"]
        self._sent += 1
        registration = self._till.registration(patient, begin=begin, visit_no=f"MZ{self._sent:014d}")
        answer = await self.ask("2201", registration, region=region)
        if answer.get("infcode") != 0:
            return str(answer.get("err_msg") or answer)
        mdtrt_id = str(answer["output"]["data"]["mdtrt_id"])
        steps = Steps(self._till)
        for infno, content in (
            ("2203A", steps.record(patient, visit, mdtrt_id, begin)), ("2204", steps.lines(patient, visit, mdtrt_id, begin)),
            ("2207", self._till.bill(patient, visit, mdtrt_id)),
        ):
            answer = await self.ask(infno, content, region=region)
            if answer.get("infcode") != 0:
                return str(answer.get("err_msg") or answer)
        found: dict[str, Any] = answer["output"]["setlinfo"]
        return found


class Steps:
    """The contents of the messages between registration and bill."""

    def __init__(self, till: Till) -> None:
        self._counter = till.counter

    def record(self, patient: Mapping[str, Any], visit: Mapping[str, Any], mdtrt_id: str, begin: str) -> dict[str, Any]:
        """Return the content of 2203A."""
        c = self._counter
        return {
            "mdtrtinfo": {"mdtrt_id": mdtrt_id, "psn_no": patient["psn_no"], "med_type": visit["med_type"],
                          "begntime": begin, "dise_codg": ""},
            "diseinfo": [{"diag_type": "1", "diag_srt_no": 1, "diag_code": visit["diag_code"],
                          "diag_name": visit["diag_name"], "diag_dept": c.dept_name, "dise_dor_no": c.dr_codg,
                          "dise_dor_name": c.dr_name, "diag_time": begin, "vali_flag": "1"}],
        }

    def lines(self, patient: Mapping[str, Any], visit: Mapping[str, Any], mdtrt_id: str, begin: str) -> dict[str, Any]:
        """Return the content of 2204."""
        c = self._counter
        return {"feedetail": [
            {"feedetl_sn": f"1{n:03d}", "mdtrt_id": mdtrt_id, "psn_no": patient["psn_no"], "chrg_bchno": "1",
             "dise_codg": "", "rx_circ_flag": "0", "fee_ocur_time": begin, "bilg_dept_codg": c.dept_code,
             "bilg_dept_name": c.dept_name, "bilg_dr_codg": c.dr_codg, "bilg_dr_name": c.dr_name, "hosp_appr_flag": "0",
             **line}
            for n, line in enumerate(visit["lines"], 1)
        ]}
