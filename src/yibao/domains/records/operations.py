"""Writes of settlement lists: the list as it stands, and one event for every step."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

import msgspec

from yibao.domains.records.model import CareKind, Finding, SettlementList
from yibao.infra.database import Connection

State = Literal["draft", "uploaded", "checked", "returned", "accepted", "grouped", "used"]
Verb = Literal["upload", "submit", "check", "withdraw", "accept", "return", "group", "use"]
REPLACEABLE = ("draft", "uploaded", "checked", "returned")
"""States in which the institution may still replace or withdraw its list."""
STEPS: dict[Verb, tuple[tuple[State, ...], State]] = {
    "submit": (("draft", "returned"), "uploaded"),
    "withdraw": (("uploaded", "checked", "returned"), "draft"),
    "accept": (("checked",), "accepted"),
    "return": (("checked", "accepted", "grouped"), "returned"),
    "group": (("accepted", "grouped"), "grouped"),
    "use": (("grouped", "used"), "used"),
}
"""Which step is allowed from where, and where it leads. A check leads to ``checked`` or ``returned``."""

UPSERT = """
insert into records.settlement_list (psn_no, setl_id, admdvs, mdtrt_id, fixmedins_code, list_id, care_kind,
    form, state, version, content, findings, rules_version, due_on, uploaded_at, filed_at, checked_at, opter, opter_name)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9::text, 1, $10, $11, $12, $13, $14::timestamptz,
        case when $9::text = 'draft' then null else $14::timestamptz end, $14::timestamptz, $15, $16)
on conflict (psn_no, setl_id) do update set form = excluded.form, state = excluded.state,
    version = settlement_list.version + 1, content = excluded.content, findings = excluded.findings,
    rules_version = excluded.rules_version, uploaded_at = excluded.uploaded_at,
    filed_at = coalesce(settlement_list.filed_at, excluded.filed_at), checked_at = excluded.checked_at,
    decided_at = null, decided_by = '', reason = '', opter = excluded.opter, opter_name = excluded.opter_name
returning list_id, version
"""
MOVE = """
update records.settlement_list set state = $3, filed_at = coalesce(filed_at, $4) where psn_no = $1 and setl_id = $2
"""
CHECKED = """
update records.settlement_list set state = $3, findings = $4, rules_version = $5, checked_at = $6
where psn_no = $1 and setl_id = $2
"""
DECIDED = """
update records.settlement_list set state = $3, decided_at = $4, decided_by = $5, reason = $6
where psn_no = $1 and setl_id = $2
"""
EVENT = """
insert into records.list_event (psn_no, setl_id, seq, admdvs, fixmedins_code, at, verb, state_from, state_to, version,
    content, findings, reason, actor)
select $1, $2, coalesce((select max(seq) from records.list_event where psn_no = $1 and setl_id = $2), 0) + 1,
    $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13
"""
MARK = """
select psn_no, setl_id, admdvs, fixmedins_code, state, version from records.settlement_list
where setl_id = any($1::text[]) and state = any($2::text[]) order by setl_id for update
"""


class ListKey(msgspec.Struct, frozen=True):
    """Which list an event belongs to, and in which version."""

    psn_no: str
    setl_id: str
    admdvs: str
    fixmedins_code: str
    version: int


class NewList(msgspec.Struct, frozen=True):
    """A list about to be kept; ``list_id`` counts only if it is the first for its settlement."""

    admdvs: str
    fixmedins_code: str
    list_id: str
    care: CareKind
    form: str
    due_on: date
    rules_version: str
    opter: str
    opter_name: str


def encode(value: object) -> str:
    """Return a record as the JSON text it is stored in."""
    return msgspec.json.encode(value).decode()


async def keep_list(
    tx: Connection, *, submitted: SettlementList, kept: NewList, state: State, findings: Sequence[Finding], was: str,
    now: datetime,
) -> tuple[str, int]:
    """Write a list in place of an earlier one, with its event; return list id and version."""
    content, found = encode(submitted), encode(findings)
    row = await tx.fetchrow(
        UPSERT, submitted.psn_no, submitted.setl_id, kept.admdvs, submitted.mdtrt_id, kept.fixmedins_code, kept.list_id,
        kept.care, kept.form, state, content, found, kept.rules_version, kept.due_on, now, kept.opter,
        kept.opter_name,
    )
    assert row is not None
    key = ListKey(submitted.psn_no, submitted.setl_id, kept.admdvs, kept.fixmedins_code, row["version"])
    first: State = "draft" if state == "draft" else "uploaded"
    await add_event(tx, key, verb="upload", was=was, now_is=first, at=now, actor=kept.opter, content=content)
    if state != "draft":
        await add_event(tx, key, verb="check", was=first, now_is=state, at=now, actor="", findings=found)
    return row["list_id"], row["version"]


async def add_event(
    tx: Connection, key: ListKey, *, verb: Verb, was: str, now_is: State, at: datetime, actor: str,
    content: str | None = None, findings: str | None = None, reason: str = "",
) -> None:
    """Append a step of a list."""
    await tx.execute(EVENT, key.psn_no, key.setl_id, key.admdvs, key.fixmedins_code, at, verb, was, now_is, key.version,
                     content, findings, reason, actor)


async def move_list(tx: Connection, key: ListKey, *, verb: Verb, was: str, at: datetime, actor: str) -> None:
    """Write a step of the institution: submit or withdraw."""
    to = STEPS[verb][1]
    await tx.execute(MOVE, key.psn_no, key.setl_id, to, at if verb == "submit" else None)
    await add_event(tx, key, verb=verb, was=was, now_is=to, at=at, actor=actor)


async def record_check(
    tx: Connection, key: ListKey, *, state: State, findings: Sequence[Finding], rules_version: str, at: datetime
) -> None:
    """Write what the quality check found in a submitted list."""
    found = encode(findings)
    await tx.execute(CHECKED, key.psn_no, key.setl_id, state, found, rules_version, at)
    await add_event(tx, key, verb="check", was="uploaded", now_is=state, at=at, actor="", findings=found)


async def decide_list(
    tx: Connection, key: ListKey, *, verb: Verb, was: str, at: datetime, actor: str, reason: str
) -> None:
    """Write the agency's decision on a list."""
    to = STEPS[verb][1]
    await tx.execute(DECIDED, key.psn_no, key.setl_id, to, at, actor, reason)
    await add_event(tx, key, verb=verb, was=was, now_is=to, at=at, actor=actor, reason=reason)


async def mark_lists(tx: Connection, setl_ids: Sequence[str], *, verb: Verb, at: datetime, actor: str) -> list[str]:
    """Move lists on to ``grouped`` (verb ``group``) or ``used`` (``use``); return the settlements that moved.

    Lists that stand elsewhere stay where they are, those already there are not moved again.
    """
    allowed, to = STEPS[verb]
    rows = await tx.fetch(MARK, list(setl_ids), [s for s in allowed if s != to])
    for row in rows:
        key = ListKey(row["psn_no"], row["setl_id"], row["admdvs"], row["fixmedins_code"], row["version"])
        await tx.execute(MOVE, key.psn_no, key.setl_id, to, None)
        await add_event(tx, key, verb=verb, was=row["state"], now_is=to, at=at, actor=actor)
    return [row["setl_id"] for row in rows]
