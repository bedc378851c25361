"""Books kept beside the platform: of nothing but what payers paid, what hospitals were told, and plain arithmetic."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from yibao.infra.database import Database

ACTIVE_RATE = Decimal("0.02")
RETIRED_BELOW_70, RETIRED_FROM_70 = 10_600, 13_100
"""Zibo's monthly credits in fen: 106 yuan below 70 years of age, 131 yuan from 70 on; the active get 2 % of their base."""
_FLOWS = """
select f.kind, f.fund, sum(f.amount_fen)::bigint as fen from closing.flow f
join closing.month m on m.admdvs = f.admdvs and m.month = f.month and m.revision = f.revision
where f.month = $1 and f.admdvs = '370300' group by 1, 2
"""
_BANK = """
select coalesce(-sum(a), 0)::bigint from ledger.posting p, unnest(p.accounts, p.amounts) leg(account, a)
where leg.account like 'bank:%' and p.kind in ('contribution', 'surcharge') and p.posted_at >= $1 and p.posted_at < $2
"""
_CREDITED = """
select coalesce(sum(a), 0)::bigint from ledger.posting p, unnest(p.accounts, p.amounts) leg(account, a)
where leg.account like 'account:%' and p.kind = 'account_credit'
"""
_BASES = """
select d.base_fen, d.months from contributions.due d
join enrolment.relation r on r.psn_no = d.psn_no and r.relation_id = d.relation_id
join people.person p on p.psn_no = d.psn_no
where d.insutype = '310' and d.kind in ('regular', 'back') and d.state in ('arrived', 'credited')
  and r.account_kind = 'with_account' and d.month <= $1
"""
_HEAD_FUNDS = ("hifp_pay", "cvlserv_pay", "hifes_pay", "hifmi_pay", "hifob_pay", "maf_pay", "oth_pay")


@dataclass
class OwnBooks:
    """Sums by month, in fen."""

    arrived: Counter[date] = field(default_factory=Counter)
    funds: Counter[date] = field(default_factory=Counter)
    accounts: Counter[date] = field(default_factory=Counter)
    account_of: Counter[str] = field(default_factory=Counter)
    subsidies: Counter[date] = field(default_factory=Counter)
    given_back: Counter[date] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)

    def paid(self, day: date, amount: int) -> None:
        """Note what a payer paid: it is in the fund's bank account on the next working day."""
        arrives = day + timedelta(days=1)
        while arrives.weekday() >= 5:
            arrives += timedelta(days=1)
        self.arrived[arrives.replace(day=1)] += amount

    def refunded(self, at: datetime, amount: int) -> None:
        """Note what was approved to be given back."""
        self.given_back[at.date().replace(day=1)] += amount

    def settled(self, day: date, insutype: str, psn_no: str, head: dict[str, Any]) -> None:
        """Note what a hospital was told of a settlement, from its reply."""
        month = day.replace(day=1)
        self.funds[month] += sum(fen(head.get(name) or 0) for name in _HEAD_FUNDS)
        self.accounts[month] += fen(head["acct_pay"])
        self.account_of[psn_no] += fen(head["acct_pay"])

    async def differs(self, database: Database, month: date) -> int:
        """Return how many sums of a closed month's report differ from ours; each is said."""
        after = (month + timedelta(days=31)).replace(day=1)
        rows = await database.fetch(_FLOWS, month)
        flows: Counter[str] = Counter()
        for row in rows:
            flows[row["kind"]] += row["fen"]
        own_accounts = -sum(r["fen"] for r in rows if r["kind"] == "settlement" and r["fund"] == "310200")
        bank = (await database.fetch(_BANK, _begin(month), _begin(after)))[0][0]
        pairs = {
            "contributions arrived": (bank, self.arrived[month]),
            "funds paid": (-flows["settlement"] - flows["refund"], self.funds[month] + self.accounts[month]),
            "the state paid": (flows["subsidy"], self.subsidies[month]),
            "accounts paid": (own_accounts, self.accounts[month]),
            "income less what waits or goes back": (
                flows["contribution"] + flows["surcharge"] + await self._unallocated(database, month, after),
                self.arrived[month]),
        }
        wrong = 0
        for name, (theirs, ours) in pairs.items():
            if theirs != ours:
                wrong += 1
                print(f"  {month} {name}: report {theirs}, own books {ours}", flush=True)
        return wrong

    async def credits_differ(self, database: Database, through: date, retired_months: int) -> int:
        """Return how far all credits are from plain arithmetic over the bases, fen; ``retired_months`` is its other part."""
        rows = await database.fetch(_BASES, through)
        active = sum(int((Decimal(r["base_fen"]) * ACTIVE_RATE).quantize(Decimal(1), ROUND_HALF_UP)) for r in rows)
        credited = (await database.fetch(_CREDITED))[0][0]
        if active + retired_months != credited:
            print(f"  credits: {credited}, by plain arithmetic {active} + {retired_months}", flush=True)
        return abs(credited - active - retired_months)

    async def _unallocated(self, database: Database, month: date, after: date) -> int:
        rows = await database.fetch(
            "select coalesce(sum(a), 0)::bigint from ledger.posting p, unnest(p.accounts, p.amounts) leg(account, a) "
            "where leg.account like 'unallocated:%' and p.kind in ('contribution', 'surcharge') and p.posted_at >= $1 "
            "and p.posted_at < $2", _begin(month), _begin(after))
        return int(rows[0][0])


def fen(yuan: Decimal | float) -> int:
    """Return an amount of the wire in fen."""
    return int((Decimal(str(yuan)) * 100).quantize(Decimal(1)))


def _begin(day: date) -> datetime:
    from tests.proofs.year.agency import noon

    return noon(day, 0)
