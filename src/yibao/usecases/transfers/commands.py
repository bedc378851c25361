"""What a use case of transfers is asked for, by an applicant, another region or the bank. Amounts in fen."""

from __future__ import annotations

from datetime import date

import msgspec

from yibao.domains.transfers.model import Run


class EnrolmentPaper(msgspec.Struct, frozen=True, kw_only=True):
    """《基本医疗保险参保凭证》 of the old region, as it was handed in."""

    certificate_no: str
    issued_by: str
    issued_on: date
    first_month: date | None = None
    until_month: date | None = None


class ChangeForm(msgspec.Struct, frozen=True, kw_only=True):
    """《基本医疗保险转移类型变更信息表》, as it was handed in."""

    from_insutype: str
    to_insutype: str
    reason: str
    changed_on: date


class TransferIn(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who is enrolled here brings their record from another region.

    Attributes:
        other_name: name of the old region's agency.
        certificate, change_form: the two papers; needed where the old region is not on the network.
    """

    psn_no: str
    other_admdvs: str
    other_name: str
    insutype: str = "310"
    certificate: EnrolmentPaper | None = None
    change_form: ChangeForm | None = None


class TransferOut(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody takes their record to another region; ``reference`` is that region's number where it asked for it."""

    psn_no: str
    other_admdvs: str
    other_name: str
    insutype: str = "310"
    reference: str = ""


class TransferRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What the new region asks the old one."""

    reference: str
    admdvs: str
    from_admdvs: str
    from_name: str
    cert_type: str
    certno: str
    name: str
    insutype: str


class TransferSheet(msgspec.Struct, frozen=True, kw_only=True):
    """《参保人员基本医疗保险信息表》 of the old region; ``admdvs`` receives it, ``from_admdvs`` issued it."""

    reference: str
    admdvs: str
    from_admdvs: str
    name: str
    cert_type: str
    certno: str
    insutype: str
    runs: list[Run]
    account_fen: int
    issued_on: date
    unnamed_months: int = 0
    last_relation_until: date | None = None


class TransferRefused(msgspec.Struct, frozen=True, kw_only=True):
    """The old region's no, with everything that stands in the way."""

    reference: str
    admdvs: str
    from_admdvs: str
    reason: str


class TransferCredit(msgspec.Struct, frozen=True, kw_only=True):
    """What the bank tells of another region's payment; ``payment_ref`` is the bank's own number of it."""

    reference: str
    amount_fen: int
    admdvs: str
    from_admdvs: str
    arrived_on: date
    payment_ref: str = ""


class AssignMoney(msgspec.Struct, frozen=True, kw_only=True):
    """Book a payment that fitted no transfer for the one it was meant for."""

    payment_ref: str
    admdvs: str
    reference: str


class CancelTransfer(msgspec.Struct, frozen=True, kw_only=True):
    """Take back a transfer in that the other region has not answered."""

    transfer_id: str
    reason: str


class ConfirmRetirementPlace(msgspec.Struct, frozen=True, kw_only=True):
    """Which region bears the benefit of somebody who retires; ``basis`` is the paper or rule that it rests on."""

    psn_no: str
    bearing_admdvs: str
    basis: str
    insutype: str = "310"
