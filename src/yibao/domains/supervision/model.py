"""Analyses, hits, documents and suspicions as they are stored; fields stand in the order of their tables."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

BEFORE, DURING, AFTER = "before", "during", "after"
STAGE_WORDS = {BEFORE: "事前", DURING: "事中", AFTER: "事后"}

FOUND, APPEALED, ACCEPTED = "found", "appealed", "accepted"
UPHELD, DROPPED, COLLEGIAL, CLOSED, VOID = "upheld", "dropped", "collegial", "closed", "void"
STATE_WORDS = {
    FOUND: "待申诉", APPEALED: "已申诉", ACCEPTED: "不申诉", UPHELD: "已确认扣款", DROPPED: "不予扣款",
    COLLEGIAL: "申请合议", CLOSED: "办结", VOID: "结算已撤销",
}

INSTITUTION, AGENCY = "institution", "agency"


class Analysis(msgspec.Struct, frozen=True):
    """One bill held against the rules once."""

    psn_no: str
    analysis_id: str
    admdvs: str
    fixmedins_code: str
    stage: str
    mdtrt_id: str
    setl_id: str | None
    rules_version: str
    charges: int
    at: datetime
    opter: str


class LineNote(msgspec.Struct, frozen=True):
    """A charge that a hit is about, as kept with it. Money in fen, quantity in ten-thousandths.

    Attributes:
        role: ``broken`` breaks the rule, ``involved`` makes it break.
        amount_fen: what is charged against the rule; of an involved charge its whole amount.
    """

    role: str
    mdtrt_id: str
    charge_id: str
    item_code: str
    item_name: str
    quantity_e4: int
    amount_fen: int | None


class StoredHit(msgspec.Struct, frozen=True):
    """A warning before or during care."""

    psn_no: str
    hit_id: str
    admdvs: str
    analysis_id: str
    fixmedins_code: str
    stage: str
    mdtrt_id: str
    rule_id: str
    severity: str
    amount_fen: int | None
    reason: str
    basis: str
    lines: str
    found_at: datetime
    state: str = "open"
    answer: str = ""
    answered_at: datetime | None = None
    answered_by: str = ""


class Document(msgspec.Struct, frozen=True):
    """What a settlement is suspected of, sent to its institution; ``appeal_until`` is the last day."""

    psn_no: str
    document_id: str
    admdvs: str
    care_admdvs: str
    fixmedins_code: str
    setl_id: str
    mdtrt_id: str
    analysis_id: str
    found_at: datetime
    appeal_until: date


class Suspicion(msgspec.Struct, frozen=True):
    """One rule that a settlement broke. Money in fen.

    Attributes:
        amount_fen: charged against the rule; fund_fen: what the funds bore of it, the most that can be deducted.
        override: why the doctor went on when warned before or during care, ``""`` if nobody was.
        proposed_by: who proposed a decision that waits for a second person.
        deducted_fen: deducted as it stands.
    """

    psn_no: str
    suspicion_id: str
    admdvs: str
    document_id: str
    fixmedins_code: str
    setl_id: str
    mdtrt_id: str
    rule_id: str
    severity: str
    reason: str
    basis: str
    override: str
    amount_fen: int
    fund_fen: int
    lines: str
    state: str
    appeal_fen: int | None = None
    collegial_until: date | None = None
    proposed_by: str | None = None
    proposed_at: datetime | None = None
    proposed_fen: int | None = None
    proposed_why: str | None = None
    deducted_fen: int = 0


class Step(msgspec.Struct, frozen=True):
    """Something that happened to a suspicion."""

    what: str
    at: datetime
    actor: str
    side: str
    amount_fen: int = 0
    says: str = ""
    attachment_id: str | None = None


class Deduction(msgspec.Struct, frozen=True):
    """What clearing takes from an institution (+), or gives back (-), in fen."""

    psn_no: str
    deduction_id: str
    admdvs: str
    care_admdvs: str
    fixmedins_code: str
    setl_id: str
    mdtrt_id: str
    insutype: str
    clr_type: str
    clr_optins: str
    kind: str
    amount_fen: int
    origin_id: str | None
    suspicion_id: str
    rule_id: str
    reason: str
    decided_at: datetime
    proposed_by: str
    confirmed_by: str
