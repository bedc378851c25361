"""What a rehearsal left behind: registers, episodes, cash, and the business facts by which two rehearsals are compared."""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

import msgspec

from yibao.demo.rehearsal.life import Life, Outcome
from yibao.demo.rehearsal.office import Office
from yibao.infra.database import Database
from yibao.usecases.verification.verify_books import verify_books

_BOOKS = """
select kind, count(*)::integer as rows, (count(*) filter (where ended_at is null))::integer as open,
       (count(*) filter (where ended_at is null and owner = ''))::integer as left_over,
       sum(paid_fen)::bigint as paid_fen, sum(due_fen)::bigint as due_fen, sum(back_fen)::bigint as back_fen,
       sum(topup_fen)::bigint as topup_fen
from registers.entry group by kind order by kind
"""
_EPISODES = "select state, count(*)::integer as episodes from episodes.episode group by state order by state"
_CASH = "select kind, sum(amount_fen)::bigint as fen from episodes.cash group by kind order by kind"
_HELD = """
select coalesce(sum(amount_fen), 0)::bigint as kept,
       (select coalesce(sum(due_fen), 0)::bigint from episodes.episode where state = 'settled') as due
from episodes.cash c join episodes.episode e using (psn_no, episode_id) where e.state = 'settled'
"""
_ALL_SETTLED_CASH = """
select e.visit_no, e.paid_fen, e.back_fen, e.topup_fen, e.due_fen, s.cash_fen
from episodes.episode e join settlements.settlement s on s.psn_no = e.psn_no and s.setl_id = e.setl_id
where e.state = 'settled' order by e.visit_no
"""
# Facts of business without numbers that the platform gave and without instants: two rehearsals have the same.
_FACTS = (
    """select s.psn_no, s.service_on, s.fixmedins_code, s.insutype, s.med_type, s.medfee_fen, s.fund_fen, s.account_fen,
              s.cash_fen, s.fund_types, s.fund_amounts
       from settlements.settlement s where s.kind = 'settlement' and s.state = 'active' order by 1, 2, 3, 4, 5, 6, 7, 8""",
    "select psn_no, insutype, year, code, used_fen from settlements.counter order by 1, 2, 3, 4",
    "select psn_no, balance_fen from ledger.personal_account order by 1",
    """select kind, psn_no, emp_no, fixmedins_code, state, amount_fen, paid_fen, due_fen, back_fen, topup_fen
       from registers.entry order by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10""",
    """select psn_no, kind, visit_no, begin_at, end_at, position, disposition, state, total_fen, deposit_fen, paid_fen,
              due_fen, back_fen, topup_fen from episodes.episode order by 1, 3""",
    """select kind, accounts, amounts, count(*) from ledger.posting where kind <> 'opening'
       group by 1, 2, 3 order by 1, 2, 3""",
)


class Left(msgspec.Struct, kw_only=True):
    """What is left; every number of ``wrong`` has to be 0."""

    done: dict[str, int]
    books: list[dict[str, Any]]
    episodes: dict[str, int]
    cash: dict[str, int]
    wrong: dict[str, int]
    examples: dict[str, list[str]]
    digest: str


async def look_at(database: Database, life: Life, office: Office) -> Left:
    """Count what is left and compare it with the book that the institutions kept."""
    books = [dict(row) for row in await database.fetch(_BOOKS)]
    held = (await database.fetch(_HELD))[0]
    wrong: dict[str, int] = {
        "rows_nobody_owns": sum(b["left_over"] for b in books),
        "cash_kept_is_not_cash_due": abs(held["kept"] - held["due"]),
    }
    examples: dict[str, list[str]] = {}
    examples["rows_nobody_owns"] = [f"{b['kind']} {b['left_over']}" for b in books if b["left_over"]]
    _count(wrong, examples, "office_refused", office.refused)
    _count(wrong, examples, "refused", [_said(o) for o in life.outcomes.values() if o.refused])
    _count(wrong, examples, "not_settled", [_said(o) for o in life.outcomes.values() if o.cash is None and not o.refused])
    settled = {row["visit_no"]: row for row in await database.fetch(_ALL_SETTLED_CASH)}
    noted = {o.care.visit_no: o for o in life.outcomes.values() if o.noted}
    _count(wrong, examples, "noted_and_not_settled", sorted(set(noted) - set(settled)))
    _count(wrong, examples, "cash_unbalanced", [
        no for no, row in settled.items()
        if row["paid_fen"] + row["topup_fen"] != row["due_fen"] + row["back_fen"] or row["due_fen"] != row["cash_fen"]
    ])
    _count(wrong, examples, "cash_is_not_what_was_given", [
        no for no, o in noted.items() if no in settled and settled[no]["paid_fen"] != o.given
    ])
    async with database.transaction() as tx:
        findings = [f for f in await verify_books(tx, replay=50) if f.breaches]
    wrong["breaches"] = sum(f.breaches for f in findings)
    examples["breaches"] = [f"{f.invariant} {f.says} {list(f.examples)[:3]}" for f in findings]
    return Left(
        done=dict(sorted((life.done + office.done).items())), books=books,
        episodes={row["state"]: row["episodes"] for row in await database.fetch(_EPISODES)},
        cash={row["kind"]: row["fen"] for row in await database.fetch(_CASH)},
        wrong=wrong, examples={k: v[:5] for k, v in examples.items() if v}, digest=await digest_of(database),
    )


async def digest_of(database: Database) -> str:
    """Return the digest of all business facts: no number that the platform gave, no instant of its own."""
    digest = hashlib.sha256()
    for sql in _FACTS:
        for row in await database.fetch(sql):
            digest.update(msgspec.json.encode([_plain(value) for value in row]))
    return digest.hexdigest()


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _count(wrong: dict[str, int], examples: dict[str, list[str]], name: str, found: list[str]) -> None:
    wrong[name] = len(found)
    examples[name] = found


def _said(o: Outcome) -> str:
    return f"{o.care.kind} {o.care.visit_no} {o.care.begin:%m-%d %H:%M}–{o.care.end or ''}: {o.refused}"
