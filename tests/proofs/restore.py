"""S9: the data directory is lost under load and brought back from the archive; every acknowledged reply must be there.

While the archive is kept, PostgreSQL acknowledges a commit only when the receiver of the log has it on disk. So a kill -9 of
the whole server with its data directory removed loses nothing that anybody was told.
"""

from __future__ import annotations

import shutil
import time
from pathlib import Path
from random import Random
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from tests.proofs.cast import gather
from tests.proofs.database_kills import CLIENTS, Load, _under_load
from tests.proofs.platform import Platform, Result, Served, until
from yibao.infra.backup import restore
from yibao.infra.postgres import EmbeddedPostgres

SETTLED_BETWEEN_LOSSES = 25
_WITHIN_S = 180.0
_LOSS_SPREAD_S = 0.25
_SETTINGS = {"track_commit_timestamp": "on"}
_STORED = "select reply from platform.message where sender = $1 and msgid = $2"


def run(n: int, seed: int, platform: Platform) -> Result:
    """Lose the data directory ``n`` times under four clients; afterwards ask for every acknowledged reply again."""
    rng = Random(seed)
    wrong = dict.fromkeys(("not_stored", "differing", "not_lost", "server_ended", "defects", "breaches"), 0)
    done: dict[str, Any] = {"losses": 0, "clients": CLIENTS}
    home = platform.postgres.place.root.parent
    with TemporaryDirectory(prefix="yibao-archive-") as archive:
        _restart(platform, home, Path(archive))
        try:
            with platform.served() as served:
                load, took = Load(gather(served, rng)), []
                with _under_load(load, rng):
                    for _ in range(n):
                        took.append(_lose_and_restore(platform, home, Path(archive), load, served, rng, wrong))
                served.books.forget_connection()
                _judge(served, load, wrong)
                books = served.verify()
                wrong["breaches"], wrong["defects"] = books["breaches"], served.defects
                wrong["server_ended"] = int(not served.is_running)
                done |= {
                    "losses": len(took), "acknowledged": len(load.acknowledged), "not_answered_meanwhile": len(load.failures),
                    "restore_minutes_median": round(median(took) / 60, 2), "restore_minutes_longest": round(max(took) / 60, 2),
                    "settlements": books["settlements"], "checks": books["checks"],
                }
        finally:
            _restart(platform, home, None)
    return Result(done, wrong)


def _lose_and_restore(
    platform: Platform, home: Path, archive: Path, load: Load, served: Served, rng: Random, wrong: dict[str, int]
) -> float:
    """Kill the server under load, remove its data, restore, serve again; return the seconds until it serves."""
    wanted = len(load.acknowledged) + SETTLED_BETWEEN_LOSSES
    if not until(lambda: len(load.acknowledged) >= wanted, within_s=_WITHIN_S):
        raise AssertionError("the clients do not get on:\n" + "\n".join(load.failures[-5:]) + served.log())
    # Anywhere in the work of the next moment, not just after an answer.
    load.stop.wait(rng.uniform(0, _LOSS_SPREAD_S))
    platform.postgres.kill()
    data = platform.postgres.place.data
    platform.postgres.stop()
    shutil.rmtree(data)
    wrong["not_lost"] += data.exists()
    began = time.monotonic()
    restore(archive, home)
    _restart(platform, home, archive)
    return time.monotonic() - began


def _judge(served: Served, load: Load, wrong: dict[str, int]) -> None:
    """Look for every acknowledged reply in the restored database, and ask for it again as its sender would."""
    for site, message, reply in load.acknowledged:
        stored = served.books.fetch(_STORED, site.counter.fixmedins_code, message["msgid"])
        wrong["not_stored"] += not stored or stored[0]["reply"] != reply
        till = load.cast.till(site)
        wrong["differing"] += till.ask(message) != reply
        till.close()


def _restart(platform: Platform, home: Path, archive: Path | None) -> None:
    """Serve the platform's database with an archive, or without one."""
    platform.postgres.stop()
    platform.postgres = EmbeddedPostgres(home, settings=_SETTINGS, archive=archive)
    platform.postgres.start()
