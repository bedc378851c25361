"""F01C: the agency's own deeds with money die in the middle: approval, payment order, the bank's return.

A lock that the proof holds stops each command at its last row, everything else written and nothing committed; there it
is killed -9. Done again, it must do everything once.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from tests.proofs.books import HOLD_TRAIL
from tests.proofs.cast import Cast, gather
from tests.proofs.deeds import CLAIM, make_ready
from tests.proofs.platform import Platform, Result, Served, until
from tests.support.agency import FIRST, SECOND, Desk, answer_of, read_order

DEEDS = ("approve", "pay", "return")
_WITHIN_S = 30.0
_POSTED = """
select coalesce(sum(a) filter (where account = 'payable:' || $1), 0)::bigint as owed,
       count(*) filter (where p.kind = 'payment' and account = 'payable:' || $1) as payments
from ledger.posting p, unnest(p.accounts, p.amounts) leg(account, a)
"""


def run(n: int, seed: int, platform: Platform) -> Result:
    """Take ``n`` claims to their money, each deed killed once on the way."""
    rng = Random(seed)
    wrong = dict.fromkeys(("not_killed", "still_owed", "not_paid_once", "breaches", "defects"), 0)
    done = {"claims": 0, "kills": 0}
    with platform.served() as served, TemporaryDirectory() as papers:
        cast, desk = gather(served, rng), Desk(served.url)
        paid: dict[str, int] = {}
        for _ in range(n):
            code = _one_claim(cast, rng, served, desk, Path(papers), done, wrong)
            paid[code] = paid.get(code, 0) + 1
            row = served.books.fetch(_POSTED, code)[0]
            wrong["still_owed"] += row["owed"] != 0
            wrong["not_paid_once"] += row["payments"] != paid[code]
        books = served.verify()
        wrong["breaches"], wrong["defects"] = books["breaches"], served.defects
    return Result({**done, "checks": books["checks"]}, wrong)


def _one_claim(
    cast: Cast, rng: Random, served: Served, desk: Desk, papers: Path, done: dict[str, int], wrong: dict[str, int]
) -> str:
    deed = make_ready(cast, rng, CLAIM)
    code, region = deed.till.counter.fixmedins_code, deed.till.counter.region
    claim_id = deed.till.output(deed.till.ask(deed.message))["result"]["clr_appy_evt_id"]
    deed.till.close()
    desk.payee(code)
    desk.run("review", claim_id, "--operator", FIRST)
    done["claims"] += 1
    order, answer = papers / "order.txt", papers / "answer.txt"
    order.unlink(missing_ok=True)
    commands = {
        "approve": ("approve", claim_id, "--operator", SECOND),
        "pay": ("pay", region, "--operator", FIRST, "--out", str(order)),
        "return": ("return", str(answer), "--operator", FIRST),
    }
    for name in DEEDS:
        if name == "return":
            answer.write_bytes(answer_of(read_order(order.read_bytes())))
        if _killed(served, commands[name]):
            done["kills"] += 1
        else:
            wrong["not_killed"] += 1
        desk.run(*commands[name])
    return code


def _killed(served: Served, words: tuple[str, ...]) -> bool:
    """Start a command, wait until it stands at its last row, and kill it; False if it never came there."""
    served.books.hold(HOLD_TRAIL)
    command = subprocess.Popen(
        [sys.executable, "-m", "yibao.entrypoints.cli.main", "clearing", *words, "--json"],
        env={**os.environ, "YIBAO_DATABASE_URL": served.url}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )
    stands = until(lambda: command.poll() is not None or served.books.awaited_by(1), within_s=_WITHIN_S)
    stands = stands and command.poll() is None
    command.send_signal(signal.SIGKILL)
    command.wait()
    served.books.release()
    return stands
