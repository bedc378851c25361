"""Which transaction a path names: single endpoint, number in the path, or the paths of ``paths.csv``."""

from __future__ import annotations

import re
from collections.abc import Mapping

from yibao.entrypoints.gateway.interface import Interface

SINGLE_ENDPOINT = "/fsi/api/rsfComIfsService/callService"
_LAST = re.compile(r"(100001|D00[1-7]|[1-9]\d{3}[AB]?)/?$")
_SAME_AS = {"2206A": "2206", "2207A": "2207"}


def canonical(infno: str) -> str:
    """Return the number under which a transaction has its field table."""
    return _SAME_AS.get(infno, infno)


class Routes:
    """Reads paths."""

    def __init__(self, interface: Interface) -> None:
        self._paths: Mapping[str, str] = interface.paths
        self._known = {*interface.transactions, *_SAME_AS}

    def infno(self, path: str) -> str:
        """Return the transaction that ``path`` names, ``""`` when it names none."""
        path = re.sub("/{2,}", "/", path)
        named = self._paths.get(path.rstrip("/"))
        if named:
            return named
        found = _LAST.search(path)
        return found[1] if found and found[1] in self._known else ""

    def claims(self, path: str) -> bool:
        """Say whether a POST to ``path`` is an institution's message."""
        return path.rstrip("/").endswith(SINGLE_ENDPOINT) or bool(self.infno(path)) or path.startswith(("/fsi/", "/isp-api/"))
