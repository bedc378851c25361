"""Compare a day of the tax bureau's statement with the payments taken in: count, sum and digest, then row by row."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.contributions import operations, queries
from yibao.domains.contributions.model import PaymentRow, WorkCase
from yibao.domains.contributions.rules import payment_lines
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Refusal
from yibao.usecases.contributions.bills import work_case
from yibao.usecases.trail import write_trail

KINDS_OF_DAY = ("MISSING_HERE", "MISSING_THERE", "AMOUNT_DIFFERS", "TWICE_IN_STATEMENT", "WRONG_DAY", "STATEMENT_TOTAL",
                "STATEMENT_DIGEST")
OURS = """
select payment_id, amount_fen from contributions.payment
where admdvs = $1 and paid_on = $2 and state <> 'returned' and origin = 'tax' order by payment_id
"""
STATED = """
insert into contributions.statement (day, admdvs, count, amount_fen, digest, our_count, our_amount_fen, our_digest, differences,
    received_at) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
on conflict (day, admdvs) do update set count = excluded.count, amount_fen = excluded.amount_fen, digest = excluded.digest,
    our_count = excluded.our_count, our_amount_fen = excluded.our_amount_fen, our_digest = excluded.our_digest,
    differences = excluded.differences, received_at = excluded.received_at
"""
OPEN_OF_DAY = """
select case_id from contributions.work_case where admdvs = $1 and state = 'open' and kind = any($2::text[])
  and (case_id = any($3::text[]) or case_id like '%/' || $4 or says like '%：' || $4 || '，%')
"""


class StatementRow(msgspec.Struct, frozen=True, kw_only=True):
    """One payment of the statement; fen."""

    payment_id: str
    amount_fen: int
    bill_id: str = ""


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """The tax bureau's day: count, sum (fen), hex SM3 over the sorted lines ``payment_id,amount``, and the rows."""

    day: date
    admdvs: str
    count: int
    amount_fen: int
    digest: str
    rows: tuple[StatementRow, ...] = ()


class Reconciled(msgspec.Struct, frozen=True):
    """What the comparison found: differences and the ids of their cases; none where both books agree."""

    day: date
    differences: int
    cases: tuple[str, ...]


async def reconcile_tax(
    tx: Connection, command: Statement, *, actor: Actor, now: datetime, ids: Ids
) -> Reconciled | Refusal:
    """Reconcile a day. Each difference is a case with a kind of its own; one that a later statement of the day no longer

    shows is closed. A statement whose totals or digest do not fit its own rows is not compared row by row.
    """
    ours = {r["payment_id"]: int(r["amount_fen"]) for r in await tx.fetch(OURS, command.admdvs, command.day)}
    our_digest = sm3(payment_lines(ours.items())).hex()
    cases = _totals(command, now=now)
    agrees = (command.count, command.amount_fen, command.digest) == (len(ours), sum(ours.values()), our_digest)
    if not cases and not (agrees and not command.rows):
        cases = await _compare(tx, command, ours, now=now)
    kept = {c.case_id for c in cases}
    names = [f"{k}/{p}" for k in KINDS_OF_DAY for p in {*ours, *(r.payment_id for r in command.rows)}]
    rows = await tx.fetch(OPEN_OF_DAY, command.admdvs, list(KINDS_OF_DAY), names, command.day.isoformat())
    ended = [r["case_id"] for r in rows if r["case_id"] not in kept]
    await operations.close_cases(tx, ended, now=now, by=actor.login, outcome="再次对账一致")
    await operations.open_cases(tx, cases)
    await tx.execute(STATED, command.day, command.admdvs, command.count, command.amount_fen, command.digest, len(ours),
                     sum(ours.values()), our_digest, len(cases), now)
    done = Reconciled(command.day, len(cases), tuple(sorted(kept)))
    await write_trail(tx, actor, verb="reconcile_tax", object_id=f"{command.admdvs}/{command.day}", admdvs=command.admdvs,
                      state=done, now=now, ids=ids)
    return done


def _totals(command: Statement, *, now: datetime) -> list[WorkCase]:
    if not command.rows:
        return []
    said = (len(command.rows), sum(r.amount_fen for r in command.rows))
    if said != (command.count, command.amount_fen):
        return [work_case(
            "STATEMENT_TOTAL", f"{command.admdvs}/{command.day}", admdvs=command.admdvs, now=now,
            says=f"{command.day} 写明 {command.count} 笔 {yuan_text(command.amount_fen)} 元，"
                 f"明细 {said[0]} 笔 {yuan_text(said[1])} 元")]
    if sm3(payment_lines((r.payment_id, r.amount_fen) for r in command.rows)).hex() != command.digest:
        return [work_case("STATEMENT_DIGEST", f"{command.admdvs}/{command.day}", admdvs=command.admdvs, now=now,
                          says=f"{command.day} 的摘要与 {command.count} 笔明细不符")]
    return []


async def _compare(
    tx: Connection, command: Statement, ours: dict[str, int], *, now: datetime
) -> list[WorkCase]:
    if not command.rows:
        return [work_case("STATEMENT_TOTAL", f"{command.admdvs}/{command.day}", admdvs=command.admdvs, now=now,
                          says=f"{command.day} 没有明细，而合计与平台不符")]
    found: list[WorkCase] = []
    seen: dict[str, int] = {}
    for row in command.rows:
        if row.payment_id in seen:
            found.append(_difference("TWICE_IN_STATEMENT", command, row.payment_id, row.amount_fen, "同一流水出现多次", now=now))
            continue
        seen[row.payment_id] = row.amount_fen
        held = ours.get(row.payment_id)
        if held is None:
            found.append(_elsewhere(command, row, await queries.find_payment(tx, row.payment_id), now=now))
        elif held != row.amount_fen:
            found.append(_difference("AMOUNT_DIFFERS", command, row.payment_id, row.amount_fen - held, now=now,
                                     says=f"税务 {yuan_text(row.amount_fen)} 元，平台 {yuan_text(held)} 元"))
    found += [
        _difference("MISSING_THERE", command, payment_id, fen, f"平台 {yuan_text(fen)} 元", now=now)
        for payment_id, fen in sorted(ours.items()) if payment_id not in seen
    ]
    return found


def _elsewhere(command: Statement, row: StatementRow, held: PaymentRow | None, *, now: datetime) -> WorkCase:
    if held is not None and held.state != "returned" and held.paid_on != command.day and held.admdvs == command.admdvs:
        return _difference("WRONG_DAY", command, row.payment_id, row.amount_fen, f"平台记为 {held.paid_on}", now=now)
    return _difference("MISSING_HERE", command, row.payment_id, row.amount_fen, now=now,
                       says=f"税务 {yuan_text(row.amount_fen)} 元")


def _difference(kind: str, command: Statement, payment_id: str, fen: int, says: str, *, now: datetime) -> WorkCase:
    return work_case(kind, payment_id, admdvs=command.admdvs, payment_id=payment_id, amount_fen=fen, now=now,
                     says=f"{command.day}，缴费流水 {payment_id}，{says}")
