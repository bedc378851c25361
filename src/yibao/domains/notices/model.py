"""Messages, subscriptions and bulletins as frozen records."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

KINDS: Mapping[str, str] = {
    "last_call": "停机前提醒", "restart_moved": "恢复时间调整", "opened": "业务恢复", "amended": "公告调整",
    "register_received": "登记受理", "register_answer": "登记办理结果", "episode_held": "就诊费用待结",
    "episode_settled": "补录结算", "episode_lapsed": "补录期限已过", "deadline_moved": "时限顺延",
    "dues_in_transit": "缴费在途", "dues_arrived": "缴费到账", "claim_answer": "报销结果", "cash_due": "现金差额",
    "credit_failed": "账户划拨", "problem": "已知问题", "other": "通知",
}
"""What messages are about, and what people call it."""

PERSON, EMPLOYER, INSTITUTION, PHONE = "person", "employer", "institution", "phone"
VIEWS: Mapping[str, str] = {PERSON: "参保人", EMPLOYER: "参保单位", INSTITUTION: "定点医药机构", PHONE: "手机短文"}
"""Who a text is written for."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What one person, employer or institution is told, once.

    Attributes:
        admdvs: region of the agency that speaks.
        psn_no, emp_no, fixmedins_code: exactly one of them is given.
        text: whole Chinese sentences, without identity numbers.
        key: what makes it another message to the same addressee; ``""`` is made of plan, version, rule and about.
        plan, version, rule: what of a published plan it rests on.
        about: the thing it is about: a register number, an episode, an application.
        phone: a number that was left beside the one we know.
    """

    admdvs: str
    kind: str
    text: str
    psn_no: str = ""
    emp_no: str = ""
    fixmedins_code: str = ""
    key: str = ""
    plan: str = ""
    version: int = 0
    rule: str = ""
    about: str = ""
    phone: str = ""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A message as its addressee finds it."""

    message_id: str
    kind: str
    text: str
    plan: str
    version: int
    rule: str
    about: str
    told_at: datetime
    read_at: datetime | None


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who wants to be told when a track of a plan opens, or its restart moves."""

    psn_no: str
    subscription_id: str
    admdvs: str
    emp_no: str
    fixmedins_code: str
    plan: str
    track: str
    phone: str
    since: datetime
    ended_at: datetime | None = None


class Bulletin(msgspec.Struct, frozen=True, kw_only=True):
    """What was published of a day after the opening."""

    admdvs: str
    plan: str
    on_day: date
    text: str
    made_at: datetime
    made_by: str
