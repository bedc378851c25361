"""F01 and F02: the worker that serves a message dies at a named point, or at any instant."""

from __future__ import annotations

import threading
from collections import Counter
from itertools import cycle, islice
from random import Random

from tests.proofs.books import MOVE_PERSON
from tests.proofs.cast import gather
from tests.proofs.deeds import DEEDS, Deed, judge_stored, make_ready
from tests.proofs.platform import Platform, Result, Served
from tests.support.till import Unanswered
from yibao.infra.failpoints import POINTS

LATEST_KILL_MS = 12
_AT_ONCE, _UNDER_LOCK = "at once", "under lock"
_AGAIN_UNDER_LOCK = ("gathered:2", "decided:2", "encoded:2", "before_write:2", "written", "committed")

Place = tuple[str, str, str]
"""Transaction, way it goes, point at which the worker kills itself."""


def places() -> list[Place]:
    """Return every place where a worker can die while it moves money.

    A settlement that meets nobody is two statements, of which the second commits, so it never stands between
    ``written`` and ``committed``; one that meets a change of the person begins anew under the lock and does.
    """
    found = [("2207", _AT_ONCE, point) for point in POINTS if point != "written"]
    found += [("2207", _UNDER_LOCK, point) for point in _AGAIN_UNDER_LOCK]
    return found + [(infno, _UNDER_LOCK, point) for infno in DEEDS[1:] for point in POINTS]


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
            infno, way, point = place
            deed = make_ready(cast, rng, infno)
            deed.till.headers = {"x-yibao-failpoint": point}
            replies = _sent(deed, served, meets_change=infno == "2207" and way == _UNDER_LOCK)
            if served.killed() is None:
                wrong["not_killed"] += 1
                print(f"  not killed: {place}")
            seen[place] += 1
            replies += [deed.till.ask(deed.message) for _ in range(3)]
            _add(wrong, judge_stored(deed, served.books, replies), place)
            deed.till.close()
        return _result(served, wrong, {"n": n, "places": len(seen)})


def run_f02(n: int, seed: int, platform: Platform) -> Result:
    """Kill the serving worker ``n`` times, at a random instant up to 12 ms after the message was sent."""
    rng = Random(seed)
    wrong = dict.fromkeys(("lost", "doubled", "differing", "defects", "breaches"), 0)
    killed = cut = 0
    pause = threading.Event()
    with platform.served() as served:
        cast = gather(served, rng)
        for ordinal in range(n):
            infno = DEEDS[ordinal % len(DEEDS)]
            deed = make_ready(cast, rng, infno)
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
            _add(wrong, judge_stored(deed, served.books, replies), (infno, f"{delay_s * 1000:.1f} ms", ""))
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
