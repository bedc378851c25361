"""How counters of the law are kept: codes of a window that outlives a year carry whose window it is.

The law asks for ``x``, ``x@2026-03``, ``x@2026Q1``, ``x#stay`` and ``x#pregnancy``. The first three are kept under
their benefit year as they are. The last two are kept under year 0, as ``x#stay:<mdtrt_id>`` and
``x#pregnancy:<filing_id>``: a stay or a pregnancy may pass into another year.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

STAY, PREGNANCY = "stay", "pregnancy"
UNREGISTERED = "0"
"""Stands for the pregnancy that nobody has registered."""
OUTLIVES_YEAR = 0
"""The year under which a window that outlives a year is kept."""


def kept_code(code: str, *, stay: str, pregnancy: str = "") -> str:
    """Return the code under which a counter of the law is kept.

    Args:
        stay: id of the encounter, for a counter of one stay; pregnancy: id of the filing, ``""`` where the pregnancy
            is not registered: then one runs on.
    """
    _, mark, window = code.partition("#")
    if not mark:
        return code
    return f"{code}:{stay if window == STAY else pregnancy or UNREGISTERED}"


def law_code(kept: str) -> str:
    """Return the code by which the law knows a kept counter."""
    name, mark, window = kept.partition("#")
    return name + mark + window.partition(":")[0]


def year_of(kept: str, year: int) -> int:
    """Return the year under which a counter is kept."""
    return OUTLIVES_YEAR if "#" in kept else year


def law_counters(
    kept: Iterable[tuple[str, int]], *, stay: str, pregnancy: str = ""
) -> dict[str, int]:
    """Return what a case sees of the kept counters of a person: those of the year, of this stay, of this pregnancy."""
    seen = {}
    for code, used in kept:
        known = law_code(code)
        if code == kept_code(known, stay=stay, pregnancy=pregnancy):
            seen[known] = used
    return seen


def pregnancy_in(codes: Iterable[str]) -> str:
    """Return the filing whose counters stand among kept codes, ``""`` if none does."""
    for code in codes:
        window = code.partition("#")[2]
        if window.startswith(f"{PREGNANCY}:"):
            return window.partition(":")[2]
    return ""


def law_deltas(codes: Iterable[str], deltas: Iterable[int]) -> Mapping[str, int]:
    """Return the counter changes of a settlement by the codes of the law."""
    return {law_code(code): delta for code, delta in zip(codes, deltas, strict=True)}
