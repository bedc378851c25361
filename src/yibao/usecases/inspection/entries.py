"""One line of the message list: a committed deed, or a logged query or refusal."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

DEED = "deed"
LOG = "log"

OUTCOMES = {
    "answered": "成功",
    "refused": "拒绝",
    "replayed": "重发应答",
    "unavailable": "暂不可用",
    "defect": "平台异常",
    "voided": "先冲正作废",
}
"""Outcomes and what they are called on pages."""


class Entry(msgspec.Struct, frozen=True):
    """A message and what became of it.

    Attributes:
        source: ``deed`` (the message row of something committed) or ``log`` (queries, refusals, repeats).
        ref: its key within the source: the msgid of a deed, the id of a log row.
        outcome: one of ``OUTCOMES``.
        took_us: from receipt to answer, microseconds.
    """

    source: str
    ref: str
    msgid: str
    infno: str
    outcome: str
    refusal_code: str
    psn_no: str | None
    mdtrt_id: str | None
    setl_id: str | None
    received_at: datetime
    took_us: int


def from_row(row: Any) -> Entry:
    """Return the entry of a database row."""
    return Entry(**{name: row[name] for name in Entry.__struct_fields__})
