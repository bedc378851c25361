"""Everything found wrong or doubtful in one message, collected so that one reply tells all of it."""

from __future__ import annotations

from typing import Any

from yibao.entrypoints.gateway.interface import Field
from yibao.entrypoints.gateway.masking import readable, received
from yibao.kernel.refusal import Fault, Refusal

KEPT_MAX = 200
"""Faults after which reading on serves nobody."""
_TOLD_MAX = 20
_WARNED_MAX = 10


class Problems:
    """Collects faults and warnings, of each no more than anybody reads."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.warnings: list[str] = []

    @property
    def full(self) -> bool:
        """Say whether so much is wrong that the rest need not be looked at."""
        return len(self.faults) >= KEPT_MAX

    def add(
        self, path: str, field: Field | None, code: str, reason: str, remedy: str, *, value: Any
    ) -> None:
        """Add a fault of a field; ``value`` is what came and is masked where it names a person."""
        name = field.name_zh if field is not None else ""
        shown = received(field, value) if value != "" else ""
        self._keep(Fault(code, f"{name}{reason}", path, shown, remedy))

    def add_plain(self, path: str, code: str, reason: str, remedy: str, *, shown: str = "") -> None:
        """Add a fault of something that is no field of a table."""
        self._keep(Fault(code, reason, path, readable(shown), remedy))

    def _keep(self, fault: Fault) -> None:
        if not self.full:
            self.faults.append(fault)

    def warn(self, path: str, field: Field, sentence: str) -> None:
        """Add a warning about a field."""
        if len(self.warnings) < _WARNED_MAX:
            self.warnings.append(f"{path}：{field.name_zh}{sentence}")

    def refusal(self) -> Refusal | None:
        """Return all faults as one refusal, None when there is none."""
        return Refusal(tuple(self.faults)) if self.faults else None


def told(refusal: Refusal) -> str:
    """Return the refusal's sentence, cut to the first twenty faults with the count of all."""
    count = len(refusal.faults)
    if count <= _TOLD_MAX:
        return refusal.sentence()
    first = Refusal(refusal.faults[:_TOLD_MAX]).sentence()
    return f"{first}；……共{count}处{'以上' if count == KEPT_MAX else ''}错误，以上为前{_TOLD_MAX}处"
