"""Claims by hand as facts: the claim, its bills, their lines, and what is owed back. Amounts in fen."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

ENTERED, CALCULATED, SETTLED, RELEASED, REVERSED = "entered", "calculated", "settled", "released", "reversed"
STATES = {
    ENTERED: "已录入", CALCULATED: "已计算待审", SETTLED: "已核定支付", RELEASED: "未予支付", REVERSED: "已撤销追回",
}
"""States of a claim and what people call them; review and payment stand with its application."""
LIVE = (ENTERED, CALCULATED, SETTLED)
"""States in which the bills of a claim are kept from every other way of being paid."""
VISIT, STAY, SALE = "visit", "stay", "sale"
CARE = {VISIT: "门诊", STAY: "住院", SALE: "购药"}
_OUTSIDE = "name:"


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """One row of ``claims.claim``; the fields stand in the order of the table.

    Attributes:
        application_id: the service application that carries papers, review, limit and payment.
        cause: why by hand; ``plan`` and ``rule`` name the window behind it.
        claim_by: last day to claim by law, later where a window moved it; None where the law sets none.
        fund_fen: what is paid to the person; cash_fen: what stays with the person.
        detail: the calculated detail, JSON; digest: SM3 of it, what the reviewer saw.
        appeal_of: the claim whose decision this one asks to be looked at again.
    """

    psn_no: str
    claim_id: str
    admdvs: str
    division: str
    kind: str
    application_id: str
    insutype: str
    cause: str
    plan: str
    rule: str
    payee_name: str
    bank_name: str
    bank_account: str
    claim_by: date | None
    state: str
    total_fen: int
    fund_fen: int = 0
    cash_fen: int = 0
    detail: str = "null"
    digest: bytes = b""
    warnings: list[str] = []
    appeal_of: str = ""
    entered_by: str
    entered_at: datetime
    calculated_by: str = ""
    calculated_at: datetime | None = None
    reviewed_by: str = ""
    settled_by: str = ""
    settled_at: datetime | None = None
    payout_id: str = ""
    ended_by: str = ""
    ended_at: datetime | None = None
    reason: str = ""


class Bill(msgspec.Struct, frozen=True, kw_only=True):
    """One row of ``claims.bill``: one receipt; the fields stand in the order of the table.

    Attributes:
        party: who issued the receipt: an institution's code, or a name where it is outside the platform.
        mdtrt_id: the institution's own encounter here, ``""`` where there is none.
        remote, remote_place, filing_ref: how the law sees care elsewhere, and by what it was filed.
        rate: what the rule of a window promises: ``networked`` or ``plain``, ``""`` where no window says anything.
        kept_id: encounter under which the settlement keeps lines and stay, ``""`` before.
        is_live: the bill is kept from every other way of being paid.
    """

    psn_no: str
    claim_id: str
    ordinal: int
    admdvs: str
    party: str
    fixmedins_code: str
    institution_name: str
    level: str
    kind: str
    care_admdvs: str
    traits: list[str]
    bill_no: str
    visit_no: str
    mdtrt_id: str
    care: str
    med_type: str
    begin_at: datetime
    end_at: datetime
    total_fen: int
    disease_code: str
    disease_name: str
    remote: str
    remote_place: str
    filing_ref: str
    rate: str
    maternity: str
    pregnancy_months: int
    foetuses: int
    is_accident: bool
    kept_id: str = ""
    setl_id: str = ""
    fund_fen: int = 0
    is_live: bool = True


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One row of ``claims.line``; price in millionths of a yuan, quantity in ten-thousandths.

    ``item_code`` ``""`` is what the catalogue does not hold: it stays with the person. ``approval`` as a hospital's.
    """

    psn_no: str
    claim_id: str
    ordinal: int
    line_no: int
    admdvs: str
    occurred_on: date
    item_code: str
    item_name: str
    list_type: str
    price_micro: int
    quantity_e4: int
    amount_fen: int
    approval: str


class Recovery(msgspec.Struct, frozen=True, kw_only=True):
    """What a person was paid by a claim that was undone, and how much of it came back."""

    psn_no: str
    claim_id: str
    admdvs: str
    owed_fen: int
    received_fen: int
    opened_at: datetime
    closed_at: datetime | None


def party_of(fixmedins_code: str, institution_name: str) -> str:
    """Return who issued a receipt, as bills are told apart: the code, or the name without spaces where it is outside."""
    return fixmedins_code or _OUTSIDE + "".join(institution_name.split())
