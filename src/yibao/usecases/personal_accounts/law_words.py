"""What the law of a region says about accounts, in words of a list."""

from __future__ import annotations

from datetime import date

from yibao.kernel.refusal import Refusal
from yibao.policy.reckoning.cases import CreditCase
from yibao.policy.reckoning.lookup import look_up
from yibao.usecases.settlement.shelf import PolicyShelf


def words_of(shelf: PolicyShelf, key: str, *, admdvs: str, on: date, what: str) -> tuple[tuple[str, ...], str] | Refusal:
    """Return the words of a key on a day (``sharing_circle``, ``withdrawal_causes``) and the row they stand in.

    Args:
        what: the key in Chinese, for the refusal where the law is silent.
    """
    policy = shelf.of(admdvs)
    if isinstance(policy, Refusal):
        return policy
    lookup = look_up(CreditCase(admdvs=admdvs, on=on, insutype="310"), policy)
    if isinstance(lookup, Refusal):
        return lookup
    row = lookup.first(key)
    if row is None:
        return lookup.silent(what, key)
    return tuple(row.word.split(",")), f"{row.used.rule} {row.used.source}".strip()
