"""A hospital's own system in small: settles a visit by sending the interface's messages, as strangers do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime
from typing import Any

import msgspec

from yibao.demo.orders import Desk, VisitOrder
from yibao.kernel.business_time import SHANGHAI, to_wire

Send = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Delivers one message to the platform and returns its reply; numbers of the reply are ``Decimal``."""

IDENTITY_CARD = "02"


class VisitRefused(Exception):
    """The platform refused a step of the visit; ``reason`` is its err_msg."""

    def __init__(self, infno: str, reason: str) -> None:
        super().__init__(f"{infno}: {reason}")
        self.infno = infno
        self.reason = reason


class Settled(msgspec.Struct, frozen=True):
    """A settled visit: setlinfo and setldetail as the platform sent them."""

    mdtrt_id: str
    setl_id: str
    msgid: str
    setlinfo: dict[str, Any]
    setldetail: list[dict[str, Any]]


class Hospital:
    """Sends messages one after the other; time and message serials are handed in.

    ``serials`` gives numbers for the last four digits of message ids; two hospitals that send at the
    same second under the same code need different ones.
    """

    def __init__(self, send: Send, *, now: Callable[[], datetime], serials: Iterator[int]) -> None:
        self._send = send
        self._now = now
        self._serials = serials

    async def settle(self, order: VisitOrder) -> Settled:
        """Settle a visit from 1101 to 2207.

        Raises:
            VisitRefused: the platform refused a step.
        """
        batch = order.visit_no
        await self.identify(order)
        mdtrt_id = await self.register(order)
        await self.record(order, mdtrt_id)
        await self.upload(order, mdtrt_id, batch)
        trial = await self.ask(order, "2206", {"data": self._bill(order, mdtrt_id, batch)})
        splits = ("fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt")
        bill = self._bill(order, mdtrt_id, batch) | {name: trial["setlinfo"][name] for name in splits}
        msgid = self._msgid(order.desk)
        done = await self.ask(order, "2207", {"data": bill | {"invono": ""}}, msgid=msgid)
        info = done["setlinfo"]
        return Settled(mdtrt_id, str(info["setl_id"]), msgid, info, done["setldetail"])

    async def identify(self, order: VisitOrder) -> dict[str, Any]:
        """Ask who the patient is (1101)."""
        return await self.ask(order, "1101", {"data": {
            "mdtrt_cert_type": IDENTITY_CARD, "mdtrt_cert_no": order.certno, "card_sn": "", "begntime": "",
            "psn_cert_type": "01", "certno": order.certno, "psn_name": order.psn_name,
        }})

    async def register(self, order: VisitOrder) -> str:
        """Register the visit (2201) and return its id."""
        desk = order.desk
        output = await self.ask(order, "2201", {"data": {
            "psn_no": order.psn_no, "insutype": order.insutype, "begntime": to_wire(self._now()),
            "mdtrt_cert_type": IDENTITY_CARD, "mdtrt_cert_no": order.certno, "ipt_otp_no": order.visit_no,
            "atddr_no": desk.dr_codg, "dr_name": desk.dr_name, "dept_code": desk.dept_code,
            "dept_name": desk.dept_name, "caty": desk.caty,
        }})
        return str(output["data"]["mdtrt_id"])

    async def record(self, order: VisitOrder, mdtrt_id: str) -> None:
        """Send the visit and its diagnosis (2203)."""
        desk, at = order.desk, to_wire(self._now())
        await self.ask(order, "2203", {
            "mdtrtinfo": {
                "mdtrt_id": mdtrt_id, "psn_no": order.psn_no, "med_type": order.med_type, "begntime": at,
                "main_cond_dscr": order.diag_name, "dise_codg": order.dise_codg, "dise_name": "",
            },
            "diseinfo": [{
                "diag_type": "1", "diag_srt_no": 1, "diag_code": order.diag_code, "diag_name": order.diag_name,
                "diag_dept": desk.dept_name, "dise_dor_no": desk.dr_codg, "dise_dor_name": desk.dr_name,
                "diag_time": at, "vali_flag": "1",
            }],
        })

    async def upload(self, order: VisitOrder, mdtrt_id: str, batch: str) -> list[dict[str, Any]]:
        """Send the fee lines (2204) and return how the platform split each."""
        desk, at = order.desk, to_wire(self._now())
        output = await self.ask(order, "2204", {"feedetail": [
            {
                "feedetl_sn": str(number), "mdtrt_id": mdtrt_id, "psn_no": order.psn_no, "chrg_bchno": batch,
                "dise_codg": order.dise_codg, "rxno": "", "rx_circ_flag": "0", "fee_ocur_time": at,
                "med_list_codg": line.med_list_codg, "medins_list_codg": line.medins_list_codg,
                "det_item_fee_sumamt": line.det_item_fee_sumamt, "cnt": line.cnt, "pric": line.pric,
                "bilg_dept_codg": desk.dept_code, "bilg_dept_name": desk.dept_name, "bilg_dr_codg": desk.dr_codg,
                "bilg_dr_name": desk.dr_name, "hosp_appr_flag": line.hosp_appr_flag,
            }
            for number, line in enumerate(order.lines, 1)
        ]})
        result: list[dict[str, Any]] = output["result"]
        return result

    async def ask(
        self, order: VisitOrder, infno: str, content: dict[str, Any], *, msgid: str = ""
    ) -> dict[str, Any]:
        """Send one message of a visit and return its output.

        Raises:
            VisitRefused: infcode is not 0.
        """
        desk = order.desk
        reply = await self._send({
            "infno": infno, "msgid": msgid or self._msgid(desk), "mdtrtarea_admvs": desk.admdvs,
            "insuplc_admdvs": "" if infno == "1101" else order.insuplc_admdvs, "recer_sys_code": "YIBAO",
            "dev_no": "", "dev_safe_info": "", "cainfo": "", "signtype": "", "infver": "V1.0", "opter_type": "1",
            "opter": desk.opter, "opter_name": desk.opter_name, "inf_time": to_wire(self._now()),
            "fixmedins_code": desk.fixmedins_code, "fixmedins_name": desk.fixmedins_name, "sign_no": "",
            "input": content,
        })
        if reply.get("infcode") != 0:
            raise VisitRefused(infno, str(reply.get("err_msg") or reply.get("message")))
        return reply.get("output") or {}

    def _bill(self, order: VisitOrder, mdtrt_id: str, batch: str) -> dict[str, Any]:
        return {
            "psn_no": order.psn_no, "mdtrt_cert_type": IDENTITY_CARD, "mdtrt_cert_no": order.certno,
            "med_type": order.med_type, "medfee_sumamt": order.total, "psn_setlway": "01", "mdtrt_id": mdtrt_id,
            "chrg_bchno": batch, "insutype": order.insutype, "acct_used_flag": order.acct_used_flag,
        }

    def _msgid(self, desk: Desk) -> str:
        at = self._now().astimezone(SHANGHAI)
        return f"{desk.fixmedins_code}{at:%Y%m%d%H%M%S}{next(self._serials) % 10_000:04d}"
