"""What a published plan promises about time, whose dues are on their way, and what moved because of it."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.kernel.deadline import Extension, Window

EXTENSION, WAIVER, ADVANCE, TRANSIT = "extension", "waiver", "advance", "transit"
"""Kinds of terms: a last day moves; unpaid months cost nothing; something is allowed earlier; dues may be on their way."""
CREDITING, PAYING = "account_crediting", "benefit_payment"
"""What a plan may have done before its stop."""

CLOCKS = {
    "application": "服务事项办理时限", "transfer": "转移接续办理时限", "claim": "手工报销申报时限", "backfill": "补录结算时限",
    "maternity": "生育申领时限", "season": "居民集中缴费期", "newborn": "新生儿参保期限", "due": "缴费截止日",
    "gap": "允许中断的月数", "injury": "意外伤害审批时限", "certificate": "证明有效期",
}
"""Every clock that can move, and what people call it."""

IN_TRANSIT, ARRIVED, LAPSED, REFUTED = "in_transit", "arrived", "lapsed", "refuted"
TRANSIT_STATES = {IN_TRANSIT: "缴费在途", ARRIVED: "已到账", LAPSED: "逾期未到账", REFUTED: "经核实未缴费"}
SOURCES = {"tax": "税务部门告知", "receipt": "本人凭完税证明", "plan": "按停机公告推定"}
"""Who says that dues are on their way."""


class Term(msgspec.Struct, frozen=True, kw_only=True):
    """One promise of a rule of a published plan; the fields stand in the order of table ``deadlines.term``.

    Attributes:
        kind: ``extension``, ``waiver``, ``advance`` or ``transit``.
        what: the clock of an extension, the insurance of a waiver or of dues in transit (``""`` all), what is allowed earlier.
        way, begin_on, end_on: of an extension: the way it moves, and the days lost (``end_on`` None: not known yet).
        until_on: fixed day of an extension; day to pay by of a waiver; last day on which dues are taken to be in transit.
        months: of an extension by months. year: benefit year of a season.
        first_month, until_month: months that a waiver, an advance or a transit is about, half-open.
        from_at, until_at: instants between which something is allowed earlier.
        is_wide: benefits go on meanwhile (waiver); everybody unpaid is taken to be in transit (transit).
        ended_at: when another version took its place; None: it holds.
    """

    admdvs: str
    plan: str
    version: int
    rule: str
    kind: str
    what: str
    business: list[str]
    way: str = ""
    begin_on: date | None = None
    end_on: date | None = None
    until_on: date | None = None
    months: int = 0
    year: int = 0
    first_month: date | None = None
    until_month: date | None = None
    from_at: datetime | None = None
    until_at: datetime | None = None
    is_wide: bool = False
    condition: str = ""
    says: str = ""
    noted_at: datetime
    ended_at: datetime | None = None

    @property
    def extension(self) -> Extension:
        """Return the way a last day moves."""
        return Extension(way=self.way, until=self.until_on, months=self.months, rule=self.rule)

    @property
    def window(self) -> Window:
        """Return the days lost."""
        assert self.begin_on is not None
        return Window(self.begin_on, self.end_on)


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a last day: from ``was_on`` to ``due_on`` (``OPEN``: until further notice), by which rule, and why."""

    clock: str
    plan: str
    version: int
    rule: str
    was_on: date
    due_on: date
    says: str


class Transit(msgspec.Struct, frozen=True, kw_only=True):
    """Dues of a person and month that were paid (or are taken to be) and have not been told; table ``deadlines.transit``.

    Attributes:
        source: one of ``SOURCES``. reference: number of the receipt or of the list.
        paid_on: the day of payment as told, None where it is only presumed.
        until_on: last day on which it is believed; afterwards the month is unpaid.
    """

    psn_no: str
    insutype: str
    month: date
    admdvs: str
    due_id: str
    source: str
    reference: str
    paid_on: date | None
    plan: str
    rule: str
    until_on: date
    noted_at: datetime
    noted_by: str
    state: str = IN_TRANSIT
    ended_at: datetime | None = None
