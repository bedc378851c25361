"""Named points at which a test may kill the process. Off unless the settings switch them on.

A fault test arms one point for one request (a header, read by the gateway only when the settings
allow it); when the code reaches that point the process kills itself with SIGKILL, as a power cut
or the kernel would.
"""

from __future__ import annotations

import os
import signal
from contextvars import ContextVar

POINTS = (
    "received", "validated", "begun", "gathered", "decided", "encoded", "before_write", "written",
    "committed", "reply_started", "reply_half", "reply_sent",
)
"""Every point that ``reached`` is called with, in the order a settlement passes them.

``gathered:2`` means the second time: a settlement that had to begin anew under the lock passes some twice.
"""

armed: ContextVar[str] = ContextVar("armed_failpoint", default="")
"""The point armed for the request at hand; empty outside fault tests."""


def reached(point: str) -> None:
    """Kill this process at once if ``point`` is armed for the request at hand."""
    wanted = armed.get()
    if not wanted:
        return
    name, _, times = wanted.partition(":")
    if name != point:
        return
    if times in ("", "1"):
        os.kill(os.getpid(), signal.SIGKILL)
    armed.set(f"{name}:{int(times) - 1}")
