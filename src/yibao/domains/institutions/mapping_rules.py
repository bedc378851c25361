"""When an own item and a national code plainly mean the same, and what a fee line's own code is worth. Pure."""

from __future__ import annotations

import unicodedata
from typing import Literal

import msgspec

LineMapping = Literal["matched", "candidate", "unmatched", "differs", "retired", "unchecked"]
"""What a line's own code is worth on its day: mapped to the line's item and approved; waiting for the agency; not
mapped; mapped to another item; mapped to an item that has left the catalogue; or the institution maps nothing."""

AUTO = "auto"
"""Who decided a mapping that nobody had to look at."""


class Official(msgspec.Struct, frozen=True):
    """What the national list says of an item; ``""`` where it is silent."""

    name: str
    unit: str
    approval_no: str


class FoundMapping(msgspec.Struct, frozen=True):
    """The mapping of a line's own code that holds on its day: approved or proposed."""

    state: str
    med_list_codg: str


def plain(text: str) -> str:
    """Return a name as it is compared: full and half width, case, spaces and punctuation make no difference."""
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def doubts_of(*, name: str, unit: str, approval_no: str, official: Official) -> tuple[str, ...]:
    """Return why a mapping must be looked at by the agency, in Chinese; nothing when code, name and unit agree.

    Where the national list is silent nothing can differ; where the institution is silent nothing can agree.
    """
    doubts = []
    if plain(name) != plain(official.name):
        doubts.append(f"名称与国家目录【{official.name}】不一致")
    if official.unit and plain(unit) != plain(official.unit):
        doubts.append(f"计价单位与国家目录【{official.unit}】不一致")
    if official.approval_no and approval_no and plain(approval_no) != plain(official.approval_no):
        doubts.append(f"批准文号与国家目录【{official.approval_no}】不一致")
    return tuple(doubts)


def worth_of_line(
    found: FoundMapping | None, *, item_code: str, is_item_listed: bool, has_uploaded: bool
) -> LineMapping:
    """Return what the own code of a fee line is worth.

    Args:
        item_code: national code the line came with.
        is_item_listed: whether that item is in the catalogue on the line's day.
        has_uploaded: whether the institution has ever uploaded a mapping; before that its own codes bind nobody.
    """
    if found is None:
        return "unmatched" if has_uploaded else "unchecked"
    if found.med_list_codg != item_code:
        return "differs" if has_uploaded else "unchecked"
    if not is_item_listed:
        return "retired"
    return "matched" if found.state == "approved" else "candidate"
