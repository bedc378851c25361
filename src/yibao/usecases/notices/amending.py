"""Whom an amendment concerns, and what they are told: what changed for them, and how their own affair stands now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from yibao.domains.notices import affected
from yibao.domains.notices.model import Message
from yibao.domains.notices.queries import list_subscribers, told_before, told_of_version
from yibao.domains.services.items import service_book
from yibao.domains.windows.model import Plan
from yibao.domains.windows.tables import books, business_of_way
from yibao.infra.database import Connection
from yibao.usecases.notices.changes import RESTART, Change, changes
from yibao.usecases.notices.reminding import phone_words

_APPLICATION = "service_application"
_ADDRESSEES = ("psn_no", "emp_no", "fixmedins_code")


class Affair(msgspec.Struct, frozen=True, kw_only=True):
    """Something of one addressee that a change is about.

    Attributes:
        text: how it stands, as a line of the message; ``""`` where there is nothing of his own to say.
    """

    psn_no: str = ""
    emp_no: str = ""
    fixmedins_code: str = ""
    businesses: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    text: str = ""


async def amendments(tx: Connection, old: Plan, new: Plan, *, published_at: datetime) -> list[Message]:
    """Return what everybody is told whom a new version concerns, once for each version and addressee.

    Concerned is whoever was reminded by an earlier version, waits in a register, has a held episode or an application that
    waits, or subscribed, before the new version was published. Whose bill, transfer or filing has another last day is told
    by the batch that moves it.
    """
    changed = changes(old, new)
    if not changed:
        return []
    found: dict[tuple[str, str, str], list[tuple[Affair, list[Change]]]] = {}
    for affair in await _affairs(tx, new, published_at):
        about = [c for c in changed if _concerns(c, affair)]
        if about:
            found.setdefault((affair.psn_no, affair.emp_no, affair.fixmedins_code), []).append((affair, about))
    kind = "restart_moved" if any(c.kind == RESTART for c in changed) else "amended"
    return [_message(new, kind, whom, changed, some) for whom, some in sorted(found.items())]


async def withdrawals(tx: Connection, plan: Plan, withdrawn: Iterable[tuple[Plan, str]]) -> list[Message]:
    """Return what those are told who were told of a version that was withdrawn since.

    Args:
        plan: the version that counts again.
        withdrawn: later versions that counted once, with why they were withdrawn.
    """
    found = []
    for gone, why in withdrawn:
        back = "；".join(c.text for c in changes(gone, plan))
        for whom in await told_of_version(tx, plan.admdvs, plan.name, gone.version):
            found.append(Message(
                admdvs=plan.admdvs, kind="amended", **{n: whom[n] for n in _ADDRESSEES}, plan=plan.name,
                version=gone.version, key=f"{plan.name}:{gone.version}:withdrawn",
                text=f"【{plan.title}】第{gone.version}版公告已撤回（{why.rstrip('。')}），仍按第{plan.version}版办理："
                     f"{back}。{phone_words(plan)}",
            ))
    return found


def _concerns(change: Change, affair: Affair) -> bool:
    if change.rule and change.rule in affair.rules:
        return True
    return bool(set(change.businesses) & set(affair.businesses))


def _message(
    plan: Plan, kind: str, whom: tuple[str, str, str], changed: Sequence[Change], some: Sequence[tuple[Affair, list[Change]]]
) -> Message:
    psn_no, emp_no, fixmedins_code = whom
    about = {id(c) for _, of_affair in some for c in of_affair}
    said = "；".join(c.text for c in changed if id(c) in about)
    lines = _lines([affair for affair, _ in some], is_institution=bool(fixmedins_code))
    business = next((b for affair, _ in some for b in affair.businesses), "")
    text = f"【{plan.title}】公告调整（第{plan.version}版）：{said}。{lines}{phone_words(plan, business)}"
    return Message(
        admdvs=plan.admdvs, kind=kind, text=text, psn_no=psn_no, emp_no=emp_no, fixmedins_code=fixmedins_code,
        plan=plan.name, version=plan.version,
    )


def _lines(affairs: Sequence[Affair], *, is_institution: bool) -> str:
    said = [a.text for a in affairs if a.text]
    if is_institution and said:
        return f"贵机构有{len(said)}件登记待办，期限以登记簿为准。"
    return "".join(f"{line}。" for line in dict.fromkeys(said))


async def _affairs(tx: Connection, plan: Plan, before: datetime) -> list[Affair]:
    """Return everything that waited when the version was published, and whoever asked to be told."""
    rows = [r for r in await affected.list_waiting_rows(tx, plan.admdvs, plan.name) if r["since"] < before]
    held = [r for r in await affected.list_held(tx, plan.admdvs, plan.name) if r["since"] < before]
    noted = {r["register_no"] for r in held}
    found = list(_of_rows([r for r in rows if r["about"] not in noted], _row_words))
    found += _of_rows(held, _episode_words)
    listed = {r["about"] for r in rows}
    for row in await affected.list_open_applications(tx, plan.admdvs):
        waits = row["state"] in ("registered", "suspended") or row["window_id"]
        if waits and row["submitted_at"] < before and row["register_no"] not in listed:
            found.append(_application(row))
    for row in await told_before(tx, plan.admdvs, plan.name, plan.version):
        rules = tuple(row["rules"])
        found.append(Affair(**{n: row[n] for n in _ADDRESSEES}, rules=rules, businesses=_of_rules(plan, rules)))
    for one in await list_subscribers(tx, plan.admdvs, plan.name):
        track = plan.track(one.track)
        if track is not None and one.since < before:
            found.append(Affair(psn_no=one.psn_no, emp_no=one.emp_no, fixmedins_code=one.fixmedins_code,
                                businesses=track.business))
    return found


def _of_rows(rows: Iterable[Any], words: Callable[[Any], str]) -> Iterable[Affair]:
    """Give the affairs of rows: of the person or employer, and of the institution that keeps them."""
    for row in rows:
        affair = Affair(businesses=(row["business"],), text=words(row), rules=(row["rule"],) if row["rule"] else ())
        if row["psn_no"]:
            yield msgspec.structs.replace(affair, psn_no=row["psn_no"])
        elif row["emp_no"]:
            yield msgspec.structs.replace(affair, emp_no=row["emp_no"])
        if row["fixmedins_code"]:
            yield msgspec.structs.replace(affair, fixmedins_code=row["fixmedins_code"])


def _row_words(row: Any) -> str:
    title = books()[row["kind"]].title if row["kind"] in books() else "登记"
    if row["due_on"] is None:
        return f"您的{title}{row['about']}继续有效"
    was = f"（原为{row['moved_from']}）" if row["moved_from"] else ""
    return f"您的{title}{row['about']}期限为{row['due_on']}{was}"


def _episode_words(row: Any) -> str:
    until = f"，请在{row['due_on']}前回原机构补录结算" if row["due_on"] else "，恢复后回原机构补录结算"
    return f"您{row['on_day']}在{row['name']}的就诊费用待结{until}"


def _application(row: Any) -> Affair:
    title = service_book().items[row["item"]].title
    due = f"期限为{row['due_on']}" if row["due_on"] else "期限停止计算，恢复后接着计算"
    number = f"（登记号{row['register_no']}）" if row["register_no"] else ""
    return Affair(
        psn_no=row["psn_no"], emp_no=row["emp_no"], fixmedins_code=row["fixmedins_code"],
        businesses=(business_of_way("item", row["item"]), _APPLICATION), text=f"您的申请“{title}”{number}{due}",
    )


def _of_rule(plan: Plan, rule_id: str) -> tuple[str, ...]:
    rule = plan.rule(rule_id)
    return rule.when.business if rule is not None else ()


def _of_rules(plan: Plan, rules: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for rule_id in rules for code in _of_rule(plan, rule_id)))
