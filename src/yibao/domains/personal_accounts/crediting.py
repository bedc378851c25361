"""Who is owed a month's credit, and what stands in the way: pure."""

from __future__ import annotations

from datetime import date

import msgspec

from yibao.domains.personal_accounts import reasons as r


class CreditFacts(msgspec.Struct, frozen=True, gc=False):
    """What is known of a person whose month is looked at; the fields stand in the order of the query.

    Attributes:
        is_in_month: the relation owes dues for the month; otherwise it has ended before.
        base_fen: of the month's due, None where none was assessed.
        has_arrived: that due's money is there.
        is_double: a resident relation covers the month as well.
        owes_lump: years were to be bought at retirement, and that money is not there.
        channel: ``card``, ``bank`` or None, and the four facts of it.
    """

    psn_no: str
    relation_id: str
    psn_type: str
    status: str
    account_kind: str
    enrolment_kind: str
    is_in_month: bool
    died_on: date | None
    birth_on: date
    base_fen: int | None
    has_arrived: bool
    is_double: bool
    owes_lump: bool
    channel: str | None
    is_card_same: bool
    has_account: bool
    has_finance: bool
    is_active: bool


def obstacle(facts: CreditFacts, *, month: date, is_retired: bool) -> str:
    """Return the code of what stands in the way of a person's credit of a month, ``""`` if nothing does.

    Where several things do, the one that must be mended first: the relation, then the dues, then the bank.

    Args:
        month: first day of the month.
        is_retired: the law counts the person's class among the retired, who pay no dues of their own.
    """
    if facts.died_on is not None and facts.died_on < month:
        return r.DIED
    if not facts.is_in_month:
        return r.RETIRED_REMOVED
    if facts.is_double:
        return r.DOUBLE_MONTH
    if is_retired:
        if facts.owes_lump:
            return r.LUMP_NOT_MATCHED
        if facts.status != "1":
            return r.RETIREE_PAUSED
    elif facts.base_fen is None:
        return r.BASE_MISSING
    elif not facts.has_arrived:
        return r.DUES_NOT_ARRIVED
    return _at_the_bank(facts)


def _at_the_bank(facts: CreditFacts) -> str:
    if facts.channel == "bank":
        return "" if facts.has_account and facts.is_active else r.OFFSITE_BANK_MISSING
    if facts.channel == "card":
        if not facts.is_card_same:
            return r.CARD_NOT_MATCHED
        if not facts.is_active:
            return r.CARD_NOT_ACTIVE
        if not facts.has_finance:
            return r.NO_FINANCIAL_ACCOUNT
    return ""
