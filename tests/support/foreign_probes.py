"""Asks, with the keys of one region, for what is another region's: by number, by search, by listing. Nothing may come back.

The numbers come from the database itself, read as its owner; the operations come from the served description.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import httpx

NUMBERS = {
    "psn_no": "select psn_no from people.person where admdvs = $1",
    "emp_no": "select emp_no from enrolment.employer where admdvs = $1",
    "setl_id": "select setl_id from settlements.settlement where admdvs = $1",
    "key_id": "select key_id from access.api_key where admdvs = $1",
    "login": "select login from access.agent where admdvs = $1",
    "certno": "select certno from people.person where admdvs = $1",
    "name": "select name from enrolment.employer where admdvs = $1",
    "fixmedins_code": "select fixmedins_code from institutions.institution where region = $1",
    "filing_id": "select filing_id from applications.filing where admdvs = $1",
    "correction_id": "select correction_id from access.correction where admdvs = $1",
    "proposal_id": "select proposal_id from access.proposal where admdvs = $1",
}
_ECHOED = ("received", "detail", "reason")


class Probed:
    """What was asked and what came back that should not have."""

    def __init__(self) -> None:
        self.by_status: Counter[int] = Counter()
        self.leaks: list[str] = []


async def numbers_of(url: str, region: str) -> dict[str, list[str]]:
    """Return what names something of a region."""
    connection = await asyncpg.connect(url)
    try:
        return {kind: [r[0] for r in await connection.fetch(sql, region)] for kind, sql in NUMBERS.items()}
    finally:
        await connection.close()


def probe(
    document: Mapping[str, Any], base_url: str, keys: Mapping[str, str], *, theirs: Mapping[str, Sequence[str]],
    ours: Mapping[str, Sequence[str]], count: int, seed: int,
) -> Probed:
    """Send ``count`` probes for what is theirs; whatever is theirs and not ours must be in no answer."""
    chance, probed = random.Random(seed), Probed()
    secret = {text for kind, texts in theirs.items() for text in texts} - {t for texts in ours.values() for t in texts}
    pattern = re.compile("|".join(map(re.escape, sorted(secret, key=len, reverse=True))))
    operations = [
        (method, path, o) for path, methods in document["paths"].items() for method, o in methods.items()
        if o.get("security") != []
    ]
    with httpx.Client(base_url=base_url, timeout=30) as client:
        for number in range(count):
            method, path, operation = chance.choice(operations)
            kind, wanted = _drawn(chance, theirs)
            place, query = _filled(path, operation, chance, theirs, kind, wanted)
            headers = {"authorization": f"Bearer {keys[chance.choice(operation['x-roles'])]}"}
            if method == "post":
                headers["idempotency-key"] = f"probe-{seed}-{number:08d}"
                names = ("psn_no", "emp_no", "certno", "login", "admdvs", "reason", kind)
                body = {n: wanted if n == kind else chance.choice(theirs.get(n) or [wanted]) for n in names}
                response = client.post(place, params=query, json=body, headers=headers)
            else:
                response = client.get(place, params=query, headers=headers)
            probed.by_status[response.status_code] += 1
            found = set(pattern.findall(_without_echo(response)))
            if found or response.status_code >= 500:
                probed.leaks.append(f"{method} {place} {query} -> {response.status_code} {sorted(found)[:3]}")
    return probed


def _drawn(chance: random.Random, numbers: Mapping[str, Sequence[str]]) -> tuple[str, str]:
    kind = chance.choice([k for k, texts in numbers.items() if texts])
    return kind, chance.choice(numbers[kind])


def _filled(
    path: str, operation: Mapping[str, Any], chance: random.Random, theirs: Mapping[str, Sequence[str]], kind: str,
    wanted: str,
) -> tuple[str, dict[str, str]]:
    query: dict[str, str] = {}
    for parameter in operation["parameters"]:
        name, known = parameter["name"], theirs.get(parameter["name"]) or [wanted]
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", chance.choice(known))
        elif parameter["in"] == "query" and parameter["schema"].get("type") == "string":
            if name in theirs or chance.random() < 0.3:
                query[name] = chance.choice(known)
            elif parameter["required"]:
                query[name] = "2024-01-01" if parameter["schema"].get("format") == "date" else wanted
    return path, query


def _without_echo(response: httpx.Response) -> str:
    """Return an answer without what it repeats of the question: a problem says what was received."""
    if response.headers.get("content-type", "").split(";")[0] != "application/problem+json":
        return response.text
    found = response.json()
    for part in (found, *found["faults"]):
        for name in _ECHOED:
            part.pop(name, None)
    return json.dumps(found)
