"""Reads the policy files that ship with the package, and keeps every version that ever decided something."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from yibao.infra.database import Connection

PUT_REGION = """
insert into platform.region (admdvs, name) values ($1, $2)
on conflict (admdvs) do update set name = excluded.name where region.name <> excluded.name
"""
PUT_VERSION = """
insert into platform.policy_version (version, admdvs, files, loaded_at) values ($1, $2, $3, $4)
on conflict (version) do nothing
"""
VERSION = "select files from platform.policy_version where version = $1"


def read_policy_files(directory: Path | None = None) -> dict[str, dict[str, str]]:
    """Return region code -> file name -> text of all policy files.

    ``directory`` replaces the packaged files: one folder per region, named by its code. What lies
    in folders whose name is no region code (drafts, notes) is left out.
    """
    return _regions(directory or files("yibao.data").joinpath("policies"))


def read_policy_files_elsewhere() -> dict[str, dict[str, str]]:
    """Return the packaged files of regions that are samples only: checked, shown and compared, but never served."""
    return _regions(files("yibao.data").joinpath("policies_elsewhere"))


def read_one_region(directory: Path) -> dict[str, str]:
    """Return file name -> text of the policy files that lie in a folder itself."""
    return _texts(directory)


def _regions(root: Traversable) -> dict[str, dict[str, str]]:
    if not root.is_dir():
        return {}
    regions = sorted(
        (f for f in root.iterdir() if f.is_dir() and f.name.isdecimal() and len(f.name) == 6), key=lambda f: f.name
    )
    return {region.name: _texts(region) for region in regions}


async def store_version(
    tx: Connection, *, admdvs: str, name: str, version: str, texts: Mapping[str, str], now: datetime
) -> None:
    """Store a region and the text of one of its policy versions, if they are not there yet."""
    await tx.execute(PUT_REGION, admdvs, name)
    await keep_version(tx, admdvs=admdvs, version=version, texts=texts, now=now)


async def keep_version(
    tx: Connection, *, admdvs: str, version: str, texts: Mapping[str, str], now: datetime
) -> None:
    """Store the text of a policy version, if it is not there yet: nothing may be decided by law that is not kept."""
    await tx.execute(PUT_VERSION, version, admdvs, json.dumps(dict(texts), ensure_ascii=False), now)


async def find_version(tx: Connection, version: str) -> dict[str, str] | None:
    """Return file name -> text of a stored policy version, None if it was never loaded."""
    stored: str | None = await tx.fetchval(VERSION, version)
    return None if stored is None else json.loads(stored)


def _texts(region: Traversable) -> dict[str, str]:
    found = sorted((f for f in region.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return {f.name: f.read_text(encoding="utf-8") for f in found}
