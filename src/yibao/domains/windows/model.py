"""A plan of a cut-over window as facts: tracks, rules, registers, stages. Instants have a zone, periods are half-open."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec

from yibao.kernel.refusal import Refusal

NORMAL, LAST_CALL, DRAIN, FROZEN, RESTRICTED = "normal", "last_call", "drain", "frozen", "restricted"
AFTER = "after"
"""Phase of a rule: the track has restarted, what the window left is worked off. A track itself is normal then."""
STAGES = {
    NORMAL: "正常", LAST_CALL: "停机前最后办理", DRAIN: "只收尾不新办", FROZEN: "暂停", RESTRICTED: "逐步恢复",
}
"""Stages of a track and what people call them."""

DISPOSITIONS: Mapping[str, str] = {
    "suspend": "暂停办理", "defer_advice": "建议缓办", "accept_register": "收件造册",
    "accept_effective_on_receipt": "收件之日起生效",
    "pre_accept": "网上预受理", "settle_before": "停机前结清", "interim_settle": "中途结算",
    "cancel_and_reregister": "撤销入院后重新登记", "convert_self_pay": "先转自费", "hold_open": "挂账", "deposit": "交押金",
    "pay_full_backfill": "全额垫付后补录结算", "capture_credential": "留存凭证补录", "manual_reimburse": "手工报销",
    "late_file": "补办备案", "paper_proof": "凭纸质证明", "institution_register": "机构登记造册", "delegate": "委托办理",
    "alternate_channel": "改走其他渠道", "stock_up": "提前备药", "extend_deadline": "时限顺延", "waive_break": "中断不影响待遇",
    "refund_at_once": "随到随退", "advance": "提前支付", "retire": "渠道停用", "continue": "照常办理",
}
"""The closed list of what a rule can say."""
MONEY = frozenset({
    "settle_before", "interim_settle", "cancel_and_reregister", "convert_self_pay", "hold_open", "deposit",
    "pay_full_backfill", "capture_credential", "manual_reimburse",
})
"""Dispositions of a bill's money: exactly one of them holds for an episode."""
POSITIONS: Mapping[str, str] = {
    "P1": "停机前开始，停机前可以结束", "P2": "停机前开始，停机时仍在继续", "P3": "停机前开始，停机期间结束",
    "P4": "停机前开始，恢复后结束", "P5": "停机期间开始并结束", "P6": "停机期间开始，恢复后结束",
    "P7": "异地已备案但未能联网", "P8": "异地未备案且已出院", "P9": "异地未备案、恢复后仍住院",
}
"""Where an episode lies relative to the stop and the restart of its track."""


class Track(msgspec.Struct, frozen=True, kw_only=True):
    """A group of businesses with its own stop and restart.

    Attributes:
        business: codes of data/windows/businesses.csv that stop with it; a business stops with one track only.
        stop, restart: first instant of the stop and first instant of service again; ``restart`` None: to be announced.
        stop_says, restart_says: the times as the notice writes them (``10月18日（星期一）24:00``).
        expected: when the restart is expected where it is to be announced.
        last_call: from when people are asked to finish; None without a last call.
        drain: from when only what is begun may be finished; None without.
        normal: when the stage after the restart ends in which business comes back step by step; None: at the restart.
    """

    code: str
    title: str
    stop: datetime
    restart: datetime | None
    business: tuple[str, ...] = ()
    stop_says: str = ""
    restart_says: str = ""
    expected: datetime | None = None
    last_call: datetime | None = None
    drain: datetime | None = None
    normal: datetime | None = None


class Selector(msgspec.Struct, frozen=True, kw_only=True):
    """Whom and what a rule covers: each field names allowed values, () allows any.

    Attributes:
        business: codes of data/windows/businesses.csv.
        place: ``local``, ``province``, ``cross``: where the person is treated, as seen from where he or she is insured.
        institution: ``hospital``, ``pharmacy``. visit_class: ``outpatient``, ``chronic``, ``inpatient``, ``maternity``, ``drug``.
        cause: ``""`` is the window itself; ``contribution_in_transit`` and others are named by whoever asks.
        county: divisions (6 digits). urgent: None: both. amount_from_fen, amount_to_fen: half-open.
    """

    business: tuple[str, ...] = ()
    transaction: tuple[str, ...] = ()
    channel: tuple[str, ...] = ()
    insutype: tuple[str, ...] = ()
    psn_type: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    institution: tuple[str, ...] = ()
    visit_class: tuple[str, ...] = ()
    position: tuple[str, ...] = ()
    cause: tuple[str, ...] = ()
    county: tuple[str, ...] = ()
    payer: tuple[str, ...] = ()
    urgent: bool | None = None
    amount_from_fen: int | None = None
    amount_to_fen: int | None = None


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """A selector with what holds for it.

    Attributes:
        sentence: the sentences of the notice that it puts into effect.
        phase: stages of the track in which it holds, and ``after``.
        begin, end: instants that bound it; None: as its phases say.
        says: what people are told to do; views for an employer or an institution beside it where they differ.
        terms: what the disposition needs: see docs/window-plans.md.
        mark: ``notice`` where the notice says it, ``assumed`` where it does not.
    """

    id: str
    disposition: str
    when: Selector
    phase: tuple[str, ...]
    says: str
    sentence: tuple[str, ...] = ()
    begin: datetime | None = None
    end: datetime | None = None
    terms: Mapping[str, str | int | bool | tuple[str, ...]] = {}
    says_employer: str = ""
    says_institution: str = ""
    mark: str = "notice"


class Hotline(msgspec.Struct, frozen=True, kw_only=True):
    """A telephone for some businesses and counties, () is all."""

    title: str
    phone: str
    business: tuple[str, ...] = ()
    county: tuple[str, ...] = ()


class Register(msgspec.Struct, frozen=True, kw_only=True):
    """A book that is kept because of the window; ``kind`` is one of data/windows/registers.csv."""

    kind: str
    title: str
    keeper: str
    answer_within: str = ""
    sentence: tuple[str, ...] = ()


class Channel(msgspec.Struct, frozen=True, kw_only=True):
    """A way in as people call it, ours or a linked one; ``successor`` names what replaces a retired one."""

    code: str
    title: str
    track: str
    successor: str = ""
    is_ours: bool = True


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A step of the reopening.

    Attributes:
        institutions: codes or kinds (``hospital``, ``pharmacy``) that it opens for, () all.
        opens: when it opens by itself; None: somebody opens it.
        error_rate: in ten-thousandths over ``minutes``; above it the stage closes again, None: never.
    """

    ordinal: int
    title: str
    business: tuple[str, ...]
    institutions: tuple[str, ...] = ()
    opens: datetime | None = None
    error_rate: int | None = None
    minutes: int = 30
    least: int = 20


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody is about to do, as far as the way in knows it; ``""`` is not known."""

    business: str
    admdvs: str
    channel: str
    transaction: str = ""
    care_admdvs: str = ""
    fixmedins_code: str = ""
    insutype: str = ""
    psn_type: str = ""
    institution: str = ""
    visit_class: str = ""
    position: str = ""
    cause: str = ""
    county: str = ""
    payer: str = ""
    urgent: bool = False
    amount_fen: int | None = None


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """A named case on which a dry run shows the plan's effect day by day.

    Attributes:
        begin, end: of the episode; ``end`` None: still going on. For what is no episode both are when it is asked for.
        psn: who it is, in words; not a real person.
        asked: what is done, as at the gate.
    """

    name: str
    psn: str
    begin: datetime
    end: datetime | None
    asked: Asked
    is_filed: bool = False
    can_end: bool = False


class Openings(msgspec.Struct, frozen=True):
    """How far a reopening in stages has come: ordinal of a stage to ``open`` or ``stopped``.

    A stage that is not named opens at its own time, if it has one.
    """

    states: Mapping[int, str] = {}


NOT_OPENED = Openings()


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan in one version.

    Attributes:
        name: ``zibo-2021``. admdvs: region. parties: tracks of linked offices are tracks as well.
        snapshot: queries are answered from the state at the stop and dated, instead of refused.
        amends: number of the version it replaces, 0 for the first. reason: why it was amended.
    """

    name: str
    admdvs: str
    title: str
    version: int
    published_by: str
    source: str
    tracks: tuple[Track, ...]
    rules: tuple[Rule, ...]
    hotlines: tuple[Hotline, ...] = ()
    registers: tuple[Register, ...] = ()
    channels: tuple[Channel, ...] = ()
    stages: tuple[Stage, ...] = ()
    systems: tuple[str, ...] = ()
    snapshot: tuple[str, ...] = ()
    announced_on: str = ""
    amends: int = 0
    reason: str = ""
    samples: tuple[Sample, ...] = ()

    def track(self, code: str) -> Track | None:
        """Return a track by its code."""
        return next((t for t in self.tracks if t.code == code), None)

    def track_of(self, business: str) -> Track | None:
        """Return the track a business stops with; None: it goes on."""
        return next((t for t in self.tracks if business in t.business), None)

    def channel(self, code: str) -> Channel | None:
        """Return a channel by its code."""
        return next((c for c in self.channels if c.code == code), None)

    def rule(self, rule_id: str) -> Rule | None:
        """Return a rule by its id."""
        return next((r for r in self.rules if r.id == rule_id), None)


class Hit(msgspec.Struct, frozen=True):
    """A rule that holds for what was asked."""

    rule: Rule
    track: str
    stage: str


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What the gate answers.

    Attributes:
        refusal: why not, with restart, what to do and hotline; None: go on.
        advice: sentences for the reply of whoever may go on.
        intake: how an application is taken: ``""`` as always, or ``accept_register``, ``accept_effective_on_receipt``,
            ``pre_accept``.
        hits: the rules that hold, most specific first.
        snapshot_at: a query is answered as of this instant, and says so; None: as of now.
    """

    stage: str = NORMAL
    refusal: Refusal | None = None
    advice: tuple[str, ...] = ()
    intake: str = ""
    hits: tuple[Hit, ...] = ()
    snapshot_at: datetime | None = None


OPEN = Judged()
"""No window stands in the way."""
