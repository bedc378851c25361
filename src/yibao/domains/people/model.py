"""Persons as facts: who somebody is now, what changed when, and what is in doubt."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec

RESIDENT_CARD = "01"
"""The identity card among the kinds of documents; its number tells date of birth and sex and has a check digit."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """One person of a region; the fields are columns of ``people.person``.

    Attributes:
        division: county (6 digits) or town (9 digits).
        household_no: residents who pay together share one; ``""`` if none.
        merged_into: the number that answers for this one since a merge.
        recorded_at: when we learnt of the person; None where that was not kept.
    """

    psn_no: str
    admdvs: str
    cert_type: str
    certno: str
    name: str
    sex: str
    birth_on: date
    nation: str = "01"
    died_on: date | None = None
    card_no: str | None = None
    phone: str | None = None
    division: str = ""
    household_no: str = ""
    merged_into: str | None = None
    recorded_at: datetime | None = None


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One change of one field: true from ``effective_on``, known from ``recorded_at``."""

    psn_no: str
    change_id: str
    admdvs: str
    field: str
    old_value: str | None
    new_value: str | None
    effective_on: date
    recorded_at: datetime
    evidence: str
    actor: str
    channel: str
    cause: str


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """Two numbers that are one person; ``moved`` says what went over, so that a split can bring it back."""

    merge_id: str
    admdvs: str
    kept_no: str
    merged_no: str
    reason: str
    evidence: str
    made_by: str
    made_at: datetime
    moved: dict[str, Any]
    undone_by: str | None = None
    undone_at: datetime | None = None
    undone_why: str = ""


class Doubt(msgspec.Struct, frozen=True, kw_only=True):
    """A case to work: who somebody is, is in doubt.

    Attributes:
        kind: a code of ``DOUBTS``.
        psn_no, other_no: the numbers it is about, None where there is none yet.
        certno, name: what was said.
        origin: where it came up.
    """

    doubt_id: str
    admdvs: str
    kind: str
    psn_no: str | None
    other_no: str | None
    cert_type: str
    certno: str
    name: str
    origin: str
    said: dict[str, Any]
    state: str
    opened_at: datetime
    decision: str = ""
    decided_by: str | None = None
    decided_at: datetime | None = None


DOUBTS = {
    "one_number_two_names": "同一证件号码已登记为另一姓名",
    "one_person_two_numbers": "姓名、性别、出生日期相同而证件不同，可能是同一人",
    "listed_name_differs": "救助名单的姓名与登记姓名不一致",
    "paid_twice": "同一人两个编号同一月份都已缴费",
}
"""Kinds of doubts with their words."""
DECISIONS = {
    "same_person": "确认为同一人（合并或更正后登记）",
    "two_persons": "确认为两人，号码另行核实",
    "wrong_statement": "申报有误，不予登记",
    "refunded": "已退还重复缴费",
}
"""How a doubt can be settled."""
