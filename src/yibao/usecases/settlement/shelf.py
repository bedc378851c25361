"""The shelf of compiled law: one policy per region, old versions on demand."""

from __future__ import annotations

from collections.abc import Mapping

from yibao.domains.encounters.visit_classes import visit_classes
from yibao.kernel.refusal import Refusal, refuse
from yibao.policy.law.parameters import RegionPolicy

_OF_FILINGS = ("provider", "referred_from")


class PolicyShelf:
    """Holds the compiled policy of every region this process serves."""

    def __init__(self, policies: Mapping[str, RegionPolicy]) -> None:
        self._policies = dict(policies)
        self._asks: dict[str, bool] = {}

    @property
    def regions(self) -> tuple[str, ...]:
        """Return the regions with a policy, in order."""
        return tuple(sorted(self._policies))

    def asks_filings(self, admdvs: str) -> bool:
        """Say whether the law of a region looks at choices or referrals where visits are paid."""
        asks = self._asks.get(admdvs)
        if asks is None:
            policy = self._policies.get(admdvs)
            asks = self._asks[admdvs] = policy is None or _asks_of_visits(policy)
        return asks

    def of(self, admdvs: str) -> RegionPolicy | Refusal:
        """Return the policy of a region, or refuse because none is loaded."""
        policy = self._policies.get(admdvs)
        if policy is None:
            return refuse("REGION_NOT_SERVED", "本平台没有该参保地的待遇政策", field="insuplc_admdvs",
                          received=admdvs, remedy="请核对参保地医保区划")
        return policy


def _asks_of_visits(policy: RegionPolicy) -> bool:
    classes = visit_classes().outpatient
    benefits = {
        row.word for row in policy.rows if row.key == "benefit" and any(row.allows("med_type", code) for code in classes)
    }
    return any(
        any(condition.dimension in _OF_FILINGS for condition in row.conditions)
        and any(row.allows("benefit", benefit) for benefit in benefits)
        for row in policy.rows
    )
