"""S2: the engine and the plain twin agree to the fen over generated years of bills of both cities."""

from __future__ import annotations

from tests.proofs.platform import Platform, Result
from tests.twin.test_generated_bills import differing_years


def run(n: int, seed: int, _platform: Platform) -> Result:
    """Compare every head field of ``n`` bills."""
    bills, differences = differing_years(n, seed)
    for difference in differences[:5]:
        print(f"  {difference[:600]}")
    return Result({"bills": bills}, {"years_differing_from_twin": len(differences)})
