"""Publish the policy files: their regions and versions become known to the database."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files, store_version
from yibao.policy.law.loading import load_policy
from yibao.policy.law.parameters import RegionPolicy


async def publish_policies(
    database: Database, *, now: datetime, files: Mapping[str, Mapping[str, str]] | None = None
) -> tuple[RegionPolicy, ...]:
    """Compile every region's files and store region and version; publishing again changes nothing.

    Args:
        files: region code -> file name -> text; None takes the packaged ones.

    Raises:
        BadPolicy: a region's files do not compile; nothing is stored.
    """
    texts = read_policy_files() if files is None else files
    policies = {admdvs: load_policy(region) for admdvs, region in texts.items()}
    async with database.transaction() as tx:
        for admdvs, policy in policies.items():
            await store_version(
                tx, admdvs=admdvs, name=policy.name, version=policy.version, texts=texts[admdvs], now=now
            )
    return tuple(policies.values())
