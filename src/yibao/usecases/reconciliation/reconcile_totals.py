"""3201: compare count and sums of a period, and say where a difference may come from."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg
import msgspec

from yibao.domains.clearing.model import Scope
from yibao.domains.clearing.reconciliation_queries import find_by_amounts, list_groups
from yibao.infra.database import Connection
from yibao.kernel.money import yuan_text


class Totals(msgspec.Struct, frozen=True):
    """Count of settlements, and total, fund and account in fen."""

    count: int
    medfee_fen: int
    fund_fen: int
    account_fen: int

    @property
    def amounts(self) -> tuple[int, int, int]:
        """Return total, fund and account, fen."""
        return self.medfee_fen, self.fund_fen, self.account_fen


async def reconcile_totals(tx: Connection, *, scope: Scope, theirs: Totals) -> list[str]:
    """Return each difference as a sentence, then what it may come from; an empty list: the books agree.

    A reversed settlement counts with its positive and its negative row unless refunds are left out of the scope.
    """
    groups = await list_groups(tx, scope)
    ours = _sum([g for g in groups if _is_in(g, scope)])
    if theirs == ours:
        return []
    said = [f"结算笔数：机构{theirs.count}，平台{ours.count}"] if theirs.count != ours.count else []
    labels = ("医疗费总额", "基金支付总额", "个人账户支付")
    for label, at_theirs, at_ours in zip(labels, theirs.amounts, ours.amounts, strict=True):
        if at_theirs != at_ours:
            said.append(f"{label}：机构{yuan_text(at_theirs)}，平台{yuan_text(at_ours)}")
    return said + await _hint(tx, scope, theirs, ours, groups)


def _is_in(group: asyncpg.Record, scope: Scope) -> bool:
    return (
        group["insutype"] == scope.insutype and group["clr_type"] == scope.clr_type
        and group["clr_optins"] == scope.clr_optins and (scope.with_refunds or group["kind"] == "settlement")
    )


def _counting_refunds(scope: Scope) -> Scope:
    return msgspec.structs.replace(scope, with_refunds=True)


def _sum(groups: Sequence[asyncpg.Record]) -> Totals:
    return Totals(*(sum(g[name] for g in groups) for name in ("n", "medfee", "fund", "account")))


async def _hint(
    tx: Connection, scope: Scope, theirs: Totals, ours: Totals, groups: Sequence[asyncpg.Record]
) -> list[str]:
    """Return what explains a difference exactly, or where to look."""
    held = [g for g in groups if _is_in(g, scope)]
    if scope.with_refunds and theirs == _sum([g for g in held if g["kind"] == "settlement"]):
        return ["机构未计退费的负记录"]
    if not scope.with_refunds and theirs == _sum([g for g in groups if _is_in(g, _counting_refunds(scope))]):
        return ["机构计入了退费的负记录，退费结算标志应填1"]
    if theirs == _sum([g for g in groups if g["clr_optins"] == scope.clr_optins and g["clr_type"] == scope.clr_type]):
        return ["机构将各险种合并计入，请分险种对账"]
    if theirs == _sum([g for g in groups if g["clr_optins"] == scope.clr_optins and g["insutype"] == scope.insutype]):
        return ["机构将各清算类别合并计入，请分清算类别对账"]
    missing = tuple(o - t for o, t in zip(ours.amounts, theirs.amounts, strict=True))
    if ours.count - theirs.count == 1:
        one = await find_by_amounts(tx, scope, (missing[0], missing[1], missing[2]))
        if one is not None:
            return [f"机构缺一笔，结算ID {one['setl_id']}，报文ID {one['msgid']}"]
    if theirs.count - ours.count == 1:
        one = await find_by_amounts(tx, scope, (-missing[0], -missing[1], -missing[2]))
        if one is not None:
            return [f"机构可能重复计入结算ID {one['setl_id']}"]
    return ["请用9101上传明细并用3202逐笔核对"]
