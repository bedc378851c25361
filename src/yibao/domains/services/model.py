"""Service items and applications as facts. Periods half-open; limits in working days."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

DRAFT, SUBMITTED, REGISTERED, RETURNED = "draft", "submitted", "registered", "returned_for_material"
ACCEPTED, NOT_ACCEPTED, REVIEWING, SUSPENDED = "accepted", "not_accepted", "reviewing", "suspended"
APPROVED, REJECTED, PAYING, PAID = "approved", "rejected", "paying", "paid"
PAY_FAILED, CLOSED, RATED, WITHDRAWN = "pay_failed", "closed", "rated", "withdrawn"

STATES = {
    DRAFT: "草稿", SUBMITTED: "已提交", REGISTERED: "已登记造册", RETURNED: "已退回补正材料", ACCEPTED: "已受理",
    NOT_ACCEPTED: "不予受理", REVIEWING: "审核中", SUSPENDED: "已中止", APPROVED: "已通过", REJECTED: "未通过",
    PAYING: "支付中", PAID: "已支付", PAY_FAILED: "支付失败", CLOSED: "已办结", RATED: "已评价", WITHDRAWN: "已撤回",
}
"""States of an application and what every channel calls them."""

REQUIRED, SUBSTITUTE = "required", "substitute"
MISSING, GIVEN, UNDERTAKEN, NOT_NEEDED = "missing", "given", "undertaken", "not_needed"
NONE, TWO = "none", "two"
"""How many people decide about an item: the clerk at once, or one who reviews and another who approves."""


class Item(msgspec.Struct, frozen=True):
    """A service item; ``effect`` is the deed that approval runs, ``""`` where the item is not offered here.

    Attributes:
        review: ``none`` or ``two``.
        instead: where to go for an item that is not offered.
    """

    code: str
    title: str
    applicants: tuple[str, ...]
    channels: tuple[str, ...]
    review: str
    effect: str
    instead: str


class Limit(msgspec.Struct, frozen=True):
    """How many working days an item may take from acceptance, from a day on; ``region`` ``""`` is everywhere."""

    code: str
    region: str
    valid_from: date
    working_days: int
    source: str
    mark: str


class Paper(msgspec.Struct, frozen=True):
    """A paper that an item asks for; see the README of the data for ``rule``."""

    item_code: str
    ordinal: int
    material: str
    title: str
    rule: str
    mark: str

    def is_asked(self, traits: frozenset[str]) -> bool:
        """Say whether an application with these traits needs the paper."""
        return not self.rule.startswith("when:") or self.rule.removeprefix("when:") in traits


class Given(msgspec.Struct, frozen=True):
    """A paper of an application: what was given for it, ``digest`` SM3 of its content, ``b""`` where there is no file."""

    material: str
    title: str
    state: str
    file_name: str = ""
    content: bytes = b""
    digest: bytes = b""


class Pause(msgspec.Struct, frozen=True):
    """Days in which the clock of an application stands, from ``begin`` to before ``end`` (None: still)."""

    begin: date
    end: date | None


class Application(msgspec.Struct, frozen=True):
    """What somebody asked for; fields stand in the order of table ``services.application``.

    Attributes:
        division: county or town of the office that took it, ``""`` the region's own.
        traits: what the applicant said that asks for further papers, e.g. ``key_field``.
        body: the content of the deed that is asked for, JSON.
        notice: the papers that the one-time notice named.
        due_on: last day; None before acceptance and while suspended.
    """

    application_id: str
    admdvs: str
    division: str
    item_code: str
    applicant_kind: str
    applicant_no: str
    applicant_name: str
    phone: str
    channel: str
    state: str
    traits: list[str]
    body: str
    notice: list[str]
    submitted_at: datetime
    submitted_by: str
    accepted_at: datetime | None = None
    accepted_by: str | None = None
    limit_days: int | None = None
    limit_source: str = ""
    due_on: date | None = None
    reviewed_by: str | None = None
    decided_by: str | None = None
    reason: str = ""
    register_no: str = ""
    window_id: str = ""
    result: str = "null"
    payout_id: str = ""
    closed_at: datetime | None = None
    rating: int | None = None
    rating_says: str = ""


class Step(msgspec.Struct, frozen=True):
    """Something that happened to an application; ``working_day`` counts from acceptance, 0 before."""

    what: str
    state: str
    at: datetime
    actor: str
    channel: str
    division: str
    working_day: int
    says: str
