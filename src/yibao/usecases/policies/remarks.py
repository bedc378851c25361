"""What a check says about a policy file: where it is, what is wrong, what to write instead."""

from __future__ import annotations

import msgspec

from yibao.usecases.policies.lawbook import Entry, Lawbook

FAULT = "fault"
"""The files are refused; the law that runs stays as it is."""
WARNING = "warning"
"""The files load, but something in them cannot be meant so."""
HINT = "hint"
"""Worth a look."""
WEIGHTS = {FAULT: "错误", WARNING: "警告", HINT: "提示"}


class Remark(msgspec.Struct, frozen=True):
    """One thing to look at in a policy file.

    Attributes:
        kind: what sort of thing (``gap``, ``unreachable`` ...); ``refused`` for everything the loader refuses.
        weight: ``fault``, ``warning`` or ``hint``.
        file: the file, ``""`` where it concerns the region as a whole.
        line: its line, from 1; 0 where there is none.
        rule: the rule, ``""`` outside of rows.
        field: the field.
        message: what is wrong, in Chinese.
        proposal: what to write instead.
    """

    kind: str
    weight: str
    file: str
    line: int
    rule: str
    field: str
    message: str
    proposal: str

    def sentence(self) -> str:
        """Return it as one line of text."""
        file = f"{self.file} 第 {self.line} 行" if self.line else self.file
        place = "，".join(p for p in (file, self.rule, self.field) if p)
        return f"{place}：{self.message}" + (f"。建议：{self.proposal}" if self.proposal else "")


def about(
    book: Lawbook, entry: Entry, *, kind: str, field: str, message: str, proposal: str, weight: str = WARNING
) -> Remark:
    """Return a remark about a row, with the line of the field."""
    return Remark(
        kind, weight, entry.file, book.line(entry, field), entry.row.used.rule, field, message, proposal
    )


def about_section(book: Lawbook, section: str, word: str, *, kind: str, message: str, proposal: str) -> Remark:
    """Return a hint about a word that a section of the files declares."""
    field = f"{section}.{word}" if word else section
    for file in sorted(book.documents, reverse=True):
        held = book.documents[file].get(section)
        if isinstance(held, dict) and (not word or word in held):
            return Remark(kind, HINT, file, book.positions[file].line(0, 0, field), "", field, message, proposal)
    return Remark(kind, HINT, "", 0, "", field, message, proposal)
