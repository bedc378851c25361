"""A settlement under suspicion was reversed: the suspicion falls, and what was deducted is given back."""

from __future__ import annotations

from datetime import datetime

import asyncpg

from yibao.domains.supervision import operations, queries
from yibao.domains.supervision.model import AGENCY, VOID, Deduction, Step, Suspicion
from yibao.infra import audit
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text

REVERSED = "结算已撤销，疑点作废"
PLATFORM = "平台"
"""Who gives back by rule what a reversal makes moot: no person decides, so no two are asked for."""


async def give_back(
    tx: Connection, *, suspicion_id: str, operator: str, now: datetime, ids: Ids
) -> int | None:
    """Void a suspicion whose settlement is no longer in force; return what was given back, in fen.

    None where there is nothing to void any more: it was voided meanwhile, or the settlement is in force again.
    """
    found = await queries.lock_suspicion(tx, suspicion_id)
    if found is None:
        return None
    suspicion, _ = found
    settlement = await queries.settlement_of(tx, suspicion)
    if settlement["state"] == "active" or suspicion.state == VOID:
        return None
    returned = await return_deductions(
        tx, suspicion, settlement, down_to=0, reason=REVERSED, proposed_by=PLATFORM, confirmed_by=operator, now=now,
        ids=ids,
    )
    step = Step("void", now, operator, AGENCY, returned, REVERSED)
    await operations.conclude(tx, suspicion, state=VOID, deducted_fen=0, collegial_until=None, step=step)
    await audit.write(
        tx, entry_id=ids.new(now), at=now, actor=operator, sender="yibao", channel="cli", verb="void_suspicion",
        object_id=suspicion_id, admdvs=suspicion.admdvs, digest=sm3(yuan_text(returned).encode()),
        rule=suspicion.rule_id,
    )
    return returned


async def return_deductions(
    tx: Connection, suspicion: Suspicion, settlement: asyncpg.Record, *, down_to: int, reason: str, proposed_by: str,
    confirmed_by: str, now: datetime, ids: Ids,
) -> int:
    """Give back deductions of a suspicion until ``down_to`` fen are left, the newest first; return how much."""
    surplus = suspicion.deducted_fen - down_to
    returned = 0
    for origin, left in reversed(await queries.open_deductions(tx, suspicion)):
        amount = min(left, surplus - returned)
        if amount > 0:
            returned += amount
            await operations.add_deduction(tx, deduction_of(
                suspicion, settlement, kind="return", amount_fen=-amount, origin_id=origin["deduction_id"],
                reason=reason, proposed_by=proposed_by, confirmed_by=confirmed_by, now=now, ids=ids,
            ))
    assert returned == surplus, "what is given back was deducted"
    return returned


def deduction_of(
    suspicion: Suspicion, settlement: asyncpg.Record, *, kind: str, amount_fen: int, origin_id: str | None,
    reason: str, proposed_by: str, confirmed_by: str, now: datetime, ids: Ids,
) -> Deduction:
    """Return the row that clearing reads; the claim it belongs to is that of the settlement."""
    return Deduction(
        psn_no=suspicion.psn_no, deduction_id=ids.new(now), admdvs=suspicion.admdvs,
        care_admdvs=settlement["care_admdvs"], fixmedins_code=suspicion.fixmedins_code, setl_id=suspicion.setl_id,
        mdtrt_id=suspicion.mdtrt_id, insutype=settlement["insutype"], clr_type=settlement["clr_type"],
        clr_optins=settlement["clr_optins"], kind=kind, amount_fen=amount_fen, origin_id=origin_id,
        suspicion_id=suspicion.suspicion_id, rule_id=suspicion.rule_id, reason=reason, decided_at=now,
        proposed_by=proposed_by, confirmed_by=confirmed_by,
    )
