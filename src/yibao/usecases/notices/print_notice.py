"""A notice on paper: PDF of the text as it was kept, line by line; the same text gives the same bytes."""

from __future__ import annotations

import re
from importlib import resources

from yibao.infra.typesetting import CannotPrint, typeset
from yibao.kernel.refusal import Refusal, refuse

_HEAD = re.compile(r"[一二三四五六七八九十]+、")


def print_notice(text: str) -> bytes | Refusal:
    """Return a notice as PDF; refused, with what to install, where none can be made."""
    source = (resources.files("yibao") / "data" / "notices" / "notice.typ").read_text(encoding="utf-8")
    title, *lines = text.rstrip("\n").split("\n")
    data = {"title": title, "rows": [{"text": line, "is_head": bool(_HEAD.match(line))} for line in lines if line]}
    try:
        return typeset(source, data)
    except CannotPrint as error:
        return refuse("CANNOT_PRINT", str(error), remedy="公告文字仍可查询")
