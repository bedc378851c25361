"""F01 and F02: the worker that serves a message which moves money dies at a named point, or at any instant."""

from __future__ import annotations

import threading
from collections import Counter
from itertools import cycle, islice
from random import Random

from tests.proofs.books import MOVE_PERSON
from tests.proofs.cast import gather
from tests.proofs.deeds import CLAIM, DEEDS, SETTLING, UNDOING, Deed, judge_stored, make_ready
from tests.proofs.platform import Platform, Result, Served
from tests.support.till import Unanswered
from yibao.infra.failpoints import POINTS

LATEST_KILL_MS = 12
_AT_ONCE, _IN_TURN, _IN_TRANSACTION = "at once", "in turn", "in a transaction"
_AGAIN_IN_TURN = ("gathered:2", "decided:2", "encoded:2", "before_write:2", "written", "committed")

Place = tuple[str, str, str]
"""Deed, way it goes, point at which the worker kills itself."""


def places() -> list[Place]:
    """Return every place where a worker can die while it moves money.

    A settlement that meets nobody is two statements, of which the second commits, so it never stands between
    ``written`` and ``committed``; one that meets a change of the person begins anew in its turn and does. A claim is an
    ordinary deed, which gathers nothing.
    """
    found = [(name, _AT_ONCE, point) for name in SETTLING for point in POINTS if point != "written"]
    found += [(name, _IN_TURN, point) for name in SETTLING for point in _AGAIN_IN_TURN]
    found += [(name, _IN_TRANSACTION, point) for name in UNDOING for point in POINTS]
    return found + [(CLAIM, _IN_TRANSACTION, point) for point in POINTS if point != "gathered"]


def run_f01(n: int, seed: int, platform: Platform) -> Result:
    """Kill the worker ``n`` times, at every place in turn; the client asks again with the same msgid."""
    rng = Random(seed)
    everywhere = places()
    rng.shuffle(everywhere)
    wrong = dict.fromkeys(("not_killed", "lost", "doubled", "differing", "defects", "breaches"), 0)
    seen: Counter[Place] = Counter()
    with platform.served() as served:
        cast = gather(served, rng)
        for place in islice(cycle(everywhere), n):
            name, way, point = place
            deed = make_ready(cast, rng, name)
            deed.till.headers = {"x-yibao-failpoint": point}
            replies = _sent(deed, served, meets_change=way == _IN_TURN)
            if served.killed() is None:
                wrong["not_killed"] += 1
                print(f"  not killed: {place}")
            seen[place] += 1
            replies += [deed.till.ask(deed.message) for _ in range(3)]
            _add(wrong, judge_stored(deed, served.books, replies), place)
            deed.till.close()
        by_deed = Counter(name for name, _, _ in seen.elements())
        return _result(served, wrong, {"n": n, "places": len(seen), "fewest_of_a_deed": min(by_deed.values())})


def run_f02(n: int, seed: int, platform: Platform) -> Result:
    """Kill the serving worker ``n`` times, at a random instant up to 12 ms after the message was sent."""
    rng = Random(seed)
    wrong = dict.fromkeys(("lost", "doubled", "differing", "defects", "breaches"), 0)
    killed = cut = 0
    pause = threading.Event()
    with platform.served() as served:
        cast = gather(served, rng)
        for ordinal in range(n):
            name = DEEDS[ordinal % len(DEEDS)]
            deed = make_ready(cast, rng, name)
            worker = served.worker_of(deed.till.local_port)
            delay_s = rng.uniform(0, LATEST_KILL_MS) / 1000
            deed.till.post(deed.message)
            pause.wait(delay_s)
            if worker is not None:
                served.kill(worker)
                killed += served.killed() is not None
            replies = []
            try:
                replies.append(deed.till.receive())
            except Unanswered:
                cut += 1
            replies += [deed.till.ask(deed.message) for _ in range(3)]
            _add(wrong, judge_stored(deed, served.books, replies), (name, f"{delay_s * 1000:.1f} ms", ""))
            deed.till.close()
        wrong["not_killed"] = n - killed
        return _result(served, wrong, {"n": n, "cut_in_flight": cut})


def _sent(deed: Deed, served: Served, *, meets_change: bool) -> list[bytes]:
    """Send an armed message once and return its reply, if one came before the worker died."""
    if meets_change:
        served.books.hold(MOVE_PERSON, deed.patient.wire["psn_no"])
    deed.till.post(deed.message)
    if meets_change:
        if not served.books.awaited_by(1):
            print(f"  no settlement waited for the change of {deed.patient.wire['psn_no']}")
        served.books.release()
    try:
        return [deed.till.receive()]
    except Unanswered:
        return []


def _add(wrong: dict[str, int], found: dict[str, int], place: object) -> None:
    for name, count in found.items():
        wrong[name] += count
        if count:
            print(f"  {name}: {place}")


def _result(served: Served, wrong: dict[str, int], done: dict[str, int]) -> Result:
    books = served.verify()
    wrong["breaches"], wrong["defects"] = books["breaches"], served.defects
    return Result({**done, "settlements": books["settlements"], "checks": books["checks"]}, wrong)
