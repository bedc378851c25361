"""3204: an institution takes its claim back before anybody has reviewed it."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.clearing.claim_operations import close_claim
from yibao.domains.clearing.claim_queries import find_claim
from yibao.domains.clearing.model import Claim
from yibao.domains.clearing.rules import refuse_state
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.clearing.claim_settlements import MONTHLY

WITHDRAWN_BY_INSTITUTION = "机构撤销申报"


async def withdraw_claim(
    tx: Connection, *, claim_id: str, fixmedins_code: str, operator: str, now: datetime
) -> Claim | Refusal:
    """Withdraw a claim; its settlements may be claimed again."""
    claim = await find_claim(tx, claim_id, lock=True)
    if claim is None or claim.fixmedins_code != fixmedins_code or claim.kind != MONTHLY:
        return refuse("CLAIM_UNKNOWN", "本机构没有这个清算申请事件", field="data.clr_appy_evt_id", received=claim_id,
                      remedy="请核对3203返回的机构清算申请事件ID")
    refusal = refuse_state(claim, wanted=("claimed",), field="data.clr_appy_evt_id")
    if refusal is not None:
        return refusal
    await close_claim(tx, claim, state="withdrawn", by=operator, reason=WITHDRAWN_BY_INSTITUTION, now=now)
    return claim
