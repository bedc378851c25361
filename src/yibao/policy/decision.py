"""What the law answers: amounts, counters, and the steps that led there."""

from __future__ import annotations

from typing import Any

import msgspec


class Used(msgspec.Struct, frozen=True, gc=False):
    """A dated value that a step used: which rule, which row, since when, and who says so.

    Attributes:
        rule: official or project id of the rule (``ZB-201``).
        name: Chinese name of the parameter.
        value: the value as text with its unit (``500.00 元``, ``75%``).
        condition: the row's condition in Chinese, e.g. ``二级医疗机构，在职``.
        valid_from: ISO date.
        clause: the clause or passage it stands in.
        source: where it was published.
        mark: ``official``, ``public_page`` or ``assumed``; the last two are shown as weak.
        reliability: ``H``, ``M``, ``L`` or ``""``.
    """

    rule: str
    name: str
    value: str
    condition: str
    valid_from: str
    clause: str
    source: str
    mark: str
    reliability: str = ""


class Step(msgspec.Struct, frozen=True, gc=False):
    """One step of the pipeline.

    Attributes:
        code: name of the step (``deductible``, ``pool``, ``pool_cap``, ``account``, ``cash`` ...).
        title: its Chinese name.
        base: what it worked on, fen.
        amount: what it yielded, fen.
        formula: the name of the sentence that says how (``deductible``, ``pool`` ...), which is only written
            out when somebody reads it, or a finished text, e.g. ``(1000.00 − 500.00) × 75% = 375.00``.
        used: the dated values it used.
        counter: code of the yearly counter it touched, ``""`` if none.
        counter_before: that counter before the step, fen.
        counter_after: and after it, fen.
        operands: what the sentence needs beside the step's own amounts.
    """

    code: str
    title: str
    base: int
    amount: int
    formula: str
    used: tuple[Used, ...] = ()
    counter: str = ""
    counter_before: int = 0
    counter_after: int = 0
    operands: tuple[Any, ...] = ()


class FundShare(msgspec.Struct, frozen=True, gc=False):
    """What one payer bears. ``field`` is its head field on the wire (``hifp_pay``), ``""`` if it has none.

    ``fund_pay_type`` is ``""`` for what another settlement of the same cost has already paid.
    """

    fund_pay_type: str
    field: str
    amount: int


class CounterChange(msgspec.Struct, frozen=True, gc=False):
    """How much of a yearly counter the case uses up; ``cap`` is the ceiling in force, None if there is none."""

    code: str
    delta: int
    cap: int | None


class Decision(msgspec.Struct, frozen=True, gc=False):
    """The result of a case. All amounts in fen; identities I1 hold by construction and are checked.

    ``pool_ratio`` is the applied ratio in ten-thousandths, the effective one where bands apply.
    ``account_pay`` holds ``shared_pay``, what the accounts of sharing relatives bear of it.
    ``funds`` lists the funds with a non-zero share (not the account, not the hospital).
    ``exhausted`` are counters under whose ceiling nothing was left: the case adds nothing to them, and yet rests on
    whoever used them up.
    """

    benefit: str
    year: int
    policy_version: str
    amount: int
    own: int
    over: int
    first_pay: int
    in_scope: int
    deductible: int
    pool_ratio: int
    funds: tuple[FundShare, ...]
    fund_total: int
    person_part: int
    hospital_part: int
    account_pay: int
    shared_pay: int
    cash: int
    counters: tuple[CounterChange, ...]
    clr_type: str
    steps: tuple[Step, ...] = ()
    exhausted: tuple[CounterChange, ...] = ()

    def fund(self, field: str) -> int:
        """Return the sum of the funds that report in a head field of the wire, e.g. ``hifp_pay``."""
        return sum(f.amount for f in self.funds if f.field == field)
