"""Settles the stories with the plain twin: the second opinion that the stored amounts come from."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from tests.twin.settlement_twin import Twin, TwinLine, TwinPerson, TwinSettlement
from yibao.demo.stories import Story, StoryLine, Visit, institution_of, psn_no_of

FIELDS = (
    "medfee_sumamt", "fulamt_ownpay_amt", "overlmt_selfpay", "preselfpay_amt", "inscp_scp_amt", "act_pay_dedc",
    "hifp_pay", "fund_pay_sumamt", "psn_part_amt", "acct_pay", "psn_cash_pay", "balc",
)


def settle_story(story: Story, day: date) -> tuple[list[TwinSettlement], dict[str, Decimal]]:
    """Return the twin's settlements of the earlier visits, and the amounts of the visit itself."""
    twin = Twin(story.region)
    who = story.person
    person = TwinPerson(
        psn_no=psn_no_of(story),
        insutype=who.insutype,
        psn_type=who.psn_type,
        account_kind="none" if who.insutype != "310" else "pool_only" if who.pool_only else "with_account",
        paid_months=who.paid_months,
        recognised=who.recognitions,
    )
    twin.balances[person.psn_no] = who.balance or Decimal("0.00")
    earlier = [_settle(twin, person, story, visit, day) for visit in story.history]
    amounts = _settle(twin, person, story, story.visit, day).amounts
    return earlier, {name: amounts[name] for name in FIELDS}


def _settle(twin: Twin, person: TwinPerson, story: Story, visit: Visit, day: date) -> TwinSettlement:
    site = institution_of(story, visit)
    return twin.settle(
        person, site.level, [_line(line) for line in visit.fee_lines()], day,
        use_account=visit.use_account, med_type=visit.med_type, disease=visit.dise_codg,
        institution_kind=site.kind, children_hospital="children" in site.traits,
    )


def _line(line: StoryLine) -> TwinLine:
    good = line.good
    return TwinLine(
        price=line.pric, quantity=line.cnt, list_type=good.list_type, class_level=good.class_level,
        price_limit=good.pay_standard, restricted=good.restricted, hosp_appr_flag=line.appr,
    )
