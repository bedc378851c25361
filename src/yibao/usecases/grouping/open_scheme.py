"""Opens the grouping scheme that ships with the package; a process reads it once."""

from __future__ import annotations

from functools import cache

from yibao.domains.grouping.tables import read_tables
from yibao.policy.grouping.scheme import Scheme, build_scheme


@cache
def open_scheme() -> Scheme:
    """Return the scheme; the second time it is at hand."""
    return build_scheme(*read_tables())
