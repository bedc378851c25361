"""S2: counter, columns and the plain twin agree to the fen over generated years of bills of both cities."""

from __future__ import annotations

from tests.proofs.drawn_bills import decided, frame_of
from tests.proofs.platform import Platform, Result
from tests.spec.policy.cities import city_policy
from tests.twin.test_generated_bills import differing_years
from tests.twin.year_book import Kept
from yibao.policy.columns.decide_columns import decide_columns


def run(n: int, seed: int, _platform: Platform) -> Result:
    """Compare every head field of ``n`` bills with the twin, and what was settled with the columns."""
    kept: dict[str, list[Kept]] = {}
    bills, differences = differing_years(n, seed, lambda one: kept.setdefault(one.case.admdvs, []).append(one))
    for difference in differences[:5]:
        print(f"  {difference[:600]}")
    settled = sum(len(ones) for ones in kept.values())
    differ = sum(_differing_from_columns(admdvs, ones) for admdvs, ones in kept.items())
    return Result(
        {"bills": bills, "settled": settled},
        {"years_differing_from_twin": len(differences), "bills_differing_from_columns": differ},
    )


def _differing_from_columns(admdvs: str, ones: list[Kept]) -> int:
    policy = city_policy(admdvs)
    frame = frame_of(policy, [one.case for one in ones])
    differ = 0
    for one, column in zip(ones, decide_columns(frame, policy).iter_rows(named=True), strict=True):
        expected = decided(one.decision)
        refusal = column.pop("refusal")
        if refusal or any(expected.get(k, 0) != column.get(k, 0) for k in {*expected, *column}):
            differ += 1
            print(f"  columns differ: {refusal} {one.case} {expected} {column}"[:900])
    return differ
