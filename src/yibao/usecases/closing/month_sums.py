"""A month of the ledger, summed by kind of posting and by what a posting moves between which accounts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import asyncpg
import msgspec

from yibao.domains.closing.rules import begin_of, month_after
from yibao.infra.database import Connection
from yibao.usecases.funds.accounts import book_words

# Legs of one posting are taken together first: what it leaves with a fund counts, not what passes through. Postings that
# move the same accounts in the same directions make up one group, whose sums can be split as one posting could.
GROUPS = """
with legs as (
    select p.psn_no, p.posting_id, p.kind,
           case when starts_with(l.account, 'fund:') then split_part(l.account, ':', 3)
                when starts_with(l.account, 'account:') then $4 else '' end as fund,
           case when starts_with(l.account, 'fund:') or starts_with(l.account, 'account:') then ''
                else split_part(l.account, ':', 1) end as party,
           l.amount
    from ledger.posting p cross join lateral unnest(p.accounts, p.amounts) l(account, amount)
    where p.admdvs = $1 and p.posted_at >= $2 and p.posted_at < $3),
nets as (
    select psn_no, posting_id, kind, fund, party, sum(amount)::bigint as amount
    from legs group by psn_no, posting_id, kind, fund, party having sum(amount) <> 0),
shapes as (
    select psn_no, posting_id, string_agg(fund || '/' || party || case when amount > 0 then '+' else '-' end, ' '
                                          order by fund, party) as shape
    from nets group by psn_no, posting_id)
select n.kind, s.shape, n.fund, n.party, sum(n.amount)::bigint as amount, count(*) as postings
from nets n join shapes s using (psn_no, posting_id)
group by n.kind, s.shape, n.fund, n.party order by n.kind, s.shape, n.fund, n.party
"""
COUNT = "select count(*) from ledger.posting p where p.admdvs = $1 and p.posted_at >= $2 and p.posted_at < $3"
BEFORE = """
select case when starts_with(l.account, 'fund:') then split_part(l.account, ':', 3) else $3 end as fund,
       sum(l.amount)::bigint as amount
from ledger.posting p cross join lateral unnest(p.accounts, p.amounts) l(account, amount)
where p.admdvs = $1 and p.posted_at < $2 and (starts_with(l.account, 'fund:') or starts_with(l.account, 'account:'))
group by 1 order by 1
"""
# What the bank paid to institutions, by the funds that bore the claims' settlements and the decisions about them.
PAID_CLAIMS = """
with paid as (
    select c.claim_id, c.fixmedins_code from ledger.posting p
    join clearing.payment y on y.payment_id = p.posting_id and y.fixmedins_code = p.psn_no
    join clearing.claim c on c.payment_id = y.payment_id
    where p.admdvs = $1 and p.posted_at >= $2 and p.posted_at < $3 and p.kind = 'payment'),
behind as (
    select o.accounts, o.amounts from paid
    join clearing.claim_item i on i.claim_id = paid.claim_id and i.is_live
    join ledger.posting o on o.psn_no = i.psn_no and o.posting_id = i.setl_id
    union all
    select o.accounts, o.amounts from paid
    join ledger.posting o on o.psn_no = paid.fixmedins_code and o.posting_id = paid.claim_id)
select case when starts_with(l.account, 'fund:') then split_part(l.account, ':', 3) else $4 end as fund,
       -sum(l.amount)::bigint as amount
from behind b cross join lateral unnest(b.accounts, b.amounts) l(account, amount)
where starts_with(l.account, 'fund:') or starts_with(l.account, 'account:')
group by 1 having sum(l.amount) <> 0 order by 1
"""
# What the bank paid to people and payers, by the funds of the posting that owed it: the one it names, else the last one of
# this amount for the same person. A claim by hand owes it by the postings of all its receipts together.
PAID_PEOPLE = """
with paid as (
    select p.posting_id, p.posted_at, p.admdvs, y.psn_no, y.amount_fen, array[y.origin, y.payout_id] as owed_by,
           (select array_agg(b.setl_id) from claims.bill b
             where b.psn_no = y.psn_no and b.claim_id = y.origin and b.setl_id <> '') as receipts
    from ledger.posting p join exchange.payout y on y.payout_id || '-paid' = p.posting_id
    where p.admdvs = $1 and p.posted_at >= $2 and p.posted_at < $3 and p.kind = 'payment'
    union all
    select p.posting_id, p.posted_at, p.admdvs, r.payer_no, r.amount_fen, array[r.refund_id], null
    from ledger.posting p join contributions.refund r on r.refund_id || '-done' = p.posting_id and r.payer_no = p.psn_no
    where p.admdvs = $1 and p.posted_at >= $2 and p.posted_at < $3 and p.kind = 'contribution_refund')
select y.posting_id, y.amount_fen, f.fund, f.amount
from paid y
left join lateral (
    select array_agg(l.account) as accounts, array_agg(l.amount) as amounts
    from ledger.posting o cross join lateral unnest(o.accounts, o.amounts) l(account, amount)
    where o.psn_no = y.psn_no and o.posting_id = any (y.receipts) having count(*) > 0
    union all
    (select o.accounts, o.amounts from ledger.posting o
    where y.receipts is null and o.psn_no = y.psn_no and o.posted_at <= y.posted_at
      and o.amounts[array_position(o.accounts, 'payout:' || y.admdvs)] = y.amount_fen
    order by o.posting_id = any (y.owed_by) desc, o.posted_at desc, o.posting_id limit 1)) debt on true
left join lateral (
    select case when starts_with(l.account, 'fund:') then split_part(l.account, ':', 3) else $4 end as fund,
           -sum(l.amount)::bigint as amount
    from unnest(debt.accounts, debt.amounts) l(account, amount)
    where starts_with(l.account, 'fund:') or starts_with(l.account, 'account:')
    group by 1 having sum(l.amount) <> 0) f on true
order by y.posting_id, f.fund
"""


class Group(msgspec.Struct, frozen=True):
    """All postings of one kind that move the same accounts in the same directions.

    Attributes:
        funds: fund -> what it received less what it gave, fen; the personal accounts are one fund.
        parties: kind of account that is no fund (``bank``, ``payable``, ``payout``) -> the same.
    """

    kind: str
    funds: dict[str, int]
    parties: dict[str, int]
    postings: int


class MonthSums(msgspec.Struct, frozen=True):
    """A month of the ledger of one region.

    Attributes:
        paid: party (``payable``, ``payout``) -> book -> what the bank paid of it, where the books are known, fen.
    """

    groups: tuple[Group, ...]
    postings: int
    paid: dict[str, dict[str, int]]


async def sum_month(tx: Connection, *, admdvs: str, month: date) -> MonthSums:
    """Return the sums of a month's postings, from its first instant to before the next month's (business time)."""
    words = book_words()
    between = (admdvs, begin_of(month), begin_of(month_after(month)))
    groups: dict[tuple[str, str], Group] = {}
    for row in await tx.fetch(GROUPS, *between, words.personal_accounts):
        key = (row["kind"], row["shape"])
        group = groups.setdefault(key, Group(row["kind"], {}, {}, row["postings"]))
        if row["party"]:
            group.parties[row["party"]] = row["amount"]
        else:
            group.funds[row["fund"]] = row["amount"]
    institutions: dict[str, int] = {}
    for row in await tx.fetch(PAID_CLAIMS, *between, words.personal_accounts):
        _add(institutions, words.book_of(row["fund"]), row["amount"])
    people = _by_book(await tx.fetch(PAID_PEOPLE, *between, words.personal_accounts))
    return MonthSums(
        tuple(groups.values()), await tx.fetchval(COUNT, *between), {"payable": institutions, "payout": people}
    )


async def balances_before(tx: Connection, *, admdvs: str, month: date) -> dict[str, int]:
    """Return what each fund holds when a month begins, from all postings before it, fen."""
    rows = await tx.fetch(BEFORE, admdvs, begin_of(month), book_words().personal_accounts)
    return {row["fund"]: row["amount"] for row in rows if row["amount"]}


def _by_book(rows: Sequence[asyncpg.Record]) -> dict[str, int]:
    """Return what was paid to people and payers by book; one whose funds do not add up to it is left out."""
    words = book_words()
    shares: dict[str, tuple[int, dict[str, int]]] = {}
    for posting_id, amount, fund, share in rows:
        books = shares.setdefault(posting_id, (amount, {}))[1]
        if fund is not None:
            _add(books, words.book_of(fund), share)
    paid: dict[str, int] = {}
    for amount, books in shares.values():
        if len(books) == 1:
            _add(paid, next(iter(books)), amount)
        elif sum(books.values()) == amount:
            for book, share in books.items():
                _add(paid, book, share)
    return paid


def _add(sums: dict[str, int], key: str, amount: int) -> None:
    sums[key] = sums.get(key, 0) + amount
