"""Keep the fee lines of patients who pay everything themselves (4201), and close a visit of theirs (4203)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec

from yibao.domains.catalogue.queries import find_items
from yibao.domains.institutions.model import Institution
from yibao.domains.institutions.staff import registered_practitioners
from yibao.domains.records import documents
from yibao.infra.database import Connection
from yibao.kernel import identity_number
from yibao.kernel.business_time import business_date
from yibao.kernel.money import line_amount, round_half_up, yuan_text, yuan_to_fen
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.records.keep_documents import FAULTS_MAX, By, Kept, Sent, keep_documents
from yibao.usecases.records.tables import Upload

LINES = Upload("4201", "4201", "自费费用明细", "feedetail", True, ((("mdtrt_sn",), False), (("feedetl_sn",), False)),
               "fee_ocur_time", "any", "")
CLOSING = Upload("4203", "4203", "自费就诊上传完成", "", False, ((("mdtrt_sn",), False),), "", "any", "")
TOLERANCE_FEN = 1
RESIDENT_CARD = "01"
COMPLETE = "1"


async def keep_lines(
    tx: Connection, rows: Sequence[Mapping[str, Any]], *, institution: Institution, by: By, now: datetime
) -> Kept | Refusal:
    """Keep fee lines, all or none; a line sent again takes the earlier one's place until the visit is closed."""
    faults = [f for i, row in enumerate(rows) for f in _line_faults(row, f"feedetail[{i}]")]
    visits = sorted({row["mdtrt_sn"] for row in rows})
    closed = await documents.earlier_of(
        tx, fixmedins_code=institution.fixmedins_code, kind=CLOSING.kind, keys=visits)
    faults += [Fault("SELF_PAY_COMPLETE", "这次就诊的自费明细已上传完成", "feedetail.mdtrt_sn", key,
                     "如需修改，请先用4203取消完成标志")
               for key, row in sorted(closed.items()) if row["is_valid"]]
    if faults:
        return Refusal(tuple(faults[:FAULTS_MAX]))
    sent = [Sent(row, row, f"feedetail[{i}]") for i, row in enumerate(rows)]
    kept = await keep_documents(tx, sent, upload=LINES, institution=institution, by=by, now=now)
    if isinstance(kept, Refusal):
        return kept
    return msgspec.structs.replace(kept, warnings=await _warnings(tx, rows, institution=institution, now=now))


def _line_faults(row: Mapping[str, Any], field: str) -> list[Fault]:
    faults = []
    stated = yuan_to_fen(row["det_item_fee_sumamt"])
    due = line_amount(round_half_up(row["pric"], 6), round_half_up(row["cnt"], 4))
    if abs(stated - due) > TOLERANCE_FEN:
        faults.append(Fault("LINE_AMOUNT", f"明细金额不等于单价×数量（{yuan_text(due)}）", f"{field}.det_item_fee_sumamt",
                            yuan_text(stated), "请核对单价、数量与金额"))
    certno = row["certno"]
    if row["psn_cert_type"] == RESIDENT_CARD and not identity_number.is_valid(certno):
        faults.append(Fault("FIELD_RULE", "不是有效的身份证号码（校验码或出生日期不符）", f"{field}.certno",
                            identity_number.mask(certno), "请核对证件号码"))
    return faults


async def _warnings(
    tx: Connection, rows: Sequence[Mapping[str, Any]], *, institution: Institution, now: datetime
) -> tuple[str, ...]:
    codes = {row["med_list_codg"] for row in rows}
    unknown = sorted(codes - (await find_items(tx, codes=codes)).keys())
    doctors = {row["bilg_dr_codg"] for row in rows}
    strangers = sorted(doctors - await registered_practitioners(
        tx, institution.fixmedins_code, codes=doctors, on=business_date(now)))
    said = [f"项目编码{'、'.join(unknown)}不在医保目录中，已按原值保存"] if unknown else []
    return (*said, *([f"开单医生{'、'.join(strangers)}未在本机构登记，已按原值保存"] if strangers else []))


async def close_visit(
    tx: Connection, *, mdtrt_sn: str, is_complete: bool, institution: Institution, by: By, now: datetime
) -> Kept | Refusal:
    """Mark the upload of a self-pay visit as complete with its total, or open it again."""
    lines = await documents.list_of_visit(
        tx, fixmedins_code=institution.fixmedins_code, kind=LINES.kind, mdtrt_sn=mdtrt_sn)
    if not lines:
        return refuse("SELF_PAY_VISIT_NOT_FOUND", "没有这次就诊的自费明细", field="fixmedins_mdtrt_id", received=mdtrt_sn,
                      remedy="请先用4201上传明细")
    closed = await documents.earlier_of(
        tx, fixmedins_code=institution.fixmedins_code, kind=CLOSING.kind, keys=[mdtrt_sn])
    if not is_complete and not (mdtrt_sn in closed and closed[mdtrt_sn]["is_valid"]):
        return refuse("SELF_PAY_NOT_COMPLETE", "这次就诊的自费明细并未标为完成", field="cplt_flag", received="0",
                      remedy="可以直接用4201上传明细")
    total = sum((Decimal(documents.content_of(row)["det_item_fee_sumamt"]) for row in lines), Decimal(0))
    head = {"mdtrt_sn": mdtrt_sn, "cplt_flag": "1" if is_complete else "0", "lines": len(lines), "total": total,
            "vali_flag": "1" if is_complete else "0"}
    return await keep_documents(
        tx, [Sent(head, head, "input")], upload=CLOSING, institution=institution, by=by, now=now)
