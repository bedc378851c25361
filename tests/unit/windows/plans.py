"""A small plan for the unit tests: two tracks, a bill, a channel, and a way to change one line of it."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.windows.model import Asked, Plan
from yibao.domains.windows.reading import read_plan
from yibao.domains.windows.words import read_instant

HEAD = """\
format = 1
name = "small-2021"
admdvs = "370300"
title = "小城切换"
version = 1
published_by = "小城医保局"
source = "编写的例子"

[[track]]
code = "care"
title = "结算"
business = ["settlement", "institution", "remote"]
last_call = "2021-10-08 00:00"
drain = "2021-10-09 18:00"
stop = "2021-10-10 00:00"
restart = "2021-10-18 24:00"
normal = "2021-10-20 08:00"

[[track]]
code = "desk"
title = "经办"
business = ["agency", "collection", "online", "payment", "linked"]
stop = "2021-10-05 18:00"
restart = "待公告"
restart_says = "另行公告"

[[hotline]]
title = "医保"
phone = "3120000"

[[hotline]]
title = "税务"
phone = "12366"
business = ["collection"]

[[hotline]]
title = "张店"
phone = "2860000"
county = ["370303"]
"""
RULES = """
[[rule]]
id = "S1"
disposition = "suspend"
when.business = ["settlement", "institution", "remote", "agency", "collection", "online", "payment", "linked"]
phase = ["frozen"]
says = "请在恢复后办理"

[[rule]]
id = "M1"
disposition = "pay_full_backfill"
when.business = ["outpatient_settlement", "chronic_settlement", "pharmacy_sale", "negotiated_drug"]
when.position = ["P3", "P4", "P5", "P6"]
phase = ["frozen", "after"]
says = "先付费，恢复后补录"
terms.settle_by = "2021-12-31"

[[rule]]
id = "M2"
disposition = "hold_open"
when.business = ["inpatient_settlement", "maternity_settlement"]
when.position = ["P2", "P3", "P4", "P5", "P6"]
phase = ["frozen", "after"]
says = "先挂账"
terms.settle_by = "2021-12-31"

[[rule]]
id = "M3"
disposition = "settle_before"
when.business = [
    "outpatient_settlement", "chronic_settlement", "pharmacy_sale", "negotiated_drug", "inpatient_settlement",
    "maternity_settlement", "remote_outpatient", "remote_inpatient",
]
when.position = ["P1"]
phase = ["last_call"]
says = "请在停机前结清"

[[rule]]
id = "M4"
disposition = "manual_reimburse"
when.business = ["remote_outpatient", "remote_inpatient"]
when.position = ["P7", "P8"]
phase = ["frozen", "after"]
says = "垫付后手工报销"

[[rule]]
id = "M5"
disposition = "late_file"
when.business = ["remote_inpatient"]
when.position = ["P9"]
phase = ["after"]
says = "可以补办备案"
"""
SMALL = HEAD + RULES


def plan_of(text: str = SMALL) -> Plan:
    """Return the plan of a text that must be readable."""
    plan = read_plan(text)
    assert isinstance(plan, Plan), plan.sentence()
    return plan


def at(text: str) -> datetime:
    """Return an instant of business time."""
    found = read_instant(text)
    assert found is not None, text
    return found


def asked(business: str, channel: str = "api", **facts: object) -> Asked:
    """Return a request in the small city."""
    return Asked(business=business, admdvs="370300", channel=channel, **facts)  # type: ignore[arg-type]
