"""Enter the lines of a receipt, or correct them, before anybody has decided."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.claims.model import CALCULATED, ENTERED, Claim
from yibao.domains.claims.operations import change_claim, put_lines
from yibao.domains.claims.queries import list_bills
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.claims.commands import EnterLines
from yibao.usecases.claims.desk import open_for, refuse_claim_state
from yibao.usecases.claims.read_bills import read_lines
from yibao.usecases.trail import write_trail


async def enter_lines(
    tx: Connection, command: EnterLines, *, actor: Actor, now: datetime, ids: Ids
) -> Claim | Refusal:
    """Put lines in place of those of a receipt; they must add up to it. What was calculated has to be calculated again."""
    claim = await open_for(tx, command.claim_id, actor=actor)
    if isinstance(claim, Refusal):
        return claim
    refusal = refuse_claim_state(claim, ENTERED, CALCULATED)
    if refusal is not None:
        return refusal
    bills = await list_bills(tx, psn_no=claim.psn_no, claim_id=claim.claim_id)
    bill = next((b for b in bills if b.ordinal == command.ordinal), None)
    if bill is None:
        return refuse("BILL_NOT_FOUND", "该申请没有这张票据", field="ordinal", received=str(command.ordinal),
                      remedy="请核对票据序号")
    lines, faults = read_lines(bill, command.lines, at=f"bills[{command.ordinal - 1}]")
    if faults or not lines:
        return Refusal(tuple(faults)) if faults else refuse(
            "LINES_MISSING", "没有费用明细", field="lines", received=bill.bill_no, remedy="请按费用清单录入")
    await put_lines(tx, bill, lines)
    done = await change_claim(tx, claim, state=ENTERED, fund_fen=0, cash_fen=0, detail="null", digest=b"", calculated_by="",
                              calculated_at=None)
    await write_trail(tx, actor, verb="enter_claim_lines", object_id=claim.claim_id, admdvs=claim.admdvs, state=(done, lines),
                      now=now, ids=ids)
    return done
