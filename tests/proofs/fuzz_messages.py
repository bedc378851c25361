"""Proof: whatever is wrong in a message, it is refused by name, nothing is half-written, nothing breaks.

``run`` sends valid messages with one planted fault each, over HTTP, to a gateway with a real database, and counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import Any

import httpx

from tests.proofs.fuzz_faults import KINDS, Fault, Planted, basis, write
from tests.proofs.fuzz_samples import Place, Sample, sample, transactions
from yibao.infra.database import Database

ENDPOINT = "/fsi/api/rsfComIfsService/callService"
DEFECT = "平台内部错误"
BATCH = 250
ENVELOPE_SHARE = 0.02
FINGERPRINT = "select count(*), coalesce(sum(hashtextextended(t::text, 0) % 1000000007), 0) from {table} t"
LOGS = ("platform.traffic", "platform.audit_seal")
TABLES = """
select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'public') order by 1
"""
DEEDS_WITH_ROWS = {"platform.message", "platform.audit_entry"}


class Tally:
    """What was counted."""

    def __init__(self) -> None:
        self.sent = self.refused_by_name = self.accepted = self.committed = 0
        self.kinds: Counter[str] = Counter()
        self.bases: Counter[tuple[str, str]] = Counter()
        self.examples: dict[tuple[str, str], str] = {}
        self.broken: list[str] = []
        self.unnamed: list[str] = []
        self.without_basis: list[str] = []
        self.partial: list[str] = []


async def _fingerprints(database: Database) -> dict[str, tuple[int, int]]:
    """Return count and content sum of every table but the log and the seals, which are written behind the replies."""
    tables = [row["name"] for row in await database.fetch(TABLES) if row["name"] not in LOGS]
    found = {}
    for table in tables:
        [row] = await database.fetch(FINGERPRINT.format(table=table))
        found[table] = (row[0], int(row[1]))
    return found


def judge(
    tally: Tally, place: Place, kind: str, planted: Planted, label: str, response: httpx.Response
) -> None:
    """Count one answer."""
    try:
        reply = response.json()
        infcode, told = reply["infcode"], reply.get("err_msg") or ""
    except (ValueError, KeyError, TypeError):
        if response.headers.get("content-type") == "application/octet-stream":
            infcode, told = 0, ""
        else:
            tally.broken.append(f"{label}: no envelope: {response.content[:120]!r}")
            return
    if response.status_code >= 500 or infcode not in (0, -1) or DEFECT in told:
        tally.broken.append(f"{label}: {response.status_code} {told[:200]}")
        return
    allowed = basis(place, kind, planted)
    if infcode == -1 and place.name in told:
        tally.refused_by_name += 1
    elif allowed:
        tally.accepted += 1
        tally.bases[kind, allowed] += 1
        tally.examples.setdefault((kind, allowed), f"{place.where} {'.'.join(map(str, place.keys))}")
    elif infcode == -1:
        tally.unnamed.append(f"{label}: {told[:200]}")
    else:
        tally.without_basis.append(label)


def _label(base: Sample, place: Place, kind: str, number: int) -> str:
    return f"#{number} {base.infno} {'.'.join(map(str, place.keys))} [{kind}] {place.where}"


async def _audit(
    tally: Tally, database: Database, before: dict[str, tuple[int, int]], committed: int
) -> dict[str, tuple[int, int]]:
    """Compare all tables with before: nothing but whole deeds may have changed them."""
    after = await _fingerprints(database)
    changed = {table for table in after if after[table] != before[table]}
    for table in DEEDS_WITH_ROWS:
        if after[table][0] - before[table][0] != committed:
            tally.partial.append(f"{table}: {after[table][0] - before[table][0]} rows for {committed} committed deeds")
    if committed == 0 and changed:
        tally.partial.append(f"no deed was committed, yet {sorted(changed)} changed")
    return after


def _cases(random: Random, envelope: dict[str, Any]) -> list[tuple[str, int, Fault]]:
    """Return every field of every transaction with every kind of fault that fits it, in drawn order.

    The envelope is the same everywhere: each of its faults comes in with a few transactions only.
    """
    cases: list[tuple[str, int, Fault]] = []
    numbers = transactions()
    for infno in numbers:
        for index, place in enumerate(sample(infno, random, envelope=envelope).places):
            if place.infno == "envelope" and random.random() > ENVELOPE_SHARE:
                continue
            cases.extend((infno, index, kind) for kind in KINDS if kind.applies(place))
    random.shuffle(cases)
    return cases


async def run(
    n: int, seed: int, client: httpx.AsyncClient, *, database: Database, envelope: dict[str, Any],
    deeds: frozenset[str], known: Mapping[str, Any] | None = None, batch: int = BATCH,
) -> dict[str, Any]:
    """Send ``n`` faulty messages and return the counts.

    Args:
        seed: draws transactions, fields, kinds and values.
        client: speaks to the gateway under test.
        database: the same database, as owner, to compare all tables.
        envelope: a valid envelope of an institution that does not sign.
        deeds: transactions that commit a message row when they succeed.
        known: values by field name that this world knows, so that more messages reach the deeds' own writes.
    """
    random = Random(seed)
    tally = Tally()
    drawn = _cases(random, envelope)
    seen: set[str] = set()
    before = await _fingerprints(database)
    committed = 0
    for number in range(n):
        infno, index, kind = drawn[number % len(drawn)]
        msgid = f"F{seed % 10**8:08d}{number:012d}"
        base = sample(infno, random, envelope={**envelope, "msgid": msgid}, known=known)
        place = base.places[index]
        planted = write(base.body, place, kind, random)
        response = await client.post(ENDPOINT, content=planted.body, headers={"content-type": "application/json"})
        tally.sent += 1
        tally.kinds[kind.kind] += 1
        seen.add(place.where)
        judge(tally, place, kind.kind, planted, _label(base, place, kind.kind, number), response)
        committed += _committed(response, infno, deeds)
        if number % batch == batch - 1 or number == n - 1:
            before = await _audit(tally, database, before, committed)
            tally.committed += committed
            committed = 0
    return _report(tally, n=n, seed=seed, fields=len(seen), cases=len(drawn))


def _committed(response: httpx.Response, infno: str, deeds: frozenset[str]) -> int:
    if infno not in deeds or response.headers.get("content-type") == "application/octet-stream":
        return 0
    return int(response.json().get("infcode") == 0)


def _report(tally: Tally, *, n: int, seed: int, fields: int, cases: int) -> dict[str, Any]:
    return {
        "n": n, "seed": seed, "transactions": len(transactions()), "fields": fields, "possible_cases": cases, "sent": tally.sent,
        "refused_by_name": tally.refused_by_name, "accepted_with_basis": tally.accepted, "committed": tally.committed,
        "answers_of_500_or_defects": tally.broken, "partial_writes": tally.partial,
        "refusals_without_the_field": tally.unnamed, "accepted_without_basis": tally.without_basis,
        "kinds": dict(sorted(tally.kinds.items())),
        "accepted_kinds": [
            {"kind": kind, "allowed_by": allowed, "count": count, "example": tally.examples[kind, allowed]}
            for (kind, allowed), count in sorted(tally.bases.items())
        ],
    }
