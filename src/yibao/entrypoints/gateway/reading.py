"""From a body to a message that may be dispatched: envelope, transaction, business content, digest."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from yibao.entrypoints.gateway.decode import Malformed, business_content
from yibao.entrypoints.gateway.interface import WITHOUT_ENVELOPE
from yibao.entrypoints.gateway.offer import reason_of
from yibao.entrypoints.gateway.problems import Problems
from yibao.entrypoints.gateway.routes import canonical
from yibao.entrypoints.gateway.validation import Spec, Validator
from yibao.infra.digest import sm3
from yibao.kernel.refusal import Fault, Refusal, refuse

_CANONICAL = msgspec.json.Encoder(order="sorted")
_CODE_TEXT_MAX = 30
_KEPT_MAX = 200


class Reading(msgspec.Struct):
    """A decoded body: what is known of it, and everything found wrong with it so far."""

    envelope: dict[str, str]
    infno: str
    source: dict[str, Any]
    problems: Problems
    spec: Spec | None = None
    input: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def msgid(self) -> str:
        """Return the sender's message id, ``""`` if there is none."""
        return self.envelope.get("msgid", "")

    @property
    def fixmedins_code(self) -> str:
        """Return the sender's institution code, ``""`` if there is none that could be one."""
        code = self.envelope.get("fixmedins_code", "")
        return code if code.isascii() and code.isprintable() and len(code) <= _CODE_TEXT_MAX else ""

    def named(self, field: str) -> str | None:
        """Return the first value of a field (``psn_no``, ``mdtrt_id``) that the business content carries."""
        for content in (self.input, self.source):
            for node in (content, *content.values()):
                row = node[0] if isinstance(node, list) and node else node
                value = row.get(field) if isinstance(row, dict) else None
                if isinstance(value, str) and value:
                    return value
        return None


class Reader:
    """Reads bodies by the envelope table and the field tables."""

    def __init__(self, validator: Validator) -> None:
        self._validator = validator
        envelope = validator.interface.envelope
        self._empty = dict.fromkeys((field.name for field in envelope.fields if field.name != "input"), "")

    def read(self, body: dict[str, Any], path_infno: str) -> Reading:
        """Return a reading of a decoded body; faults of the envelope are already in its problems."""
        problems = Problems()
        if canonical(path_infno) in WITHOUT_ENVELOPE and "input" not in body:
            return Reading({"infno": path_infno}, canonical(path_infno), body, problems)
        clean = self._validator.walk_envelope(body, problems, "")
        envelope = self._texts(clean, body, bool(problems.faults))
        infno = self._infno(envelope, path_infno, problems)
        reading = Reading(envelope, infno, {}, problems)
        try:
            reading.source = business_content(body)
        except Malformed as malformed:
            problems.faults.extend(malformed.refusal.faults)
        return reading

    def _texts(self, clean: dict[str, Any], body: dict[str, Any], faulty: bool) -> dict[str, str]:
        """Return every envelope field as text; of faulty ones what readable text came, for the log."""
        texts = self._empty.copy()
        for name, value in clean.items():
            texts[name] = value if type(value) is str else str(body[name]).strip()
        if faulty:
            for name in texts.keys() & body.keys() - clean.keys():
                if isinstance(body[name], str):
                    texts[name] = body[name].strip()[:_KEPT_MAX]
        return texts

    def _infno(self, envelope: dict[str, str], path_infno: str, problems: Problems) -> str:
        sent = canonical(envelope["infno"])
        named = canonical(path_infno)
        if not sent and not named:
            problems.add_plain("infno", "FIELD_MISSING", "交易编号为必填项", "请在报文或地址中给出交易编号")
        if sent and named and sent != named and (sent, named) not in _SAME_PATH:
            problems.add_plain(
                "infno", "INFNO_MISMATCH", f"报文的交易编号与地址中的交易编号{named}不一致", "请核对地址和报文", shown=sent[:20]
            )
        return sent or named

    def validate(self, reading: Reading) -> None:
        """Validate the business content by its field table; an unknown transaction is a fault."""
        if not reading.infno:
            return
        reading.spec = self._validator.spec(reading.infno)
        if reading.spec is None:
            reading.problems.add_plain(
                "infno", "TRANSACTION_UNKNOWN", "交易编号不在接口规范内", "请核对交易编号", shown=reading.infno[:20]
            )
        else:
            reading.input = self._validator.validate(reading.spec, reading.source, reading.problems)


_SAME_PATH = frozenset({("2203A", "2203"), ("2203", "2203A")})
"""Some regions post both forms of a transaction to one path."""


def digest(reading: Reading) -> bytes:
    """Return SM3 over transaction number and canonical business content.

    Raises:
        Malformed: the content is nested beyond what can be read.
    """
    try:
        content = _CANONICAL.encode(reading.source)
    except RecursionError:
        raise Malformed(refuse("BODY_TOO_DEEP", "报文嵌套层数过多", field="input", remedy="请检查报文结构")) from None
    except (UnicodeEncodeError, OverflowError, TypeError, ValueError):
        # Fields no table knows may hold anything; they are not looked at, but they count.
        content = json.dumps(reading.source, sort_keys=True, default=repr).encode()
    return sm3(reading.infno.encode() + b"\0" + content)


def not_offered(infno: str, name_zh: str) -> Refusal:
    """Return the refusal of a transaction that the interface has and this platform does not offer, with the reason."""
    why = reason_of(infno)
    return refuse(
        "TRANSACTION_NOT_OFFERED", f"交易【{infno} {name_zh}】本平台尚未开通：{why.reason}", field="infno", remedy=why.remedy
    )


def care_place_fault(envelope: dict[str, str], *, region: str, admdvs: str) -> Fault | None:
    """Return the fault of a care place that is not where the sender stands."""
    place = envelope["mdtrtarea_admvs"]
    if not place or place in (region, admdvs) or place[:4] in (region[:4], admdvs[:4]):
        return None
    return Fault(
        "CARE_PLACE_MISMATCH", f"就医地医保区划与定点医药机构所在区划{region}不一致", "mdtrtarea_admvs", place[:12],
        "请填写本机构所在地的医保区划",
    )


