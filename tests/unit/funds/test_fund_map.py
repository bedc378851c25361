"""Which fund money belongs to, and that the data speak of everything they are asked about."""

from __future__ import annotations

import pytest

from yibao.usecases.funds.accounts import book_words, fund_title, subjects
from yibao.usecases.funds.fund_lines import flow_words
from yibao.usecases.funds.fund_map import FundUnknown, credit_fund, fund_of


@pytest.mark.parametrize(("insutype", "payer", "part", "account_kind", "fund"), [
    # Since 2023 what the unit pays goes to the pool as a whole; the person's own 2 % goes to the accounts.
    ("310", "unit", "basic", "with_account", "310100"),
    ("310", "person", "basic", "with_account", "310200"),
    ("310", "person", "basic", "pool_only", "310100"),
    ("310", "person", "basic", "none", "310100"),
    ("310", "person", "account", "with_account", "310200"),
    ("310", "person", "large_amount", "with_account", "330100"),
    ("310", "unit", "large_amount", "pool_only", "330100"),
    ("310", "person", "care", "with_account", "419900"),
    ("310", "unit", "care", "pool_only", "419900"),
    ("410", "state", "care", "none", "419900"),
    ("310", "state", "subsidy", "pool_only", "310100"),
    ("390", "person", "basic", "none", "390100"),
    ("390", "state", "subsidy", "none", "390100"),
    ("390", "person", "care", "none", "419900"),
])
def test_a_due_goes_to_its_fund(insutype: str, payer: str, part: str, account_kind: str, fund: str) -> None:
    assert fund_of(
        insutype=insutype, payer=payer, part=part, account_kind=account_kind, enrolment_kind="employed"
    ) == fund


def test_who_pays_alone_pays_the_pool_and_where_there_is_one_the_account_part() -> None:
    """Huizhou's flexible workers pay 4.1 % to the pool and 2 % to the account; Zibo's pay 9 % as one, all to the pool."""
    parts = {"basic": "310100", "account": "310200"}
    for part, fund in parts.items():
        assert fund_of(
            insutype="310", payer="person", part=part, account_kind="with_account", enrolment_kind="flexible"
        ) == fund
    assert credit_fund(admdvs="441300", psn_type="1101", enrolment_kind="flexible") == "310200"
    assert credit_fund(admdvs="370300", psn_type="1101", enrolment_kind="flexible") == "310100"


def test_a_credit_comes_from_its_fund() -> None:
    found = [credit_fund(admdvs="370300", psn_type=x) for x in ("1101", "11", "1204", "1300")]
    assert found == ["310200", "310200", "310100", "310100"]
    with pytest.raises(FundUnknown, match="psn_type=14"):
        credit_fund(admdvs="370300", psn_type="1401")
    with pytest.raises(FundUnknown, match="insutype=510"):
        fund_of(insutype="510", payer="unit", part="basic", account_kind="none", enrolment_kind="")


def test_every_fund_has_a_book_and_a_name() -> None:
    words = book_words()
    funds = ("310100", "310102", "310200", "310300", "330100", "390100", "390200", "419900", "999996")
    assert [words.book_of(f) for f in funds] == ["310", "310", "310", "330", "330", "390", "392", "410", "999"]
    assert fund_title("310100") == "城镇职工基本医疗保险统筹基金"
    assert fund_title("419900") == "长期护理保险基金"
    assert fund_title("123456") == "基金123456"


def test_every_line_and_party_stands_under_a_known_subject() -> None:
    known, words = subjects(), book_words()
    assert {line.subject for line in flow_words().lines.values()} <= set(known)
    assert {party.subject for party in words.parties.values()} | {words.bank, words.carried} <= set(known)
    assert {p.book for p in words.parties.values() if p.book} <= {b.code for b in words.books}
    assert {s.code_mark for s in known.values()} <= {"assumed", "special_account_2018"}
    assert {s.side for s in known.values() if s.element in ("income", "liability", "net")} == {"credit"}
    assert {s.side for s in known.values() if s.element in ("spending", "asset")} == {"debit"}


def test_an_amount_stands_in_the_line_of_its_kind_and_direction() -> None:
    words = flow_words()
    assert words.line_of("settlement", -5) == words.line_of("refund", 5) == "benefits"
    assert (words.line_of("account_credit", 5), words.line_of("account_credit", -5)) == ("from_funds", "to_funds")
    assert (words.shown("benefits", -5), words.shown("premiums", 5)) == (5, 5)
