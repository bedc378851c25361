"""The shelf of compiled law: one policy per region, old versions on demand."""

from __future__ import annotations

from collections.abc import Mapping

from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.law.parameters import RegionPolicy


class PolicyShelf:
    """Holds the compiled policy of every region this process serves."""

    def __init__(self, policies: Mapping[str, RegionPolicy]) -> None:
        self._policies = dict(policies)

    @property
    def regions(self) -> tuple[str, ...]:
        """Return the regions with a policy, in order."""
        return tuple(sorted(self._policies))

    def of(self, admdvs: str) -> RegionPolicy | Refusal:
        """Return the policy of a region, or refuse because none is loaded."""
        policy = self._policies.get(admdvs)
        if policy is None:
            return refuse("REGION_NOT_SERVED", "本平台没有该参保地的待遇政策", field="insuplc_admdvs",
                          received=admdvs, remedy="请核对参保地医保区划")
        return policy
