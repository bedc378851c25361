"""R10-R16: the list says the same money as the settlement. Only what the list says is compared."""

from __future__ import annotations

from collections.abc import Iterator

from yibao.domains.records.model import ListFacts, QualityTables, SettlementList
from yibao.domains.records.rules import Hit, check
from yibao.kernel.money import yuan_text


@check("R10")
def total_equals_settlement(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """The classes of charge sum to the settlement's total."""
    if x.charges is None:
        return
    total = sum(c.amount_fen for c in x.charges)
    if total != facts.settled.medfee_fen:
        yield Hit(yuan_text(total), f"结算费用总额{yuan_text(facts.settled.medfee_fen)}")


@check("R11")
def class_equals_lines(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Each class of charge equals the fee lines of that class; a class with lines is not left out."""
    if x.charges is None:
        return
    stated: dict[str, int] = {}
    for c in x.charges:
        stated[c.charge_type] = stated.get(c.charge_type, 0) + c.amount_fen
    for kind in sorted({*stated, *facts.charges}):
        known = facts.charges[kind].amount_fen if kind in facts.charges else 0
        if stated.get(kind, 0) != known:
            yield Hit(yuan_text(stated.get(kind, 0)), f"收费类别{kind}的明细合计{yuan_text(known)}")


@check("R12")
def class_splits_exactly(x: SettlementList, _facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Class A, class B, own expense and other sum to the class."""
    for c in x.charges or ():
        parts = c.class_a_fen + c.class_b_fen + c.own_fen + c.other_fen
        if parts != c.amount_fen:
            yield Hit(yuan_text(c.amount_fen), f"收费类别{c.charge_type}各项之和{yuan_text(parts)}")


@check("R13")
def funds_equal_settlement(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Each fund paid what the settlement says; a fund is not left out, own account and institution may be."""
    if x.funds is None:
        return
    stated: dict[str, int] = {}
    for share in x.funds:
        stated[share.fund] = stated.get(share.fund, 0) + share.amount_fen
    for fund in sorted({*stated, *facts.settled.funds}):
        known = facts.settled.funds.get(fund, facts.settled.beside.get(fund, 0))
        if stated.get(fund, 0) != known:
            yield Hit(yuan_text(stated.get(fund, 0)), f"基金{fund}结算支付{yuan_text(known)}")


@check("R14")
def shares_equal_settlement(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Account and cash equal the settlement's; together they are what the person bears, own expense included."""
    if x.shares is None:
        return
    s, settled = x.shares, facts.settled
    if s.account_fen != settled.account_fen:
        yield Hit(yuan_text(s.account_fen), f"个人账户支出应为{yuan_text(settled.account_fen)}")
    if s.cash_fen != settled.cash_fen:
        yield Hit(yuan_text(s.cash_fen), f"个人现金支付应为{yuan_text(settled.cash_fen)}")
    if s.selfpay_fen + s.own_fen != s.account_fen + s.cash_fen:
        yield Hit(yuan_text(s.selfpay_fen + s.own_fen), f"账户与现金之和{yuan_text(s.account_fen + s.cash_fen)}")


@check("R15")
def period_fits(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """The settlement period runs forward and lies between the first day of care and the day of settlement."""
    begin, end = x.settled_from, x.settled_to
    last = max(facts.settled.settled_on, facts.ended_on)
    if begin is None or end is None:
        yield Hit(because="未填写")
    elif begin > end or begin < facts.began_on or end > last:
        yield Hit(f"{begin}至{end}", f"应在{facts.began_on}至{last}之间")


@check("R16")
def payment_method_fits(x: SettlementList, facts: ListFacts, tables: QualityTables) -> Iterator[Hit]:
    """The payment method is the one the settlement is cleared by."""
    wanted = tables.payment_methods.get(facts.settled.clr_way)
    if x.payment_method and wanted and x.payment_method != wanted:
        yield Hit(x.payment_method, f"应为{wanted}")
