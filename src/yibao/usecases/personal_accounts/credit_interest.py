"""Credit a year's interest to the personal accounts of a region, once; a run that was killed goes on where it was."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal

import msgspec

from yibao.domains.closing.open_month import refuse_closed
from yibao.infra.database import Connection, Database
from yibao.infra.failpoints import reached
from yibao.kernel.business_time import SHANGHAI, business_date
from yibao.kernel.refusal import Refusal, refuse
from yibao.ledger import operations as ledger
from yibao.ledger.posting import Posting, account_posting, fund_account
from yibao.policy.reckoning.cases import CreditCase
from yibao.policy.reckoning.interest import days_of, interest_of
from yibao.policy.reckoning.lookup import look_up
from yibao.usecases.funds.fund_map import credit_fund
from yibao.usecases.settlement.shelf import PolicyShelf

CHUNK = 20_000
ACTIVE = "11"
"""Interest comes from the fund of personal accounts, whoever owns the account."""
NEXT = "select max(psn_no) from (select psn_no from ledger.personal_account where psn_no > $1 order by psn_no limit $2) chunk"
# Only the account's own postings move it, and they stand under its owner's number.
PRODUCTS = """
select a.psn_no,
       sum(coalesce(leg.amount, 0) * case when p.posted_at < $4 then $6::integer
           else $7::date - (p.posted_at at time zone 'Asia/Shanghai')::date end)::numeric as products
from ledger.personal_account a
join ledger.posting p on p.psn_no = a.psn_no and p.posted_at < $5
cross join lateral unnest(p.accounts, p.amounts) leg(account, amount)
where a.psn_no > $1 and a.psn_no <= $2 and a.admdvs = $3 and leg.account = 'account:' || a.psn_no
  and not exists (select from personal_accounts.interest i where i.psn_no = a.psn_no and i.year = $8)
group by a.psn_no order by a.psn_no
"""
KEEP = """
insert into personal_accounts.interest (psn_no, year, admdvs, products, days, rate_e4, amount_fen, credited_at, policy_version)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
TOTAL = """
select count(*), coalesce(sum(amount_fen), 0)::bigint from personal_accounts.interest where admdvs = $1 and year = $2
"""
TAKE = "select pg_advisory_xact_lock(hashtextextended('interest/' || $1 || '/' || $2::integer, 0))"


class InterestCredited(msgspec.Struct, frozen=True):
    """What a region's accounts bore in a year: how many accounts, how much, at which rate (ten-thousandths)."""

    admdvs: str
    year: int
    accounts: int
    amount_fen: int
    rate_e4: int


async def credit_interest(
    database: Database, *, admdvs: str, year: int, now: datetime, shelf: PolicyShelf,
    progress: Callable[[str], None] | None = None, chunk: int = CHUNK,
) -> InterestCredited | Refusal:
    """Credit the interest of a finished year by the law of its last day. Run again, it credits who was left out."""
    if business_date(now).year <= year:
        return refuse("YEAR_NOT_OVER", "年度尚未结束，不能结息", field="year", received=str(year), remedy="请在次年办理")
    found = _rate(shelf, admdvs, date(year, 12, 31))
    if isinstance(found, Refusal):
        return found
    rate, version = found
    async with database.transaction() as tx:
        closed = await refuse_closed(tx, admdvs=admdvs, on=business_date(now))
    if closed is not None:
        return closed
    after, done = "", 0
    while True:
        async with database.transaction() as tx:
            await tx.execute(TAKE, admdvs, year)
            upto = await tx.fetchval(NEXT, after, chunk)
            if upto is None:
                break
            done += await _credit(tx, (after, upto), admdvs=admdvs, year=year, rate=rate, version=version, now=now)
            reached("chunk_written")
        after = upto
        if progress is not None:
            progress(f"{year} 年结息 {done} 个账户，至 {after}")
    async with database.transaction() as tx:
        row = await tx.fetchrow(TOTAL, admdvs, year)
    assert row is not None
    return InterestCredited(admdvs, year, row[0], row[1], rate)


def _rate(shelf: PolicyShelf, admdvs: str, on: date) -> tuple[int, str] | Refusal:
    policy = shelf.of(admdvs)
    if isinstance(policy, Refusal):
        return policy
    lookup = look_up(CreditCase(admdvs=admdvs, on=on, insutype="310"), policy)
    if isinstance(lookup, Refusal):
        return lookup
    row = lookup.first("account_interest")
    return lookup.silent("个人账户利率", "account_interest") if row is None else (row.number, policy.version)


async def _credit(
    tx: Connection, people: tuple[str, str], *, admdvs: str, year: int, rate: int, version: str, now: datetime
) -> int:
    begin, end = (datetime.combine(date(y, 1, 1), time(), SHANGHAI) for y in (year, year + 1))
    rows = await tx.fetch(PRODUCTS, *people, admdvs, begin, end, days_of(year), date(year + 1, 1, 1), year)
    kept: list[tuple[object, ...]] = []
    postings: list[Posting] = []
    for row in rows:
        products = int(row["products"])
        amount = interest_of(products, rate, year=year)
        kept.append((row["psn_no"], year, admdvs, Decimal(products), days_of(year), rate, amount, now, version))
        if amount:
            postings.append(account_posting(
                "interest", psn_no=row["psn_no"], posting_id=f"in-{year}", admdvs=admdvs, posted_at=now, amount=amount,
                other=fund_account(admdvs, credit_fund(admdvs=admdvs, psn_type=ACTIVE)),
            ))
    if kept:
        await tx.executemany(KEEP, kept)
        await ledger.move_accounts(tx, postings, posted_at=now)
    return len(kept)
