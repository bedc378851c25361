"""What an institution answers to suspicions: an appeal or none (3702), a panel or none (3703).

Documents are taken one by one: one with a fault is refused whole and changes nothing, the others hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal

import asyncpg
import msgspec

from yibao.domains.supervision import operations, queries
from yibao.domains.supervision.model import (
    ACCEPTED,
    APPEALED,
    CLOSED,
    COLLEGIAL,
    INSTITUTION,
    Step,
    Suspicion,
)
from yibao.domains.supervision.rules import refuse_appeal, refuse_collegial
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Fault, Refusal, refuse

DOCUMENTS_MAX = 100
REASON_MAX = 500
Round = Literal["appeal", "collegial"]
_WORDS: Mapping[Round, str] = {"appeal": "申诉", "collegial": "申请合议"}


class SuspicionAnswer(msgspec.Struct, frozen=True):
    """An answer to one suspicion; an objection needs amount (fen), material and reason."""

    suspicion_id: str
    objects: bool
    amount_fen: int | None
    attachment_id: str
    reason: str


class DocumentAnswer(msgspec.Struct, frozen=True):
    """The answers to the suspicions of one document."""

    document_id: str
    answers: Sequence[SuspicionAnswer]


class Answered(msgspec.Struct, frozen=True):
    """What became of one document: taken when there are no faults; they are keyed by suspicion, ``""`` the document."""

    document_id: str
    suspicion_ids: Sequence[str]
    faults: Mapping[str, Fault]


async def answer_documents(
    tx: Connection, *, stage: Round, documents: Sequence[DocumentAnswer], fixmedins_code: str, opter: str,
    now: datetime,
) -> list[Answered] | Refusal:
    """Take the answers of an institution; refused only where no document could be taken at all."""
    if not documents or not all(d.answers for d in documents):
        return refuse("NO_ANSWERS", "没有单据或疑点", field="input.docs", remedy="请上传至少一张单据及其疑点")
    if len(documents) > DOCUMENTS_MAX:
        return refuse("TOO_MANY_DOCUMENTS", f"一次最多提交{DOCUMENTS_MAX}张单据", field="input.docs",
                      received=str(len(documents)), remedy="请分批提交")
    files = await queries.count_files(
        tx, fixmedins_code=fixmedins_code,
        attachment_ids={a.attachment_id for d in documents for a in d.answers if a.attachment_id},
    )
    done = []
    seen: set[str] = set()
    # In the order of their ids, so that two calls about the same documents wait for each other and never deadlock.
    for document in sorted(documents, key=lambda d: d.document_id):
        is_second = document.document_id in seen
        seen.add(document.document_id)
        done.append(
            await _answer(tx, document, stage=stage, fixmedins_code=fixmedins_code, opter=opter, now=now, files=files,
                          is_second=is_second)
        )
    if all(d.faults for d in done):
        return Refusal(tuple(fault for d in done for fault in d.faults.values()))
    return done


async def _answer(
    tx: Connection, document: DocumentAnswer, *, stage: Round, fixmedins_code: str, opter: str, now: datetime,
    files: Mapping[str, int], is_second: bool,
) -> Answered:
    ids = [a.suspicion_id for a in document.answers]
    locked = await queries.lock_document(tx, document_id=document.document_id, fixmedins_code=fixmedins_code)
    if locked is None or is_second:
        code, says = ("DOCUMENT_TWICE", "单据重复") if is_second else ("DOCUMENT_NOT_FOUND", "本机构没有这张单据")
        fault = Fault(code, says, "input.docs.docId", document.document_id, "请用3701查询单据")
        return Answered(document.document_id, ids, {"": fault})
    row, suspicions = locked
    faults: dict[str, Fault] = {}
    for answer in document.answers:
        fault_found = _fault(answer, suspicions, row, stage=stage, now=now, files=files)
        if ids.count(answer.suspicion_id) > 1:
            fault_found = Fault("SUSPICION_TWICE", "疑点重复", "docSusptId", answer.suspicion_id, "每个疑点请只答复一次")
        if fault_found is not None:
            faults[answer.suspicion_id] = fault_found
    if not faults:
        for answer in document.answers:
            await _write(tx, suspicions[answer.suspicion_id], answer, stage=stage, opter=opter, now=now)
    return Answered(document.document_id, ids, faults)


def _fault(
    answer: SuspicionAnswer, suspicions: Mapping[str, Suspicion], document: asyncpg.Record, *, stage: Round,
    now: datetime, files: Mapping[str, int],
) -> Fault | None:
    """Return the first thing that keeps an answer from being taken."""
    suspicion = suspicions.get(answer.suspicion_id)
    if suspicion is None:
        return Fault("SUSPICION_NOT_FOUND", "单据中没有这个疑点", "docSusptId", answer.suspicion_id, "请用3701查询疑点")
    today = business_date(now)
    if stage == "appeal":
        refusal = refuse_appeal(suspicion, appeal_until=document["appeal_until"], today=today, field="docSusptId")
    else:
        refusal = refuse_collegial(suspicion, today=today, field="docSusptId")
    if refusal is not None:
        return refusal.faults[0]
    if not answer.objects:
        return None
    most = suspicion.amount_fen if stage == "appeal" else suspicion.deducted_fen
    if answer.amount_fen is None or not 0 <= answer.amount_fen <= most:
        received = "" if answer.amount_fen is None else yuan_text(answer.amount_fen)
        return Fault("APPEAL_AMOUNT", f"{_WORDS[stage]}金额须在0至{yuan_text(most)}元之间", "susptAmt", received, "请核对金额")
    if not answer.reason.strip() or len(answer.reason) > REASON_MAX:
        return Fault("APPEAL_REASON", f"{_WORDS[stage]}须写明原因，最多{REASON_MAX}字", "auditOpinion",
                     f"{len(answer.reason)}字", "请填写原因")
    if not files.get(answer.attachment_id):
        return Fault("APPEAL_MATERIAL", f"{_WORDS[stage]}须附材料", "attUploadId", answer.attachment_id, "请先用3704上传附件")
    return None


async def _write(
    tx: Connection, suspicion: Suspicion, answer: SuspicionAnswer, *, stage: Round, opter: str, now: datetime
) -> None:
    amount = (answer.amount_fen or 0) if answer.objects else 0
    state, what = {
        ("appeal", True): (APPEALED, "appealed"), ("appeal", False): (ACCEPTED, "accepted"),
        ("collegial", True): (COLLEGIAL, "collegial"), ("collegial", False): (CLOSED, "waived"),
    }[stage, answer.objects]
    step = Step(what, now, opter, INSTITUTION, amount, answer.reason.strip(), answer.attachment_id or None)
    if stage == "appeal":
        await operations.answer_suspicion(
            tx, suspicion, state=state, appeal_fen=amount if answer.objects else None, step=step
        )
    else:
        await operations.set_state(tx, suspicion, state=state, step=step)
