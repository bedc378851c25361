"""List the settlements of a region that the law in force would decide otherwise than they were decided."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from datetime import date

import msgspec

from yibao.domains.settlements.model import Settlement, from_row
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.decide import decide
from yibao.policy.decision import Decision
from yibao.policy.law.parameters import RegionPolicy
from yibao.usecases.resettlement.decide_again import (
    NO_DIFFERENCE,
    DecidedAgain,
    Difference,
    case_of,
    decide_again,
)
from yibao.usecases.settlement.explain_settlement import stored_policy
from yibao.usecases.settlement.shelf import PolicyShelf

# Whole years of these people: what comes after a settlement rests on it, wherever it was counted.
_CONCERNED = """
    from settlements.settlement s
    where s.kind = 'settlement' and s.state = 'active' and (s.psn_no, s.year, s.insutype) in (
        select x.psn_no, x.year, x.insutype from settlements.settlement x
        where x.admdvs = $1 and x.service_on >= $2 and x.kind = 'settlement' and x.state = 'active'
          and x.policy_version <> $3)
"""
COUNT = f"select count(*) {_CONCERNED}"
SETTLEMENTS = f"select s.* {_CONCERNED} order by s.psn_no, s.year, s.insutype, s.settled_at, s.setl_id"
_FETCHED_AT_ONCE = 500


class AffectedSettlement(msgspec.Struct, frozen=True):
    """A settlement that would not be what it is.

    Attributes:
        policy_version: the law that it was settled by.
        by_law: the law itself decides it otherwise; else only what came before it has changed.
        difference: new less old, settled again in the order of service; None where the law refuses.
        reason: why the law in force does not decide it, ``""`` where it does.
    """

    setl_id: str
    mdtrt_id: str
    chrg_bchno: str
    fixmedins_code: str
    service_on: date
    benefit: str
    policy_version: str
    by_law: bool
    difference: Difference | None
    reason: str


class AffectedYear(msgspec.Struct, frozen=True):
    """The affected settlements of one person, benefit year and insurance, in the order of service."""

    psn_no: str
    year: int
    insutype: str
    settlements: Sequence[AffectedSettlement]
    difference: Difference


class Affected(msgspec.Struct, frozen=True):
    """What a change of the law touches. ``checked`` settlements were looked at."""

    admdvs: str
    policy_version: str
    since: date
    rule: str
    checked: int
    persons: Sequence[AffectedYear]
    difference: Difference


async def list_affected(
    tx: Connection, *, admdvs: str, since: date, shelf: PolicyShelf, rule: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> Affected | Refusal:
    """List the settlements since a day of service that come out differently by the laws of ``shelf``.

    Nothing is written. ``tx`` must be inside a transaction: the settlements are read in portions.

    Args:
        shelf: the laws in force, of all regions.
        rule: only years with a settlement that comes out differently by itself and where the old or the new
            decision names this rule; ``""`` takes all.
        progress: told how many settlements were looked at, and of how many.
    """
    policy = shelf.of(admdvs)
    if isinstance(policy, Refusal):
        return policy
    if rule and rule not in {row.used.rule for row in policy.rows}:
        return refuse("RULE_NOT_FOUND", "该统筹区的政策文件中没有这条规则", received=rule,
                      remedy="请用 yibao policy show 查看规则编号")
    concerned = (admdvs, since, policy.version)
    total = await tx.fetchval(COUNT, *concerned)
    laws: dict[str, RegionPolicy | None] = {}
    found = []
    checked = 0
    async for year in _years(tx, concerned):
        if rule:
            await _learn(tx, laws, year)

        def asked(settlement: Settlement) -> bool:
            return settlement.admdvs == admdvs and settlement.service_on >= since and (
                not rule or _names(rule, settlement, policy, laws[settlement.policy_version])
            )

        again = decide_again(year, shelf, asked=asked)
        if again:
            found.append(_affected(again))
        checked += len(year)
        if progress:
            progress(checked, total)
    return Affected(admdvs, policy.version, since, rule, checked, found, total_of([y.difference for y in found]))


def total_of(differences: Sequence[Difference | None]) -> Difference:
    """Return all differences together."""
    total = NO_DIFFERENCE
    for difference in differences:
        total = total + difference if difference else total
    return total


async def _years(tx: Connection, concerned: tuple[str, date, str]) -> AsyncIterator[list[Settlement]]:
    """Yield the settlements in force of one person, benefit year and insurance at a time, as they were counted."""
    year: list[Settlement] = []
    async for row in tx.cursor(SETTLEMENTS, *concerned, prefetch=_FETCHED_AT_ONCE):
        settlement = from_row(row)
        if year and _year_of(year[0]) != _year_of(settlement):
            yield year
            year = []
        year.append(settlement)
    if year:
        yield year


def _year_of(settlement: Settlement) -> tuple[str, int, str]:
    return settlement.psn_no, settlement.year, settlement.insutype


async def _learn(tx: Connection, laws: dict[str, RegionPolicy | None], year: Sequence[Settlement]) -> None:
    for version in {settlement.policy_version for settlement in year} - laws.keys():
        laws[version] = await stored_policy(tx, version)


def _names(rule: str, settlement: Settlement, *laws: RegionPolicy | None) -> bool:
    """Say whether one of the laws names a rule when it decides the stored facts of a settlement."""
    case = case_of(settlement)
    decisions = [decide(case, law, trace=True) for law in laws if law is not None]
    return any(
        used.rule == rule for d in decisions if isinstance(d, Decision) for step in d.steps for used in step.used
    )


def _affected(again: Sequence[DecidedAgain]) -> AffectedYear:
    first = again[0].settlement
    return AffectedYear(
        first.psn_no, first.year, first.insutype,
        [_settlement(one) for one in again if one.comes_out_differently], total_of([one.difference for one in again]),
    )


def _settlement(again: DecidedAgain) -> AffectedSettlement:
    s = again.settlement
    return AffectedSettlement(
        setl_id=s.setl_id, mdtrt_id=s.mdtrt_id, chrg_bchno=s.chrg_bchno, fixmedins_code=s.fixmedins_code,
        service_on=s.service_on, benefit=s.benefit, policy_version=s.policy_version, by_law=again.by_law,
        difference=again.difference, reason=again.decision.sentence() if isinstance(again.decision, Refusal) else "",
    )
