"""``yibao migrate``: the newest schema, and the policy files registered."""

from __future__ import annotations

import asyncio

from yibao.entrypoints.cli.output import JsonFlag, known_failures, show
from yibao.entrypoints.cli.running import with_database
from yibao.infra import migrate as schema
from yibao.infra.config import load_settings
from yibao.infra.database import Database
from yibao.kernel.clock import SystemClock
from yibao.policy.law.parameters import RegionPolicy
from yibao.usecases.policies.publish_policies import publish_policies


def migrate(as_json: JsonFlag = False) -> None:
    """Bring the database to the newest schema and register the packaged policies."""
    with known_failures(as_json=as_json), with_database(load_settings(), make=True) as settings:
        assert settings.database_url is not None
        before, after, policies = asyncio.run(prepare(settings.database_url))
    data = {"before": before, "after": after, "policies": {p.admdvs: p.version for p in policies}}
    changed = "已是最新" if before == after else f"{before or '空库'} → {after}"
    regions = "、".join(f"{p.name}（{p.admdvs}）" for p in policies) or "无"
    show(data, as_json=as_json, render=lambda: f"数据库结构：{changed}\n已登记政策：{regions}")


async def prepare(url: str) -> tuple[str | None, str, tuple[RegionPolicy, ...]]:
    """Migrate and publish; return the revision before and after, and the policies."""
    before = await schema.current(url)
    after = await schema.migrate(url)
    database = await Database.open(url, role=None, size=2)
    try:
        policies = await publish_policies(database, now=SystemClock().now())
    finally:
        await database.close()
    return before, after, policies
