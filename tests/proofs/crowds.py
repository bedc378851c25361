"""F06 and F07: what moves money once is asked for by fifty tills at once, with fifty message ids or with one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from threading import Barrier
from typing import Any, TypeVar

from tests.proofs.cast import Cast, gather
from tests.proofs.deeds import DEEDS, Deed, effects, make_ready
from tests.proofs.platform import Platform, Result
from tests.support.till import Counter, Till, new_msgid

T = TypeVar("T")

AT_ONCE = 50
_REFUSED_AS = {
    "2207": "该收费批次已结算", "2304": "已结算", "2304 interim": "没有未结算", "2208": "已经撤销", "2305": "已经撤销",
    "2103": "已经撤销", "3203": "没有未申报的结算",
}
"""Deeds that only one of fifty message ids can do, and what the others are told. A sale may be made twice, and a 2601
that finds nothing left to undo succeeds."""
_NUMBER_TAKEN = "住院/门诊号已用于就诊"
_WITHIN_S = 120.0


class Crowd:
    """Fifty threads that wait for each other before they act."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def act(self, actions: Sequence[Callable[[Barrier], T]]) -> list[T]:
        """Run every action in a thread of its own; each meets the others at the barrier it is given."""
        barrier = Barrier(len(actions), timeout=_WITHIN_S)
        return [f.result(_WITHIN_S) for f in [self._pool.submit(action, barrier) for action in actions]]


@contextmanager
def crowd(size: int = AT_ONCE) -> Iterator[Crowd]:
    """Keep the threads for the length of a block."""
    with ThreadPoolExecutor(size) as pool:
        yield Crowd(pool)


def run_f06(n: int, seed: int, platform: Platform) -> Result:
    """Do one deed fifty times at once under different message ids, ``n`` rounds: exactly one succeeds."""
    wrong = dict.fromkeys(("rounds_without_exactly_one", "refused_otherwise", "defects", "breaches"), 0)

    def judge(deed: Deed, replies: list[bytes], stored: int) -> None:
        successes = sum(deed.reads(reply) for reply in replies)
        wrong["rounds_without_exactly_one"] += successes != 1 or stored != 1
        refusals = [json.loads(reply) for reply in replies if not deed.reads(reply)]
        otherwise = [r["err_msg"] for r in refusals if _REFUSED_AS[deed.name] not in r["err_msg"]]
        wrong["refused_otherwise"] += len(otherwise)
        if otherwise:
            print(f"  {deed.name} refused otherwise: {otherwise[0]}")

    return _rounds(n, seed, platform, wrong, judge, names=tuple(_REFUSED_AS), new_id_each=True)


def run_f07(n: int, seed: int, platform: Platform) -> Result:
    """Send one message fifty times at once, ``n`` rounds: it executes once, and all fifty get the same bytes."""
    wrong = dict.fromkeys(("rounds_not_executed_once", "rounds_with_differing_replies", "defects", "breaches"), 0)

    def judge(deed: Deed, replies: list[bytes], stored: int) -> None:
        wrong["rounds_not_executed_once"] += stored != 1
        differ = len(set(replies)) != 1 or not deed.reads(replies[0])
        wrong["rounds_with_differing_replies"] += differ
        if differ:
            for reply in set(replies):
                print(f"  {replies.count(reply)} x {reply.decode()[:300]}")

    return _rounds(n, seed, platform, wrong, judge, names=DEEDS, new_id_each=False)


def run_registrations(n: int, seed: int, platform: Platform) -> Result:
    """Register one visit number fifty times at once, ``n`` rounds: exactly one succeeds, the others are told why."""
    rng = Random(seed)
    wrong = dict.fromkeys(("rounds_without_exactly_one", "refused_otherwise", "defects", "breaches"), 0)
    with platform.served() as served, crowd() as people:
        cast = gather(served, rng)
        for ordinal in range(n):
            patient = cast.patient()
            till = cast.till(cast.home(patient))
            content = till.registration(patient.wire, visit_no=f"SAME{ordinal}")
            messages = [till.envelope("2201", content, insured_place=patient.region) for _ in range(AT_ONCE)]
            replies = [json.loads(r) for r in people.act([_sender(cast, till.counter, m) for m in messages])]
            wrong["rounds_without_exactly_one"] += sum(r["infcode"] == 0 for r in replies) != 1
            wrong["refused_otherwise"] += sum(r["infcode"] != 0 and _NUMBER_TAKEN not in r["err_msg"] for r in replies)
        books = served.verify()
        wrong["breaches"], wrong["defects"] = books["breaches"], served.defects
    return Result({"rounds": n, "at_once": AT_ONCE, "checks": books["checks"]}, wrong)


def _rounds(
    n: int, seed: int, platform: Platform, wrong: dict[str, int],
    judge: Callable[[Deed, list[bytes], int], None], *, names: Sequence[str], new_id_each: bool,
) -> Result:
    rng = Random(seed)
    with platform.served() as served, crowd() as people:
        cast = gather(served, rng)
        for ordinal in range(n):
            deed = make_ready(cast, rng, names[ordinal % len(names)])
            messages = [{**deed.message, "msgid": new_msgid()} if new_id_each else deed.message for _ in range(AT_ONCE)]
            replies = people.act([_sender(cast, deed.till.counter, message) for message in messages])
            judge(deed, replies, effects(deed, served.books))
            deed.till.close()
        books = served.verify()
        wrong["breaches"], wrong["defects"] = books["breaches"], served.defects
        done = {"rounds": n, "at_once": AT_ONCE, "settlements": books["settlements"], "checks": books["checks"]}
    return Result(done, wrong)


def _sender(cast: Cast, counter: Counter, message: dict[str, Any]) -> Callable[[Barrier], bytes]:
    def send(barrier: Barrier) -> bytes:
        till = Till(cast.served.endpoint, counter)
        till.open()
        barrier.wait()
        try:
            return till.ask(message)
        finally:
            till.close()

    return send
