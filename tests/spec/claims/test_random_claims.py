"""Random claims of a year against the plain twin: the same fen for every receipt, whatever was withdrawn, refused or undone."""

from __future__ import annotations

import os
from datetime import date, timedelta
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from tests.support.claims_office import ClaimsOffice
from tests.support.window_city import City, Denied, at
from tests.twin.settlement_twin import Twin, TwinLine, TwinPerson, TwinSettlement
from tests.twin.visit_facts import Circumstances
from yibao.kernel.actor import Actor
from yibao.usecases.claims.commands import ReverseClaim
from yibao.usecases.claims.reverse_claim import reverse_claim

CLAIMS = int(os.environ.get("YIBAO_RANDOM_CLAIMS", "24"))
ITEMS = """
select i.code, i.list_type, i.negotiated, t.class_level, t.restricted, t.first_pay,
       (select array_agg(array[l.level, l.limit_micro::text]) from catalogue.price_limit l
         where l.admdvs = t.admdvs and l.code = t.code and l.valid_from <= $1 and (l.valid_to is null or l.valid_to > $1))
           as limits
from catalogue.term t join catalogue.item i on i.code = t.code
where t.admdvs = '370300' and t.valid_from <= $1 and (t.valid_to is null or t.valid_to > $1) and i.origin = 'demo'
  and not i.negotiated and i.list_type in ('101', '201', '301') order by i.code limit 60
"""
CHECKER = Actor(login="other.second", channel="cli", regions=("370300",), roles=("review",))
STORIES = ("zb-active-first", "zb-retired-first", "zb-resident-first")


class Life:
    """One person: the twin's view of him, the next free bed, and what was paid."""

    def __init__(self, city: City, story: str) -> None:
        self.patient = city.patient(story)
        row = city.fetch("select psn_type from enrolment.relation where psn_no = $1 order by insured_on desc limit 1",
                         self.patient["psn_no"])[0]
        self.twin = TwinPerson(self.patient["psn_no"], self.patient["insutype"], row["psn_type"])
        self.beds = [date(2025, 1, 6) + timedelta(days=8 * n) for n in range(32)]


def drawn_bill(rng: Random, items: list[dict[str, Any]], begin: date, n: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a receipt as it is handed in, and what the twin is told of it."""
    days, level = rng.randint(1, 6), rng.choice("123")
    end = begin + timedelta(days=days)
    remote = rng.choice(["", "registered", "referred", "temporary", "unregistered"])
    lines, twin = [], []
    for _ in range(rng.randint(1, 4)):
        item = rng.choice(items)
        price, count = Decimal(rng.randint(1000, 400_000)).scaleb(-2), rng.randint(1, 5)
        approved = rng.choice("011") if item["restricted"] else "0"
        limit = next((Decimal(fen).scaleb(-6) for of, fen in item["limits"] or () if of == level), None)
        lines.append({
            "item_code": item["code"], "item_name": "按清单", "price_micro": int(price * 1_000_000),
            "quantity_e4": count * 10_000, "amount_fen": int(price * count * 100), "approval": approved,
            "occurred_on": (begin + timedelta(days=rng.randint(0, days))).isoformat()})
        first = None if item["first_pay"] is None else Decimal(item["first_pay"]).scaleb(-4)
        twin.append(TwinLine(price, Decimal(count), item["list_type"], item["class_level"], first, limit,
                             item["restricted"], approved))
    bill = {
        "bill_no": f"RND{n:06d}", "care": "stay", "med_type": "21", "institution_name": "某医院", "level": level,
        "care_admdvs": "110100" if remote else "370305", "remote": remote, "filing_ref": "BA" if remote else "",
        "begin_at": f"{begin}T09:00:00+08:00", "end_at": f"{end}T10:00:00+08:00", "disease_code": "J18.900",
        "disease_name": "肺炎", "total_fen": sum(x["amount_fen"] for x in lines), "lines": lines}
    return bill, {"level": level, "lines": twin, "day": end, "remote": remote}


def by_twin(twin: Twin, life: Life, told: dict[str, Any]) -> TwinSettlement:
    """Settle a receipt by the twin, as the next stay of its year."""
    stays = [s for s in twin.settlements
             if s.person.psn_no == life.twin.psn_no and not s.reversed and s.amounts["inscp_scp_amt"] > 0]
    return twin.settle(
        life.twin, told["level"], told["lines"], told["day"], use_account=False, med_type="21",
        how=Circumstances(admission=len(stays) + 1, remote=told["remote"]))


def undone(city: City, claim_id: str) -> str:
    """Undo a paid claim and return ``""``, or the code of why not."""
    try:
        city.do(reverse_claim, ReverseClaim(claim_id=claim_id, reason="重新核对"), actor=CHECKER, maker="other.first",
                shelf=city.shelf)
    except Denied as denied:
        return denied.refusal.code
    return ""


@pytest.mark.parametrize("seed", [20250920])
def test_random_claims_equal_the_twin_and_leave_clean_books(city_at: Any, seed: int) -> None:
    print(f"seed {seed}")
    rng, city = Random(seed), city_at("2025-10-20 09:00")
    items = city.fetch(ITEMS, date(2025, 6, 1))
    office, twin = ClaimsOffice(city), Twin("370300")
    lives, paid, n = [Life(city, story) for story in STORIES], [], 0
    ends = {"settled": 0, "withdrawn": 0, "rejected": 0, "reversed": 0}
    for _ in range(CLAIMS):
        life = rng.choice(lives)
        drawn = []
        for _ in range(rng.choice([1, 1, 2])):
            n += 1
            drawn.append(drawn_bill(rng, items, life.beds.pop(rng.randrange(len(life.beds))), n))
        claim = office.open(life.patient, [bill for bill, _ in drawn], cause="other")
        fate = rng.choices(["settled", "withdrawn", "rejected"], [8, 1, 1])[0]
        ends[fate] += 1
        if fate == "withdrawn":
            office.intake.do(f"/applications/{claim['application_id']}/withdraw", {"says": "不办了"})
            continue
        office.accept(claim)
        office.calculate(claim)
        if fate == "rejected":
            office.review.do(f"/applications/{claim['application_id']}/review", {"says": "存疑"})
            office.approval.do(f"/applications/{claim['application_id']}/reject", {"says": "材料不实"})
            continue
        office.decide(claim)
        shown = office.show(claim)
        mine = []
        for (bill, told), detail in zip(sorted(drawn, key=lambda d: d[1]["day"]), shown["detail"]["bills"], strict=True):
            other = by_twin(twin, life, told)
            mine.append(other)
            says = (detail["bill_no"], detail["fund_fen"], detail["cash_fen"], detail["deductible_fen"])
            twins = (bill["bill_no"], *(int(other.amounts[f] * 100) for f in ("fund_pay_sumamt", "psn_cash_pay", "act_pay_dedc")))
            assert says == twins, (told, other.amounts)
        paid.append((shown["claim"], mine))
        if rng.random() < 0.3:
            if any(c["fund_fen"] for c, _ in paid):
                waiting = city.fetch("select count(*) as n from exchange.payout where state = 'ordered'")[0]["n"]
                if waiting:
                    office.bank_answers(office.send_to_bank())
            wrong, settled = rng.choice(paid)
            code = undone(city, wrong["claim_id"])
            assert code in ("", "LATER_SETTLEMENTS_DEPEND", "CLAIM_STATE")
            ends["reversed"] += not code
            for one in settled:
                one.reversed = one.reversed or not code
    assert all(ends.values()), ends
    # What the funds gave is what people have, are owed, or owe back.
    sums = city.fetch("select split_part(l.account, ':', 1) as account, sum(l.amount)::bigint as fen from ledger.posting p, "
                      "unnest(p.accounts, p.amounts) l(account, amount) where p.admdvs = '370300' and p.posted_at > $1 "
                      "group by 1", at("2025-10-20 00:00"))
    assert sum(row["fen"] for row in sums) == 0
    assert city.breaches() == {}
