"""How an application is taken in while its business stands still: refused, registered, or stored undecided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from yibao.domains.registers.books import books
from yibao.domains.registers.model import (
    COUNTER,
    DONE,
    ONLINE,
    REFUSED,
    TRANSFER_PAPERS,
    WITHDRAWN,
    NewEntry,
    Paper,
)
from yibao.domains.registers.queries import find_entry
from yibao.domains.services.model import CLOSED, NOT_ACCEPTED, PAID, REJECTED, Application, Given
from yibao.domains.services.model import WITHDRAWN as TAKEN_BACK
from yibao.domains.services.queries import body_of
from yibao.domains.windows.model import OPEN, Asked, Judged, Rule
from yibao.domains.windows.tables import NEVER, ways
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal
from yibao.usecases.registers.add_entry import add_entry
from yibao.usecases.registers.close_entry import close_entry
from yibao.usecases.windows.pass_gate import Gate

PRE_ACCEPT, ON_RECEIPT = "pre_accept", "accept_effective_on_receipt"
_COUNTY_DIGITS = 6
_ENDS: Mapping[str, str] = {
    CLOSED: DONE, PAID: DONE, REJECTED: REFUSED, NOT_ACCEPTED: REFUSED, TAKEN_BACK: WITHDRAWN,
}
_TRANSFER_PAPERS = (("certificate", "基本医疗保险参保凭证"), ("change_form", "基本医疗保险转移类型变更信息表"))


def business_of_item(item_code: str, body: Mapping[str, Any]) -> str:
    """Return the business of a window that an application is about."""
    return books().items.get((item_code, str(body.get("kind", ""))), (ways().get(("item", item_code), NEVER), ""))[0]


def register_of_item(item_code: str, body: Mapping[str, Any], intake: str) -> str:
    """Return the book that an application is registered in where no rule names one."""
    own = books().items.get((item_code, str(body.get("kind", ""))), ("", ""))[1]
    return own or (ONLINE if intake == PRE_ACCEPT else COUNTER)


def rule_of_intake(judged: Judged) -> Rule | None:
    """Return the rule of the plan by which an application is taken in."""
    return next((hit.rule for hit in judged.hits if hit.rule.disposition == judged.intake), None)


def judge_intake(
    gate: Gate | None, *, admdvs: str, item_code: str, body: Mapping[str, Any], channel: str, applicant_kind: str,
    division: str, at: datetime,
) -> Judged:
    """Ask the gate how an application is taken; open where there is no gate."""
    business = business_of_item(item_code, body)
    if gate is None or business == NEVER:
        return OPEN
    return gate.ask(Asked(
        business=business, admdvs=admdvs, channel="window" if channel == "cli" else channel, payer=applicant_kind,
        county=division[:_COUNTY_DIGITS],
    ), at)


async def put_into_register(
    tx: Connection, application: Application, papers: Sequence[Given], *, intake: str, plan: str, actor: Actor,
    now: datetime, ids: Ids, rule: Rule | None = None,
) -> str | Refusal:
    """Put an application into the book of its window and return the number; a paper the book asks for must be there."""
    body = body_of(application)
    is_employer = application.applicant_kind == "employer"
    named = str(rule.terms.get("register", "")) if rule is not None else ""
    kind = named or register_of_item(application.item_code, body, intake)
    entry = await add_entry(tx, NewEntry(
        admdvs=application.admdvs, kind=kind, plan=plan, business=business_of_item(application.item_code, body),
        applicant_name=application.applicant_name, phone=application.phone, channel=application.channel,
        psn_no="" if is_employer else application.applicant_no or str(body.get("psn_no", "")),
        emp_no=application.applicant_no if is_employer else "", origin=f"application/{application.application_id}",
        effective_on=business_date(now) if intake == ON_RECEIPT else None,
        body={"intake": intake, "item_code": application.item_code, "rule": rule.id if rule is not None else ""},
        papers=(*_kept(papers), *(_sheets(body) if kind == TRANSFER_PAPERS else ())),
    ), actor=actor, now=now, ids=ids)
    return entry if isinstance(entry, Refusal) else entry.register_no


async def follow_in_register(
    tx: Connection, application: Application, *, actor: Actor, now: datetime, ids: Ids
) -> None:
    """End the row of an application that has ended; what it stands in otherwise does not change."""
    state = _ENDS.get(application.state)
    entry = await find_entry(tx, application.register_no) if state and application.register_no else None
    if state is None or entry is None or not entry.is_open:
        return
    reason = application.reason or ("申请人撤回" if state == WITHDRAWN else "")
    ended = await close_entry(
        tx, entry.register_no, state=state, result=_result_of(application), reason=reason if state != DONE else "", now=now,
        actor=actor, ids=ids)
    assert not isinstance(ended, Refusal), "a row without money was open a moment ago"


def _kept(papers: Sequence[Given]) -> tuple[Paper, ...]:
    return tuple(Paper(p.material, p.title, b"", p.file_name, p.digest) for p in papers if p.digest)


def _sheets(body: Mapping[str, Any]) -> tuple[Paper, ...]:
    """Return the two papers of a transfer: what stands on them was typed in at the counter."""
    return tuple(
        Paper(code, title, msgspec.json.encode(body[code], order="deterministic"))
        for code, title in _TRANSFER_PAPERS if body.get(code)
    )


def _result_of(application: Application) -> str:
    """Return the number of what an application made, ``""`` where it made nothing that has one."""
    result = msgspec.json.decode(application.result)
    if not isinstance(result, dict):
        return ""
    names = ("transfer_id", "certificate_no", "withdrawal_id", "relation_id", "emp_no", "psn_no")
    return next((str(result[name]) for name in names if result.get(name)), "")
