"""Episodes of care that a window holds up, as they are stored; fields stand in the order of their tables. Fen."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

OUTPATIENT, STAY, SALE = "outpatient", "stay", "sale"
KINDS: Mapping[str, str] = {OUTPATIENT: "门诊", STAY: "住院", SALE: "购药"}
"""What an episode is; the number that the institution gives it is the visit's, the stay's, or the sale's invoice."""

HELD, ENTERED, SETTLED, CLAIMED = "held", "entered", "settled", "claimed"
RETURNED, LAPSED, WITHDRAWN = "returned", "lapsed", "withdrawn"
STATES: Mapping[str, str] = {
    HELD: "已登记，待补录", ENTERED: "已补录，待结算", SETTLED: "已结算", CLAIMED: "已转手工报销", RETURNED: "已退还",
    LAPSED: "已过补录期限，可手工报销", WITHDRAWN: "已撤销",
}
"""States and what people call them; in the first two and in ``lapsed`` something is still to be done."""
OPEN = frozenset({HELD, ENTERED})
ENDED = frozenset({SETTLED, CLAIMED, RETURNED, WITHDRAWN})

DEPOSIT, PAYMENT = "deposit", "payment"
CASH: Mapping[str, str] = {
    DEPOSIT: "押金", PAYMENT: "垫付", "topup": "补交", "undo_refund": "撤销退款", "refund": "退款", "return": "退还押金",
    "undo_topup": "撤销补交",
}
"""Kinds of cash; the last three go out of the institution and are negative."""


class Episode(msgspec.Struct, frozen=True, kw_only=True):
    """One case of somebody at an institution, from its note to its settlement or claim.

    Attributes:
        fixmedins_code: an institution outside has the code of its papers, and its name beside.
        visit_no: ``ipt_otp_no`` of the visit or stay, ``invono`` of a sale.
        end_at: None while the stay goes on.
        position: ``P1`` to ``P9``; ``""`` where another cause than the window holds the case up.
        disposition: what the plan's ``rule_id`` says of its money.
        earlier_mdtrt_id: an admission that was undone for the window and that this one replaces.
        total_fen: the bill, 0 while nobody knows it. paid_fen: cash the patient gave, deposits among it.
        due_fen: cash by the settlement; ``paid + topup = due + back`` once settled, one of the two 0.
        settle_by: last day for its backfill, after it the bill is claimed by hand; None: no last day.
        self_pay_from, self_pay_to: carried as a self-paying patient, half-open; not settled meanwhile.
        credential: what the institution kept to enter the case without the patient; digests, no numbers.
        noted_at: when the institution wrote it down; received_at: when it reached us.
        reorder: settlements made before it serve later days and have to be settled again.
    """

    psn_no: str
    episode_id: str
    admdvs: str
    care_admdvs: str
    fixmedins_code: str
    institution_name: str = ""
    kind: str
    visit_no: str
    insutype: str
    visit_class: str
    business: str
    begin_at: datetime
    end_at: datetime | None = None
    is_urgent: bool = False
    position: str
    disposition: str
    rule_id: str
    cause: str = ""
    plan: str
    plan_version: int
    register_no: str = ""
    state: str = HELD
    mdtrt_id: str = ""
    setl_id: str = ""
    earlier_mdtrt_id: str = ""
    total_fen: int = 0
    deposit_fen: int = 0
    paid_fen: int = 0
    due_fen: int = 0
    back_fen: int = 0
    topup_fen: int = 0
    settle_by: date | None = None
    self_pay_from: datetime | None = None
    self_pay_to: datetime | None = None
    credential: str = "{}"
    claim_id: str = ""
    noted_at: datetime
    noted_by: str
    received_at: datetime
    channel: str
    reorder: bool = False
    says: str = ""

    @property
    def is_self_paying(self) -> bool:
        """Say whether the patient is carried as a self-paying one now."""
        return self.self_pay_from is not None and self.self_pay_to is None


class Cash(msgspec.Struct, frozen=True):
    """Money that went over the institution's counter: into it positive, out of it negative."""

    psn_no: str
    episode_id: str
    ordinal: int
    admdvs: str
    fixmedins_code: str
    kind: str
    amount_fen: int
    receipt_no: str
    setl_id: str
    at: datetime
    actor: str


class Step(msgspec.Struct, frozen=True):
    """Something that happened to an episode; ``state`` is the one after it."""

    psn_no: str
    episode_id: str
    ordinal: int
    admdvs: str
    what: str
    state: str
    at: datetime
    actor: str
    channel: str
    says: str


class RemoteFiling(msgspec.Struct, frozen=True, kw_only=True):
    """Care away from home that was filed after the stop, back to the day of admission; the period is half-open.

    ``kind`` is the law's word: ``temporary``, ``referred``, ``registered``, ``own_choice``, ``emergency``.
    """

    psn_no: str
    filing_id: str
    admdvs: str
    insutype: str
    kind: str
    care_admdvs: str
    fixmedins_code: str
    institution_name: str
    valid_from: date
    valid_to: date | None
    plan: str
    rule_id: str
    register_no: str
    episode_id: str
    filed_at: datetime
    filed_by: str


REMOTE_KINDS: Mapping[str, str] = {
    "registered": "长期异地", "referred": "转诊", "temporary": "临时外出", "own_choice": "自行外出", "emergency": "异地急诊",
}
"""Why somebody is treated away from home, in the law's words."""
