"""Whom a plan concerns before its stop: by each rule, the people, employers and institutions that it is about.

A rule never concerns everybody: it concerns whoever has something open that the rule's selector covers. What is looked
at is said by the rule's disposition; the lists themselves come from the facts of the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import msgspec

from yibao.domains.encounters.visit_classes import visit_classes
from yibao.domains.notices import affected
from yibao.domains.services.items import service_book
from yibao.domains.windows.model import MONEY, Plan, Rule, Selector, Track
from yibao.domains.windows.tables import business_of_way, businesses
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date

STAY_ENDED, STAY_OPEN, VISIT = "stay_ended", "stay_open", "visit"
DUES, APPLICATION, TRANSFER = "dues", "application", "transfer"
CHRONIC, NEGOTIATED, USER = "chronic", "negotiated", "user"
GROUPS: Mapping[str, str] = {
    STAY_ENDED: "已出院未结算", STAY_OPEN: "正在住院", VISIT: "门诊费用未结算", DUES: "缴费单未缴", APPLICATION: "申请未办结",
    TRANSFER: "转移接续未办结", CHRONIC: "门诊慢特病患者", NEGOTIATED: "使用谈判药的患者", USER: "停用渠道的使用者",
}
"""Why somebody is concerned."""

_ASKING = frozenset({"suspend", "accept_register", "accept_effective_on_receipt", "pre_accept", "refund_at_once"})
_CARE = (STAY_ENDED, STAY_OPEN, VISIT)
_RECENT = timedelta(days=90)
"""How far back an unsettled visit or a negotiated drug still says that somebody is a patient now: our own measure."""
_MATERNITY = "52"


class Concern(msgspec.Struct, frozen=True, kw_only=True):
    """One open thing of one addressee that a rule is about.

    Attributes:
        track: of the plan, whose stop it concerns.
        about: the thing's number. on_day: its day. amount_fen: what is owed or charged.
        name: of the institution that treats the person. business: ``""`` where it is about a channel.
    """

    rule: str
    track: str
    group: str
    psn_no: str = ""
    emp_no: str = ""
    fixmedins_code: str = ""
    about: str = ""
    on_day: date | None = None
    amount_fen: int = 0
    name: str = ""
    business: str = ""


def groups_of(rule: Rule) -> tuple[str, ...]:
    """Return what a rule may make somebody concerned for."""
    if rule.when.cause:
        return ()  # it is about what happens to few people later, whom nobody knows before
    if rule.disposition == "settle_before":
        return _CARE
    if rule.disposition in MONEY:
        return (STAY_OPEN,)
    if rule.disposition in _ASKING:
        return (DUES, APPLICATION, TRANSFER)
    return {"stock_up": (CHRONIC, NEGOTIATED), "retire": (USER,)}.get(rule.disposition, ())


async def find_concerns(tx: Connection, plan: Plan, *, at: datetime) -> list[Concern]:
    """Return whom the rules of a plan concern at an instant, of tracks that have not stopped yet."""
    lists = _Lists(tx, plan, at)
    found: list[Concern] = []
    for rule in plan.rules:
        for group in groups_of(rule):
            for row in await lists.rows(group):
                track = _track_of(plan, rule, row)
                if track is not None and at < track.stop and covers(rule.when, row):
                    found += _concerns(rule, track, group, row)
    return found


def covers(when: Selector, row: Mapping[str, Any]) -> bool:
    """Say whether a selector covers an open thing; what the thing does not know does not exclude it."""
    return (
        _has(when.business, row["business"]) and _has(when.place, row["place"]) and _has(when.insutype, row["insutype"])
        and _has(when.psn_type, row["psn_type"]) and _has(when.county, row["county"])
        and _has(when.institution, row["institution_kind"]) and _has(when.visit_class, row["visit_class"])
        and _has(when.channel, row["channel"], unknown=False) and _has(when.payer, row["payer_kind"])
        and (not when.position or bool(set(when.position) & set(row["positions"]))) and when.urgent is not True
    )


def _has(allowed: Sequence[str], value: str, *, unknown: bool = True) -> bool:
    return not allowed or value in allowed or (not value and unknown)


def _track_of(plan: Plan, rule: Rule, row: Mapping[str, Any]) -> Track | None:
    """Return the track that stops what the row is about; of a channel's user, the first that stops it."""
    if row["business"]:
        return plan.track_of(row["business"])
    named = plan.channel(row["channel"]) if row["channel"] else None
    tracks = [plan.track(named.track)] if named else [plan.track_of(code) for code in rule.when.business]
    return min((t for t in tracks if t is not None), key=lambda t: t.stop, default=None)


def _concerns(rule: Rule, track: Track, group: str, row: Mapping[str, Any]) -> Iterable[Concern]:
    """Give the concern of the person or employer, and of the institution that treats the person."""
    facts = {
        "rule": rule.id, "track": track.code, "group": group, "about": row["about"], "on_day": row["on_day"],
        "amount_fen": row["amount_fen"], "name": row["name"], "business": row["business"],
    }
    if row["psn_no"] or row["emp_no"]:
        yield Concern(psn_no=row["psn_no"], emp_no="" if row["psn_no"] else row["emp_no"], **facts)
    if row["fixmedins_code"]:
        yield Concern(fixmedins_code=row["fixmedins_code"], **facts)


class _Lists:
    """The lists of a region, each asked for once."""

    def __init__(self, tx: Connection, plan: Plan, at: datetime) -> None:
        self._tx, self._plan, self._at = tx, plan, at
        self._asked: dict[str, list[dict[str, Any]]] = {}

    async def rows(self, group: str) -> list[dict[str, Any]]:
        """Return the open things of a group, each with all columns that ``covers`` looks at."""
        if group not in self._asked:
            found = [_whole(dict(row), group, self._plan.admdvs) for row in await self._ask(group)]
            if group in (STAY_ENDED, STAY_OPEN):
                self._asked[STAY_ENDED] = [r for r in found if r["has_ended"]]
                self._asked[STAY_OPEN] = [r for r in found if not r["has_ended"]]
            else:
                self._asked[group] = found
        return self._asked[group]

    async def _ask(self, group: str) -> list[Any]:
        tx, admdvs, at = self._tx, self._plan.admdvs, self._at
        today = business_date(at)
        if group in (STAY_ENDED, STAY_OPEN):
            return await affected.list_stays(tx, admdvs, before=at)
        if group == VISIT:
            return await affected.list_visits(tx, admdvs, begin=at - _RECENT, end=at)
        if group == NEGOTIATED:
            return await affected.list_negotiated(tx, admdvs, begin=at - _RECENT, end=at)
        if group == CHRONIC:
            return await affected.list_chronic(tx, admdvs, on=today)
        if group == USER:
            named = [c.code for c in self._plan.channels if c.is_ours]
            named += [c for r in self._plan.rules if r.disposition == "retire" for c in r.when.channel]
            return await affected.list_users(tx, admdvs, channels=named, on=today)
        lists = {DUES: affected.list_unpaid, APPLICATION: affected.list_open_applications,
                 TRANSFER: affected.list_open_transfers}
        return await lists[group](tx, admdvs)


def _whole(row: dict[str, Any], group: str, admdvs: str) -> dict[str, Any]:
    """Return a row with everything a selector may ask for."""
    place = _place(admdvs, row["care_admdvs"])
    positions = {STAY_ENDED: ("P1",), VISIT: ("P1",), STAY_OPEN: ("P1", "P2", "P3", "P4")}.get(group, ())
    if group == STAY_ENDED or (group == STAY_OPEN and row["has_ended"]):
        positions = ("P1",)
    return {
        "channel": "", "payer_kind": "", "visit_class": "", **row, "place": place, "positions": positions,
        "business": _business_of(row, group, place),
        "institution_kind": {"1": "hospital", "2": "pharmacy"}.get(row["institution_kind"], ""),
        **({"payer_kind": row["payer_kind"]} if group == DUES else {}),
    }


def _place(admdvs: str, care: str) -> str:
    if care[:4] == admdvs[:4]:
        return "local"
    return "province" if care[:2] == admdvs[:2] else "cross"


def _business_of(row: Mapping[str, Any], group: str, place: str) -> str:
    """Return the business that an open thing belongs to, ``""`` where it is about a channel."""
    if group in _CARE:
        return _care_business(row, place, is_stay=group != VISIT)
    if group == DUES:
        return _dues_business(row)
    if group == APPLICATION:
        code = business_of_way("item", row["item"])
        return code if code in businesses() else "service_application"
    if group == TRANSFER:
        return "transfer_in" if row["direction"] == "in" else "transfer_out"
    return {CHRONIC: "chronic_settlement", NEGOTIATED: "negotiated_drug"}.get(group, "")


def _care_business(row: Mapping[str, Any], place: str, *, is_stay: bool) -> str:
    if place != "local":
        return "remote_inpatient" if is_stay else "remote_outpatient"
    if is_stay:
        return "maternity_settlement" if row["maternity"] or row["med_type"] == _MATERNITY else "inpatient_settlement"
    return "chronic_settlement" if row["med_type"] in visit_classes().needs_recognition else "outpatient_settlement"


def _dues_business(row: Mapping[str, Any]) -> str:
    if row["kind"] in ("back", "lump"):
        return "back_payment"
    if row["payer_kind"] == "unit":
        return "contribution"
    return "resident_contribution" if row["insutype"] == "390" else "flexible_contribution"


def item_title(code: str) -> str:
    """Return the title of a service item."""
    return service_book().items[code].title
