"""``python -m bench.surge``: a city opens again; writes docs/benchmarks-surge.{json,md}.

What nine days of a stop left behind is sent within two days beside the ordinary load, and two days are pressed into a few
minutes. Clients do not wait for each other: a piece of care is sent when its time has come, however many are under way.
Nothing may be lost or done twice; how long an answer takes, and how many pieces of care are under way, is what is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import httpx
import msgspec

from bench.report import machine
from tests.proofs.platform import _free_port
from tests.support.window_city import plan_text
from yibao.demo.agency import describe_agency
from yibao.demo.description import ENDPOINT
from yibao.demo.rehearsal.counter import Counter as Till
from yibao.demo.rehearsal.life import Life, Outcome
from yibao.demo.rehearsal.script import Care, Season, write_script
from yibao.demo.rehearsal.stage import build_stage, gather_people, program_key
from yibao.domains.windows.model import Plan
from yibao.domains.windows.reading import read_plan
from yibao.entrypoints.cli.running import RunningServer
from yibao.entrypoints.cli.window_rehearse import publish, season_of
from yibao.infra.config import Settings
from yibao.infra.database import Database
from yibao.infra.migrate import migrate
from yibao.infra.postgres import EmbeddedPostgres
from yibao.infra.turned_clock import TurnedClock

YEAR, SEED = 2025, 20_251_019
EARLY = timedelta(days=12)
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DOUBLED = """
select count(*)::integer from (select e.fixmedins_code, e.ipt_otp_no from settlements.settlement s
    join encounters.encounter e on e.psn_no = s.psn_no and e.mdtrt_id = s.mdtrt_id
    where s.kind = 'settlement' and s.state = 'active' group by 1, 2 having count(*) > 1) twice
"""
_OPEN = "select count(*)::integer from episodes.episode where state in ('held', 'entered')"
_REORDER = "select count(*)::integer from backfill.late_entry where reorder"


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(prog="python -m bench.surge", description=__doc__)
    parser.add_argument("--people", type=int, default=3_000)
    parser.add_argument("--cares", type=int, default=1_500, help="of the stop; about half as many come as ordinary load")
    parser.add_argument("--seconds", type=int, default=120, help="into which the two days are pressed")
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="yibao-bench-") as directory:
        Path(directory).chmod(0o755)
        with EmbeddedPostgres(Path(directory) / "home") as server:
            found = asyncio.run(_measure(server.url_for("yibao"), Path(directory), asked))
    (asked.docs / "benchmarks-surge.json").write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    report = _REPORT.format(**found)
    (asked.docs / "benchmarks-surge.md").write_text(report, encoding="utf-8")
    print(report)


async def _measure(url: str, home: Path, asked: argparse.Namespace) -> dict[str, Any]:
    text = plan_text("zibo-2021", year=YEAR)
    plan = read_plan(text)
    assert isinstance(plan, Plan), plan
    season = season_of(plan)
    await migrate(url)
    clock = TurnedClock.make(home / "clock", season.begin - EARLY)
    database = await Database.open(url, role=None, size=2)
    await build_stage(database, admdvs=plan.admdvs, at=clock.now(), persons=asked.people, institutions=20, seed=SEED,
                      progress=lambda *_: None)
    await publish(database, plan, text, clock)
    settings = Settings(home=home, database_url=url, port=_free_port(), workers=2, demo=True, log_level="warning",
                        clock=home / "clock")
    server = await asyncio.to_thread(RunningServer, settings, log=home / "server.log")
    try:
        await asyncio.to_thread(server.wait_ready)
        base = f"http://{settings.host}:{settings.port}"
        return await _surge(database, plan, season, clock, base, asked)
    finally:
        await asyncio.to_thread(server.stop)
        await database.close()


async def _surge(
    database: Database, plan: Plan, season: Season, clock: TurnedClock, base: str, asked: argparse.Namespace
) -> dict[str, Any]:
    people = await gather_people(database, admdvs=plan.admdvs, begin=season.begin, end=season.end, institutions=20)
    script = write_script(people, season, cares=2 * asked.cares, seed=SEED)
    stopped = [c for c in script if season.is_stopped(c.begin) and season.is_stopped(c.end or c.begin)]
    # One stay is open at a time: of each patient only the first one is sent.
    stays = {c.patient.psn_no: c.number for c in reversed(stopped) if c.end is not None}
    backlog = [c for c in stopped if c.end is None or stays[c.patient.psn_no] == c.number][: asked.cares]
    ordinary = [c for c in script if c.begin >= season.restart and c.end is None][: asked.cares // 2]
    keys = (await describe_agency(database, base_url=base, seed=SEED))["keys"][plan.admdvs]
    limits = httpx.Limits(max_connections=200)
    async with httpx.AsyncClient(timeout=120, limits=limits) as client:
        times: list[float] = []

        async def carry(message: dict[str, Any]) -> dict[str, Any]:
            began = time.perf_counter()
            answer = await client.post(base + ENDPOINT, content=_ENCODER.encode(message),
                                       headers={"content-type": "application/json"})
            times.append(time.perf_counter() - began)
            found: dict[str, Any] = _DECODER.decode(answer.content)
            return found

        async def post(who: str, path: str, body: Any, idem: str) -> dict[str, Any]:
            key = keys.get(who) or program_key(plan.admdvs, who, seed=SEED)
            headers = {"authorization": f"Bearer {key}", "idempotency-key": idem}
            found: dict[str, Any] = (await client.post(f"{base}/api/v1{path}", json=body, headers=headers)).json()
            return found

        life = Life(season, till=Till(carry), post=post, turn=clock.turn)
        await life.play([], [(at, partial(does, life.outcomes.setdefault(c.number, Outcome(care=c)), at))
                             for c in backlog for at, does in life.acts(c) if at < season.restart])
        clock.turn(season.end)
        times.clear()
        seconds, queue = await _send(life, [*backlog, *ordinary], clock, asked.seconds)
    left = await _settle_down(database)
    outcomes = list(life.outcomes.values())
    refused = [o for o in outcomes if o.refused]
    for o in refused[:5]:
        print("refused:", o.refused)
    ordered = sorted(times)
    return {
        "when": datetime.now(UTC).isoformat(" ", "minutes"), "machine": machine(), "people": asked.people,
        "backlog": len(backlog), "ordinary": len(ordinary), "pressed_s": asked.seconds, "took_s": round(seconds, 1),
        "messages": len(times), "per_s": round(len(times) / seconds),
        "p50_ms": _ms(ordered, 0.5), "p95_ms": _ms(ordered, 0.95), "p99_ms": _ms(ordered, 0.99), "max_ms": _ms(ordered, 1),
        "queue_most": max(queue, default=0), "queue_mean": round(sum(queue) / max(1, len(queue)), 1),
        "refused": len(refused), "lost": sum(o.cash is None and not o.refused for o in outcomes),
        "doubled": (await database.fetch(_DOUBLED))[0][0], **left,
    }


async def _send(life: Life, cares: Sequence[Care], clock: TurnedClock, seconds: int) -> tuple[float, list[int]]:
    """Send everything at times drawn evenly over the pressed two days; return how long it took and the queue each second."""
    rng = Random(SEED)  # noqa: S311 - a load, no secret
    under_way, queue = 0, list[int]()

    async def one(care: Care, at_s: float) -> None:
        nonlocal under_way
        await asyncio.sleep(at_s)
        under_way += 1
        try:
            await life.finish(life.outcomes.setdefault(care.number, Outcome(care=care)), clock.now())
        finally:
            under_way -= 1

    began = time.perf_counter()
    work = [asyncio.create_task(one(care, rng.uniform(0, seconds))) for care in cares]
    while not all(task.done() for task in work):
        await asyncio.sleep(1)
        queue.append(under_way)
    await asyncio.gather(*work)
    return time.perf_counter() - began, queue


async def _settle_down(database: Database) -> dict[str, int]:
    """Wait until the years that have to be put into order are, and say what is still open."""
    for _ in range(120):
        waiting = (await database.fetch(_REORDER))[0][0]
        if not waiting:
            break
        await asyncio.sleep(1)
    return {"episodes_open": (await database.fetch(_OPEN))[0][0], "years_to_order": (await database.fetch(_REORDER))[0][0]}


def _ms(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000, 1) if ordered else 0


_REPORT = """# Benchmark of the surge after a window

Written by `python -m bench.surge`; no figure here is typed by hand. {when} UTC.
Machine: {machine}.

{people} people, 20 institutions. {backlog} visits, stays and purchases that a stop of nine days held up are sent within two
days beside {ordinary} ordinary visits; the two days are pressed into {pressed_s} seconds, and nobody waits for anybody.

| what | |
|---|---:|
| messages | {messages} |
| messages/s | {per_s} |
| answer, median | {p50_ms} ms |
| answer, 95 % | {p95_ms} ms |
| answer, 99 % | {p99_ms} ms |
| slowest answer | {max_ms} ms |
| pieces of care under way, mean | {queue_mean} |
| pieces of care under way, most | {queue_most} |
| seconds until the last was settled | {took_s} |
| lost | {lost} |
| doubled | {doubled} |
| refused | {refused} |
| held cases still open | {episodes_open} |
| years still to be put into the order of service | {years_to_order} |
"""


if __name__ == "__main__":
    main()
