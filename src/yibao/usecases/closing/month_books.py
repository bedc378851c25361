"""From a month's sums to flows, balances and vouchers. Pure: the same sums give the same books."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from yibao.domains.closing.model import Balance, Flow, Voucher, VoucherLine
from yibao.usecases.closing.month_sums import Group, MonthSums
from yibao.usecases.funds.accounts import book_words, subjects
from yibao.usecases.funds.fund_lines import INCOME, flow_words

CARRY = "carry"
_CARRY_SUMMARY = "结转本月收支"
Entries = dict[str, dict[tuple[str, str], int]]
"""Book -> (subject, detail) -> amount in fen, debit positive."""


def flows_of(sums: MonthSums) -> tuple[Flow, ...]:
    """Return what each kind of posting left with each fund, by line of the report."""
    words = flow_words()
    found: dict[tuple[str, str, str], tuple[int, int]] = {}
    for group in sums.groups:
        for fund, amount in group.funds.items():
            key = (fund, group.kind, words.line_of(group.kind, amount))
            known, count = found.get(key, (0, 0))
            found[key] = (known + amount, count + group.postings)
    return tuple(Flow(*key, *value) for key, value in sorted(found.items()))


def balances_of(flows: Iterable[Flow], opening: Mapping[str, int]) -> tuple[Balance, ...]:
    """Return each fund's month; ``opening`` is what it began with, fen."""
    words = flow_words()
    moved: dict[str, list[int]] = {fund: [0, 0] for fund in opening}
    for flow in flows:
        side = 0 if words.lines[flow.line].side == INCOME else 1
        moved.setdefault(flow.fund, [0, 0])[side] += words.shown(flow.line, flow.amount_fen)
    return tuple(
        Balance(fund, begin := opening.get(fund, 0), income, spending, begin + income - spending)
        for fund, (income, spending) in sorted(moved.items())
    )


def vouchers_of(sums: MonthSums) -> tuple[Voucher, ...]:
    """Return the month's vouchers: in each book one for each kind of posting, then the one that carries it forward."""
    words = flow_words()
    by_kind: dict[str, Entries] = {}
    counts: dict[tuple[str, str], int] = {}
    for group in sums.groups:
        entries = _entries(group, sums.paid)
        into = by_kind.setdefault(group.kind, {})
        for book, lines in entries.items():
            counts[book, group.kind] = counts.get((book, group.kind), 0) + group.postings
            for key, amount in lines.items():
                _add(into.setdefault(book, {}), key, amount)
    made = []
    for book in sorted({b for entries in by_kind.values() for b in entries}):
        number = 0
        for kind in (k for k in words.kinds if k in by_kind):
            of_kind = _lines(by_kind[kind].get(book, {}))
            if of_kind:
                number += 1
                made.append(Voucher(book, number, kind, words.kinds[kind].title, counts[book, kind], of_kind))
        carried = _lines(_carried(entries[book] for entries in by_kind.values() if book in entries))
        if carried:
            made.append(Voucher(book, number + 1, CARRY, _CARRY_SUMMARY, 0, carried))
    return tuple(made)


def _entries(group: Group, paid: Mapping[str, Mapping[str, int]]) -> Entries:
    """Return a group's entries by book, each book balanced in itself."""
    words, lines = book_words(), flow_words()
    entries: Entries = {}
    nets: dict[str, int] = {}
    for fund, amount in group.funds.items():
        book = words.book_of(fund)
        nets[book] = nets.get(book, 0) + amount
        subject = lines.lines[lines.line_of(group.kind, amount)].subject
        _add(entries.setdefault(book, {}), (subject, fund), -amount)
    parties = _parties_by_book(group, nets, paid)
    for book in sorted({*nets, *parties}):
        of_book = entries.setdefault(book, {})
        for party, amount in parties.get(book, {}).items():
            where = words.party(party)
            _add(of_book, (where.subject, where.title), -amount)
        # What one book gives to another goes from deposit to deposit.
        _add(of_book, (words.bank, words.party("bank").title), -sum(of_book.values()))
    return entries


def _parties_by_book(
    group: Group, nets: Mapping[str, int], paid: Mapping[str, Mapping[str, int]]
) -> dict[str, dict[str, int]]:
    """Return which book takes how much of what stands against the funds.

    One counterpart is shared as the funds are. Several stand in the book that moves most, others settle with it by
    deposit. Without funds it is a payment of what is owed.
    """
    words = book_words()
    fixed = {p: a for p, a in group.parties.items() if words.party(p).book}
    others = {p: a for p, a in group.parties.items() if p not in fixed}
    found: dict[str, dict[str, int]] = {}
    needs = dict(nets)
    for party, amount in fixed.items():
        book = words.party(party).book
        found.setdefault(book, {})[party] = amount
        needs[book] = needs.get(book, 0) + amount
    if needs and len(others) == 1:
        party = next(iter(others))
        shared = {book: {party: -need} for book, need in needs.items() if need}
    elif needs:
        shared = {max(needs, key=lambda b: (abs(needs[b]), b)): others}
    else:
        shared = _debts_by_book(others, paid)
    for book, of_book in shared.items():
        found.setdefault(book, {}).update(of_book)
    return found


def _debts_by_book(parties: Mapping[str, int], paid: Mapping[str, Mapping[str, int]]) -> dict[str, dict[str, int]]:
    """Share the payment of a debt over the books that owed it; what is not known waits in the pending book."""
    pending = book_words().pending
    debt = next((p for p in parties if p in paid), "")
    others = [p for p in parties if p != debt]
    if not debt or len(others) != 1:
        return {pending: dict(parties)}
    shares = dict(paid[debt])
    rest = -parties[debt] - sum(shares.values())
    if rest:
        shares[pending] = shares.get(pending, 0) + rest
    return {book: {debt: -share, others[0]: share} for book, share in shares.items() if share}


def _carried(entries: Iterable[Mapping[tuple[str, str], int]]) -> dict[tuple[str, str], int]:
    """Return the entries that take a book's income and spending into the funds' balances."""
    known, carried = subjects(), book_words().carried
    made: dict[tuple[str, str], int] = {}
    for lines in entries:
        for (subject, fund), amount in lines.items():
            if known[subject].element in ("income", "spending"):
                _add(made, (subject, fund), -amount)
                _add(made, (carried, fund), amount)
    return made


def _lines(entries: Mapping[tuple[str, str], int]) -> tuple[VoucherLine, ...]:
    """Return voucher lines: debits first, each side by subject and detail."""
    ordered = sorted((amount < 0, key, amount) for key, amount in entries.items() if amount)
    return tuple(VoucherLine(*key, max(amount, 0), max(-amount, 0)) for _, key, amount in ordered)


def _add(sums: dict[tuple[str, str], int], key: tuple[str, str], amount: int) -> None:
    sums[key] = sums.get(key, 0) + amount
