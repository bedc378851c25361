"""The cities' packaged policies, compiled once."""

from __future__ import annotations

from functools import cache
from importlib import resources

from yibao.policy.law.loading import load_policy
from yibao.policy.law.parameters import RegionPolicy

ZIBO = "370300"
HUIZHOU = "441300"
ELSEWHERE = {
    "qingyuan": "441800",
    "anyang": "410500",
    "chengdu": "510100",
    "anhui": "340300",
    "yubei": "500112",
}
"""Cities whose law is data only: they are packaged as examples and served nowhere."""


@cache
def city_files(admdvs: str) -> dict[str, str]:
    """Return a city's policy files by name."""
    data = resources.files("yibao") / "data"
    folder = data / ("policies_elsewhere" if admdvs in ELSEWHERE.values() else "policies") / admdvs
    return {f.name: f.read_text(encoding="utf-8") for f in folder.iterdir() if f.name.endswith(".toml")}


@cache
def city_policy(city: str) -> RegionPolicy:
    """Return a city's compiled policy, by its code or by the name of a city elsewhere."""
    return load_policy(city_files(ELSEWHERE.get(city, city)))
