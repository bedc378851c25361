"""Which settled stays are paid by group, and how each looks to the terms of its pool."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.grouping.model import Result, SettledStay
from yibao.kernel.business_time import SHANGHAI, business_date
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.payment.standards import PaidStay
from yibao.policy.payment.terms import BY_ITEM, Packet, Pool, Terms
from yibao.usecases.grouping.open_terms import open_terms


class GroupOfStay(msgspec.Struct, frozen=True):
    """What a stay's list says of it: group or packet, and what payment by disease asks for."""

    group: str = ""
    packet: Packet | None = None
    main: str = ""
    procedures: tuple[str, ...] = ()
    los_days: int = 0


def terms_of(admdvs: str) -> Terms | Refusal:
    """Return how a region pays by group, or that it does not."""
    terms = open_terms(admdvs)
    if terms is None:
        return refuse("NOT_PAID_BY_GROUP", "该统筹区没有按组付费的参数", field="admdvs", received=admdvs,
                      remedy="请核对统筹区，或在 data/payments 中增加该地区的文件")
    return terms


def settled_on(stay: SettledStay) -> date:
    """Return the day of business time a stay was settled, which decides its year."""
    return business_date(stay.settled_at)


def pool_of_stay(stay: SettledStay, terms: Terms) -> Pool | None:
    """Return the pool that pays a stay by group, None if it is paid by item."""
    on = settled_on(stay)
    way = terms.clearing_way(institution_kind=stay.institution_kind, med_type=stay.med_type, on=on)
    return None if way == BY_ITEM else terms.pool_of(insutype=stay.insutype, year=on.year)


def paid_stay(stay: SettledStay, pool: Pool, group: GroupOfStay) -> PaidStay:
    """Return a settled stay as its pool looks at it."""
    return PaidStay(
        setl_id=stay.setl_id, fixmedins_code=stay.fixmedins_code, level=stay.level, insutype=stay.insutype,
        settled_on=settled_on(stay), group=group.group, packet=group.packet, main=group.main,
        procedures=group.procedures, los_days=group.los_days, cost_fen=stay.medfee_fen,
        pool_fen=stay.funds.get(pool.fund_type, 0), is_exit=stay.is_exit,
    )


def group_of_result(result: Result | None, pool: Pool, packets: dict[str, Packet]) -> GroupOfStay:
    """Return what a stored result says; a stay without one is ungrouped."""
    if result is None or result.method != pool.method:
        return GroupOfStay()
    main = result.dx_codes[0] if result.dx_codes else ""
    group = "" if pool.packets else result.code
    return GroupOfStay(group, packets.get(result.code), main, tuple(result.op_codes), result.los_days)


def instant(day: date) -> datetime:
    """Return the first instant of a day of business time."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI)
