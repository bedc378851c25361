"""S5: generated bills keep every identity; settle, cancel and settle again end where the plain twin ends."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from tests.proofs.cast import Bill, Cast, Patient, Site, by_twin, draw_bill, gather
from tests.proofs.platform import Platform, Result, Served
from tests.spec.policy.cities import HUIZHOU, ZIBO, city_policy
from tests.support.till import Till
from tests.twin.generated import Visit
from tests.twin.generated import life as draw_life
from tests.twin.settlement_twin import Twin, TwinSettlement
from tests.twin.test_engine_equals_twin import first_difference
from tests.twin.year_book import Kept, YearBook

_STEPS_PER_LIFE = 8
_BILLS_PER_LIFE_OVER_HTTP = 100
_NOT_IN_A_TRIAL = {"setl_id", "setl_time", "clr_optins", "clr_way", "medins_setl_id"}
_COUNTERS = "select code, used_fen from settlements.counter where psn_no = $1 and used_fen <> 0"
_BALANCE = "select balance_fen from ledger.personal_account where psn_no = $1"
ZERO = Decimal(0)


def run(n: int, seed: int, platform: Platform) -> Result:
    """Check the identities on ``n`` generated bills, and play a life over HTTP for every hundred of them."""
    wrong = dict.fromkeys(
        ("broken_identities", "engine_differs_from_twin", "trial_differs", "http_differs_from_twin", "defects", "breaches"),
        0,
    )
    done = {"bills": 0, "lives": 0}
    _lives_of_the_law(n, seed, done, wrong)
    rng = Random(seed)
    with platform.served() as served:
        cast = gather(served, rng)
        done |= {"http_lives": max(n // _BILLS_PER_LIFE_OVER_HTTP, 2), "http_settlements": 0, "http_cancellations": 0}
        for _ in range(done["http_lives"]):
            patient = cast.patient()
            _live_over_http(Life(cast, served, patient), rng, done, wrong)
        books = served.verify()
        done["checks"] = books["checks"]
        wrong["breaches"], wrong["defects"] = books["breaches"], served.defects
    return Result(done, wrong)


# ── the law alone ──


def _lives_of_the_law(n: int, seed: int, done: dict[str, int], wrong: dict[str, int]) -> None:
    while done["bills"] < n:
        city = (ZIBO, HUIZHOU)[done["lives"] % 2]
        life = draw_life(done["lives"], seed)
        difference = first_difference(city, life)
        if difference:
            wrong["engine_differs_from_twin"] += 1
            print(f"  life {done['lives']} of seed {seed} in {city}: {difference[:300]}")
        book = YearBook(city_policy(city))
        for event in life.events:
            if not isinstance(event, Visit):
                continue
            kept = book.settle(
                life.people[event.who], event.level, event.lines, event.day, use_account=event.use_account,
                med_type=event.med_type, disease=event.disease, institution_kind=event.institution_kind,
                children_hospital=event.children_hospital,
            )
            if isinstance(kept, Kept):
                done["bills"] += 1
                wrong["broken_identities"] += len(broken_identities(kept))
        done["lives"] += 1


def broken_identities(kept: Kept) -> list[str]:
    """Return the identities of I1 that a decided bill breaks, line by line and in its head."""
    d = kept.decision
    sums = [sum(parts) for parts in zip(*((s.own, s.over, s.first_pay, s.in_scope) for s in kept.splits), strict=True)]
    holds = {
        "sum = fund + person + hospital": d.amount == d.fund_total + d.person_part + d.hospital_part,
        "sum = own + over + first + scope": d.amount == d.own + d.over + d.first_pay + d.in_scope,
        "funds add up": d.fund_total == sum(f.amount for f in d.funds),
        "person = account + cash": d.person_part == d.account_pay + d.cash,
        "lines add up": sums == [d.own, d.over, d.first_pay, d.in_scope],
        "every line splits": all(
            s.own + s.over + s.first_pay + s.in_scope == group.amount
            for s, group in zip(kept.splits, kept.case.lines, strict=True)
        ),
        "nothing negative": min(
            d.own, d.over, d.first_pay, d.in_scope, d.deductible, d.fund_total, d.account_pay, d.cash, d.hospital_part,
        ) >= 0,
        "account within balance": d.account_pay <= max(kept.case.account_balance, 0),
    }
    return [name for name, is_true in holds.items() if not is_true]


# ── over HTTP ──


@dataclass
class Life:
    """One person's visits over HTTP beside the same visits by the twin."""

    cast: Cast
    served: Served
    patient: Patient
    twin: Twin = field(init=False)
    standing: list[tuple[Site, dict[str, Any], Prepared, TwinSettlement]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.twin = Twin(self.patient.region)
        self.twin.balances[self.patient.twin.psn_no] = self.patient.balance


@dataclass(frozen=True)
class Prepared:
    """A visit that was registered, recorded and uploaded."""

    bill: Bill
    content: dict[str, Any]


def _live_over_http(life: Life, rng: Random, done: dict[str, int], wrong: dict[str, int]) -> None:
    """Settle, cancel and settle the same again, in random order; compare each step and the end with the twin."""
    cancelled: list[tuple[Site, Prepared]] = []
    for _ in range(_STEPS_PER_LIFE):
        chance = rng.random()
        if life.standing and chance < 0.3:
            cancelled.append(_cancel_last(life, wrong))
            done["http_cancellations"] += 1
            continue
        if cancelled and chance < 0.5:
            site, prepared = cancelled.pop(rng.randrange(len(cancelled)))
        else:
            site = rng.choice(life.cast.sites[life.patient.region])
            prepared = _prepare(life, rng, site)
        if _settle(life, site, prepared, wrong):
            done["http_settlements"] += 1
    wrong["http_differs_from_twin"] += not _ends_alike(life)


def _prepare(life: Life, rng: Random, site: Site) -> Prepared:
    bill = draw_bill(life.cast, rng, life.patient, site, top_yuan=900)
    till = life.cast.till(site)
    content = till.prepare(life.patient.wire, bill.visit)
    till.close()
    return Prepared(bill, content)


def _settle(life: Life, site: Site, prepared: Prepared, wrong: dict[str, int]) -> bool:
    """Try and settle a prepared visit; all amounts of trial, settlement and twin must agree."""
    till = life.cast.till(site)
    trial = _answer(till, till.envelope("2206", prepared.content, insured_place=life.patient.region))
    settled = _answer(till, till.envelope("2207", prepared.content, insured_place=life.patient.region))
    till.close()
    expected = by_twin(life.twin, life.patient, site, prepared.bill)
    if settled["infcode"] != 0 or expected is None:
        wrong["http_differs_from_twin"] += (settled["infcode"] == 0) != (expected is not None)
        wrong["trial_differs"] += trial["infcode"] != settled["infcode"]
        return False
    info, tried = settled["output"]["setlinfo"], trial["output"]["setlinfo"]
    told = {name: value for name, value in info.items() if name not in _NOT_IN_A_TRIAL}
    wrong["trial_differs"] += told != {k: v for k, v in tried.items() if k not in _NOT_IN_A_TRIAL}
    wrong["trial_differs"] += settled["output"]["setldetail"] != trial["output"]["setldetail"]
    wrong["http_differs_from_twin"] += {name: info[name] for name in expected.amounts} != expected.amounts
    life.standing.append((site, info, prepared, expected))
    return True


def _cancel_last(life: Life, wrong: dict[str, int]) -> tuple[Site, Prepared]:
    """Cancel the latest settlement: the only one on which, by both cities' rule, no other can depend."""
    site, info, prepared, expected = life.standing.pop()
    till = life.cast.till(site)
    data = {"psn_no": info["psn_no"], "mdtrt_id": info["mdtrt_id"], "setl_id": info["setl_id"]}
    refund = _answer(till, till.envelope("2208", {"data": data}, insured_place=life.patient.region))
    till.close()
    life.twin.reverse(expected.id)
    negated = refund["infcode"] == 0 and all(
        refund["output"]["setlinfo"][name] == -amount for name, amount in expected.amounts.items()
        if name not in ("balc", "pool_prop_selfpay")
    )
    wrong["http_differs_from_twin"] += not negated
    return site, prepared


def _ends_alike(life: Life) -> bool:
    """Say whether counters and balance are those of the twin."""
    person, books = life.patient.twin, life.served.books
    year = life.twin.settlements[0].year if life.twin.settlements else 0
    used = {code: amount for code, amount in life.twin.counted(person, year).items() if amount}
    stored = {r["code"]: Decimal(r["used_fen"]).scaleb(-2) for r in books.fetch(_COUNTERS, person.psn_no)}
    balances = books.fetch(_BALANCE, person.psn_no)
    balance = Decimal(balances[0]["balance_fen"]).scaleb(-2) if balances else ZERO
    alike = used == stored and balance == life.twin.balances[person.psn_no]
    if not alike:
        print(f"  {person.psn_no}: {stored} {balance}, the twin has {used} {life.twin.balances[person.psn_no]}")
    return alike


def _answer(till: Till, message: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(till.ask(message), parse_float=Decimal)
    return found
