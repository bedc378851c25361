"""Writes down how a reckoning came about, when somebody wants to know."""

from __future__ import annotations

from yibao.policy.decision import Step, Used


class Journal:
    """Collects steps; one that was not asked for stays empty."""

    __slots__ = ("_steps",)

    def __init__(self, wanted: bool) -> None:
        self._steps: list[Step] | None = [] if wanted else None

    def add(
        self, code: str, title: str, *, base: int, amount: int, formula: str, used: tuple[Used, ...] = ()
    ) -> None:
        """Add one step; ``base`` and ``amount`` in fen, or whole numbers for the codes of ``COUNT_STEPS``."""
        if self._steps is not None:
            self._steps.append(Step(code, title, base, amount, formula, used))

    def steps(self) -> tuple[Step, ...]:
        """Return the steps in their order."""
        return tuple(self._steps or ())
