"""Meetings that chance brings about once in a million: arranged, by holding a lock at the right moment."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any

from tests.proofs.books import HOLD_TRAIL, MOVE_PERSON, Books
from tests.proofs.cast import Cast, draw_bill, gather
from tests.proofs.deeds import Deed, make_ready
from tests.proofs.platform import Platform, Result, Served
from tests.support.till import TRY_AGAIN, Till, wire_now

_STATES = """
select kind, state from settlements.settlement where psn_no = $1 and mdtrt_id = $2 order by setl_id
"""


def run(n: int, seed: int, platform: Platform) -> Result:
    """Arrange each of the meetings ``n`` times."""
    rng = Random(seed)
    wrong = dict.fromkeys(
        (
            "repeat_refused", "reversal_not_answered", "cancelled_out_of_order", "bill_changed_under_settlement",
            "not_met", "defects", "breaches",
        ), 0
    )
    with platform.served() as served:
        cast = gather(served, rng)
        for _ in range(n):
            _repeat_meets_its_first(cast, rng, served.books, wrong)
            _reversal_meets_its_settlement(cast, rng, served.books, wrong)
            _overtaken_settlement(cast, rng, served.books, wrong)
            for change in (_withdrawal, _addition):
                _change_meets_settlement(cast, rng, served.books, change, wrong)
        books = served.verify()
        wrong["breaches"], wrong["defects"] = books["breaches"], served.defects
        _tell(served)
        done = {"n": 5 * n, "settlements": books["settlements"], "checks": books["checks"]}
    return Result(done, wrong)


def _repeat_meets_its_first(cast: Cast, rng: Random, books: Books, wrong: dict[str, int]) -> None:
    """A settlement that must begin anew is repeated, and the repeat overtakes it: both get the same bytes."""
    deed = make_ready(cast, rng, "2207")
    psn_no = deed.patient.wire["psn_no"]
    slow, quick = deed.till, cast.till(cast.home(deed.patient))
    met = _overtake(books, psn_no, slow, deed.message, quick, deed.message)
    overtaking, reply = quick.receive(), slow.receive()
    wrong["not_met"] += not met
    wrong["repeat_refused"] += reply != overtaking or not deed.reads(reply)


def _overtake(
    books: Books, psn_no: str, slow: Till, message: dict[str, Any], quick: Till, overtaking: dict[str, Any]
) -> bool:
    """Send two messages so that the first must begin anew while the second waits for its turn; False if they did not meet."""
    books.hold(MOVE_PERSON, psn_no)
    slow.post(message)
    met = books.awaited_by(1)
    quick.post(overtaking)
    met &= books.awaited_by(2)
    books.release()
    return met


def _reversal_meets_its_settlement(cast: Cast, rng: Random, books: Books, wrong: dict[str, int]) -> None:
    """A 2601 comes while its 2207 is being written: it waits and undoes it, or asks to come again."""
    deed = make_ready(cast, rng, "2207")
    psn_no = deed.patient.wire["psn_no"]
    reversing = cast.till(cast.home(deed.patient))
    data = {"psn_no": psn_no, "omsgid": deed.message["msgid"], "oinfno": "2207"}
    message = reversing.envelope("2601", {"data": data}, insured_place=deed.patient.region)
    books.hold(HOLD_TRAIL)
    deed.till.post(deed.message)
    met = books.awaited_by(1)
    reversing.post(message)
    met &= books.awaited_by(2)
    books.release()
    settled, reversed_ = deed.till.receive(), reversing.receive()
    wrong["not_met"] += not met
    answered = deed.reads(reversed_) or TRY_AGAIN in reversed_
    asked_again = reversing.ask(message)
    states = [(row["kind"], row["state"]) for row in books.fetch(_STATES, psn_no, deed.mdtrt_id)]
    undone = states == [("settlement", "reversed"), ("refund", "active")]
    wrong["reversal_not_answered"] += not (answered and deed.reads(asked_again) and deed.reads(settled) and undone)


def _overtaken_settlement(cast: Cast, rng: Random, books: Books, wrong: dict[str, int]) -> None:
    """A settlement is overtaken by a later message: the overtaking one cannot be cancelled before it."""
    slow = make_ready(cast, rng, "2207")
    psn_no = slow.patient.wire["psn_no"]
    quick = _another_visit(cast, rng, slow)
    met = _overtake(books, psn_no, slow.till, slow.message, quick.till, quick.message)
    first, second = json.loads(quick.till.receive()), json.loads(slow.till.receive())
    met &= first["infcode"] == second["infcode"] == 0
    wrong["not_met"] += not met
    if not met or not _counted_after(books, psn_no, second["output"]["setlinfo"]["setl_id"]):
        return
    data = {"psn_no": psn_no, "mdtrt_id": quick.mdtrt_id, "setl_id": first["output"]["setlinfo"]["setl_id"]}
    message = quick.till.envelope("2208", {"data": data}, insured_place=slow.patient.region)
    wrong["cancelled_out_of_order"] += quick.reads(quick.till.ask(message))


def _change_meets_settlement(
    cast: Cast, rng: Random, books: Books, change: Callable[[Deed, Till], dict[str, Any]], wrong: dict[str, int]
) -> None:
    """The lines of a bill are to be changed while it is being settled: one of the two comes first, and counts."""
    deed = make_ready(cast, rng, "2207")
    changing = cast.till(cast.home(deed.patient))
    books.hold(HOLD_TRAIL)
    deed.till.post(deed.message)
    met = books.awaited_by(1)
    changing.post(change(deed, changing))
    met &= books.awaited_by(2)
    books.release()
    settled, changed = deed.till.receive(), changing.receive()
    wrong["not_met"] += not met
    wrong["bill_changed_under_settlement"] += deed.reads(changed) or not deed.reads(settled)


def _withdrawal(deed: Deed, till: Till) -> dict[str, Any]:
    """Return a 2205 that withdraws the lines of the bill."""
    data = {"mdtrt_id": deed.mdtrt_id, "chrg_bchno": deed.batch, "psn_no": deed.patient.wire["psn_no"]}
    return till.envelope("2205", {"data": data}, insured_place=deed.patient.region)


def _addition(deed: Deed, till: Till) -> dict[str, Any]:
    """Return a 2204 that adds a line to the bill."""
    c, at = till.counter, wire_now()
    line = {
        "feedetl_sn": "999", "mdtrt_id": deed.mdtrt_id, "psn_no": deed.patient.wire["psn_no"],
        "chrg_bchno": deed.batch, "dise_codg": deed.visit["dise_codg"], "rx_circ_flag": "0", "fee_ocur_time": at,
        "bilg_dept_codg": c.dept_code, "bilg_dept_name": c.dept_name, "bilg_dr_codg": c.dr_codg,
        "bilg_dr_name": c.dr_name, **deed.visit["lines"][0],
    }
    return till.envelope("2204", {"feedetail": [line]}, insured_place=deed.patient.region)


def _another_visit(cast: Cast, rng: Random, deed: Deed) -> Deed:
    """Make a second visit of the same person, of the same class, ready to be settled."""
    site = cast.home(deed.patient)
    till = cast.till(site)
    visit: dict[str, Any] = draw_bill(cast, rng, deed.patient, site).visit
    visit |= {"med_type": deed.visit["med_type"], "dise_codg": deed.visit["dise_codg"]}
    content = till.prepare(deed.patient.wire, visit)
    message = till.envelope("2207", content, insured_place=deed.patient.region)
    return Deed("2207", till, deed.patient, content["data"]["mdtrt_id"], message, visit)


def _counted_after(books: Books, psn_no: str, setl_id: str) -> bool:
    """Say whether a settlement counts in a year's total that another one of the person counts in, too."""
    return bool(books.fetch(
        "select from settlements.settlement a join settlements.settlement b on b.psn_no = a.psn_no"
        " and b.setl_id <> a.setl_id and b.counter_codes && a.counter_codes and b.state = 'active'"
        " where a.psn_no = $1 and a.setl_id = $2 and b.kind = 'settlement'", psn_no, setl_id,
    ))


def _tell(served: Served) -> None:
    if served.defects:
        print(served.log())
