"""Explain a settlement: its stored facts are decided anew by the stored version of the law, step by step (I9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import asyncpg
import msgspec

from yibao.domains.encounters.queries import list_lines
from yibao.domains.settlements.model import Settlement, from_row
from yibao.domains.settlements.queries import find_cover, find_settlement
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.case import Case
from yibao.policy.decide import decide
from yibao.policy.decision import Decision, Step
from yibao.policy.explain import differences
from yibao.policy.law.loading import load_policy
from yibao.policy.law.parameters import RegionPolicy

POLICY_FILES = "select files from platform.policy_version where version = $1"


class ExplainedLine(msgspec.Struct, frozen=True):
    """One fee line and how it was split. Amounts in fen."""

    serial: str
    name: str
    code: str
    class_level: str
    price_micro: int
    quantity_e4: int
    amount: int
    own: int
    over: int
    first_pay: int
    in_scope: int
    first_pay_ratio: int
    limit_micro: int | None
    reason: str


class StayPart(msgspec.Struct, frozen=True):
    """Which part of a stay a settlement is of; days inclusive, ``discharged_on`` as it stands now.

    ``admission`` is the number of the stay in its benefit year as the settlement took it.
    """

    admitted_on: date
    discharged_on: date | None
    period_from: int
    period_to: int
    is_interim: bool
    begin_on: date
    end_on: date
    admission: int

    def sentence(self) -> str:
        """Return the part as one Chinese sentence."""
        periods = f"第{self.period_from}期" if self.period_from == self.period_to else f"第{self.period_from}至{self.period_to}期"
        until = f"至{self.discharged_on}出院" if self.discharged_on else "在院"
        kind = "中途结算" if self.is_interim else "出院结算"
        return f"{self.admitted_on}入院，{until}，年度内第{self.admission}次住院；{kind}{periods}费用，截至{self.end_on}"


async def stay_part_of(tx: Connection, settlement: Settlement) -> StayPart | None:
    """Return which part of a stay a settlement is of, None for a visit or a sale."""
    row = await find_cover(tx, psn_no=settlement.psn_no, setl_id=settlement.setl_id)
    if row is None:
        return None
    return StayPart(**{f.name: row[f.name] for f in msgspec.structs.fields(StayPart)})


class Explanation(msgspec.Struct, frozen=True):
    """A settlement with everything that led to it; ``differences`` must be empty.

    ``steps`` are of the settlement itself; a refund is explained by what it mirrors.
    """

    settlement: Settlement
    case: Case
    lines: Sequence[ExplainedLine]
    steps: Sequence[Step]
    decision: Decision
    differences: Sequence[str]
    stay: StayPart | None = None


async def explain(
    tx: Connection, setl_id: str, *, policies: Mapping[str, RegionPolicy] | None = None
) -> Explanation | Refusal:
    """Explain a settlement by its id.

    Args:
        policies: compiled policies by version, to spare compiling; others are compiled from the stored files.
    """
    row = await find_settlement(tx, setl_id)
    if row is None:
        return refuse("SETTLEMENT_NOT_FOUND", "没有这笔结算", field="setl_id", received=setl_id,
                      remedy="请核对结算ID")
    settlement = from_row(row)
    case = msgspec.json.decode(settlement.facts, type=Case)
    policy = (policies or {}).get(settlement.policy_version) or await stored_policy(tx, settlement.policy_version)
    if policy is None:
        return refuse("POLICY_VERSION_LOST", "找不到结算时的政策版本", received=settlement.policy_version,
                      remedy="请从备份恢复政策版本后再查询")
    decision = decide(case, policy, trace=True)
    if isinstance(decision, Refusal):
        return decision
    lines = await list_lines(tx, psn_no=settlement.psn_no, setl_id=settlement.setl_id)
    explained = [_line(line) for line in lines]
    return Explanation(
        settlement, case, explained, decision.steps, decision, _differences(settlement, decision, explained),
        await stay_part_of(tx, settlement),
    )


async def stored_policy(tx: Connection, version: str) -> RegionPolicy | None:
    """Return the policy of a version that decided something once, compiled from its stored files."""
    files = await tx.fetchval(POLICY_FILES, version)
    return None if files is None else load_policy(msgspec.json.decode(files, type=dict[str, str]))


def _line(r: asyncpg.Record) -> ExplainedLine:
    return ExplainedLine(
        serial=r["feedetl_sn"], name=r["item_name"], code=r["item_code"], class_level=r["class_level"],
        price_micro=r["price_micro"], quantity_e4=r["quantity_e4"], amount=r["amount_fen"], own=r["own_fen"],
        over=r["over_fen"], first_pay=r["first_fen"], in_scope=r["scope_fen"], first_pay_ratio=r["first_pay"],
        limit_micro=r["limit_micro"], reason=r["reason"],
    )


def _differences(s: Settlement, d: Decision, lines: Sequence[ExplainedLine]) -> list[str]:
    """Say where the explanation does not sum to the result; a refund counts with its sign turned."""
    sign = -1 if s.kind == "refund" else 1
    pairs = [
        ("医疗费总额", s.medfee_fen, d.amount), ("全自费", s.own_fen, d.own), ("超限价", s.over_fen, d.over),
        ("先行自付", s.first_fen, d.first_pay), ("符合政策范围", s.scope_fen, d.in_scope),
        ("起付线", s.deductible_fen, d.deductible), ("统筹基金", s.hifp_fen, d.fund("hifp_pay")),
        ("基金合计", s.fund_fen, d.fund_total), ("个人账户", s.account_fen, d.account_pay),
        ("现金", s.cash_fen, d.cash),
    ]
    found = [f"{label}：结算{sign * kept}分，重算{again}分" for label, kept, again in pairs if sign * kept != again]
    found += differences(d)
    # Lines of a cancelled settlement may have been withdrawn since.
    if lines and s.state == "active" and s.kind == "settlement":
        sums = (("明细金额", sum(x.amount for x in lines), d.amount), ("明细全自费", sum(x.own for x in lines), d.own),
                ("明细符合范围", sum(x.in_scope for x in lines), d.in_scope))
        found += [f"{label}：明细合计{a}分，结算{b}分" for label, a, b in sums if a != b]
    return found
