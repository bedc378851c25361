"""What can be wrong with policy files, collected until everything has been read."""

from __future__ import annotations

import msgspec


class PolicyFault(msgspec.Struct, frozen=True):
    """One thing wrong with a policy file: where, in which rule, which field, and what to do."""

    file: str
    rule: str
    field: str
    message: str

    def sentence(self) -> str:
        """Return the fault as one Chinese sentence."""
        place = "，".join(p for p in (self.file, self.rule, self.field) if p)
        return f"{place}：{self.message}"


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

    def add(self, file: str, rule: str, field: str, message: str) -> None:
        """Add one fault."""
        self.faults.append(PolicyFault(file, rule, field, message))

    def table(self, file: str, rule: str, field: str, value: object) -> dict[str, object]:
        """Return a TOML table, or an empty one and a fault if it is something else."""
        if isinstance(value, dict):
            return value
        self.add(file, rule, field, f"应为一张表（{{ … }} 或 [ … ] 小节），收到 {value!r}")
        return {}
