"""What can be wrong with policy files, collected until everything has been read."""

from __future__ import annotations

import msgspec


class PolicyFault(msgspec.Struct, frozen=True):
    """One thing wrong with a policy file: where, in which rule, which field, and what to do.

    Attributes:
        file: name of the file, ``""`` where the fault is of the region as a whole.
        rule: id of the rule, or the ordinal of the block and row.
        field: the field, ``when.level`` and ``sources.S1.title`` being fields too.
        message: what is wrong.
        line: line of the file, counted from 1; 0 where there is none.
        proposal: what to write instead, ``""`` where the message says it all.
        place: ordinal of block and row (``第 3 个 [[parameter]] fund 第 1 行``).
    """

    file: str
    rule: str
    field: str
    message: str
    line: int = 0
    proposal: str = ""
    place: str = ""

    def sentence(self) -> str:
        """Return the fault as one Chinese sentence."""
        file = f"{self.file} 第 {self.line} 行" if self.line else self.file
        place = "，".join(p for p in (file, self.rule, self.field) if p)
        proposal = f"。建议：{self.proposal}" if self.proposal else ""
        return f"{place}：{self.message}{proposal}"


class BadPolicy(ValueError):
    """The policy files of a region cannot be used; ``faults`` lists everything wrong with them."""

    def __init__(self, faults: tuple[PolicyFault, ...]) -> None:
        self.faults = faults
        listed = "\n".join(fault.sentence() for fault in faults)
        super().__init__(f"政策文件有误，共 {len(faults)} 处：\n{listed}")


class Findings:
    """Collects faults while the files are read."""

    def __init__(self) -> None:
        self.faults: list[PolicyFault] = []
        self.place = ""
        """Ordinal of the block and row being read, ``""`` outside of them."""

    def add(self, file: str, rule: str, field: str, message: str) -> None:
        """Add one fault."""
        self.faults.append(PolicyFault(file, rule, field, message, place=self.place))

    def table(self, file: str, rule: str, field: str, value: object) -> dict[str, object]:
        """Return a TOML table, or an empty one and a fault if it is something else."""
        if isinstance(value, dict):
            return value
        self.add(file, rule, field, f"应为一张表（{{ … }} 或 [ … ] 小节），收到 {value!r}")
        return {}
