"""The rule tables of the package, read once per process."""

from __future__ import annotations

from datetime import date
from functools import cache
from importlib.resources import files

from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.review.loading import RegionRow, load_regions, load_rules, region_on
from yibao.policy.review.rules import RuleBook

_REGIONS = "regions.toml"


@cache
def rule_book() -> RuleBook:
    """Return the compiled rules."""
    return load_rules({name: text for name, text in _texts().items() if name != _REGIONS})


def region_row(admdvs: str, day: date) -> RegionRow | Refusal:
    """Return what a region decides about reviews, or refuse because nothing is known of it."""
    row = region_on(_regions(), admdvs, day)
    if row is None:
        return refuse("REGION_WITHOUT_REVIEW", "该参保地没有审核参数", field="admdvs", received=admdvs,
                      remedy="请在审核参数文件中补充该统筹区")
    return row


@cache
def _regions() -> tuple[RegionRow, ...]:
    return load_regions(_texts()[_REGIONS])


def _texts() -> dict[str, str]:
    folder = files("yibao.data").joinpath("supervision")
    return {f.name: f.read_text(encoding="utf-8") for f in folder.iterdir() if f.name.endswith((".csv", ".toml"))}
