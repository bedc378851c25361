"""What is asked about claims by hand. Amounts in fen, price in millionths of a yuan, quantity in ten-thousandths."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.usecases.services.commands import PaperGiven


class LineGiven(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a receipt's list as somebody reads it off.

    Attributes:
        item_code: national code; ``""`` for what the catalogue does not hold, which stays with the person.
        list_type: kind of list for a line without a code, ``""`` for drugs.
        approval: ``1`` where the papers show that the use of a restricted item was approved, ``2`` where not.
    """

    item_name: str
    amount_fen: int
    price_micro: int
    quantity_e4: int
    item_code: str = ""
    list_type: str = ""
    occurred_on: date | None = None
    approval: str = "0"


class BillGiven(msgspec.Struct, frozen=True, kw_only=True):
    """One receipt. Of an institution of the platform the code is enough; of another one the papers say the rest.

    Attributes:
        bill_no: number of the receipt.
        visit_no: outpatient or inpatient number of the institution; needed of an institution of the platform, but not of
            a pharmacy's sale.
        care: ``visit``, ``stay`` or ``sale``.
        begin_at, end_at: of a stay admission and discharge; of a visit or sale its time, ``end_at`` may be left out.
        care_admdvs: six digits of where the institution stands.
        level: ``1``, ``2`` or ``3``; traits: as the law knows institutions (``non_contracted``).
        remote: how care elsewhere is seen: ``registered``, ``referred``, ``temporary``, ``own_choice``, ``emergency``,
            ``unregistered``; ``""`` at home. filing_ref: number of the filing, where one of the first four is named.
        maternity, pregnancy_months, foetuses: as the law words them.
        is_accident: an injury for which nobody else is liable, as the signed statement among the papers says.
    """

    bill_no: str
    care: str
    med_type: str
    begin_at: datetime
    total_fen: int
    end_at: datetime | None = None
    fixmedins_code: str = ""
    institution_name: str = ""
    care_admdvs: str = ""
    level: str = ""
    traits: list[str] = []
    visit_no: str = ""
    disease_code: str = ""
    disease_name: str = ""
    remote: str = ""
    filing_ref: str = ""
    maternity: str = ""
    pregnancy_months: int = 0
    foetuses: int = 1
    is_accident: bool = False
    lines: list[LineGiven] = []


class OpenClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A claim as somebody hands it in; lines may be entered later.

    Attributes:
        kind: row of ``data/claims/kinds.csv``. cause: why by hand (``data/claims/words.toml``).
        materials: papers; what is missing is asked for once, as of every application.
    """

    psn_no: str
    kind: str
    insutype: str
    cause: str
    payee_name: str
    bank_name: str
    bank_account: str
    bills: list[BillGiven]
    channel: str = "window"
    phone: str = ""
    division: str = ""
    materials: list[PaperGiven] = []


class EnterLines(msgspec.Struct, frozen=True, kw_only=True):
    """The lines of one receipt, in place of those entered before."""

    claim_id: str
    ordinal: int
    lines: list[LineGiven]


class OnClaim(msgspec.Struct, frozen=True, kw_only=True):
    """A deed on a claim."""

    claim_id: str


class SettleClaim(msgspec.Struct, frozen=True, kw_only=True):
    """What the application of a claim asks for: that the claim be paid."""

    claim_id: str


class ReverseClaim(msgspec.Struct, frozen=True, kw_only=True):
    """Undo a claim that was paid wrongly."""

    claim_id: str
    reason: str


class TakeRepayment(msgspec.Struct, frozen=True, kw_only=True):
    """Money that somebody paid back, as the bank told it."""

    claim_id: str
    bank_ref: str
    amount_fen: int
