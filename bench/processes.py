"""CPU time of process trees, from /proc: children that ended and were waited for are counted in their parent."""

from __future__ import annotations

import os
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def cpu_ms(root: int) -> float:
    """Return the CPU milliseconds that a process and everything below it have used up to now."""
    parents: dict[int, list[int]] = {}
    used: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            text = (entry / "stat").read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        fields = text[text.rindex(")") + 2:].split()
        pid = int(entry.name)
        parents.setdefault(int(fields[1]), []).append(pid)
        used[pid] = sum(int(field) for field in fields[11:15])
    total, pending = 0, [root]
    while pending:
        pid = pending.pop()
        total += used.get(pid, 0)
        pending += parents.get(pid, [])
    return total * 1000 / _TICKS_A_SECOND


def postmaster_of(data: Path) -> int:
    """Return the pid of the PostgreSQL that runs on a data directory."""
    return int((data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
