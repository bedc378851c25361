"""The engine's side of the comparison: keeps counters and balances the way settlements do, around ``decide``.

Every settlement adds its counter changes, a reversal takes them back; nothing is added up again, which is what
makes the comparison with the twin worth something.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from tests.twin.visit_facts import USUAL, Circumstances, TwinLine, TwinPerson
from yibao.kernel.money import fen_to_yuan, line_amount, to_scaled, yuan_to_fen
from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case, InstitutionFacts, LineGroup, PersonFacts
from yibao.policy.decide import decide
from yibao.policy.decision import Decision
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.lines import LineSplit, classify_line

# How the platform codes the words for households in need (psn_idet_type).
IDENTITIES: dict[str, tuple[str, ...]] = {
    "": (),
    "returned_to_poverty": ("2302",),
    "low_income": ("2303",),
    "destitute": ("2304",),
    "borderline": ("2305",),
    "hardship": ("2306",),
    "monitored": ("2360",),
    "orphan": ("2301",),
    "commercially_insured": ("60",),
}


@dataclass
class Kept:
    """One decision that was booked."""

    person: TwinPerson
    case: Case
    decision: Decision
    splits: list[LineSplit]


@dataclass
class YearBook:
    """Counters by (person, year, insurance, code), balances by person; fen."""

    policy: RegionPolicy
    counters: dict[tuple[str, int, str, str], int] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)
    settlements: list[Kept | None] = field(default_factory=list)

    def settle(
        self,
        person: TwinPerson,
        level: str,
        lines: list[TwinLine],
        day: date,
        *,
        use_account: bool,
        med_type: str,
        disease: str,
        institution_kind: str,
        children_hospital: bool,
        how: Circumstances = USUAL,
    ) -> Kept | Refusal:
        """Classify the lines, decide the case and book it."""
        splits = []
        for line in lines:
            split = self._split(line, day, person.insutype, med_type)
            if isinstance(split, Refusal):
                return split
            splits.append(split)
        case = Case(
            admdvs=self.policy.admdvs,
            service_on=day,
            insutype=person.insutype,
            med_type=med_type,
            person=PersonFacts(
                person.psn_type,
                40,
                IDENTITIES[person.identity],
                person.civil_servant,
                account_kind=person.account_kind,
                paid_months=person.paid_months,
                rank="160" if person.civil_servant else "",
            ),
            institution=InstitutionFacts(
                "H00000000001", institution_kind, level, (*how.traits, "children") if children_hospital else how.traits
            ),
            lines=tuple(
                LineGroup(_amount(s), s.own, s.over, s.first_pay, s.in_scope, line.group)
                for s, line in zip(splits, lines, strict=True)
            ),
            disease_code=disease,
            counters={
                code: used
                for (psn_no, year, insutype, code), used in self.counters.items()
                if (psn_no, year, insutype) == (person.psn_no, day.year, person.insutype)
            },
            account_balance=self.balances.get(person.psn_no, 0),
            use_account=use_account,
            recognised=person.recognised,
            admission=how.admission,
            remote=how.remote,
            referred_from=how.referred_from,
            maternity=how.maternity,
            pregnancy_months=how.pregnancy_months,
            cause=how.cause,
        )
        decision = decide(case, self.policy, trace=False)
        if isinstance(decision, Refusal):
            return decision
        kept = Kept(person, case, decision, splits)
        self._book(kept, 1)
        self.settlements.append(kept)
        return kept

    def reverse(self, ordinal: int) -> None:
        """Take back the settlement with this ordinal (from 0)."""
        kept = self.settlements[ordinal]
        assert kept is not None
        self._book(kept, -1)
        self.settlements[ordinal] = None

    def _book(self, kept: Kept, sign: int) -> None:
        person, decision = kept.person, kept.decision
        for change in decision.counters:
            key = (person.psn_no, decision.year, person.insutype, change.code)
            self.counters[key] = self.counters.get(key, 0) + sign * change.delta
        self.balances[person.psn_no] = self.balances.get(person.psn_no, 0) - sign * decision.account_pay

    def _split(self, line: TwinLine, day: date, insutype: str, med_type: str) -> LineSplit | Refusal:
        price, quantity = to_scaled(line.price, 6), to_scaled(line.quantity, 4)
        return classify_line(
            policy=self.policy,
            service_on=day,
            insutype=insutype,
            list_type=line.list_type,
            class_level=line.class_level,
            amount=line_amount(price, quantity),
            price=price,
            quantity=quantity,
            first_pay=None if line.first_pay is None else to_scaled(line.first_pay, 4),
            price_limit=None if line.price_limit is None else to_scaled(line.price_limit, 6),
            restricted=line.restricted,
            hosp_appr_flag=line.hosp_appr_flag,
            reason="单独使用不予支付" if line.not_paid else "",
            group=line.group,
            med_type=med_type,
        )


def head_amounts(decision: Decision, balance: int) -> dict[str, Decimal]:
    """Return the head fields of the wire in yuan."""
    d = decision
    fen = {
        "medfee_sumamt": d.amount,
        "fulamt_ownpay_amt": d.own,
        "overlmt_selfpay": d.over,
        "preselfpay_amt": d.first_pay,
        "inscp_scp_amt": d.in_scope,
        "act_pay_dedc": d.deductible,
        "fund_pay_sumamt": d.fund_total,
        "psn_part_amt": d.person_part,
        "acct_pay": d.account_pay,
        "acct_mulaid_pay": d.shared_pay,
        "psn_cash_pay": d.cash,
        "hosp_part_amt": d.hospital_part,
        "balc": balance,
    }
    for name in ("hifp_pay", "cvlserv_pay", "hifes_pay", "hifmi_pay", "hifob_pay", "maf_pay", "oth_pay"):
        fen[name] = d.fund(name)
    amounts = {name: fen_to_yuan(value) for name, value in fen.items()}
    amounts["pool_prop_selfpay"] = Decimal(d.pool_ratio).scaleb(-4)
    return amounts


def opening(balance: Decimal) -> int:
    """Return an opening balance in fen."""
    return yuan_to_fen(balance)


def _amount(split: LineSplit) -> int:
    return split.own + split.over + split.first_pay + split.in_scope
