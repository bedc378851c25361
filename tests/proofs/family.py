"""F08 with a family: two members spend one sharer's account while the sharer does, fifty tills at once."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from decimal import Decimal
from random import Random
from threading import Barrier
from typing import Any

from tests.proofs.cast import Cast, Patient, draw_bill
from tests.proofs.crowds import AT_ONCE, Crowd
from tests.support.till import Till

_SETTLED_BEFORE = 6
_LIMIT_FEN = 30_000
_SHARE = """
insert into personal_accounts.share (psn_no, share_id, admdvs, sharer_no, kinship, rank, year_limit_fen, begin_on, consent,
    made_at, made_by)
values ('{member}', '{member}-{sharer}', '{region}', '{sharer}', 'child', 1, {limit}, '2020-01-01', 'proof', now(), 'proof')
on conflict (psn_no, share_id) do update set end_on = null
"""
_END = "update personal_accounts.share set end_on = begin_on where made_by = 'proof'"
_BALANCES = "select coalesce(sum(balance_fen), 0)::bigint from ledger.personal_account where psn_no = any($1::text[])"
_OVER = """
select (select count(*) from ledger.personal_account where psn_no = any($1::text[]) and balance_fen < 0)
     + (select count(*) from (select share_id from personal_accounts.shared_use where psn_no = any($1::text[])
                              group by share_id, year having sum(amount_fen) > $2 and share_id like $3) over_limit)
"""
_SHARED = "select coalesce(sum(amount_fen), 0)::bigint from personal_accounts.shared_use where member_no = any($1::text[])"

Message = tuple[Any, dict[str, Any]]


def play_family(cast: Cast, rng: Random, people: Crowd, wrong: dict[str, int], kinds: Counter[str]) -> None:
    """Let two members and the sharer come at once; every fen that was told must have left one of the three accounts."""
    sharer, limited, member = _three(cast)
    books = cast.served.books
    for who, limit in ((limited, str(_LIMIT_FEN)), (member, "null")):
        books.execute(_SHARE.format(
            member=who.wire["psn_no"], sharer=sharer.wire["psn_no"], region=sharer.region, limit=limit))
    numbers = [who.wire["psn_no"] for who in (sharer, limited, member)]
    before, shared_before = books.value(_BALANCES, numbers), books.value(_SHARED, numbers)
    ready = people.act([_preparing(cast, rng, who, "1" if who is sharer else "2") for who in
                        (rng.choice((sharer, limited, member)) for _ in range(AT_ONCE))])
    told = [_send(cast, *one) for one in ready[:_SETTLED_BEFORE]]
    undone = [one for one, reply in zip(ready, told, strict=False) if reply["infcode"] == 0][-1:]
    told += [_send(cast, *_cancellation(cast, one, told[ready.index(one)])) for one in undone]
    cancelling = [_cancellation(cast, one, reply) for one, reply in zip(ready, told, strict=False)
                  if reply["infcode"] == 0 and one not in undone]
    messages = ready[_SETTLED_BEFORE:] + cancelling
    rng.shuffle(messages)
    told += people.act([_meeting(cast, *one) for one in messages])
    books.execute(_END)
    heads = [reply["output"]["setlinfo"] for reply in told if reply["infcode"] == 0]
    spent, shared = (sum(_fen(head[name]) for head in heads) for name in ("acct_pay", "acct_mulaid_pay"))
    wrong["family_overspent"] += books.value(_OVER, numbers, _LIMIT_FEN, f"{limited.wire['psn_no']}%")
    is_lost = before - books.value(_BALANCES, numbers) != spent or books.value(_SHARED, numbers) - shared_before != shared
    wrong["family_lost"] += is_lost
    kinds["family_settlements"] += sum(_fen(head["acct_mulaid_pay"]) > 0 for head in heads)
    kinds["family_refunds"] += sum(_fen(head["acct_mulaid_pay"]) < 0 for head in heads)


def _three(cast: Cast) -> tuple[Patient, Patient, Patient]:
    """Return a sharer whose account is not empty, and two other people of the region."""
    sharer = cast.patient(insutype="310")
    others: dict[str, Patient] = {}
    while len(others) < 2:
        found = cast.patient()
        if found.region == sharer.region and found.wire["psn_no"] != sharer.wire["psn_no"]:
            others[found.wire["psn_no"]] = found
    first, second = others.values()
    return sharer, first, second


def _preparing(cast: Cast, rng: Random, who: Patient, flag: str) -> Callable[[Barrier], Message]:
    site = cast.home(who)
    bill = draw_bill(cast, rng, who, site, top_yuan=150)

    def prepare(_barrier: Barrier) -> Message:
        till = cast.till(site)
        content = till.prepare(who.wire, {**bill.visit, "acct_used_flag": flag})
        message = till.envelope("2207", content, insured_place=who.region)
        till.close()
        return site.counter, message

    return prepare


def _cancellation(cast: Cast, settled: Message, reply: dict[str, Any]) -> Message:
    counter, message = settled
    till = Till(cast.served.endpoint, counter)
    head = reply["output"]["setlinfo"]
    data = {name: head[name] for name in ("psn_no", "mdtrt_id", "setl_id")}
    return counter, till.envelope("2208", {"data": data}, insured_place=message["insuplc_admdvs"])


def _send(cast: Cast, counter: Any, message: dict[str, Any]) -> dict[str, Any]:
    till = Till(cast.served.endpoint, counter)
    try:
        return dict(json.loads(till.ask(message), parse_float=Decimal))
    finally:
        till.close()


def _meeting(cast: Cast, counter: Any, message: dict[str, Any]) -> Callable[[Barrier], dict[str, Any]]:
    def act(barrier: Barrier) -> dict[str, Any]:
        barrier.wait()
        return _send(cast, counter, message)

    return act


def _fen(amount: Any) -> int:
    return int(Decimal(str(amount or 0)) * 100)
