"""A second, naive settlement of both cities' bills: visits, stays, births, and the layers above the pool.

Slow and obvious on purpose, written from the published summaries and not from the engine: decimals instead of
integers, ``if`` instead of tables of conditions, the whole year added up again at each visit. It imports nothing
of the project, so what both get wrong in the same way is at least not the same code.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from tests.twin import city_numbers as n
from tests.twin.inpatient_twin import (
    MED_TYPES,
    huizhou_inpatient,
    huizhou_negotiated,
    remote_first_pay,
    zibo_inpatient,
    zibo_layers,
)
from tests.twin.layers_twin import Borne, cost_behind, in_bands, pay_layers, to_cents
from tests.twin.visit_facts import (
    USUAL,
    ZERO,
    Circumstances,
    NotCovered,
    Rule,
    TwinLine,
    TwinPerson,
    Visit,
    cents,
    latest,
)

__all__ = ["NotCovered", "Twin", "TwinLine", "TwinPerson", "TwinSettlement"]


@dataclass
class TwinSettlement:
    """What came out: ``amounts`` by head field of the wire, ``lines`` by line field, both in yuan."""

    id: str
    person: TwinPerson
    year: int
    benefit: str
    amounts: dict[str, Decimal]
    lines: list[dict[str, Decimal]]
    counted: dict[str, Decimal] = field(default_factory=dict)
    reversed: bool = False


class Twin:
    """One city's books for any number of people, kept as a plain list of settlements."""

    def __init__(self, city: str) -> None:
        self.city = city
        self.settlements: list[TwinSettlement] = []
        self.balances: dict[str, Decimal] = {}

    def settle(
        self,
        person: TwinPerson,
        level: str,
        lines: list[TwinLine],
        day: date,
        account_balance: Decimal | None = None,
        *,
        use_account: bool = True,
        med_type: str = "11",
        disease: str = "",
        institution_kind: str = "1",
        children_hospital: bool = False,
        how: Circumstances = USUAL,
    ) -> TwinSettlement:
        """Settle a visit and keep it. ``account_balance`` sets the person's balance first, if given.

        Raises:
            NotCovered: the city has no rule for this visit.
        """
        if account_balance is not None:
            self.balances[person.psn_no] = account_balance
        split = [split_line(self.city, line, med_type) for line in lines]
        total = {
            name: sum((s[name] for s in split), ZERO) for name in ("amount", "own", "over", "first", "scope")
        }
        visit = Visit(
            person, level, day, med_type, disease, institution_kind, children_hospital, total["scope"], total["amount"], how
        )
        moved = cents(total["scope"] * remote_first_pay(self.city, visit))
        total["first"] += moved
        total["scope"] -= moved
        visit.scope = total["scope"]
        rule = rule_of(self.city, visit)
        used = self.counted(person, day.year)
        # Only Huizhou's special outpatients have a share for negotiated drugs beside everything else.
        apart = self.city == "441300" and med_type == "14"
        grouped = sum((s["scope"] for s, line in zip(split, lines, strict=True) if apart and line.group), ZERO)

        deductible = ZERO
        if rule.deductible is not None:
            still_open = max(rule.deductible - used.get(rule.deductible_counter, ZERO) - how.borne_in_stay, ZERO)
            deductible = min(still_open, total["scope"] - grouped)
        uncapped = pool_payment(rule, visit, deductible, grouped)
        left = {counter: max(cap - used.get(counter, ZERO), ZERO) for counter, cap in rule.caps.items()}
        behind = behind_the_ceiling(rule, total["scope"], deductible, uncapped, left)
        pool = min([uncapped, *left.values()])
        more, counted = pay_layers(self.city, Borne(visit, rule, total["scope"], deductible, pool, behind, total["own"], used))
        if rule.benefit == "work_injury":  # another fund, which also bears what is paid first
            more, pool = {"oth_pay": pool + total["first"]}, ZERO
        funds = pool + sum(more.values(), ZERO)

        person_part = total["amount"] - funds
        balance = self.balances.get(person.psn_no, ZERO)
        account = min(person_part, balance) if use_account and person.insutype == "310" else ZERO
        self.balances[person.psn_no] = balance - account

        counted |= dict.fromkeys(rule.caps, pool)
        if rule.deductible is not None and rule.deductible_counter:
            counted[rule.deductible_counter] = deductible
        settlement = TwinSettlement(
            id=str(len(self.settlements) + 1),
            person=person,
            year=day.year,
            benefit=rule.benefit,
            amounts={
                "medfee_sumamt": total["amount"],
                "fulamt_ownpay_amt": total["own"],
                "overlmt_selfpay": total["over"],
                "preselfpay_amt": total["first"],
                "inscp_scp_amt": total["scope"],
                "act_pay_dedc": deductible,
                "hifp_pay": pool,
                "pool_prop_selfpay": applied_share(rule, visit.scope - grouped - deductible, uncapped),
                "cvlserv_pay": more.get("cvlserv_pay", ZERO),
                "hifes_pay": ZERO,
                "hifmi_pay": more.get("hifmi_pay", ZERO),
                "hifob_pay": more.get("hifob_pay", ZERO),
                "maf_pay": more.get("maf_pay", ZERO),
                "oth_pay": more.get("oth_pay", ZERO),
                "fund_pay_sumamt": funds,
                "psn_part_amt": person_part,
                "acct_pay": account,
                "acct_mulaid_pay": ZERO,
                "psn_cash_pay": person_part - account,
                "hosp_part_amt": ZERO,
                "balc": balance - account,
            },
            lines=split,
            counted=counted,
        )
        self.settlements.append(settlement)
        return settlement

    def reverse(self, settlement_id: str) -> TwinSettlement:
        """Take a settlement back: it no longer counts, and the account gets its money again."""
        settlement = next(s for s in self.settlements if s.id == settlement_id and not s.reversed)
        settlement.reversed = True
        self.balances[settlement.person.psn_no] += settlement.amounts["acct_pay"]
        return settlement

    def counted(self, person: TwinPerson, year: int) -> dict[str, Decimal]:
        """Add up what the person's year already used, from every settlement that still stands."""
        used: dict[str, Decimal] = {}
        for settlement in self.settlements:
            mine = settlement.person.psn_no == person.psn_no and settlement.person.insutype == person.insutype
            if not mine or settlement.year != year or settlement.reversed:
                continue
            for counter, amount in settlement.counted.items():
                used[counter] = used.get(counter, ZERO) + amount
        return used


def pool_payment(rule: Rule, visit: Visit, deductible: Decimal, grouped: Decimal) -> Decimal:
    """Pay by lump, or by share or bands plus the dear drugs' own share; raise it to a floor."""
    if rule.lump is not None:
        return min(rule.lump, visit.amount)
    scope = visit.scope - grouped
    paid = in_bands(rule.bands or ((None, rule.share),), deductible, scope)
    if grouped:
        paid += Fraction(grouped) * Fraction(huizhou_negotiated(visit))
    pool = to_cents(paid)
    return pool if rule.floor is None else max(pool, min(rule.floor, visit.amount))


def applied_share(rule: Rule, base: Decimal, uncapped: Decimal) -> Decimal:
    """Return the share as the head reports it: under bands the effective one, to four digits."""
    if not rule.bands:
        return rule.share
    return (uncapped / base).quantize(Decimal("0.0001"), ROUND_HALF_UP) if base else ZERO


def behind_the_ceiling(
    rule: Rule, scope: Decimal, deductible: Decimal, uncapped: Decimal, left: dict[str, Decimal]
) -> Fraction:
    """Return the cost that only the yearly ceiling cut off: what a disease's ceiling cuts anyway is nobody's."""
    if rule.overflow not in left or uncapped <= left[rule.overflow]:
        return Fraction(0)
    behind = cost_behind(rule, scope, deductible, left[rule.overflow])
    others = [amount for counter, amount in left.items() if counter != rule.overflow]
    return max(behind - cost_behind(rule, scope, deductible, min(others)), Fraction(0)) if others else behind


def split_line(city: str, line: TwinLine, med_type: str) -> dict[str, Decimal]:
    """Split a line into fully own, over limit, first-pay and in scope."""
    amount = cents(line.price * line.quantity)
    own = over = first = ZERO
    outside_limits = line.restricted and line.hosp_appr_flag != "1"
    declined = not line.restricted and line.hosp_appr_flag == "2"
    if line.class_level == "03" or outside_limits or declined or line.not_paid:
        own = amount
    else:
        if line.price_limit is not None and line.price > line.price_limit:
            over = min(cents((line.price - line.price_limit) * line.quantity), amount)
        first = cents((amount - over) * first_pay_ratio(city, line, med_type))
    return {"amount": amount, "own": own, "over": over, "first": first, "scope": amount - own - over - first}


def first_pay_ratio(city: str, line: TwinLine, med_type: str) -> Decimal:
    """Say which part of a line is paid first by the person."""
    if line.first_pay is not None:
        return line.first_pay
    if line.group == "negotiated" and (city, med_type) in n.NEGOTIATED_FIRST_PAY:
        return Decimal(n.NEGOTIATED_FIRST_PAY[city, med_type])
    if line.class_level == "01":
        return ZERO
    kind = {"1": "drug", "2": "service", "3": "material"}[line.list_type[0]]
    return Decimal(n.FIRST_PAY[city][kind])


def rule_of(city: str, visit: Visit) -> Rule:
    """Say what a city grants: nothing where somebody else is liable, all at another's cost for a work injury."""
    if visit.how.cause == "third_party":
        raise NotCovered("somebody else is liable")
    if visit.how.cause == "work_injury":
        if visit.institution_kind == "2" or visit.day.year < 2021 or not visit.person_class:
            raise NotCovered("work injuries are treated in hospitals, from 2021 on")
        return Rule("work_injury", None, "", Decimal(1), {})
    if visit.med_type == "41":
        return pharmacy_purchase(visit)
    return zibo(visit) if city == "370300" else huizhou(visit)


def pharmacy_purchase(visit: Visit) -> Rule:
    """Say what a purchase in a pharmacy is paid from: the own account of employees and nothing else."""
    if visit.institution_kind != "2" or visit.person.insutype != "310" or visit.day.year < 2021 or not visit.person_class:
        raise NotCovered("only employees buy from their account in pharmacies")
    return Rule("account_purchase", None, "", ZERO, {})


def zibo(visit: Visit) -> Rule:
    """Say what Zibo grants for a visit."""
    if visit.med_type in MED_TYPES:
        return zibo_inpatient(visit)
    if visit.med_type not in ("11", "12", "13", "14"):
        raise NotCovered("visit class not offered")
    if visit.day.year < 2021:
        raise NotCovered("no figures before 2021")
    chronic = visit.med_type == "14"
    if chronic and not visit.disease:
        raise NotCovered("a chronic visit names its disease")
    if visit.institution_kind == "2" and (chronic or visit.person.insutype == "390"):
        raise NotCovered("pharmacies only dispense for the employees' ordinary outpatient benefit")
    if visit.person.insutype == "310":
        return zibo_employee_chronic(visit) if chronic else zibo_employee_outpatient(visit)
    if chronic:
        return zibo_resident_chronic(visit)
    if visit.med_type == "11" and visit.disease[:4] in ("M039", "M016"):
        return zibo_two_disease(visit)
    figures = n.ZIBO_RESIDENT_OUTPATIENT
    return Rule(
        "ordinary_outpatient",
        Decimal(figures["deductible"]),
        "ordinary_outpatient.deductible",
        Decimal(figures["share"]),
        {"ordinary_outpatient.pool": Decimal(figures["cap"])},
    )


def zibo_employee_outpatient(visit: Visit) -> Rule:
    """Ordinary outpatient of employees: level decides, a pharmacy counts as level 1, retired get more."""
    if visit.med_type == "13" and visit.day.year < n.ZIBO_EMPLOYEE_EMERGENCY_FROM:
        raise NotCovered("no rule for emergencies yet")
    figures = latest(n.ZIBO_EMPLOYEE_OUTPATIENT, visit.day.year)
    level = "1" if visit.institution_kind == "2" else visit.level
    share = Decimal(figures["share"][level])
    if visit.person_class == "retired":
        share += Decimal(figures["retired_more"])
    return Rule(
        "ordinary_outpatient",
        Decimal(figures["deductible"][level]),
        "ordinary_outpatient.deductible",
        share,
        {"ordinary_outpatient.pool": Decimal(figures["cap"][visit.person_class])},
        layers=("civil_servant",) if visit.person.civil_servant else (),
    )


def zibo_employee_chronic(visit: Visit) -> Rule:
    """Chronic outpatient of employees: some diseases have their own deductible and share, some a ceiling."""
    year, who = visit.day.year, visit.person_class
    mental = visit.disease.startswith("M021") and year >= n.ZIBO_MENTAL_WITHOUT_DEDUCTIBLE_FROM
    deductible: Decimal | None
    if visit.disease.startswith("M083"):
        deductible = Decimal(n.ZIBO_ANTI_REJECTION_DEDUCTIBLE)
    elif visit.disease in ("M07803", "M07804") or mental:
        deductible = None
    else:
        deductible = Decimal(latest(n.ZIBO_EMPLOYEE_CHRONIC_DEDUCTIBLE, year))
    caps = {"inpatient_chronic.pool": Decimal(latest(n.ZIBO_EMPLOYEE_YEAR_CAP, year))}
    if visit.disease[:4] in n.ZIBO_EMPLOYEE_DISEASE_CAPS:
        caps["chronic_outpatient.disease"] = zibo_disease_cap(visit)
    return Rule(
        "chronic_outpatient",
        deductible,
        "chronic_outpatient.deductible",
        zibo_chronic_share(visit, who),
        caps,
        overflow="inpatient_chronic.pool",
        layers=zibo_layers(visit, ("large_amount", "serious_illness")),
    )


def zibo_disease_cap(visit: Visit) -> Decimal:
    """With several capped diseases: the highest ceiling and half of each other one."""
    caps = sorted(Decimal(cap) for disease, cap in n.ZIBO_EMPLOYEE_DISEASE_CAPS.items() if visit.has(disease))
    return caps[-1] + sum((cents(cap * Decimal(n.ZIBO_OTHER_DISEASES_COUNT)) for cap in caps[:-1]), ZERO)


def zibo_chronic_share(visit: Visit, who: str) -> Decimal:
    """The share of a chronic visit, by disease."""
    if visit.disease.startswith("M083"):
        return Decimal(n.ZIBO_ANTI_REJECTION_SHARE[who])
    if visit.disease in ("M07803", "M07804"):
        return Decimal(n.ZIBO_DIALYSIS_SHARE[who])
    if who != "resident" and visit.disease in ("M00500", "M00503") and visit.day.year >= n.ZIBO_CANCER_FROM:
        return Decimal(n.ZIBO_CANCER_SHARE[who])
    return Decimal(n.ZIBO_CHRONIC_SHARE[who])


def zibo_resident_chronic(visit: Visit) -> Rule:
    """Chronic outpatient of residents; the ceiling is shared with inpatient care."""
    deductible: Decimal | None
    if visit.disease.startswith("M083"):
        deductible = Decimal(n.ZIBO_ANTI_REJECTION_DEDUCTIBLE)
    elif visit.disease in ("M07803", "M07804"):
        deductible = None
    else:
        deductible = Decimal(latest(n.ZIBO_RESIDENT_CHRONIC_DEDUCTIBLE, visit.day.year))
    return Rule(
        "chronic_outpatient",
        deductible,
        "chronic_outpatient.deductible",
        zibo_chronic_share(visit, "resident"),
        {"inpatient_chronic.pool": Decimal(n.ZIBO_RESIDENT_YEAR_CAP)},
        layers=zibo_layers(visit, ("serious_illness",)),
    )


def zibo_two_disease(visit: Visit) -> Rule:
    """Drugs for hypertension and diabetes of residents; the ceiling counts together with ordinary outpatient."""
    both = visit.has("M039") and visit.has("M016")
    cap = n.ZIBO_TWO_DISEASE["cap_both"] if both else n.ZIBO_TWO_DISEASE["cap"]
    return Rule(
        "two_disease",
        None,
        "two_disease.deductible",
        Decimal(n.ZIBO_TWO_DISEASE["share"]),
        {"ordinary_outpatient.pool": Decimal(cap)},
    )


def huizhou(visit: Visit) -> Rule:
    """Say what Huizhou grants for a visit."""
    if visit.med_type in MED_TYPES:
        return huizhou_inpatient(visit)
    if visit.med_type not in ("11", "12", "13", "14"):
        raise NotCovered("visit class not offered")
    if visit.institution_kind == "2":
        raise NotCovered("no outpatient rule for pharmacies")
    if visit.day.year < 2021:
        raise NotCovered("no figures before 2021")
    if visit.med_type == "14":
        return huizhou_special(visit)
    if visit.day < n.HUIZHOU_OUTPATIENT_START:
        raise NotCovered("outpatient rules begin on 2022-12-01")
    if visit.person.insutype == "310":
        who = visit.person_class
        if who == "active":
            who = "with_account" if visit.person.account_kind == "with_account" else "pool_only"
        caps = {"ordinary_outpatient.pool": Decimal(latest(n.HUIZHOU_EMPLOYEE_CAP, visit.day.year))}
        if visit.disease.startswith("M021"):
            caps = {}
        share = n.HUIZHOU_EMPLOYEE_SHARE[who][visit.level]
    else:
        if visit.day.year < n.HUIZHOU_RESIDENT_FROM:
            raise NotCovered("resident figures begin in 2025")
        caps = {"ordinary_outpatient.pool": Decimal(n.HUIZHOU_RESIDENT_CAP)}
        share = n.HUIZHOU_RESIDENT_SHARE["children" if visit.children_hospital else visit.level]
    return Rule("ordinary_outpatient", None, "ordinary_outpatient.deductible", Decimal(share), caps)


def huizhou_special(visit: Visit) -> Rule:
    """Special outpatient: the first class is paid like inpatient care, the second at flat shares with ceilings."""
    if not visit.disease:
        raise NotCovered("a special visit names its disease")
    insutype = visit.person.insutype
    caps = {"inpatient_chronic.pool": Decimal(n.HUIZHOU_YEAR_CAP[insutype])}
    if visit.disease.startswith(n.HUIZHOU_FIRST_CLASS):
        if insutype == "390":
            share = n.HUIZHOU_FIRST_CLASS_RESIDENT[visit.level]
        elif visit.person_class == "retired":
            share = n.HUIZHOU_FIRST_CLASS_RETIRED
        elif visit.person.paid_months >= n.HUIZHOU_FULL_SHARE_MONTHS:
            share = n.HUIZHOU_FIRST_CLASS_ACTIVE
        else:
            share = n.HUIZHOU_FIRST_CLASS_ACTIVE_SHORT
    else:
        share = n.HUIZHOU_SECOND_CLASS[insutype]
        which = {"M039": "hypertension", "M016": "diabetes"}.get(visit.disease[:4])
        if which is not None:
            both = visit.has("M039") and visit.has("M016")
            figure = n.HUIZHOU_SECOND_CLASS_CAPS[insutype]["both" if both else which]
            caps["chronic_outpatient.disease"] = Decimal(figure)
    return Rule(
        "chronic_outpatient", None, "chronic_outpatient.deductible", Decimal(share), caps
    )
