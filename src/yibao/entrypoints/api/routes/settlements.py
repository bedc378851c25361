"""Settlements of the region's insured: who pays what, line by line and step by step."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

from yibao.entrypoints.api.fields import Id, Limit, PsnNo
from yibao.entrypoints.api.routing import read
from yibao.entrypoints.api.services import Call
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.decision import Step
from yibao.usecases.inspection.list_settlements import SettlementOf, list_settlements_of
from yibao.usecases.settlement.explain_settlement import ExplainedLine, Explanation, explain


class Settlements(msgspec.Struct, frozen=True):
    """Settlements of a person, the newest first; amounts in fen."""

    rows: list[SettlementOf]


class SettlementSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A settlement and why it came out so.

    Attributes:
        lines: how each fee line was split; amounts in fen, prices in millionths of a yuan.
        steps: the steps of the decision by the law of that time, recomputed now.
        differences: where the steps do not sum to what was settled; empty as long as all is well.
    """

    setl_id: str
    psn_no: str
    admdvs: str
    fixmedins_code: str
    insutype: str
    med_type: str
    service_on: date
    settled_at: datetime
    kind: str
    state: str
    medfee_fen: int
    fund_fen: int
    account_fen: int
    cash_fen: int
    hospital_fen: int
    policy_version: str
    lines: list[ExplainedLine]
    steps: list[Step]
    differences: list[str]


@read("/people/{psn_no}/settlements", verb="list_settlements")
async def list_settlements(
    call: Call, psn_no: PsnNo, state: Literal["", "active", "reversed", "closed"] = "", limit: Limit = 50
) -> Settlements:
    """List the settlements of a person, refunds among them."""
    return Settlements(await list_settlements_of(call.tx, psn_no, state=state, most=limit))


@read("/settlements/{setl_id}", verb="show_settlement")
async def show_settlement(call: Call, setl_id: Id) -> SettlementSheet | Refusal:
    """Show a settlement with its lines and the steps that led to it, each with the rule behind it."""
    found = await explain(call.tx, setl_id, policies=call.services.policies)
    if isinstance(found, Refusal):
        return found
    seen = await call.tx.fetchval("select 1 from people.person where psn_no = $1", found.settlement.psn_no)
    if seen is None:
        return refuse("SETTLEMENT_NOT_FOUND", "没有这笔结算", field="setl_id", received=setl_id, remedy="请核对结算ID")
    return _sheet(found)


def _sheet(found: Explanation) -> SettlementSheet:
    head = found.settlement
    return SettlementSheet(
        **{name: getattr(head, name) for name in SettlementSheet.__struct_fields__ if hasattr(head, name)},
        lines=list(found.lines), steps=list(found.steps), differences=list(found.differences),
    )


ROUTES = (list_settlements, show_settlement)
