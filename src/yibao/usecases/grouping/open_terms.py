"""Opens a region's payment by group: read once per process."""

from __future__ import annotations

from datetime import date
from functools import cache

from yibao.domains.grouping.payment_files import read_payment_files, read_payment_tables
from yibao.policy.payment.packets import Packets, index_packets
from yibao.policy.payment.reading import read_terms
from yibao.policy.payment.terms import BY_ITEM, Pool, Terms


@cache
def open_terms(admdvs: str) -> Terms | None:
    """Return how a region pays by group, None if it has no payment file."""
    text = read_payment_files().get(admdvs)
    return None if text is None else read_terms(text, read_payment_tables())


@cache
def packets_of(admdvs: str, year: int, insutype: str) -> Packets:
    """Return the disease packets of a pool, indexed; empty where packets are not used."""
    pool = pool_of(admdvs, year=year, insutype=insutype)
    return index_packets(pool.packets if pool else ())


def pool_of(admdvs: str, *, year: int, insutype: str) -> Pool | None:
    """Return the pool of an insurance in a year, None if it is not paid by group then."""
    terms = open_terms(admdvs)
    return terms.pool_of(insutype=insutype, year=year) if terms else None


def clearing_way(admdvs: str, *, institution_kind: str, med_type: str, on: date) -> str:
    """Return how a visit is cleared (``clr_way``): ``40`` DRG, ``50`` DIP, ``1`` by item."""
    terms = open_terms(admdvs)
    return terms.clearing_way(institution_kind=institution_kind, med_type=med_type, on=on) if terms else BY_ITEM
