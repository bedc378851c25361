"""Published plans as whoever writes notices needs them."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.notices.queries import last_sent
from yibao.domains.windows.model import Plan
from yibao.domains.windows.queries import find_newest, find_plan, list_plans
from yibao.domains.windows.reading import read_plan
from yibao.domains.windows.stored import PUBLISHED, WITHDRAWN, StoredPlan
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse


async def find_published(tx: Connection, admdvs: str, name: str, *, version: int = 0) -> Plan | Refusal:
    """Return a plan as it was published: the version that counts (0), or one that counted before.

    A version that was only proposed is nobody's business yet.
    """
    stored = await (
        find_plan(tx, admdvs, name, version) if version else find_newest(tx, admdvs, name, state=PUBLISHED)
    )
    if stored is None or stored.published_at is None:
        return refuse("PLAN_NOT_FOUND", "没有已公布的切换方案", field="plan", received=name[:40], remedy="请核对方案名称")
    return _plan(stored)


async def find_before(tx: Connection, plan: Plan) -> Plan | None:
    """Return the version that people were told of before a plan; None for a first one.

    That is the last one of which anything was sent, published or withdrawn since: a version that was replaced before
    anybody heard of it is skipped. If nothing was ever sent it is the one that the plan replaces.
    """
    version = await last_sent(tx, plan.admdvs, plan.name, before=plan.version) or plan.amends
    stored = await find_plan(tx, plan.admdvs, plan.name, version) if version else None
    return None if stored is None else _plan(stored)


async def list_withdrawn(tx: Connection, plan: Plan) -> list[tuple[Plan, str]]:
    """Return later versions that counted once and were withdrawn, with why."""
    return [
        (_plan(stored), stored.why) for stored in await list_plans(tx, admdvs=plan.admdvs, name=plan.name)
        if stored.state == WITHDRAWN and stored.published_at is not None and stored.version > plan.version
    ]


async def published_at(tx: Connection, plan: Plan) -> datetime:
    """Return when a version was published."""
    stored = await find_plan(tx, plan.admdvs, plan.name, plan.version)
    assert stored is not None
    assert stored.published_at is not None
    return stored.published_at


def _plan(stored: StoredPlan) -> Plan:
    read = read_plan(stored.text)
    if isinstance(read, Refusal):  # it was read when it was published
        raise RuntimeError(f"plan {stored.name} version {stored.version}: {read.sentence()}")
    return msgspec.structs.replace(
        read, version=stored.version, amends=stored.amends, reason=read.reason or stored.reason if stored.amends else "",
    )
