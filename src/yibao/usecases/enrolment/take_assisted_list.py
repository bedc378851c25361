"""Lists of assisted persons from civil affairs: taken whole or not at all; who is not on the list has the identity no longer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

import asyncpg
import msgspec

from yibao.domains.enrolment.operations import end_identities, put_identities
from yibao.domains.enrolment.queries import list_holders
from yibao.domains.people.model import RESIDENT_CARD, Doubt, Person
from yibao.domains.people.operations import open_doubts
from yibao.domains.people.queries import known_by_documents
from yibao.domains.people.rules import same_name, tidy_number
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel import identity_number
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.law.parameters import RegionPolicy
from yibao.usecases.enrolment.commands import AssistedPerson, TakeAssistedList
from yibao.usecases.enrolment.finding import refuse_outside
from yibao.usecases.entitlement.refresh import refresh_entitlement
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail

FIND = "select digest, added, kept, ended, doubtful from enrolment.assisted_list where list_id = $1"
NEWER = """
select list_id from enrolment.assisted_list where admdvs = $1 and identity_type = $2 and valid_from > $3 limit 1
"""
INSERT_LIST = """
insert into enrolment.assisted_list (list_id, admdvs, identity_type, valid_from, rows, digest, added, kept, ended, doubtful,
    taken_by, taken_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
"""
INSERT_ROW = """
insert into enrolment.assisted_row (list_id, row_no, admdvs, cert_type, certno, name, valid_to, psn_no, outcome)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""


class TakenList(msgspec.Struct, frozen=True):
    """What a list changed: identities that began, stayed and ended, and lines that need a look."""

    list_id: str
    added: int
    kept: int
    ended: int
    doubtful: int
    is_new: bool = True


class _Line(msgspec.Struct, frozen=True):
    row: AssistedPerson
    person: Person | None
    outcome: str


async def take_assisted_list(
    tx: Connection, command: TakeAssistedList, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> TakenList | Refusal:
    """Take the whole list of one identity of a region.

    Count and digest must agree, else nothing is taken. The same list again changes nothing. A line whose number is known
    under another name gives no identity and opens a case; a line of somebody who is not enrolled waits for the enrolment.
    """
    policy = refuse_outside(actor, admdvs=command.admdvs, division=actor.division, field="admdvs") or shelf.of(command.admdvs)
    if isinstance(policy, Refusal):
        return policy
    digest = digest_of(command.rows)
    known = await tx.fetchrow(FIND, command.list_id)
    if known is not None:
        return _again(command, known, digest)
    refusal = _refuse_list(command, digest, policy) or await _refuse_older(tx, command)
    if refusal is not None:
        return refusal
    lines = await _lines(tx, command)
    counts, changed = await _apply(tx, command, lines)
    taken = TakenList(command.list_id, *counts, sum(line.outcome not in ("added", "kept") for line in lines))
    await tx.execute(INSERT_LIST, command.list_id, command.admdvs, command.identity_type, command.valid_from,
                     len(command.rows), digest, taken.added, taken.kept, taken.ended, taken.doubtful, actor.login, now)
    await tx.executemany(INSERT_ROW, [
        (command.list_id, n, command.admdvs, x.row.cert_type, tidy_number(x.row.certno), x.row.name, x.row.valid_to,
         x.person.psn_no if x.person else None, x.outcome)
        for n, x in enumerate(lines, 1)
    ])
    await open_doubts(tx, [_doubt(command, x, now) for x in lines if x.outcome == "name_differs"])
    if changed:
        await refresh_entitlement(tx, changed, now=now, shelf=shelf)
    await write_trail(tx, actor, verb="take_assisted_list", object_id=command.list_id, admdvs=command.admdvs, state=taken,
                      now=now, ids=ids)
    return taken


def digest_of(rows: Sequence[AssistedPerson]) -> bytes:
    """Return the SM3 digest of a list: sorted lines ``certno,name,valid_to``, each ended by a newline."""
    lines = sorted(f"{r.certno},{r.name},{r.valid_to.isoformat() if r.valid_to else ''}\n" for r in rows)
    return sm3("".join(lines).encode())


def _again(command: TakeAssistedList, known: asyncpg.Record, digest: bytes) -> TakenList | Refusal:
    if bytes(known["digest"]) != digest:
        return refuse("LIST_NUMBER_REUSED", "该名单编号已用于另一份内容不同的名单", field="list_id", received=command.list_id,
                      remedy="请使用新的名单编号")
    return TakenList(command.list_id, known["added"], known["kept"], known["ended"], known["doubtful"], is_new=False)


def _refuse_list(command: TakeAssistedList, digest: bytes, policy: RegionPolicy) -> Refusal | None:
    faults = []
    if command.count != len(command.rows):
        faults.append(Fault("LIST_COUNT_DIFFERS", f"名单共{len(command.rows)}人，与申明的人数不符", "count", str(command.count),
                            "请重新发送完整名单"))
    if command.digest.lower() != digest.hex():
        faults.append(Fault("LIST_DIGEST_DIFFERS", "名单摘要不符，内容可能有改动或缺失", "digest", command.digest,
                            "请重新发送完整名单"))
    if f"identity.{command.identity_type}" not in policy.words.names:
        faults.append(Fault("IDENTITY_UNKNOWN", f"{policy.name}没有这种特殊身份", "identity_type", command.identity_type,
                            "请核对身份代码"))
    seen: set[tuple[str, str]] = set()
    for n, row in enumerate(command.rows):
        key = (row.cert_type, tidy_number(row.certno))
        if key in seen:
            faults.append(Fault("TWICE_IN_LIST", "同一证件在名单中出现多次", f"rows[{n}].certno",
                                identity_number.mask(row.certno), "请只保留一行"))
        seen.add(key)
        if row.cert_type == RESIDENT_CARD and not identity_number.is_valid(key[1]):
            faults.append(Fault("CERTNO_INVALID", "身份证号码有误", f"rows[{n}].certno", identity_number.mask(row.certno),
                                "请核对身份证号码"))
        if row.valid_to is not None and row.valid_to <= command.valid_from:
            faults.append(Fault("PERIOD_EMPTY", "有效期止须晚于名单起始日", f"rows[{n}].valid_to", row.valid_to.isoformat(),
                                "请更正"))
    return Refusal(tuple(faults)) if faults else None


async def _refuse_older(tx: Connection, command: TakeAssistedList) -> Refusal | None:
    newer = await tx.fetchval(NEWER, command.admdvs, command.identity_type, command.valid_from)
    if newer is None:
        return None
    return refuse("LIST_OLDER", f"已有起始日更晚的名单{newer}", field="valid_from", received=command.valid_from.isoformat(),
                  remedy="请发送最新名单")


async def _lines(tx: Connection, command: TakeAssistedList) -> list[_Line]:
    known: dict[tuple[str, str], Person] = {}
    for cert_type in sorted({r.cert_type for r in command.rows}):
        numbers = [tidy_number(r.certno) for r in command.rows if r.cert_type == cert_type]
        found = await known_by_documents(tx, admdvs=command.admdvs, cert_type=cert_type, certnos=numbers)
        known |= {(cert_type, number): person for number, person in found.items()}
    holders = await list_holders(tx, admdvs=command.admdvs, identity_type=command.identity_type, on=command.valid_from)
    held = {row["psn_no"] for row in holders if row["valid_from"] <= command.valid_from}
    lines = []
    for row in command.rows:
        person = known.get((row.cert_type, tidy_number(row.certno)))
        if person is None:
            outcome = "unknown"
        elif not same_name(person.name, row.name):
            outcome = "name_differs"
        elif person.died_on is not None and person.died_on < command.valid_from:
            outcome = "dead"
        else:
            outcome = "kept" if person.psn_no in held else "added"
        lines.append(_Line(row, person, outcome))
    return lines


async def _apply(
    tx: Connection, command: TakeAssistedList, lines: Sequence[_Line]
) -> tuple[tuple[int, int, int], list[str]]:
    """Begin, keep and end identities; return how many of each, and whose facts changed."""
    holders = await list_holders(tx, admdvs=command.admdvs, identity_type=command.identity_type, on=command.valid_from)
    held: dict[str, tuple[date, date | None]] = {r["psn_no"]: (r["valid_from"], r["valid_to"]) for r in holders}
    listed = {x.person.psn_no: x for x in lines if x.person is not None and x.outcome in ("added", "kept")}
    fallen = sorted(set(held) - set(listed))
    await end_identities(tx, fallen, identity_type=command.identity_type, on=command.valid_from)
    rows, changed = [], [*fallen]
    for psn_no, line in listed.items():
        since, until = held.get(psn_no, (command.valid_from, command.valid_from))
        begin = since if line.outcome == "kept" else command.valid_from
        if line.outcome == "added" or until != line.row.valid_to:
            changed.append(psn_no)
        rows.append((psn_no, command.identity_type, command.admdvs, begin, line.row.valid_to, command.list_id))
    await put_identities(tx, rows)
    counts = [sum(x.outcome == outcome for x in lines) for outcome in ("added", "kept")]
    return (counts[0], counts[1], len(fallen)), changed


def _doubt(command: TakeAssistedList, line: _Line, now: datetime) -> Doubt:
    number, person = tidy_number(line.row.certno), line.person
    key = sm3(f"listed_name_differs|{command.admdvs}|{number}|{line.row.name}".encode()).hex()[:24]
    return Doubt(
        doubt_id=key, admdvs=command.admdvs, kind="listed_name_differs", psn_no=person.psn_no if person else None,
        other_no=None, cert_type=line.row.cert_type, certno=number, name=line.row.name, origin="take_assisted_list",
        said={"list_id": command.list_id, "identity_type": command.identity_type}, state="open", opened_at=now,
    )
