"""The desk at which claims are worked: holds the person, opens the claim, refuses what its state does not allow."""

from __future__ import annotations

from yibao.domains.claims.model import CALCULATED, ENTERED, RELEASED, REVERSED, SETTLED, STATES, Claim
from yibao.domains.claims.queries import find_claim, lock_claim
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.refusal import Refusal, refuse

TAKE_TURN = "select pg_advisory_xact_lock(settlements.turn_of($1))"
LOCK_PERSON = "select psn_no from people.person where psn_no = $1 for no key update"
_NEXT = {
    ENTERED: "请先计算", CALCULATED: "请由审核、审批人员办理", SETTLED: "如有错误，请撤销追回",
    RELEASED: "可补正后重新申请", REVERSED: "可重新申请",
}


async def hold_person(tx: Connection, psn_no: str) -> bool:
    """Take the person's turn and hold the person, as every settlement does; False where nobody has the number."""
    await tx.execute(TAKE_TURN, psn_no)
    return await tx.fetchval(LOCK_PERSON, psn_no) is not None


def claim_unknown(claim_id: str) -> Refusal:
    """Return the refusal of a claim that is not there, or not for this region."""
    return refuse("CLAIM_NOT_FOUND", "没有这个手工报销申请", field="claim_id", received=claim_id[:40], remedy="请核对报销编号")


async def open_for(tx: Connection, claim_id: str, *, actor: Actor) -> Claim | Refusal:
    """Return a claim, held with its person for this transaction, if it is for this actor's region and division."""
    found = await find_claim(tx, claim_id)
    if found is None or found.admdvs not in actor.regions or not found.division.startswith(actor.division):
        return claim_unknown(claim_id)
    await hold_person(tx, found.psn_no)
    claim = await lock_claim(tx, psn_no=found.psn_no, claim_id=claim_id)
    assert claim is not None
    return claim


def refuse_claim_state(claim: Claim, *allowed: str) -> Refusal | None:
    """Refuse what the state of a claim does not allow, with what to do instead."""
    if claim.state in allowed:
        return None
    return refuse("CLAIM_STATE", f"该报销申请{STATES[claim.state]}，不能办理此项操作", field="claim_id", received=claim.claim_id,
                  remedy=_NEXT[claim.state])
