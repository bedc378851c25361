"""A settlement as it is stored. Amounts in fen; a refund carries the same amounts negated."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

import msgspec

HEAD_AMOUNTS = (
    "medfee_fen", "own_fen", "over_fen", "first_fen", "scope_fen", "deductible_fen", "hifp_fen", "cvlserv_fen",
    "hifes_fen", "hifmi_fen", "hifob_fen", "maf_fen", "oth_fen", "fund_fen", "person_fen", "account_fen",
    "shared_fen", "cash_fen", "hospital_fen",
)
"""The money of the head that a refund negates."""


class Settlement(msgspec.Struct, frozen=True):
    """One row of ``settlements.settlement``; the fields stand in the order of the table."""

    psn_no: str
    setl_id: str
    admdvs: str
    care_admdvs: str
    mdtrt_id: str
    chrg_bchno: str
    fixmedins_code: str
    insutype: str
    med_type: str
    benefit: str
    year: int
    service_on: date
    settled_at: datetime
    kind: str
    state: str
    origin_id: str | None
    medfee_fen: int
    own_fen: int
    over_fen: int
    first_fen: int
    scope_fen: int
    deductible_fen: int
    hifp_fen: int
    cvlserv_fen: int
    hifes_fen: int
    hifmi_fen: int
    hifob_fen: int
    maf_fen: int
    oth_fen: int
    fund_fen: int
    person_fen: int
    account_fen: int
    shared_fen: int
    cash_fen: int
    hospital_fen: int
    balance_fen: int
    pool_ratio: int
    fund_types: list[str]
    fund_amounts: list[int]
    counter_codes: list[str]
    counter_deltas: list[int]
    facts: bytes
    policy_version: str
    account_use: str
    cert_type: str
    clr_type: str
    clr_way: str
    clr_optins: str
    invono: str
    sender: str
    msgid: str
    opter: str
    opter_name: str


COLUMNS = tuple(f.name for f in msgspec.structs.fields(Settlement))


def from_row(row: Iterable[Any]) -> Settlement:
    """Return the settlement of a database row (a record with the table's columns in order)."""
    return Settlement(*row)
