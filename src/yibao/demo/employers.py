"""Invented employers."""

from __future__ import annotations

import msgspec

from yibao.demo.chance import stream
from yibao.demo.names import credit_code, syllables
from yibao.demo.places import Region, towns


class Employer(msgspec.Struct, frozen=True):
    """One row of ``enrolment.employer``."""

    emp_no: str
    admdvs: str
    name: str
    uscc: str


def employers(region: Region, *, seed: int, count: int = 60) -> tuple[Employer, ...]:
    """Return the employers of a region, the same for the same seed."""
    rng = stream(seed, "employers", region.admdvs)
    made = []
    for number in range(1, count + 1):
        county = rng.choice(list(region.divisions))
        town = rng.choice(towns()[county]).removesuffix("街道").removesuffix("镇").removesuffix("乡")
        name = f"{region.name}{town}{rng.choice(syllables().firms)}{rng.choice(syllables().trades)}（演示）"
        made.append(Employer(f"{region.admdvs}E{number:07d}", region.admdvs, name, credit_code(county, number)))
    return tuple(made)
