"""F08: fifty tills, pharmacies and a ward meet one person at once; the committed order is played again by the twin."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from threading import Barrier
from typing import Any

from tests.proofs.cast import Bill, Cast, Patient, Site, by_twin, draw_bill, gather
from tests.proofs.crowds import AT_ONCE, Crowd, crowd
from tests.proofs.deeds import sold_lines
from tests.proofs.family import play_family
from tests.proofs.platform import Platform, Result, Served
from tests.support.drugstore import Drugstore
from tests.support.till import Counter as Place
from tests.support.till import Till, total
from tests.support.ward import Ward
from tests.twin.settlement_twin import Circumstances, NotCovered, Twin, TwinSettlement
from yibao.kernel.business_time import SHANGHAI

_SETTLED_BEFORE, _CANCELLING, _REVERSING, _REPEATING, _SALES, _STAYS = 6, 6, 7, 5, 8, 1
# Postings are never updated, so their commit times are those of the deeds themselves.
_IN_ORDER = """
select s.setl_id, s.kind, s.origin_id, s.msgid, s.insutype, s.year, s.counter_codes, s.counter_deltas
from ledger.posting p join settlements.settlement s on s.psn_no = p.psn_no and s.setl_id = p.posting_id
where p.psn_no = $1 order by pg_xact_commit_timestamp(p.xmin), s.setl_id
"""
_COUNTERS = "select code, used_fen from settlements.counter where psn_no = $1 and used_fen <> 0"
_OVER = """
select (select count(*) from settlements.counter where psn_no = $1 and (used_fen > cap_fen or used_fen < 0))
     + (select count(*) from ledger.personal_account where psn_no = $1 and balance_fen < 0)
"""
_BALANCE = "select balance_fen from ledger.personal_account where psn_no = $1"

Act = Callable[[Barrier], None]


@dataclass(frozen=True)
class Prepared:
    """A visit, sale or stay that is ready to be settled: where, by which message, and how the twin settles it."""

    place: Place
    message: dict[str, Any]
    mdtrt_id: str
    by_twin: Callable[[Twin], TwinSettlement | None]


@dataclass
class Round:
    """One person's fifty tills: what was sent under which message id, and every reply to it."""

    cast: Cast
    patient: Patient
    prepared: dict[str, Prepared] = field(default_factory=dict)
    replies: dict[str, list[bytes]] = field(default_factory=dict)
    sent: Counter[str] = field(default_factory=Counter)

    def prepare(self, site: Site, bill: Bill) -> Prepared:
        """Register, record and upload a visit."""
        till = self.cast.till(site)
        content = till.prepare(self.patient.wire, bill.visit)
        message = till.envelope("2207", content, insured_place=self.patient.region)
        till.close()
        return self._kept(Prepared(
            site.counter, message, content["data"]["mdtrt_id"], lambda twin: by_twin(twin, self.patient, site, bill)
        ))

    def prepare_sale(self, rng: Random) -> Prepared:
        """Fill a basket that the own account may just pay."""
        place = self.cast.pharmacy(self.patient.region)
        store = Drugstore(Till(self.cast.served.endpoint, place))
        lines = sold_lines(self.cast, self.patient.region, [(rng.randint(20, 300), 1) for _ in range(rng.randint(1, 3))])
        cost = Decimal(str(total(lines)))
        message = store.till.envelope("2102", store.purchase(self.patient.wire, lines), insured_place=self.patient.region)
        return self._kept(Prepared(place, message, "", lambda twin: _sold(twin, self.patient, cost)))

    def prepare_stay(self, site: Site, bill: Bill) -> Prepared:
        """Admit, charge and discharge."""
        ward, now = Ward(self.cast.served.endpoint, site.counter), datetime.now(SHANGHAI)
        stay = ward.admit(self.patient.wire, now - timedelta(hours=2))
        ward.charge(stay, now - timedelta(hours=1), bill.visit["lines"])
        ward.discharge(stay, now - timedelta(minutes=1))
        content = ward.stay_bill(stay, total(bill.visit["lines"]), acct_used_flag="1" if bill.use_account else "0")
        message = ward.envelope("2304", content, insured_place=self.patient.region)
        ward.close()
        return self._kept(Prepared(
            site.counter, message, stay.mdtrt_id, lambda twin: _lain(twin, self.patient, site, bill, now)
        ))

    def _kept(self, made: Prepared) -> Prepared:
        self.prepared[made.message["msgid"]] = made
        return made

    def send(self, place: Place, message: dict[str, Any]) -> bytes:
        """Send a message until it is answered, and keep the reply."""
        till = Till(self.cast.served.endpoint, place)
        reply = till.ask(message)
        till.close()
        self.replies.setdefault(message["msgid"], []).append(reply)
        self.sent[message["infno"]] += 1
        return reply

    def about(self, infno: str, visit: Prepared, data: dict[str, Any]) -> dict[str, Any]:
        """Return a 2208 or 2601 about a prepared visit, unsent."""
        till = Till(self.cast.served.endpoint, visit.place)
        data = {"psn_no": self.patient.wire["psn_no"], **data}
        return till.envelope(infno, {"data": data}, insured_place=self.patient.region)


def _sold(twin: Twin, patient: Patient, cost: Decimal) -> TwinSettlement:
    """A sale: no fund pays, the own account what it has."""
    balance = twin.balances[patient.twin.psn_no]
    account = min(balance, cost)
    twin.balances[patient.twin.psn_no] = balance - account
    amounts = {"medfee_sumamt": cost, "fund_pay_sumamt": Decimal(0), "acct_pay": account, "psn_cash_pay": cost - account}
    made = TwinSettlement(str(len(twin.settlements) + 1), patient.twin, 0, "own_account", amounts, [])
    twin.settlements.append(made)
    return made


def _lain(twin: Twin, patient: Patient, site: Site, bill: Bill, at: datetime) -> TwinSettlement | None:
    try:
        return twin.settle(
            patient.twin, site.level, bill.lines, at.date(), use_account=bill.use_account, med_type="21",
            children_hospital=site.children, how=Circumstances(traits=site.traits),
        )
    except NotCovered:
        return None


def run(n: int, seed: int, platform: Platform) -> Result:
    """Let fifty tills settle, cancel, reverse and repeat for one person at once, ``n`` rounds."""
    rng = Random(seed)
    names = (
        "overspent", "reversed_out_of_order", "differs_from_twin", "replies_without_effect", "effects_without_reply",
        "differing_replies", "family_overspent", "family_lost", "defects", "breaches",
    )
    wrong = dict.fromkeys(names, 0)
    kinds: Counter[str] = Counter()
    with platform.served() as served, crowd() as people:
        cast = gather(served, rng)
        for ordinal in range(n):
            patient = cast.patient_for_a_stay(insutype=("310", "310", "390")[ordinal % 3])
            played = _play(cast, rng, patient, people)
            _judge_round(played, served, wrong, kinds)
        # After the others: the twin knows balances as they were at the start.
        for _ in range(n):
            play_family(cast, rng, people, wrong, kinds)
        books = served.verify()
        wrong["breaches"], wrong["defects"] = books["breaches"], served.defects
        done = {"rounds": n, "at_once": AT_ONCE, **dict(sorted(kinds.items())), "checks": books["checks"]}
    return Result(done, wrong)


def _play(cast: Cast, rng: Random, patient: Patient, people: Crowd) -> Round:
    """Settle a few visits one after the other, then let everybody come at once."""
    played = Round(cast, patient)
    # So dear that account and ceilings are met within the round.
    drawn = [
        (site := rng.choice(cast.sites[patient.region]), draw_bill(cast, rng, patient, site, top_yuan=900))
        for _ in range(AT_ONCE - _CANCELLING - _REVERSING - _REPEATING - _SALES - _STAYS + _SETTLED_BEFORE)
    ]
    visits = people.act([_preparing(played, *one) for one in drawn])
    before, coming = visits[:_SETTLED_BEFORE], visits[_SETTLED_BEFORE:]
    cancelling = []
    for visit in before:
        reply = json.loads(played.send(visit.place, visit.message))
        if reply["infcode"] == 0:
            data = {"mdtrt_id": visit.mdtrt_id, "setl_id": reply["output"]["setlinfo"]["setl_id"]}
            cancelling.append((visit, played.about("2208", visit, data)))
    others = [played.prepare_stay(drawn[0][0], draw_bill(cast, rng, patient, drawn[0][0], top_yuan=9000))]
    others += [played.prepare_sale(rng) for _ in range(_SALES)] if patient.twin.insutype == "310" else []
    coming += others
    messages = [(v.place, v.message) for v in coming] + [(v.place, m) for v, m in cancelling[-_CANCELLING:]]
    messages += [(v.place, v.message) for v in rng.sample(coming, _REPEATING)]
    originals = [(v, v.message) for v in rng.sample(coming, _REVERSING - 2)] + cancelling[-2:]
    for visit, original in originals:
        data = {"omsgid": original["msgid"], "oinfno": original["infno"]}
        messages.append((visit.place, played.about("2601", visit, data)))
    rng.shuffle(messages)
    people.act([_meeting(played, place, message) for place, message in messages])
    return played


def _preparing(played: Round, site: Site, bill: Bill) -> Callable[[Barrier], Prepared]:
    return lambda _barrier: played.prepare(site, bill)


def _meeting(played: Round, place: Place, message: dict[str, Any]) -> Act:
    def act(barrier: Barrier) -> None:
        barrier.wait()
        played.send(place, message)

    return act


def _judge_round(played: Round, served: Served, wrong: dict[str, int], kinds: Counter[str]) -> None:
    books, psn_no = served.books, played.patient.wire["psn_no"]
    rows = books.fetch(_IN_ORDER, psn_no)
    wrong["overspent"] += books.value(_OVER, psn_no)
    wrong["reversed_out_of_order"] += _out_of_order(rows)
    for replies in played.replies.values():
        # Refusals are made anew and bear a time; a success is the stored bytes, and nothing else ever again.
        if len(set(replies)) > 1 and any(json.loads(reply)["infcode"] == 0 for reply in replies):
            wrong["differing_replies"] += 1
            print(f"  {psn_no}: {[reply.decode()[-200:] for reply in replies]}")
    settled = {row["msgid"]: row for row in rows if row["kind"] == "settlement"}
    for msgid in played.prepared:
        reply = json.loads(played.replies[msgid][0])
        is_told = reply["infcode"] == 0
        wrong["replies_without_effect"] += is_told and msgid not in settled
        wrong["effects_without_reply"] += msgid in settled and not is_told
    difference = _difference_from_twin(played, rows, books.fetch(_COUNTERS, psn_no), books.fetch(_BALANCE, psn_no))
    wrong["differs_from_twin"] += bool(difference)
    if difference:
        print(f"  {psn_no}: {difference}")
    for row in rows:
        kinds[row["kind"] + "s"] += 1
    for infno, count in played.sent.items():
        kinds[f"sent_{infno}"] += count


def _out_of_order(rows: list[Any]) -> int:
    """Count the reversals of settlements on which later ones of the year, still valid then, had been reckoned."""
    standing: list[Any] = []
    by_id = {row["setl_id"]: row for row in rows}
    wrong = 0
    for row in rows:
        if row["kind"] == "settlement":
            standing.append(row)
        elif row["kind"] == "refund":
            origin = by_id[row["origin_id"]]
            later = standing[standing.index(origin) + 1 :]
            wrong += any(
                set(x["counter_codes"]) & _changed(origin) and x["year"] == origin["year"] for x in later
            )
            standing.remove(origin)
        else:
            # A reinstatement makes its settlement the latest on which others are reckoned.
            standing.append(by_id[by_id[row["origin_id"]]["origin_id"]])
    return wrong


def _changed(row: Any) -> set[str]:
    """Return the counters that a settlement changed; a used-up one that it only rested on is nobody's basis."""
    return {code for code, delta in zip(row["counter_codes"], row["counter_deltas"], strict=True) if delta}


def _difference_from_twin(played: Round, rows: list[Any], counters: list[Any], balances: list[Any]) -> str:
    """Play the committed order again; return what differs first, "" if nothing does."""
    patient = played.patient
    twin = Twin(patient.region)
    twin.balances[patient.twin.psn_no] = patient.balance
    made: dict[str, TwinSettlement] = {}
    refunds: dict[str, TwinSettlement] = {}
    for row in rows:
        if row["kind"] == "settlement":
            visit = played.prepared[row["msgid"]]
            expected = visit.by_twin(twin)
            if expected is None:
                return f"{row['setl_id']}: the twin refuses"
            made[row["setl_id"]] = expected
            told = json.loads(played.replies[row["msgid"]][0], parse_float=Decimal)["output"]["setlinfo"]
            for name, amount in expected.amounts.items():
                if told[name] != amount:
                    return f"{row['setl_id']} {name}: told {told[name]}, the twin has {amount}"
        elif row["kind"] == "refund":
            refunds[row["setl_id"]] = twin.reverse(made[row["origin_id"]].id)
        else:
            back = refunds[row["origin_id"]]
            back.reversed = False
            twin.balances[patient.twin.psn_no] -= back.amounts["acct_pay"]
    used = {code: amount for code, amount in twin.counted(patient.twin, _year(rows)).items() if amount}
    stored = {row["code"]: Decimal(row["used_fen"]).scaleb(-2) for row in counters}
    balance = Decimal(balances[0]["balance_fen"]).scaleb(-2) if balances else Decimal(0)
    if used != stored:
        return f"counters {stored}, the twin has {used}"
    if balance != twin.balances[patient.twin.psn_no]:
        return f"balance {balance}, the twin has {twin.balances[patient.twin.psn_no]}"
    return ""


def _year(rows: list[Any]) -> int:
    return int(rows[0]["year"]) if rows else 0
