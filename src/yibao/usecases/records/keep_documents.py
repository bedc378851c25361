"""Keep uploaded records: each linked to its visit, stored under its key, an earlier one kept as a version."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import asyncpg
import msgspec

from yibao.domains.catalogue.queries import diagnosis_exists
from yibao.domains.institutions.model import Institution
from yibao.domains.records import documents
from yibao.domains.records.documents import Document
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault, Refusal
from yibao.usecases.records.gather_list_facts import STAY_STATES
from yibao.usecases.records.tables import KeyParts, Upload

LINKED_BY = ("mdtrt_sn", "mdtrt_id", "psn_no", "rpotc_no")
"""What ties the rows of a message to its head; where both say it, they say the same."""
OUTPATIENT, STAY = "outpatient", "stay"
VOID = "0"
FAULTS_MAX = 100
"""Faults of one message that are told; nobody reads more at once."""


class Sent(msgspec.Struct, frozen=True):
    """One document as sent: its head, its whole content, and where the head stood in the message."""

    head: Mapping[str, Any]
    content: Mapping[str, Any]
    field: str


class By(msgspec.Struct, frozen=True):
    """Who sent it, and with which message."""

    msgid: str
    opter: str
    opter_name: str


class Kept(msgspec.Struct, frozen=True):
    """What was kept: the visit of the first document, and sentences for the sender."""

    psn_no: str
    mdtrt_id: str
    warnings: tuple[str, ...]


async def keep_documents(
    tx: Connection, sent: Sequence[Sent], *, upload: Upload, institution: Institution, by: By, now: datetime
) -> Kept | Refusal:
    """Keep the documents of one message, all or none; a void one takes its key out of what is given back."""
    keys = _numbered([key_of(upload, s) for s in sent])
    faults = [f for s, key in zip(sent, keys, strict=True) for f in _shape_faults(s, key, upload, today=business_date(now))]
    known = [k for k in keys if isinstance(k, str)]
    twice = {key for key, n in Counter(known).items() if n > 1}
    faults += [Fault("DOCUMENT_KEY_TWICE", "同一报文内有两份相同编号的记录", s.field, key, "每份记录的编号须不同")
               for s, key in zip(sent, keys, strict=True) if isinstance(key, str) and key in twice]
    faults += await _link_faults(tx, sent, upload=upload, institution=institution)
    earlier = await documents.earlier_of(
        tx, fixmedins_code=institution.fixmedins_code, kind=upload.kind, keys=sorted(set(known)))
    faults += [f for s, key in zip(sent, keys, strict=True) if isinstance(key, str)
               for f in _replacing_faults(s, key, earlier.get(key))]
    if faults:
        return Refusal(tuple(faults[:FAULTS_MAX]))
    rows = [_document(s, key, earlier.get(key), upload=upload, institution=institution, by=by, now=now)
            for s, key in zip(sent, known, strict=True)]
    await documents.keep(tx, rows, replaced=sorted(earlier), now=now)
    return Kept(rows[0].psn_no, rows[0].mdtrt_id, await _warnings(tx, sent, upload=upload, today=business_date(now)))


UNNUMBERED = "~"
"""Begins the keys of records that bear no number of their own."""


def key_of(upload: Upload, sent: Sent) -> str | Fault:
    """Return the key of a document; what its table does not require may be missing, then the visit's number leads."""
    key = _joined(upload.key, sent.head)
    if isinstance(key, str):
        return key
    other = _joined(upload.otherwise, sent.head) if upload.otherwise else key
    if isinstance(other, str):
        return UNNUMBERED + other
    return Fault("DOCUMENT_KEY_MISSING", f"没有{'或'.join(other)}，记录无法保存和查询", f"{sent.field}.{other[0]}", "",
                 "请填写后重发")


def _joined(parts: KeyParts, head: Mapping[str, Any]) -> str | tuple[str, ...]:
    """Return a key, or the names of its first part that is missing."""
    values = []
    for names, is_optional in parts:
        value = next((head[name] for name in names if name in head), None)
        if value is None and not is_optional:
            return names
        values.append("" if value is None else str(value))
    return "|".join(values)


def _numbered(keys: Sequence[str | Fault]) -> list[str | Fault]:
    """Return the keys with records of one message that bear no number told apart by their order."""
    seen: Counter[str] = Counter()
    numbered: list[str | Fault] = []
    for key in keys:
        if isinstance(key, str) and key.startswith(UNNUMBERED):
            seen[key] += 1
            numbered.append(key if seen[key] == 1 else f"{key}#{seen[key]}")
        else:
            numbered.append(key)
    return numbered


def told_on(upload: Upload, head: Mapping[str, Any]) -> date | None:
    """Return the day a document tells of, None where its form has none or it was left empty."""
    value = next((head[name] for name in upload.told_on.split("/") if name in head), None)
    return business_date(value) if isinstance(value, datetime) else value


def _shape_faults(sent: Sent, key: str | Fault, upload: Upload, *, today: date) -> list[Fault]:
    faults = [key] if isinstance(key, Fault) else []
    head = sent.head
    if ("psn_no" in head) != ("mdtrt_id" in head):
        missing = "mdtrt_id" if "psn_no" in head else "psn_no"
        faults.append(Fault("LINK_INCOMPLETE", "医保患者须同时填写人员编号与就诊ID", f"{sent.field}.{missing}", "",
                            "自费患者两项都不填"))
    day = told_on(upload, head)
    if day is not None and day > today:
        faults.append(Fault("DATE_IN_FUTURE", "日期晚于今天", f"{sent.field}.{upload.told_on.split('/')[0]}", str(day),
                            "请核对日期"))
    for node, rows in sent.content.items():
        if not isinstance(rows, list):
            continue
        for i, row in enumerate(rows):
            faults += [
                Fault("ROW_OF_ANOTHER", f"与报文主体的{name}不一致", f"{node}[{i}].{name}", str(row[name]),
                      "一个报文只能上传一份记录，请分开上传")
                for name in LINKED_BY if name in row and name in head and row[name] != head[name]
            ]
    return faults


async def _link_faults(
    tx: Connection, sent: Sequence[Sent], *, upload: Upload, institution: Institution
) -> list[Fault]:
    """Return a fault for each visit that is not this institution's, is cancelled, or is of the other kind."""
    first: dict[tuple[str, str], str] = {}
    for s in sent:
        if "psn_no" in s.head and "mdtrt_id" in s.head:
            first.setdefault((s.head["psn_no"], s.head["mdtrt_id"]), s.field)
    visits = await documents.visits_of(tx, sorted(first))
    faults = []
    for (psn_no, mdtrt_id), field in sorted(first.items()):
        visit = visits.get((psn_no, mdtrt_id))
        fault = _visit_fault(visit, mdtrt_id, f"{field}.mdtrt_id", institution)
        if fault is not None or visit is None:
            faults += [fault] if fault else []
            continue
        is_stay = visit["state"] in STAY_STATES
        if (upload.care == STAY and not is_stay) or (upload.care == OUTPATIENT and is_stay):
            wanted = "住院" if upload.care == STAY else "门急诊"
            faults.append(Fault("CARE_KIND_DIFFERS", f"{upload.title}只能用于{wanted}就诊", f"{field}.mdtrt_id", mdtrt_id,
                                f"请填写{wanted}就诊的就诊ID"))
    return faults


def _visit_fault(
    encounter: asyncpg.Record | None, mdtrt_id: str, field: str, institution: Institution
) -> Fault | None:
    """Return the fault of a visit or stay that is unknown, cancelled, or another institution's."""
    if encounter is None:
        return Fault("ENCOUNTER_NOT_FOUND", "没有该参保人的这次就诊", field, mdtrt_id, "请核对人员编号与就诊ID")
    if encounter["fixmedins_code"] != institution.fixmedins_code:
        return Fault("ENCOUNTER_ELSEWHERE", "这次就诊不是在本机构登记的", field, mdtrt_id, "请由登记该就诊的机构上传")
    if encounter["state"] == "cancelled":
        return Fault("ENCOUNTER_CANCELLED", "这次就诊的登记已撤销", field, mdtrt_id, "请重新登记后上传")
    return None


def _replacing_faults(sent: Sent, key: str, earlier: asyncpg.Record | None) -> list[Fault]:
    if earlier is None:
        if sent.head.get("vali_flag") == VOID:
            return [Fault("DOCUMENT_NOT_FOUND", "没有可以作废的记录", f"{sent.field}.vali_flag", key,
                          "请核对编号；作废前须先上传过该记录")]
        return []
    if sent.head.get("vali_flag") == VOID and not earlier["is_valid"]:
        return [Fault("DOCUMENT_VOID", "该记录已作废", f"{sent.field}.vali_flag", key, "如需恢复，请以有效标志1重新上传")]
    if earlier["psn_no"] != sent.head.get("psn_no", "") or earlier["mdtrt_id"] != sent.head.get("mdtrt_id", ""):
        return [Fault("DOCUMENT_KEY_TAKEN", "该编号已用于另一次就诊的记录", sent.field, key, "编号在机构内不能重复")]
    return []


def _document(
    sent: Sent, key: str, earlier: asyncpg.Record | None, *, upload: Upload, institution: Institution, by: By,
    now: datetime,
) -> Document:
    head = sent.head
    return Document(
        fixmedins_code=institution.fixmedins_code, kind=upload.kind, doc_key=key, admdvs=institution.region,
        infno=upload.infno, psn_no=head.get("psn_no", ""), mdtrt_id=head.get("mdtrt_id", ""),
        mdtrt_sn=head.get("mdtrt_sn", ""), is_valid=head.get("vali_flag") != VOID,
        version=earlier["version"] + 1 if earlier else 1, told_on=told_on(upload, head),
        content=documents.encode_content(sent.content), received_at=now, msgid=by.msgid, opter=by.opter,
        opter_name=by.opter_name,
    )


async def _warnings(tx: Connection, sent: Sequence[Sent], *, upload: Upload, today: date) -> tuple[str, ...]:
    """Say which diagnosis codes are in no published version; a medical record may still use them."""
    if not upload.diagnosis:
        return ()
    *node, name = upload.diagnosis.split(".")
    rows = [row for s in sent for row in (s.content.get(node[0], ()) if node else (s.content,))]
    codes = {row[name] for row in rows if name in row}
    unknown = sorted(codes - (await diagnosis_exists(tx, codes=codes, on=today)).keys())
    return (f"诊断代码{'、'.join(unknown)}不在医保疾病诊断目录中，已按原值保存",) if unknown else ()
