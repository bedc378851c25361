"""MONTH: a month of hospitals and pharmacies over HTTP, with what goes wrong in one, ends in books that tie.

Visits, stays and sales of two cities are drawn from a seed and played in the order of their days: some are cancelled,
some reversed by 2601, some replies are lost and asked for again, some bills come days late. Every institution keeps a
book of nothing but the replies it received; every person's counters are kept by the plain twin beside.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from tests.proofs.cast import Cast, Patient, Site, draw_bill, gather
from tests.proofs.platform import Platform, Result, Served
from tests.support.accountant import Entry, claim, details, entry_of, totals
from tests.support.agency import Desk, answer_of, read_order
from tests.support.drugstore import Drugstore
from tests.support.till import Counter as Place
from tests.support.till import Till, total
from tests.support.ward import Ward
from tests.twin.settlement_twin import Circumstances, NotCovered, Twin, TwinLine, TwinSettlement
from yibao.kernel.business_time import SHANGHAI

DAYS = 28
STAYS_PER_VISIT, SALES_PER_VISIT = Decimal("0.15"), Decimal("0.25")
LOST, CANCELLED, REVERSED, LATE, INTERIM = 0.06, 0.05, 0.03, 0.05, 0.15
"""Shares of what goes wrong: replies lost on the way, settlements cancelled, undone by 2601, bills that come late,
stays that are settled once in between."""
_REMEDIES = """
select t.admdvs, i.code from catalogue.term t join catalogue.item i on i.code = t.code
where i.list_type = '101' and not i.negotiated and t.class_level = '01' and not t.restricted and i.origin = 'national'
  and t.valid_from <= $1 and t.valid_to is null and i.valid_from <= $1 and i.valid_to is null
order by t.admdvs, i.code limit 4000
"""
_COUNTERS = "select year, code, used_fen from settlements.counter where psn_no = $1 and used_fen <> 0"
_BALANCE = "select balance_fen from ledger.personal_account where psn_no = $1"
_LEDGER = """
select count(*) filter (where (select sum(a) from unnest(amounts) a) <> 0) as unbalanced, sum(cash_fen) as cash,
       (select sum(a) from ledger.posting p, unnest(p.amounts) a) as total
from ledger.posting
"""
_CASES = """
select coalesce(sum(fund_fen + account_fen - shared_fen), 0)::bigint from settlements.settlement
where clr_optins = $1 and fixmedins_code = any($2)
"""
ZERO = Decimal(0)


@dataclass
class Month:
    """Everything that is played, and the books beside it."""

    cast: Cast
    served: Served
    rng: Random
    today: date
    remedies: dict[str, list[str]]
    twins: dict[str, Twin]
    books: dict[str, list[Entry]] = field(default_factory=dict)
    tills: dict[str, Ward] = field(default_factory=dict)
    met: dict[str, Patient] = field(default_factory=dict)
    years: set[int] = field(default_factory=set)
    stays: dict[str, list[list[TwinSettlement]]] = field(default_factory=dict)
    beds: dict[str, list[tuple[date, date]]] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)

    def till(self, place: Place) -> Ward:
        """Return the one till of an institution; at a hospital's there are stays too."""
        if place.fixmedins_code not in self.tills:
            self.tills[place.fixmedins_code] = Ward(self.served.endpoint, place)
        return self.tills[place.fixmedins_code]

    def ask(self, till: Till, infno: str, content: Any, patient: Patient) -> tuple[dict[str, Any], str]:
        """Send a message, now and then losing its reply and asking again; return reply and msgid."""
        message = till.envelope(infno, content, insured_place=patient.region)
        if self.rng.random() < LOST:
            till.post(message)
            till.close()
            self.done["lost_replies"] += 1
        return json.loads(till.ask(message), parse_float=Decimal), message["msgid"]

    def fault(self, kind: str, said: str) -> None:
        """Count something wrong and say what."""
        self.wrong[kind] += 1
        if self.wrong[kind] <= 5:
            print(f"  {kind}: {said[:400]}")


def run(n: int, seed: int, platform: Platform) -> Result:
    """Play ``n`` visits with their share of stays and sales; then tie every book to every other."""
    rng = Random(seed)
    with platform.served() as served, TemporaryDirectory() as papers:
        month = _month(served, rng)
        for happening in _plan(month, n):
            happening(month)
        for person in month.met.values():
            _compare_person(month, person)
        _reconcile(month)
        _clear(month, Path(papers))
        books = served.verify()
        month.wrong["breaches"], month.wrong["defects"] = books["breaches"], served.defects
        for till in month.tills.values():
            till.close()
    names = ("differs_from_twin", "counters_differ", "balances_differ", "unreconciled", "clearing_differs", "ledger_not_zero",
             "refused", "breaches", "defects")
    return Result(dict(sorted(month.done.items())), {name: month.wrong[name] for name in names})


def _month(served: Served, rng: Random) -> Month:
    today = datetime.now(SHANGHAI).date()
    remedies: dict[str, list[str]] = {}
    for r in served.books.fetch(_REMEDIES, today - timedelta(days=DAYS + 1)):
        remedies.setdefault(r["admdvs"], []).append(r["code"])
    cast = gather(served, rng, benefit_by=today - timedelta(days=DAYS + 1))
    twins = {region: Twin(region) for region in cast.sites}
    for patient in cast.patients:
        twins[patient.region].balances[patient.twin.psn_no] = patient.balance
    return Month(cast, served, rng, today, remedies, twins)


def _plan(month: Month, n: int) -> list[Callable[[Month], None]]:
    """Return what happens, in the order of the days; a late bill is about an earlier day."""
    rng = month.rng
    kinds = [_visit] * n + [_stay] * int(n * STAYS_PER_VISIT) + [_sale] * int(n * SALES_PER_VISIT)
    dated = sorted(((rng.randrange(DAYS), number, kind) for number, kind in enumerate(kinds)), key=lambda x: x[:2])
    return [_on(month.today - timedelta(days=DAYS - 1 - day), kind) for day, _, kind in dated]


def _on(day: date, kind: Callable[[Month, date], None]) -> Callable[[Month], None]:
    return lambda month: kind(month, day)


def _wire(day: date, hour: int, minute: int = 0) -> str:
    return f"{datetime.combine(day, time(hour, minute)):%Y-%m-%d %H:%M:%S}"


def _hour(month: Month, day: date) -> int:
    """Return an hour that has passed."""
    return 9 if day < month.today else 0


# ───────────────────────── visits ─────────────────────────


def _visit(month: Month, day: date) -> None:
    rng, patient = month.rng, month.cast.patient()
    site = rng.choice(month.cast.sites[patient.region])
    bill = draw_bill(month.cast, rng, patient, site, top_yuan=900)
    if rng.random() < LATE and day > month.today - timedelta(days=DAYS - 4):
        day -= timedelta(days=3)
        month.done["late_bills"] += 1
    till, wire, begin = month.till(site.counter), patient.wire, _wire(day, _hour(month, day))
    mdtrt_id = till.register(wire, begin=begin)
    till.record(wire, bill.visit, mdtrt_id, begin=begin)
    till.upload(wire, bill.visit, mdtrt_id, begin=begin)
    content = till.bill(wire, bill.visit, mdtrt_id)
    twin = _by_twin(month, patient, site, bill.lines, day, bill.use_account, bill.visit["med_type"], bill.visit["dise_codg"])
    reply, msgid = month.ask(till, "2207", content, patient)
    month.done["visits"] += 1
    _kept(month, patient, till, "2207", "2208", reply, msgid, twin, day)


def _by_twin(
    month: Month, patient: Patient, site: Site, lines: list[TwinLine], day: date, use_account: bool, med_type: str,
    disease: str = "", how: Circumstances | None = None,
) -> TwinSettlement | None:
    try:
        return month.twins[patient.region].settle(
            patient.twin, site.level, lines, day, use_account=use_account, med_type=med_type, disease=disease,
            children_hospital=site.children, how=how or Circumstances(),
        )
    except NotCovered:
        return None


def _kept(
    month: Month, patient: Patient, till: Till, infno: str, undo: str, reply: dict[str, Any], msgid: str,
    twin: TwinSettlement | None, day: date,
) -> bool:
    """Compare a settlement with the twin's, write it into the institution's book, and undo some; True if it stands."""
    city = month.twins[patient.region]
    if reply["infcode"] != 0:
        if twin is not None:
            city.reverse(twin.id)
            month.fault("refused", f"{infno} {reply['err_msg']}")
        return False
    info = reply["output"]["setlinfo"]
    if twin is None:
        month.fault("differs_from_twin", f"{infno} {info['setl_id']}: the twin has no rule")
        return True
    unequal = {k: (info[k], v) for k, v in twin.amounts.items() if info.get(k) != v}
    if unequal:
        month.fault("differs_from_twin", f"{infno} {info['setl_id']} {info['med_type']} {unequal}")
    month.met[patient.twin.psn_no] = patient
    month.years.add(day.year)
    book = month.books.setdefault(till.counter.fixmedins_code, [])
    entry = entry_of(info)
    book.append(entry)
    chance = month.rng.random()
    if chance < CANCELLED:
        data = {"psn_no": info["psn_no"], "mdtrt_id": info["mdtrt_id"], "setl_id": info["setl_id"]}
        undone, _ = month.ask(till, undo, {"data": data}, patient)
        if undone["infcode"] != 0:
            month.fault("refused", f"{undo} {undone['err_msg']}")
            return True
        book.append(entry_of(undone["output"]["setlinfo"], is_refund=True, origin=entry))
        month.done["cancelled"] += 1
    elif chance < CANCELLED + REVERSED:
        undone, _ = month.ask(
            till, "2601", {"data": {"psn_no": info["psn_no"], "omsgid": msgid, "oinfno": infno}}, patient
        )
        if undone["infcode"] != 0:
            month.fault("refused", f"2601 {undone['err_msg']}")
            return True
        # The reply has no amounts: what was undone is the settlement's mirror.
        book.append(Entry("", entry.mdtrt_id, entry.psn_no, -entry.total, -entry.fund, -entry.account, True, -entry.scope,
                          -entry.cash, entry.insutype, entry.clr_type, entry.clr_optins))
        month.done["reversed"] += 1
    else:
        return True
    city.reverse(twin.id)
    return False


# ───────────────────────── stays ─────────────────────────


def _stay(month: Month, day: date) -> None:
    """A stay that ends on ``day``; some are settled once before."""
    rng = month.rng
    first = day - timedelta(days=rng.randint(1, 9))
    while True:
        patient = month.cast.patient()
        beds = month.beds.setdefault(patient.twin.psn_no, [])
        if not any(begin <= day and first <= end for begin, end in beds):
            break
    site = rng.choice(month.cast.sites[patient.region])
    earlier = month.stays.setdefault(patient.twin.psn_no, [])
    beds.append((first, day))
    ward, use_account = month.till(site.counter), rng.random() < 0.7
    begin, end = _at(first, 0, 30), min(_at(day, 0, 50), datetime.now(SHANGHAI))
    stay = ward.admit(patient.wire, begin)
    bills = [draw_bill(month.cast, rng, patient, site, top_yuan=4000, lines=8) for _ in range(1 + (rng.random() < INTERIM))]
    # A stay counts while anything of it stands that was in scope.
    admission = 1 + sum(
        any(s.year == day.year and not s.reversed and s.amounts["inscp_scp_amt"] for s in parts) for parts in earlier
    )
    parts: list[TwinSettlement] = []
    earlier.append(parts)
    borne = ZERO
    for number, bill in enumerate(bills, 1):
        ward.charge(stay, begin + timedelta(minutes=number), bill.visit["lines"])
        is_last = number == len(bills)
        if is_last:
            ward.discharge(stay, end)
        content = ward.stay_bill(
            stay, total(bill.visit["lines"]), interim=not is_last, acct_used_flag="1" if use_account else "0"
        )
        month.done["stays" if is_last else "interim_settlements"] += 1
        how = Circumstances(admission=admission, traits=site.traits, borne_in_stay=borne)
        twin = _by_twin(month, patient, site, bill.lines, day, use_account, "21", how=how)
        reply, msgid = month.ask(ward, "2304", content, patient)
        stands = _kept(month, patient, ward, "2304", "2305", reply, msgid, twin, day)
        if not stands:
            if not is_last:
                # The bed is free again; what was charged stays unsettled.
                ward.discharge(stay, end)
            return
        if twin is not None:
            borne += twin.amounts["act_pay_dedc"]
            parts.append(twin)


def _at(day: date, hour: int, minute: int) -> datetime:
    return datetime.combine(day, time(hour, minute), SHANGHAI)


# ───────────────────────── sales ─────────────────────────


def _sale(month: Month, day: date) -> None:
    """A sale from the own account: no fund pays, nothing is counted."""
    rng, patient = month.rng, month.cast.patient(insutype="310")
    place = rng.choice(month.cast.pharmacies[patient.region])
    store = Drugstore(month.till(place))
    lines = []
    for _ in range(rng.randint(1, 3)):
        price, count = Decimal(rng.randint(100, 9000)).scaleb(-2), rng.randint(1, 3)
        code = rng.choice(month.remedies[patient.region])
        lines.append({"med_list_codg": code, "medins_list_codg": "D" + code[-8:], "pric": float(price), "cnt": count,
                      "det_item_fee_sumamt": float(price * count)})
    content = store.purchase(patient.wire, lines, begin=_wire(day, _hour(month, day)))
    cost = Decimal(str(total(lines))).quantize(Decimal("0.01"))
    city, psn_no = month.twins[patient.region], patient.twin.psn_no
    balance = city.balances[psn_no]
    account = min(balance, cost)
    amounts = {"medfee_sumamt": cost, "fund_pay_sumamt": ZERO, "acct_pay": account, "psn_cash_pay": cost - account,
               "psn_part_amt": cost, "balc": balance - account}
    twin = TwinSettlement(str(len(city.settlements) + 1), patient.twin, day.year, "own_account", amounts, [])
    city.settlements.append(twin)
    city.balances[psn_no] = balance - account
    reply, msgid = month.ask(store.till, "2102", content, patient)
    month.done["sales"] += 1
    _kept(month, patient, store.till, "2102", "2103", reply, msgid, twin, day)


# ───────────────────────── the end of the month ─────────────────────────


def _compare_person(month: Month, patient: Patient) -> None:
    """Hold counters and balance against the twin's."""
    person, city, books = patient.twin, month.twins[patient.region], month.served.books
    stored: dict[tuple[int, str], Decimal] = {}
    for row in books.fetch(_COUNTERS, person.psn_no):
        # What outlives a year (a stay's own deductible) is nobody's yearly total.
        if row["year"]:
            stored[row["year"], row["code"]] = Decimal(row["used_fen"]).scaleb(-2)
    used = {
        (year, code): amount for year in month.years for code, amount in city.counted(person, year).items() if amount
    }
    if used != stored:
        month.fault("counters_differ", f"{person.psn_no}: {stored}, the twin has {used}")
    rows = books.fetch(_BALANCE, person.psn_no)
    balance = Decimal(rows[0]["balance_fen"]).scaleb(-2) if rows else ZERO
    if balance != city.balances[person.psn_no]:
        month.fault("balances_differ", f"{person.psn_no}: {balance}, the twin has {city.balances[person.psn_no]}")
    month.done["persons"] += 1


def _reconcile(month: Month) -> None:
    """Tie each institution's own book to the platform's, in totals and line by line."""
    for code, book in month.books.items():
        till = month.tills[code]
        for insutype, clr_type in sorted({(e.insutype, e.clr_type) for e in book}):
            told = till.call("3201", totals(till, book, insutype=insutype, clr_type=clr_type, refd_setl_flag="1"))["stmtinfo"]
            month.done["totals_reconciled"] += 1
            if told["stmt_rslt"] != "0":
                month.fault("unreconciled", f"{code} {insutype} {clr_type}: {told['stmt_rslt_dscr']}")
        for clr_type in sorted({e.clr_type for e in book}):
            mine = [e for e in book if e.clr_type == clr_type]
            known = [e for e in mine if e.setl_id]
            month.done["lines_reconciled"] += len(known)
            # A 2601 answers without a number: its mirror is at the centre alone, and the result names the message.
            odd = [r for r in details(till, known, clr_type=clr_type, refd_setl_flag="1") if r["stmt_rslt"] != "0"]
            undone = len(mine) - len(known)
            if sum(r["refd_setl_flag"] == "1" for r in odd) != undone or len(odd) != undone:
                month.fault("unreconciled", f"{code} {clr_type}: {undone} undone by 2601, differences {odd[:3]}")


def _clear(month: Month, papers: Path) -> None:
    """Claim every book, approve, pay, and find nothing owed; the claims are the sum of the cases."""
    desk = Desk(month.served.url)
    claimed = 0
    for code, book in sorted(month.books.items()):
        till = month.tills[code]
        desk.payee(code)
        for clr_type in sorted({e.clr_type for e in book}):
            mine = [e for e in book if e.clr_type == clr_type]
            answer = till.call("3203", claim(mine, clr_type=clr_type))
            desk.decide(answer["result"]["clr_appy_evt_id"])
            claimed += sum(e.fund + e.account for e in mine)
            month.done["claims"] += 1
    cases = sum(
        month.served.books.value(_CASES, region, list(month.books)) for region in month.twins
    )
    if cases != claimed:
        month.fault("clearing_differs", f"claimed {claimed}, the cases sum to {cases}")
    for region in month.twins:
        _, order = desk.pay(region, papers)
        if order:
            desk.take(answer_of(read_order(order)), papers)
            month.done["payments"] += len(read_order(order).amounts)
    for code in month.books:
        owed = desk.owed(code)
        if owed > 0:
            month.fault("clearing_differs", f"{code} is still owed {owed}")
    row = month.served.books.fetch(_LEDGER)[0]
    month.wrong["ledger_not_zero"] += row["unbalanced"] + (row["total"] != 0)
