"""What a use case of episodes is asked for; ``msgspec.convert`` makes one from a request's body. Amounts in fen."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.registers.model import Paper


class CashGiven(msgspec.Struct, frozen=True, kw_only=True):
    """Cash that a patient gives: ``deposit`` or ``payment``, with the number of its receipt."""

    kind: str
    amount_fen: int
    receipt_no: str = ""


class NoteEpisode(msgspec.Struct, frozen=True, kw_only=True):
    """A case as an institution notes it while it cannot settle, on line or off.

    Attributes:
        fixmedins_code: ``""`` is the institution that asks; a clerk names it. One outside has its name beside.
        care_admdvs: division of an institution outside; ``""`` otherwise.
        kind: ``outpatient``, ``stay`` or ``sale``; visit_no: the institution's own number, of a sale its invoice.
        visit_class: ``outpatient chronic inpatient maternity drug``; ``""``: the plain one of the kind.
        negotiated: a sale of drugs whose price was negotiated.
        end_at: None while the stay goes on; can_end: it could have ended before the stop.
        is_filed: away from home, with a filing for it.
        cause: ``""`` is the window; others (``contribution_in_transit``) are the plan's words.
        cert_type, cert_no: credential that was shown; kept as a digest where the plan lets the institution keep it.
        account_fen: what was to be drawn from the own account; never drawn blind.
        noted_at: when it was written down, None: now. off_line: it was noted without a connection and is sent in later.
    """

    psn_no: str
    kind: str
    visit_no: str
    insutype: str
    begin_at: datetime
    fixmedins_code: str = ""
    institution_name: str = ""
    care_admdvs: str = ""
    visit_class: str = ""
    negotiated: bool = False
    end_at: datetime | None = None
    can_end: bool = False
    is_urgent: bool = False
    is_filed: bool = False
    cause: str = ""
    total_fen: int = 0
    cash: list[CashGiven] = []
    cert_type: str = ""
    cert_no: str = ""
    account_fen: int = 0
    phone: str = ""
    noted_at: datetime | None = None
    off_line: bool = False
    papers: list[Paper] = []
    says: str = ""


class OnEpisode(msgspec.Struct, frozen=True, kw_only=True):
    """A deed on an episode; ``says`` is the reason where one is asked for."""

    psn_no: str
    episode_id: str
    says: str = ""


class TakeCash(msgspec.Struct, frozen=True, kw_only=True):
    """Cash that comes after the case was noted."""

    psn_no: str
    episode_id: str
    cash: CashGiven


class ChangeEpisode(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a case later: that it ended, what it costs; None leaves what is known."""

    psn_no: str
    episode_id: str
    end_at: datetime | None = None
    total_fen: int | None = None


class UndoAdmission(msgspec.Struct, frozen=True, kw_only=True):
    """Undo an insured admission for the window; it is admitted again after it with its original dates."""

    psn_no: str
    mdtrt_id: str
    phone: str = ""


class FileLate(msgspec.Struct, frozen=True, kw_only=True):
    """A filing for care away from home that the stop held up, back to the day of admission.

    Attributes:
        kind: ``temporary``, ``referred``, ``registered``, ``own_choice`` or ``emergency``: the law's words.
        admitted_on: day of admission; discharged_on: None while the stay goes on.
        episode_id: the case as it was noted in the window, ``""`` where nobody noted it.
    """

    psn_no: str
    insutype: str
    care_admdvs: str
    fixmedins_code: str
    institution_name: str
    kind: str
    admitted_on: date
    discharged_on: date | None = None
    episode_id: str = ""
    applicant_name: str = ""
    phone: str = ""
    papers: list[Paper] = []
