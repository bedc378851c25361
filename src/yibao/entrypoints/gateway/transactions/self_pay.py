"""4201, 4203: what patients without insurance paid for. The numbers between have no field table and are refused."""

from __future__ import annotations

from yibao.entrypoints.gateway.registry import Done, Message, Services, deed
from yibao.infra.database import Connection
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.records.keep_documents import By
from yibao.usecases.records.keep_self_pay import COMPLETE, close_visit, keep_lines

FLAGS = ("0", "1")


@deed("4201")
async def upload(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Keep the fee lines of a self-pay visit."""
    rows = message.input.get("feedetail", ())
    if not rows:
        return refuse("NO_FEE_LINES", "没有费用明细", field="feedetail", remedy="请上传至少一条明细")
    kept = await keep_lines(tx, rows, institution=message.institution, by=_by(message), now=message.received_at)
    if isinstance(kept, Refusal):
        return kept
    message.warnings += kept.warnings
    return Done(None)


@deed("4203")
async def complete(message: Message, _services: Services, tx: Connection) -> Done | Refusal:
    """Close a self-pay visit (``cplt_flag`` 1), or open it again (0)."""
    asked = message.input
    faults = [Fault("FIELD_MISSING", "为必填项", name, "", "请填写后重发")
              for name in ("fixmedins_mdtrt_id", "cplt_flag") if name not in asked]
    own = message.institution.fixmedins_code
    if asked.get("fixmedins_code", own) != own:
        faults.append(Fault("INSTITUTION_DIFFERS", "只能完成本机构的上传", "fixmedins_code", asked["fixmedins_code"],
                            "请填写本机构编号"))
    if asked.get("cplt_flag", COMPLETE) not in FLAGS:
        faults.append(Fault("FIELD_CODE", "完成标志只能是0或1", "cplt_flag", asked["cplt_flag"], "1完成，0取消完成"))
    if faults:
        return Refusal(tuple(faults))
    kept = await close_visit(
        tx, mdtrt_sn=asked["fixmedins_mdtrt_id"], is_complete=asked["cplt_flag"] == COMPLETE,
        institution=message.institution, by=_by(message), now=message.received_at,
    )
    return kept if isinstance(kept, Refusal) else Done(None)


def _by(message: Message) -> By:
    return By(message.msgid, message.envelope.get("opter", ""), message.envelope.get("opter_name", ""))
