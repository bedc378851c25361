"""F15: the whole of PostgreSQL is killed under load and started again; every acknowledged reply must still be there."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from random import Random
from statistics import median
from typing import Any

from tests.proofs.cast import Cast, Patient, Site, draw_bill, gather
from tests.proofs.platform import Platform, Result, until
from tests.support.till import Till

CLIENTS = 4
_SETTLED_BETWEEN_KILLS = 12
_WITHIN_S = 120.0
_KILL_SPREAD_S = 0.25
_STORED = "select reply from platform.message where sender = $1 and msgid = $2"
_UNSEALED = """
select count(*) from platform.audit_entry
where xid >= (select coalesce(max(xid_to::text::bigint), 0)::text::xid8 from platform.audit_seal)
"""
_SEALED_WITHIN_S = 30.0


@dataclass
class Load:
    """What clients that never stop were told: every acknowledged message that moved money, with its reply."""

    cast: Cast
    stop: threading.Event = field(default_factory=threading.Event)
    acknowledged: list[tuple[Site, dict[str, Any], bytes]] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def keep_settling(self, patients: list[Patient], rng: Random) -> None:
        """Settle visit after visit, cancel every fourth, until told to stop."""
        while not self.stop.is_set():
            patient = rng.choice(patients)
            site = rng.choice(self.cast.sites[patient.region])
            till = self.cast.till(site)
            try:
                self._settle(till, site, patient, rng)
            except Exception as error:
                self.failures.append(repr(error))
            finally:
                till.close()

    def _settle(self, till: Till, site: Site, patient: Patient, rng: Random) -> None:
        bill = till.prepare(patient.wire, draw_bill(self.cast, rng, patient, site).visit)
        settled = self._acknowledged(till, site, till.envelope("2207", bill, insured_place=patient.region))
        if settled is not None and rng.random() < 0.25:
            data = {"psn_no": patient.wire["psn_no"], "mdtrt_id": settled["mdtrt_id"], "setl_id": settled["setl_id"]}
            self._acknowledged(till, site, till.envelope("2208", {"data": data}, insured_place=patient.region))

    def _acknowledged(self, till: Till, site: Site, message: dict[str, Any]) -> dict[str, Any] | None:
        reply = till.ask(message)
        answer = json.loads(reply)
        if answer["infcode"] != 0:
            self.failures.append(answer["err_msg"])
            return None
        self.acknowledged.append((site, message, reply))
        found: dict[str, Any] = answer["output"]["setlinfo"]
        return found


def run(n: int, seed: int, platform: Platform) -> Result:
    """Kill -9 all of PostgreSQL ``n`` times under four clients; afterwards ask for every acknowledged reply again."""
    rng = Random(seed)
    names = (
        "not_stored", "differing", "unanswered_or_refused", "server_ended", "audit_not_sealed", "defects", "breaches",
    )
    wrong = dict.fromkeys(names, 0)
    recoveries: list[float] = []
    with platform.served() as served:
        load = Load(gather(served, rng))
        platform.checkpoint()
        with _under_load(load, rng):
            for _ in range(n):
                wanted = len(load.acknowledged) + _SETTLED_BETWEEN_KILLS
                if not until(lambda w=wanted: len(load.acknowledged) >= w, within_s=_WITHIN_S):  # type: ignore[misc]
                    raise AssertionError("the clients do not get on:\n" + "\n".join(load.failures[-5:]) + served.log())
                # Anywhere in the work of the next moment, not just after an answer.
                load.stop.wait(rng.uniform(0, _KILL_SPREAD_S))
                platform.postgres.kill()
                # A worker that is born now finds no database.
                served.kill(rng.choice(served.workers()))
                began = time.monotonic()
                platform.postgres.start()
                wanted = len(load.acknowledged) + 1
                until(lambda w=wanted: len(load.acknowledged) >= w, within_s=_WITHIN_S)  # type: ignore[misc]
                recoveries.append(time.monotonic() - began)
        served.books.forget_connection()
        wrong["unanswered_or_refused"] = len(load.failures)
        wrong["server_ended"] = int(not served.is_running)
        wrong["audit_not_sealed"] = int(not until(lambda: not served.books.value(_UNSEALED), within_s=_SEALED_WITHIN_S))
        for failure in load.failures[:5]:
            print(f"  {failure[:300]}")
        for site, message, reply in load.acknowledged:
            stored = served.books.fetch(_STORED, site.counter.fixmedins_code, message["msgid"])
            wrong["not_stored"] += not stored or stored[0]["reply"] != reply
            till = load.cast.till(site)
            wrong["differing"] += till.ask(message) != reply
            till.close()
        books = served.verify()
        wrong["breaches"], wrong["defects"] = books["breaches"], served.defects
        if served.defects:
            print(served.log())
        done = {
            "kills": len(recoveries), "clients": CLIENTS, "acknowledged": len(load.acknowledged),
            "recovery_s_median": round(median(recoveries), 2) if recoveries else 0,
            "settlements": books["settlements"], "checks": books["checks"],
        }
    return Result(done, wrong)


@contextmanager
def _under_load(load: Load, rng: Random) -> Iterator[None]:
    """Keep the clients at work for the length of a block; each has people of its own."""
    people = [load.cast.patient() for _ in range(CLIENTS * 8)]
    with ThreadPoolExecutor(CLIENTS) as pool:
        working = [
            pool.submit(load.keep_settling, people[k::CLIENTS], Random(rng.random())) for k in range(CLIENTS)
        ]
        try:
            yield
        finally:
            load.stop.set()
            for work in working:
                work.result(_WITHIN_S)
