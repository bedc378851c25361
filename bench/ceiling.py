"""The ceiling: pgbench doing the row work of a settlement, so no program can be faster on this database.

Three forms. ``functions``: our two statements, read and write, one round trip each. ``pipeline``: the same read,
then the same rows written by plain statements in one pipelined round trip. ``one_call``: read and write in a
single statement. Every transaction settles a visit of its own, whose ids pgbench reckons.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import msgspec

from bench.bills import VISITS_PER_PERSON, first_person, first_visit
from bench.world import Sample
from yibao.domains.settlements.model import COLUMNS
from yibao.infra.database import Database

TWO_ROUND_TRIPS = ("functions", "pipeline")
ONE_ROUND_TRIP = "one_call"

_IDS = {"psn_no": ":psn", "mdtrt_id": ":visit", "setl_id": ":setl", "msgid": ":msg", "posting_id": ":setl"}
_POSTING = ("psn_no", "posting_id", "admdvs", "kind", "posted_at", "setl_id", "origin_id", "accounts", "amounts", "cash_fen")
_MESSAGE = ("sender", "msgid", "admdvs", "infno", "state", "psn_no", "mdtrt_id", "setl_id", "request", "request_digest",
            "reply", "received_at", "replied_at")
_HEAD = """\\set n :n + 1
\\set number :start + :client_id * :share + :n
\\set psn :first_person + :number / {per_person}
\\set visit :first_visit + :number
\\set setl :first_visit + 100000000000 + :number
\\set msg :first_visit + 200000000000 + :number
"""
_READ = "settlements.plain_facts(:psn, :visit, '1')"
_OPTIONS = "-c role=yibao_gateway -c plan_cache_mode=force_generic_plan -c enable_seqscan=off -c jit=off -c timezone=UTC"
_WARM_UP_PART = 5
"""Connections of pgbench are new and plan first; the rate is taken after the first fifth of the transactions."""


class Scripts(msgspec.Struct, frozen=True):
    """The text of each form for one size of bill."""

    by_form: dict[str, str]


class Run(msgspec.Struct, frozen=True):
    """What a run of pgbench gave: transactions a second, and p50, p95 and p99 in milliseconds."""

    per_second: float
    latencies_ms: tuple[float, ...]


class CeilingFailed(Exception):
    """pgbench stopped; the text is its own."""


async def write_scripts(database: Database, samples: dict[int, Sample]) -> dict[int, Scripts]:
    """Return the scripts of each size, with rows like those of the sample's settlement."""
    return {size: await _scripts(database, sample) for size, sample in samples.items()}


async def _scripts(database: Database, sample: Sample) -> Scripts:
    settlement = await _literals(database, "settlements.settlement", COLUMNS, sample.setl_id)
    posting = await _literals(database, "ledger.posting", _POSTING, sample.setl_id)
    message = await _literals(database, "platform.message", _MESSAGE, sample.setl_id)
    head = _HEAD.format(per_person=VISITS_PER_PERSON)
    call = _call(settlement, posting, message)
    return Scripts({
        "functions": f"{head}select * from {_READ} \\gset f_\nselect {call.replace('@version@', ':f_version')};\n",
        "one_call": f"{head}with f as materialized (select * from {_READ})\n"
        f"select {call.replace('@version@', 'f.version')} from f;\n",
        "pipeline": f"{head}select * from {_READ} \\gset f_\n\\startpipeline\n" + _plain(settlement, posting, message)
        + "\\endpipeline\n",
    })


async def _literals(database: Database, table: str, columns: tuple[str, ...], setl_id: str) -> dict[str, str]:
    """Return each column of the sample's row as an SQL literal, ids replaced by pgbench's variables."""
    chosen = ", ".join(f"{name}::text" for name in columns)
    types = {r["attname"]: r["type"] for r in await database.fetch(
        "select attname, format_type(atttypid, null) as type from pg_attribute where attrelid = $1::regclass", table
    )}
    row = (await database.fetch(f"select {chosen} from {table} where setl_id = $1", setl_id))[0]
    return {
        name: _IDS.get(name) or f"{_quoted(row[index])}::{types[name]}" for index, name in enumerate(columns)
    }


def _quoted(text: str | None) -> str:
    if text is None:
        return "null"
    # pgbench takes a colon and a word for a variable, even inside a literal.
    escaped = text.replace("\\", "\\\\").replace("'", "''").replace(":", "\\x3A")
    return f"E'{escaped}'"


def _row(values: dict[str, str], type_name: str) -> str:
    return f"row({', '.join(values.values())})::{type_name}"


def _call(settlement: dict[str, str], posting: dict[str, str], message: dict[str, str]) -> str:
    deltas = settlement["counter_deltas"]
    caps = f"array_fill(100000000::bigint, array[cardinality({deltas})])"
    return (
        f"settlements.write({_row(settlement, 'settlements.settlement')}, {_row(posting, 'ledger.posting')}, {deltas}, {caps}, "
        f"-{settlement['account_fen']}, @version@, false, null, null, {_row(message, 'platform.message')}, "
        f"{settlement['opter']}, 'settle_visit', {message['request_digest']})"
    )


def _plain(settlement: dict[str, str], posting: dict[str, str], message: dict[str, str]) -> str:
    def insert(table: str, values: dict[str, str]) -> str:
        return f"insert into {table} ({', '.join(values)}) values ({', '.join(values.values())})"

    audit = {
        "id": ":setl", "at": settlement["settled_at"], "actor": settlement["opter"], "sender": message["sender"],
        "channel": "'gateway'", "verb": "'settle_visit'", "object": ":setl", "admdvs": settlement["admdvs"],
        "rule": settlement["policy_version"], "digest": message["request_digest"],
    }
    counters = (
        "insert into settlements.counter as c (psn_no, year, insutype, code, admdvs, used_fen, cap_fen) "
        f"select :psn, {settlement['year']}, {settlement['insutype']}, x.code, {settlement['admdvs']}, x.used, 100000000 "
        f"from unnest({settlement['counter_codes']}, {settlement['counter_deltas']}) x(code, used) "
        "on conflict (psn_no, year, insutype, code) do update set used_fen = excluded.used_fen, cap_fen = excluded.cap_fen"
    )
    statements = [
        "begin", insert("platform.message", message),
        "update people.person set version = version + 1 where psn_no = :psn and version = :f_version",
        insert("settlements.settlement", settlement), insert("ledger.posting", posting), counters,
        f"update ledger.personal_account set balance_fen = balance_fen - {settlement['account_fen']} where psn_no = :psn",
        insert("platform.audit_entry", audit), "commit",
    ]
    return "".join(f"{statement};\n" for statement in statements)


def run_pgbench(
    program: Path, url: str, script: str, *, size: int, first: int, connections: int, per_client: int
) -> Run:
    """Run one form of pgbench and return how fast it was once every connection had made its plans.

    Raises:
        CeilingFailed: a transaction failed, so the figure would mean nothing.
    """
    with tempfile.TemporaryDirectory() as directory:
        file, log = Path(directory) / "form.sql", Path(directory) / "log"
        file.write_text(script, encoding="utf-8")
        variables = {
            "n": -1, "start": first, "share": per_client, "first_person": first_person(size),
            "first_visit": first_visit(size),
        }
        done = subprocess.run(
            [
                str(program), "-n", "-M", "prepared", "-c", str(connections), "-j", "1", "-t", str(per_client),
                "-f", str(file), "-l", f"--log-prefix={log}",
                *(part for name, value in variables.items() for part in ("-D", f"{name}={value}")), url,
            ],
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            env={"PATH": os.defpath, "PGOPTIONS": _OPTIONS},
        )
        rows = [line.split() for path in Path(directory).glob("log.*") for line in path.read_text().splitlines()]
    if done.returncode or len(rows) != connections * per_client:
        raise CeilingFailed(f"{len(rows)} transactions\n{done.stdout[-500:]}\n{done.stderr[-2000:]}")
    ended_us = sorted(int(seconds) * 1_000_000 + int(rest) for _, _, _, _, seconds, rest in rows)
    skipped = len(rows) // _WARM_UP_PART
    took_us = sorted(int(row[2]) for row in rows)
    return Run(
        (len(rows) - skipped - 1) / (ended_us[-1] - ended_us[skipped]) * 1e6,
        tuple(round(took_us[len(rows) * share // 100] / 1000, 3) for share in (50, 95, 99)),
    )
