"""Small rules of claims by themselves."""

from __future__ import annotations

from datetime import date

import pytest

from yibao.domains.claims.kinds import kinds, words
from yibao.domains.claims.model import party_of
from yibao.domains.services.items import service_book
from yibao.ledger.posting import claim_desk, creditor_of, is_claim_desk
from yibao.usecases.claims.open_claim import last_day


@pytest.mark.parametrize(("end", "number", "unit", "last"), [
    (date(2021, 10, 14), 1, "年", date(2022, 12, 31)),  # to the end of the year after the costs
    (date(2021, 10, 14), 12, "个月", date(2022, 10, 14)),
    (date(2024, 2, 29), 12, "个月", date(2025, 2, 28)),
    (date(2020, 12, 20), 30, "天", date(2021, 1, 19)),
])
def test_the_last_day_to_claim(end: date, number: int, unit: str, last: date) -> None:
    assert last_day(end, number, unit) == last


def test_a_receipt_is_told_apart_by_who_issued_it() -> None:
    assert party_of("H37030309101", "某医院") == "H37030309101"
    assert party_of("", "京城 第三\u3000医院") == party_of("", "京城第三医院")
    assert party_of("", "京城第三医院") != party_of("", "京城第二医院")


def test_a_desk_is_no_institution_and_pays_people() -> None:
    assert len(claim_desk("370300")) == 12
    assert is_claim_desk(claim_desk("441300"))
    assert not is_claim_desk("H37030309101")
    assert not is_claim_desk("P44130000001")
    assert creditor_of(claim_desk("370300"), "370300") == "payout:370300"
    assert creditor_of("H37030309101", "370300") == "payable:H37030309101"


def test_every_kind_has_its_item_with_papers_and_thirty_or_twenty_working_days() -> None:
    book = service_book()
    for kind in kinds().values():
        item = book.items[kind.item_code]
        assert (item.effect, item.review) == ("reimburse", "two")
        assert book.papers[kind.item_code]
        assert book.limit_of(kind.item_code, admdvs="370300", on=date(2025, 1, 1)).working_days in (20, 30)
    assert words().filed <= set(words().remote)
    assert set(words().networked) <= set(words().remote)
