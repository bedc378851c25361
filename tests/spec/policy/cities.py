"""The cities' packaged policies, compiled once."""

from __future__ import annotations

from functools import cache
from importlib import resources

from yibao.policy.loading import load_policy
from yibao.policy.parameters import RegionPolicy

ZIBO = "370300"
HUIZHOU = "441300"


@cache
def city_files(admdvs: str) -> dict[str, str]:
    """Return a city's policy files by name."""
    folder = resources.files("yibao") / "data" / "policies" / admdvs
    return {f.name: f.read_text(encoding="utf-8") for f in folder.iterdir() if f.name.endswith(".toml")}


@cache
def city_policy(admdvs: str) -> RegionPolicy:
    """Return a city's compiled policy."""
    return load_policy(city_files(admdvs))
