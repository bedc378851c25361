"""What every way of settling judges alike: the bill against the lines, and the parts of a case that a row gives."""

from __future__ import annotations

from datetime import date
from typing import Any

import asyncpg
import msgspec

from yibao.kernel.business_time import age_on
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Fault, Refusal
from yibao.policy.case import InstitutionFacts, LineGroup, PersonFacts
from yibao.usecases.filings.case_facts import CaseWords, case_words, filing_facts
from yibao.usecases.filings.trauma import trauma_of
from yibao.usecases.settlement.way import Bill

SPLIT_FIELDS = (
    ("fulamt_ownpay_amt", "own_fen", "全自费金额"), ("overlmt_selfpay", "over_fen", "超限价金额"),
    ("preselfpay_amt", "first_fen", "先行自付金额"), ("inscp_scp_amt", "scope_fen", "符合政策范围金额"),
)


class Sums(msgspec.Struct, frozen=True):
    """Words that differ between the ways, for the messages: what is settled, how lines come and are undone."""

    whole: str
    upload: str
    quote: str


def payment_faults(bill: Bill, *, setlway_text: str) -> list[Fault]:
    """Return what of the way of payment is not offered."""
    faults = []
    if bill.setlway != "01":
        faults.append(Fault("SETTLEMENT_WAY_NOT_OFFERED", f"{setlway_text}只按项目结算，定额结算尚未开通",
                            "data.psn_setlway", bill.setlway, "请使用01按项目结算"))
    return faults


def sum_faults(row: asyncpg.Record, bill: Bill, *, words: Sums) -> list[Fault]:
    """Return where the institution's total and splits are not those of the lines; ``row`` has lines."""
    faults = []
    if row["amount_fen"] < 0:
        faults.append(Fault("BATCH_NEGATIVE", f"{words.whole}费用合计为负", "data.medfee_sumamt",
                            yuan_text(row["amount_fen"]), "请核对退费明细"))
    if row["amount_fen"] != bill.medfee_fen:
        faults.append(Fault("TOTAL_DIFFERS", f"医疗费总额与明细合计{yuan_text(row['amount_fen'])}元不一致",
                            "data.medfee_sumamt", yuan_text(bill.medfee_fen), f"请核对{words.whole}已上传的明细"))
    # Some clients send 0 in the split fields; whoever sends an amount must mean ours.
    for sent, (field, column, label) in zip(bill.splits, SPLIT_FIELDS, strict=False):
        if sent and sent != row[column]:
            faults.append(Fault("SPLIT_DIFFERS", f"{label}与平台核定{yuan_text(row[column])}元不一致",
                                f"data.{field}", yuan_text(sent), f"请以{words.upload}或{words.quote}返回的金额为准"))
    return faults


def person_of(row: asyncpg.Record, on: date) -> PersonFacts:
    """Return the person of a row; age is as of a day."""
    return PersonFacts(
        psn_type=row["psn_type"], age=age_on(row["birth_on"], on), identities=tuple(row["identities"] or ()),
        civil_servant=row["civil_servant"], account_kind=row["account_kind"], paid_months=row["paid_months"],
    )


def institution_of(row: asyncpg.Record) -> InstitutionFacts:
    """Return the institution of a row."""
    return InstitutionFacts(
        code=row["fixmedins_code"], kind=row["kind"], level=row["level"], traits=tuple(row["traits"])
    )


def line_groups(row: Any) -> tuple[LineGroup, ...]:
    """Return the lines of a row added up by group: the ordinary ones first, then the groups by name.

    ``row`` has the sums of all lines, and beside them the lines that belong to a group one by one.
    """
    whole = (row["amount_fen"], row["own_fen"], row["over_fen"], row["first_fen"], row["scope_fen"])
    if not row["groups"]:
        return (_group(whole, ""),)
    sums: dict[str, tuple[int, ...]] = {}
    for group, amounts in zip(row["groups"], row["group_amounts"], strict=True):
        sums[group] = tuple(a + b for a, b in zip(sums.get(group, (0,) * len(whole)), amounts, strict=True))
    rest = tuple(a - sum(b) for a, b in zip(whole, zip(*sums.values(), strict=True), strict=True))
    groups = [_group(sums[name], name) for name in sorted(sums)]
    return (_group(rest, ""), *groups) if any(rest) else tuple(groups)



def _group(amounts: tuple[int, ...], name: str) -> LineGroup:
    amount, own, over, first_pay, in_scope = amounts
    return LineGroup(amount, own, over, first_pay, in_scope, name)


def filed_words(row: asyncpg.Record, bill: Bill) -> CaseWords | Refusal:
    """Return what the filings of a row and the trauma flags add to the case; the bill's flags come first."""
    trauma = trauma_of(bill.exp_content) if bill.exp_content else None
    if (trauma is None or not (isinstance(trauma, Refusal) or trauma.is_trauma)) and row["exp_content"]:
        trauma = trauma_of(row["exp_content"])
    if isinstance(trauma, Refusal):
        return trauma
    return case_words(
        filing_facts(row), fixmedins_code=row["fixmedins_code"], med_type=row["med_type"], trauma=trauma
    )
