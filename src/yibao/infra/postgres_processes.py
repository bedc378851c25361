"""Processes of the embedded PostgreSQL: found, waited for, ended, without ever believing a zombie or another program."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

_STOP_WITHIN_S = 30.0


def end(child: subprocess.Popen[bytes]) -> None:
    """Ask for a fast shutdown, insist with SIGQUIT after 30 s, and reap the child."""
    if child.poll() is None:
        child.send_signal(signal.SIGINT)
    try:
        child.wait(_STOP_WITHIN_S)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGQUIT)
        child.wait()


def end_adopted(pid: int, data: Path) -> None:
    """Stop a server that is not our child: it is down when it has removed its pid file."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGINT)
    wait_until(lambda: postmaster_pid(data) is None, within_s=_STOP_WITHIN_S)


def postmaster_pid(data: Path) -> int | None:
    """Return the process that the pid file of a data directory names, None if there is none."""
    try:
        return int((data / "postmaster.pid").read_text(encoding="utf-8").split("\n", 1)[0])
    except (OSError, ValueError):
        return None


def process_state(pid: int) -> tuple[str, str] | None:
    """Return name and state letter of a process, None if it is gone or this system has no /proc."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return stat[stat.index("(") + 1 : stat.rindex(")")], stat[stat.rindex(")") + 2]


def is_running(pid: int) -> bool:
    """Say whether a process lives; a zombie does not."""
    state = process_state(pid)
    return state is not None and state[1] != "Z"


def children_of(pid: int) -> list[int]:
    """Return the processes that a process has started."""
    children = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            if int(stat[stat.rindex(")") + 4 :].split(" ", 1)[0]) == pid:
                children.append(int(entry.name))
    return children


def wait_until(holds: Callable[[], bool], *, within_s: float) -> bool:
    """Look again and again until something holds; False when it does not in time (seconds)."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        pause(0.05)
    return True


def pause(seconds: float) -> None:
    """Wait a moment between two looks."""
    threading.Event().wait(seconds)


def tail(log: Path) -> str:
    """Return the last words of a log."""
    try:
        return log.read_text(encoding="utf-8", errors="replace")[-2000:]
    except OSError:
        return "(no log)"
