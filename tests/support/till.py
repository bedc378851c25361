"""A hospital's till in miniature: drives whole visits over HTTP as an institution's own system would.

Written apart from the product, from the interface alone, for spec tests, fault proofs and the bench. It
speaks the three sender checks and keeps the rule every client should keep: an answer that did not come, or
did not come whole, is asked for again with the same msgid.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import secrets
import select
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from yibao.kernel.business_time import SHANGHAI

TRY_AGAIN = "请用同一发送方报文ID重试".encode()
"""Stands in a reply that says: nothing was done, ask again with the same msgid."""
_PAUSE_S = 0.02


class Refused(Exception):
    """The platform refused; the text is its ``err_msg`` or the gateway's message."""


class Unanswered(Exception):
    """No whole reply came: it was cut, did not match its digest, or the connection broke.

    What became of the message is unknown; the same msgid must be sent again.
    """


class Counter(msgspec.Struct, frozen=True):
    """Where a till stands: institution, how it signs, who sits there, and the doctor it registers for."""

    fixmedins_code: str
    fixmedins_name: str
    region: str
    scheme: str
    access_key: str
    secret: str
    opter: str
    opter_name: str
    dr_codg: str
    dr_name: str
    dept_code: str
    dept_name: str

    @classmethod
    def of(cls, institution: Mapping[str, Any], *, region: str) -> Counter:
        """Make a counter from an institution of ``demo.json``."""
        doctor, auth = institution["doctors"][0], institution["auth"]
        return cls(
            institution["fixmedins_code"], institution["fixmedins_name"], region, auth["scheme"],
            auth.get("access_key") or "", auth.get("secret") or "", institution["opter"], institution["opter_name"],
            doctor["dr_codg"], doctor["dr_name"], doctor["dept_code"], doctor["dept_name"],
        )


def new_msgid() -> str:
    """Return a message id of 30 random characters, as some clients make them: four digits a second collide."""
    return secrets.token_hex(15)


class Till:
    """One till with one connection; not for several threads at once."""

    def __init__(self, endpoint: str, counter: Counter, *, timeout_s: float = 30.0) -> None:
        parts = urlsplit(endpoint)
        self._host, self._path = parts.netloc, parts.path or "/"
        self._timeout_s = timeout_s
        self._connection: http.client.HTTPConnection | None = None
        self.counter = counter
        self.headers: dict[str, str] = {}
        """Sent with the next message only; fault tests arm their points with it."""

    def open(self) -> None:
        """Connect now rather than with the first message."""
        self._connection = http.client.HTTPConnection(self._host, timeout=self._timeout_s)
        self._connection.connect()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def envelope(self, infno: str, content: Any, *, msgid: str | None = None, insured_place: str = "") -> dict[str, Any]:
        """Return a whole message around its business content."""
        now = datetime.now(SHANGHAI)
        c = self.counter
        return {
            "infno": infno, "msgid": msgid or new_msgid(), "mdtrtarea_admvs": c.region,
            "insuplc_admdvs": insured_place, "recer_sys_code": "YIBAO", "dev_no": "", "dev_safe_info": "",
            "cainfo": "", "signtype": "", "infver": "V1.0", "opter_type": "1", "opter": c.opter,
            "opter_name": c.opter_name, "inf_time": f"{now:%Y-%m-%d %H:%M:%S}", "fixmedins_code": c.fixmedins_code,
            "fixmedins_name": c.fixmedins_name, "sign_no": "", "input": content,
        }

    def call(self, infno: str, content: Any, *, msgid: str | None = None, insured_place: str = "") -> Any:
        """Send a message and return its output; raises ``Refused`` with the reason."""
        return self.output(self.ask(self.envelope(infno, content, msgid=msgid, insured_place=insured_place)))

    @staticmethod
    def output(reply: bytes) -> Any:
        """Return the output of a reply, or raise ``Refused``."""
        answer = json.loads(reply)
        if answer.get("infcode") != 0:
            raise Refused(answer.get("err_msg") or answer.get("message") or "")
        return answer["output"]

    def send(self, message: Mapping[str, Any]) -> bytes:
        """Send a message over the kept connection and return the reply's bytes; one try.

        Raises:
            Unanswered: no whole reply came.
        """
        self.post(message)
        return self.receive()

    def post(self, message: Mapping[str, Any]) -> None:
        """Send a message and do not wait for its reply."""
        body = json.dumps(message, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json", **self._signed(str(message["infno"])), **self.headers}
        self.headers = {}
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._host, timeout=self._timeout_s)
        try:
            self._connection.request("POST", self._path, body, headers)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unanswered(repr(error)) from error

    def receive(self) -> bytes:
        """Return the reply to the message just posted.

        Raises:
            Unanswered: no whole reply came, or its bytes are not those of its digest.
        """
        assert self._connection is not None, "nothing was posted"
        try:
            response = self._connection.getresponse()
            reply = response.read()
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise Unanswered(repr(error)) from error
        told = response.getheader("x-yibao-digest", "")
        if told != "sm3=" + hashlib.new("sm3", reply).hexdigest():
            self.close()
            raise Unanswered(f"{len(reply)} bytes do not match the digest {told!r}")
        return reply

    @property
    def local_port(self) -> int:
        """Return our port of the open connection, by which the serving process is found."""
        assert self._connection is not None
        assert self._connection.sock is not None
        return int(self._connection.sock.getsockname()[1])

    def ask(self, message: Mapping[str, Any], *, within_s: float = 60.0) -> bytes:
        """Send a message, again and again with the same msgid, until a whole reply says what became of it.

        Raises:
            Unanswered: no such reply within ``within_s``.
        """
        until = time.monotonic() + within_s
        why = ""
        while time.monotonic() < until:
            try:
                reply = self.send(message)
            except Unanswered as unanswered:
                why = str(unanswered)
            else:
                if TRY_AGAIN not in reply:
                    return reply
                why = reply.decode()
            select.select((), (), (), _PAUSE_S)
        raise Unanswered(f"{message['infno']} {message['msgid']}: no answer within {within_s:g} s, last: {why}")

    def _signed(self, infno: str) -> dict[str, str]:
        c = self.counter
        if c.scheme == "api_hmac_sha1":
            stamp = str(int(datetime.now(SHANGHAI).timestamp() * 1000))
            fields = {"_api_name": infno, "_api_version": "1.0.0", "_api_timestamp": stamp, "_api_access_key": c.access_key}
            text = "&".join(f"{k}={fields[k]}" for k in sorted(fields))
            mac = hmac.new(c.secret.encode(), text.encode(), hashlib.sha1).digest()
            return {**fields, "_api_signature": base64.b64encode(mac).decode()}
        if c.scheme == "tif_sha256":
            stamp, nonce = str(int(datetime.now(SHANGHAI).timestamp())), secrets.token_hex(8)
            text = f"{stamp}{c.secret}{nonce}{stamp}"
            return {"x-tif-paasid": c.access_key, "x-tif-timestamp": stamp, "x-tif-nonce": nonce,
                    "x-tif-signature": hashlib.sha256(text.encode()).hexdigest()}
        return {}

    # ── a visit, step by step ──

    def registration(
        self, patient: Mapping[str, Any], *, begin: str | None = None, visit_no: str = ""
    ) -> dict[str, Any]:
        """Return the business content of 2201; a visit number of 16 random digits unless one is given."""
        c = self.counter
        return {"data": {
            "psn_no": patient["psn_no"], "insutype": patient["insutype"], "begntime": begin or wire_now(),
            "mdtrt_cert_type": "02", "mdtrt_cert_no": patient["certno"],
            "ipt_otp_no": visit_no or "MZ" + secrets.token_hex(8), "atddr_no": c.dr_codg, "dr_name": c.dr_name,
            "dept_code": c.dept_code, "dept_name": c.dept_name, "caty": "A03",
        }}

    def register(self, patient: Mapping[str, Any], *, begin: str | None = None) -> str:
        """Register a visit (2201) and return its id."""
        content = self.registration(patient, begin=begin)
        return str(self.call("2201", content, insured_place=patient["insuplc_admdvs"])["data"]["mdtrt_id"])

    def record(
        self, patient: Mapping[str, Any], visit: Mapping[str, Any], mdtrt_id: str, *, begin: str | None = None
    ) -> None:
        """Upload the visit with its diagnosis (2203A)."""
        c, at = self.counter, begin or wire_now()
        self.call("2203A", {
            "mdtrtinfo": {"mdtrt_id": mdtrt_id, "psn_no": patient["psn_no"], "med_type": visit["med_type"],
                          "begntime": at, "dise_codg": visit.get("dise_codg") or ""},
            "diseinfo": [{"diag_type": "1", "diag_srt_no": 1, "diag_code": visit["diag_code"],
                          "diag_name": visit["diag_name"], "diag_dept": c.dept_name, "dise_dor_no": c.dr_codg,
                          "dise_dor_name": c.dr_name, "diag_time": at, "vali_flag": "1"}],
        }, insured_place=patient["insuplc_admdvs"])

    def upload(
        self, patient: Mapping[str, Any], visit: Mapping[str, Any], mdtrt_id: str, *, batch: str = "1",
        begin: str | None = None,
    ) -> Any:
        """Upload the fee lines (2204) of a charge batch and return how each is split."""
        c, at = self.counter, begin or wire_now()
        return self.call("2204", {"feedetail": [
            {"feedetl_sn": f"{batch}{n:03d}", "mdtrt_id": mdtrt_id, "psn_no": patient["psn_no"], "chrg_bchno": batch,
             "dise_codg": visit.get("dise_codg") or "", "rx_circ_flag": "0", "fee_ocur_time": at,
             "bilg_dept_codg": c.dept_code, "bilg_dept_name": c.dept_name, "bilg_dr_codg": c.dr_codg,
             "bilg_dr_name": c.dr_name, "hosp_appr_flag": "0", **line}
            for n, line in enumerate(visit["lines"], 1)
        ]}, insured_place=patient["insuplc_admdvs"])["result"]

    def bill(
        self, patient: Mapping[str, Any], visit: Mapping[str, Any], mdtrt_id: str, *, batch: str = "1",
        acct_used_flag: str = "1",
    ) -> dict[str, Any]:
        """Return the business content of 2206 and, with zero splits, of 2207."""
        return {"data": {
            "psn_no": patient["psn_no"], "mdtrt_cert_type": "02", "mdtrt_cert_no": patient["certno"],
            "med_type": visit["med_type"], "medfee_sumamt": total(visit["lines"]), "psn_setlway": "01",
            "mdtrt_id": mdtrt_id, "chrg_bchno": batch, "insutype": patient["insutype"],
            "acct_used_flag": visit.get("acct_used_flag", acct_used_flag), "fulamt_ownpay_amt": 0, "overlmt_selfpay": 0,
            "preselfpay_amt": 0, "inscp_scp_amt": 0,
        }}

    def prepare(self, patient: Mapping[str, Any], visit: Mapping[str, Any]) -> dict[str, Any]:
        """Register, record and upload a visit; return the content that settles it."""
        mdtrt_id = self.register(patient)
        self.record(patient, visit, mdtrt_id)
        self.upload(patient, visit, mdtrt_id)
        return self.bill(patient, visit, mdtrt_id)

    def settle(self, patient: Mapping[str, Any], visit: Mapping[str, Any]) -> Any:
        """Drive a whole visit and return the settlement's output."""
        bill = self.prepare(patient, visit)
        return self.call("2207", bill, insured_place=patient["insuplc_admdvs"])


def wire_now() -> str:
    """Return the present business time as the wire writes it."""
    return f"{datetime.now(SHANGHAI):%Y-%m-%d %H:%M:%S}"


def total(lines: Sequence[Mapping[str, Any]]) -> float:
    """Return the sum of the lines in yuan; cents are added as integers, the wire wants a number."""
    return sum(round(float(x["det_item_fee_sumamt"]) * 100) for x in lines) / 100
