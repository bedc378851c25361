"""3701: the documents of an institution, each with its suspicions and what became of them."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from yibao.domains.supervision.model import STATE_WORDS, LineNote, Suspicion
from yibao.entrypoints.gateway.registry import Message, Output, Services, query
from yibao.entrypoints.gateway.transactions.supervision import refuse_other_institution
from yibao.entrypoints.gateway.wire_words import code_text, yuan
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.money import fen_to_yuan
from yibao.kernel.refusal import Refusal
from yibao.policy.review.rules import Kind
from yibao.usecases.supervision.list_documents import DocumentView, SuspicionView, list_documents
from yibao.usecases.supervision.rulebook import rule_book

_STATES = {
    "found": "0", "appealed": "2", "accepted": "1", "upheld": "4", "dropped": "3", "collegial": "5", "closed": "6",
    "void": "7",
}
"""``susptStas``: no table of it was found; 0, 2, 3, 4 as ``appl_stas`` has them, the others are ours."""


@query("3701")
async def documents(message: Message, services: Services) -> Output | Refusal:
    """List the documents of the asking institution at a node of the procedure."""
    data = message.input["input"]
    refusal = refuse_other_institution(data["medinsCodg"], message)
    if refusal is not None:
        return refusal
    number, size = int(data["currentPage"]), int(data["pageSize"])
    async with services.database.connection() as tx:
        found = await list_documents(
            tx, fixmedins_code=message.institution.fixmedins_code, stage=data["stage"], first=data["startTime"],
            last=data["endTime"], page=number, size=size,
        )
        if isinstance(found, Refusal):
            return found
        names = await _region_names(tx, {d.document["admdvs"] for d in found.documents})
    return {"pageResult": {
        "recordCounts": str(found.total), "pageSize": str(size), "pageNum": str(number),
        "data": [_document(view, message, names) for view in found.documents],
    }}


async def _region_names(tx: Connection, codes: set[str]) -> dict[str, str]:
    rows = await tx.fetch("select admdvs, name from platform.region where admdvs = any($1::text[])", list(codes))
    return {row["admdvs"]: row["name"] for row in rows}


def _document(view: DocumentView, message: Message, names: dict[str, str]) -> dict[str, object]:
    d, v, institution = view.document, view.visit, message.institution
    admdvs, until = d["admdvs"], v["discharged_at"]
    return {
        "rid": d["document_id"], "docId": d["document_id"], "taskId": d["analysis_id"], "mdtrtsn": d["mdtrt_id"],
        "admdvs": admdvs, "admdvsName": names.get(admdvs), "poolareaNo": admdvs, "poolareaName": names.get(admdvs),
        "medinsId": institution.fixmedins_code, "medinsName": institution.name, "medinsAdmdvs": institution.admdvs,
        "medinsLv": institution.hosp_lv, "medinsLvName": code_text("hosp_lv", institution.hosp_lv or "") or None,
        "patnId": d["psn_no"], "patnName": v["name"], "gend": v["sex"], "gendName": code_text("gend", v["sex"]),
        "patnIdcard": None, "medType": v["med_type"], "medTypeName": code_text("med_type", v["med_type"]),
        "admTime": business_date(v["begin_at"]), "dscgTime": until and business_date(until),
        "setlTime": business_date(v["settled_at"]), "dscgMainDisediagCodg": v["diagnosis_code"],
        "dscgMainDisediagName": v["diagnosis_name"], "dscgDeptCodg": v["dept_code"], "dscgDeptName": v["dept_name"],
        "drCode": v["atddr_no"], "drName": v["dr_name"], "applDdln": d["appeal_until"],
        "patnCertType": v["cert_type"], "insutype": v["insutype"], "insutypeName": code_text("insutype", v["insutype"]),
        "docSusptDTOS": [_suspicion(s, view) for s in view.suspicions],
    }


def _kind(rule_id: str) -> Kind | None:
    code = rule_id.split("-", 1)[0]
    return next((kind for kind in rule_book().kinds.values() if kind.code == code), None)


def _suspicion(view: SuspicionView, whole: DocumentView) -> dict[str, object]:
    s, d = view.suspicion, whole.document
    kind = _kind(s.rule_id)
    return {
        "docId": s.document_id, "docSusptId": s.suspicion_id, "rid": s.suspicion_id, "taskId": d["analysis_id"],
        "poolareaNo": s.admdvs, "admdvs": s.admdvs, "combine": yuan(s.amount_fen),
        "volaBhvrType": kind.behaviour if kind else None, "volaCont": s.reason, "volaDscr": _told(s),
        "ruleId": s.rule_id, "ruleCode": kind.code if kind else None, "ruleName": kind.title if kind else None,
        "ruleSevDeg": s.severity, "ruleSevDegName": code_text("sev_deg", s.severity),
        "checkoutTime": business_date(d["found_at"]), "checkoutSusptAmt": yuan(s.amount_fen),
        **_decisions(s, view.steps), **_objections(view.steps), "susptAddWay": "1", "susptAddWayName": "违规结果添加",
        "susptStas": _STATES[s.state], "susptStasName": STATE_WORDS[s.state], "applUpldAttFlag": "1",
        "detailItem": "、".join(sorted({n.item_name for n, _ in view.lines if n.role == "broken"}))[:200],
        "violationDetailIds": [_line(s, n, line, whole) for n, line in view.lines],
    }


def _told(s: Suspicion) -> str:
    told = f"依据：{s.basis}"
    return (f"{told}；诊疗中已提示，医师说明：{s.override}" if s.override else told)[:200]


def _last(steps: Sequence[asyncpg.Record], *whats: str) -> asyncpg.Record | None:
    return next((step for step in reversed(steps) if step["what"] in whats), None)


def _decisions(s: Suspicion, steps: Sequence[asyncpg.Record]) -> dict[str, object]:
    """Return first check, second check and deduction; a proposal that waits for the second is not told."""
    second = _last(steps, "upheld", "dropped", "closed")
    told = [x for x in steps if second is not None and x["ordinal"] < second["ordinal"]]
    first = _last(told, "proposed")
    return {
        "chkVolaAmt": first and yuan(first["amount_fen"]), "chker": first and first["actor"],
        "chkerName": first["actor"] if first else "", "chktime": first and business_date(first["at"]),
        "chkVolaFlag": first and ("1" if first["amount_fen"] else "0"), "chkOpnn": first and first["says"],
        "rchker": second and second["actor"], "rchkerName": second and second["actor"],
        "rchkTime": second and business_date(second["at"]), "rchkOpnn": second and second["says"],
        "rchkVolaFlag": second and ("1" if second["amount_fen"] else "0"),
        "cnfmVolaAmt": yuan(s.deducted_fen), "volaDetAmt": yuan(s.deducted_fen),
        "detFlag": "1" if s.deducted_fen else "0", "detRea": s.reason if s.deducted_fen else None,
        "detTime": business_date(second["at"]) if second is not None and s.deducted_fen else None,
    }


def _objections(steps: Sequence[asyncpg.Record]) -> dict[str, object]:
    appealed, asked = _last(steps, "appealed"), _last(steps, "collegial")
    return {
        "applFlag": "1" if appealed else "0", "appler": appealed and appealed["actor"],
        "applAmt": appealed and yuan(appealed["amount_fen"]), "applRea": appealed and appealed["says"],
        "applTime": appealed and business_date(appealed["at"]), "appyClglFlag": "1" if asked else "0",
        "appyClglRea": asked and asked["says"], "appyClglPsn": asked and asked["actor"],
        "appyClglTime": asked and business_date(asked["at"]),
    }


def _line(s: Suspicion, note: LineNote, line: asyncpg.Record, whole: DocumentView) -> dict[str, object]:
    return {
        "docId": s.document_id, "docSusptId": s.suspicion_id, "docSusptDetlId": f"{s.suspicion_id}-{note.charge_id}",
        "relDataType": "1" if note.role == "broken" else "2", "relDetlDataId": note.charge_id,
        "feedetlId": note.charge_id, "hilistCode": line["item_code"], "hilistName": line["item_name"],
        "hilistLv": line["class_level"], "hilistLvName": code_text("chrgitm_lv", line["class_level"]),
        "medChrgitmType": line["charge_type"], "medChrgitmTypeName": code_text("med_chrgitm_type", line["charge_type"]),
        "hosplistCode": line["local_code"], "feeOcurTime": business_date(line["occurred_at"]),
        "cnt": fen_to_yuan(line["quantity_e4"]).scaleb(-2), "pric": fen_to_yuan(line["price_micro"]).scaleb(-4),
        "sumamt": yuan(line["amount_fen"]), "drordDrCodg": line["doctor_code"], "drordDrName": line["doctor_name"],
        "patnName": whole.visit["name"],
    }
