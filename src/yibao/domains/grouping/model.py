"""What is kept of payment by group: results, applications to leave it, closed years. Money in fen."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """The group of a settled stay and what it is worth; the fields are the columns of ``grouping.result``."""

    psn_no: str
    setl_id: str
    admdvs: str
    fixmedins_code: str
    method: str
    state: str
    mdc: str
    adrg: str
    code: str
    name: str
    complication: str
    dx_codes: list[str]
    op_codes: list[str]
    why: list[str]
    los_days: int
    cost_fen: int
    kind: str
    weight_e4: int
    points_e4: int
    standard_fen: int
    due_fen: int
    reason: str
    scheme: str
    grouped_at: datetime


class SettledStay(msgspec.Struct, frozen=True, kw_only=True):
    """A settlement in force that may be paid by group; the last one of a stay settled in parts, for the whole stay.

    Attributes:
        medfee_fen: cost of the whole stay.
        level, institution_kind: of the institution; funds: fund_pay_type -> fen.
        is_exit: whether an application to leave payment by group was approved.
    """

    psn_no: str
    setl_id: str
    admdvs: str
    fixmedins_code: str
    institution_kind: str
    level: str
    insutype: str
    med_type: str
    settled_at: datetime
    medfee_fen: int
    funds: dict[str, int]
    is_exit: bool


class Application(msgspec.Struct, frozen=True, kw_only=True):
    """An institution's request that a stay leave payment by group (3602)."""

    psn_no: str
    application_id: str
    admdvs: str
    fixmedins_code: str
    setl_id: str
    exit_type: str
    reason: str
    detail: dict[str, Any]
    items: list[dict[str, Any]]
    state: str
    filed_at: datetime
    changed_at: datetime
    opter: str
    opter_name: str
    decided_at: datetime | None
    decided_by: str
    opinion: str


class YearClose(msgspec.Struct, frozen=True, kw_only=True):
    """One pool's year: ``computed``, then ``approved`` by somebody else, or ``dropped``."""

    close_id: str
    admdvs: str
    year: int
    pool: str
    fund_type: str
    method: str
    budget_fen: int
    points_e4: int
    value_num: int
    value_den: int
    is_cut: bool
    state: str
    terms_digest: bytes
    computed_at: datetime
    computed_by: str
    approved_at: datetime | None = None
    approved_by: str | None = None


class YearLine(msgspec.Struct, frozen=True, kw_only=True):
    """One institution's part of a closed year; ``adjust_fen`` below 0 is to be given back."""

    close_id: str
    fixmedins_code: str
    admdvs: str
    cases: int
    points_e4: int
    due_fen: int
    paid_fen: int
    shared_fen: int
    final_fen: int
    adjust_fen: int
    reason: str
    claim_id: str = ""
