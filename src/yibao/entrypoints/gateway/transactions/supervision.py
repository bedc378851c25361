"""3101-3103, 3701-3704: warnings before and during care, what is done about them, appeals."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from yibao.domains.supervision.model import BEFORE, DURING
from yibao.entrypoints.gateway.registry import Done, Message, Services, deed
from yibao.entrypoints.gateway.wire_words import yuan
from yibao.infra.database import Connection
from yibao.kernel.money import round_half_up
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.review.facts import Charge, Hit
from yibao.usecases.supervision.analyse_orders import Analysed, OrderInput, PatientInput, analyse_orders
from yibao.usecases.supervision.answer_warnings import AnswerInput, answer_warnings
from yibao.usecases.supervision.gather_question import days_of
from yibao.usecases.supervision.keep_attachment import FileInput, keep_attachment
from yibao.usecases.supervision.submit_appeal import (
    Answered,
    DocumentAnswer,
    Round,
    SuspicionAnswer,
    answer_documents,
)

_STAGES = {"3101": BEFORE, "3102": DURING}
_WARN_TYPES = {"1": BEFORE, "2": DURING}
_GO_ON, _GO_BACK = "1", "2"
_ROUNDS: dict[str, Round] = {"3702": "appeal", "3703": "collegial"}


@deed("3101", "3102")
async def analyse(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Judge orders by the supervision rules and answer what breaks one."""
    data = message.input.get("data", {})
    patients = [_patient(p) for p in data.get("patient_dtos", ())]
    found = await analyse_orders(
        tx, stage=_STAGES[message.infno], patients=patients, only=data.get("rule_ids", ()),
        institution=message.institution, opter=message.envelope.get("opter", ""), now=message.received_at,
        ids=services.ids, warnings=message.warnings,
    )
    if isinstance(found, Refusal):
        return found
    here = message.institution.fixmedins_code
    output = {"result": [_result(one, hit_id, hit, here=here) for one in found for hit_id, hit in one.hits]}
    return Done(output, psn_no=found[0].psn_no, mdtrt_id=found[0].mdtrt_id)


def _patient(p: dict[str, Any]) -> PatientInput:
    """Read a patient and, of the visits sent, the one that is going on; ours stand for the others."""
    current = p.get("curr_mdtrt_id", "")
    visits = p.get("fsi_encounter_dtos", ())
    visit = next((v for v in visits if v.get("mdtrt_id") == current), visits[0] if len(visits) == 1 else {})
    return PatientInput(
        psn_no=p.get("patn_id", ""), mdtrt_id=current or visit.get("mdtrt_id", ""),
        medins_id=visit.get("medins_id", ""), sex=p.get("gend", ""), birth_on=p.get("brdy"),
        med_type=visit.get("med_type", ""),
        orders=[_order(o) for o in visit.get("fsi_order_dtos", ()) if "drord_begn_date" in o],
    )


def _order(o: dict[str, Any]) -> OrderInput:
    more = o.get("extend_order_map", {})
    limit = o.get("hilist_pric")
    return OrderInput(
        order_id=o.get("rx_id", ""), rx=o.get("rxno", ""), item_code=o.get("hilist_code", ""),
        item_name=o.get("hilist_name", ""), list_type=o.get("hilist_type", ""), at=o["drord_begn_date"],
        quantity_e4=round_half_up(o.get("cnt", Decimal(0)), 4), amount_fen=round_half_up(o.get("sumamt", Decimal(0)), 2),
        price_micro=round_half_up(o.get("pric", Decimal(0)), 6),
        limit_micro=round_half_up(limit, 6) if limit else None, frequency=str(more.get("o_used_frqu_dscr", "")),
        days=days_of(more.get("o_prdDays")), is_current=o.get("curr_drord_flag", "1") != "0",
    )


def _result(one: Analysed, hit_id: str, hit: Hit, *, here: str) -> dict[str, object]:
    amount = hit.amount_fen
    details = [("1", b.charge, b.amount_fen) for b in hit.broken]
    details += [("2", c, c.amount_fen) for c in hit.involved if c.fixmedins_code == here]
    return {
        "jr_id": hit_id, "rule_id": hit.rule_id, "rule_name": hit.title, "vola_cont": hit.reason[:500],
        "patn_id": one.psn_no, "mdtrt_id": one.mdtrt_id,
        "judge_result_detail_dtos": [_detail(one, hit_id, n, *d) for n, d in enumerate(details, 1)],
        "vola_amt": yuan(amount or 0), "vola_amt_stas": "0" if amount is None else "1", "sev_deg": hit.severity,
        "vola_evid": hit.basis[:500], "vola_bhvr_type": hit.behaviour, "task_id": one.analysis_id,
    }


def _detail(
    one: Analysed, hit_id: str, number: int, kind: str, charge: Charge, amount_fen: int | None
) -> dict[str, object]:
    return {
        "jrd_id": f"{hit_id}{number:03d}", "patn_id": one.psn_no, "mdtrt_id": charge.mdtrt_id,
        "rx_id": charge.charge_id, "vola_item_type": kind, "vola_amt": yuan(amount_fen or 0),
    }


@deed("3103")
async def feed_back(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Keep what the doctor did about warnings."""
    data = message.input.get("data", {})
    warns = data.get("warns")
    if warns is None:
        return refuse("FORM_NOT_OFFERED", "3103的入院通知形式本平台没有真实处理", field="data",
                      remedy="请按审核反馈的字段上传warns")
    stage = _WARN_TYPES.get(data.get("warn_type", ""))
    if stage is None:
        return refuse("WARN_TYPE_UNKNOWN", "反馈类型只有1事前、2事中", field="data.warn_type",
                      received=data.get("warn_type", ""), remedy="请填1或2")
    for place, warn in enumerate(warns):
        if warn.get("dspo_way") not in (_GO_ON, _GO_BACK):
            return refuse("WAY_UNKNOWN", "处理方式只有1继续执行医嘱、2返回修改医嘱", field=f"data.warns[{place}].dspo_way",
                          received=warn.get("dspo_way", ""), remedy="请填1或2")
    psn_no = await answer_warnings(
        tx, stage=stage, fixmedins_code=message.institution.fixmedins_code, opter=message.envelope.get("opter", ""),
        now=message.received_at,
        answers=[AnswerInput(w["warn_rslt_id"], w["dspo_way"] == _GO_ON, w.get("dspo_way_rea", "")) for w in warns],
    )
    return psn_no if isinstance(psn_no, Refusal) else Done(None, psn_no=psn_no)


@deed("3702", "3703")
async def appeal(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Take an institution's appeals, or its wish for a panel; the reply says of each document whether it was taken."""
    data = message.input["input"]
    refusal = refuse_other_institution(data.get("medinsCodg", ""), message)
    if refusal is not None:
        return refusal
    documents = []
    for place, document in enumerate(data.get("docs", ())):
        for number, answer in enumerate(document.get("docSusptDTOS", ())):
            if answer.get("applyFlag") not in ("0", "1"):
                return refuse("APPLY_FLAG_UNKNOWN", "申诉标识只有0、1", received=answer.get("applyFlag", ""),
                              field=f"input.docs[{place}].docSusptDTOS[{number}].applyFlag", remedy="请填0或1")
        documents.append(DocumentAnswer(document["docId"], [_answer(a) for a in document.get("docSusptDTOS", ())]))
    done = await answer_documents(
        tx, stage=_ROUNDS[message.infno], documents=documents, now=message.received_at,
        fixmedins_code=message.institution.fixmedins_code, opter=message.envelope.get("opter", ""),
    )
    if isinstance(done, Refusal):
        return done
    message.warnings += [f.sentence() for d in done for f in d.faults.values()]
    return Done([_taken(d) for d in done])


def _answer(a: dict[str, Any]) -> SuspicionAnswer:
    amount = a.get("susptAmt")
    return SuspicionAnswer(
        suspicion_id=a["docSusptId"], objects=a["applyFlag"] == "1",
        amount_fen=None if amount is None else round_half_up(amount, 2), attachment_id=a.get("attUploadId", ""),
        reason=a.get("auditOpinion", ""),
    )


def _taken(done: Answered) -> dict[str, object]:
    """Say of a document whether it was taken (``docCode`` 0) and, if not, which suspicion kept it from that."""
    whole = done.faults.get("")
    failed = "1" if done.faults else "0"
    reasons = {name: fault.sentence()[:500] for name, fault in done.faults.items()}
    return {
        "docCode": failed, "docId": done.document_id,
        "docReason": (whole.reason if whole else "有疑点未通过，整单未提交" if done.faults else "")[:50] or None,
        "docsuspt": [
            {"susptId": s, "susptCode": "1" if whole or s in reasons else "0", "susptReason": reasons.get(s)}
            for s in done.suspicion_ids
        ],
    }


@deed("3704")
async def attach(message: Message, services: Services, tx: Connection) -> Done | Refusal:
    """Keep the material of an appeal and issue its id."""
    data = message.input["input"]
    attachment_id = await keep_attachment(
        tx, attachment_id=data.get("attUploadId", ""), institution=message.institution,
        files=[FileInput(f.get("name", ""), _bytes(f.get("bytes"))) for f in data.get("fsiAppealFileDTOList", ())],
        opter=message.envelope.get("opter", ""), now=message.received_at, ids=services.ids,
    )
    if isinstance(attachment_id, Refusal):
        return attachment_id
    return Done({"FsiFileUploadRsltDTO": {"attUploadId": attachment_id}})


def _bytes(value: object) -> bytes | None:
    """Return a file's content from Base64 text or a list of byte values (signed, as Java has them); None if neither."""
    if isinstance(value, bytes):
        return value or None
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True) or None
        except (binascii.Error, ValueError):
            return None
    if isinstance(value, Sequence) and all(type(b) is int and -128 <= b <= 255 for b in value):
        return bytes(b & 0xFF for b in value) or None
    return None


def refuse_other_institution(code: str, message: Message) -> Refusal | None:
    """Refuse an institution that asks for another one."""
    own = message.institution.fixmedins_code
    if not code or code == own:
        return None
    return refuse("FOREIGN_INSTITUTION", "只能处理本机构的单据", field="input.medinsCodg", received=code,
                  remedy="请填写本机构编号")
