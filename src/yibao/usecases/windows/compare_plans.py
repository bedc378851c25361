"""Compare two versions of a plan by their texts."""

from __future__ import annotations

from yibao.domains.windows.comparing import Change
from yibao.domains.windows.comparing import compare_plans as compare
from yibao.domains.windows.reading import read_plan
from yibao.kernel.refusal import Refusal, refuse


def compare_plans(old_text: str, new_text: str) -> tuple[Change, ...] | Refusal:
    """Return what changed; refused where a text cannot be read or the two are plans of different regions."""
    old, new = read_plan(old_text), read_plan(new_text)
    if isinstance(old, Refusal):
        return old
    if isinstance(new, Refusal):
        return new
    if old.admdvs != new.admdvs:
        return refuse("PLANS_OF_DIFFERENT_REGIONS", "两个方案属于不同的统筹区", received=f"{old.admdvs}、{new.admdvs}",
                      remedy="请比较同一统筹区的两个版本")
    return compare(old, new)
