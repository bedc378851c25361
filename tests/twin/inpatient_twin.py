"""Stays, births and family planning of both cities as plain ``if``: what a rule grants, before anything is reckoned."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from tests.twin import city_numbers as o
from tests.twin import city_numbers_inpatient as n
from tests.twin.layers_twin import bands_of
from tests.twin.visit_facts import ZERO, NotCovered, Rule, Visit, latest

STAY = "21"
ACCIDENT = "22"
BIRTH = "52"
MATERNITY_VISIT = "51"
FAMILY_PLANNING = "53"
DEAR_DRUGS = "18"
MED_TYPES = (STAY, ACCIDENT, BIRTH, MATERNITY_VISIT, FAMILY_PLANNING, DEAR_DRUGS)
RARE_ENZYME = ("E75.200x011", "E75.201", "E75.205", "E74.000x012", "E74.003")
POOL = "inpatient_chronic.pool"
NOTHING = Decimal(0)


def remote_first_pay(city: str, visit: Visit) -> Decimal:
    """Say which share of the cost in scope the person pays first for care away from home."""
    how = visit.how
    if city != "370300" or how.remote in ("", "registered"):
        return NOTHING
    if visit.day.year < n.ZIBO_REMOTE_FROM and visit.person.insutype == "390" and how.remote != "emergency":
        kind = "not referred" if how.remote != "referred" else "referred"
        if kind == "referred" and "contracted" in how.traits:
            kind = "referred, contracted"
        return Decimal(n.ZIBO_OLD_RESIDENT_FIRST_PAY[kind])
    if how.remote == "unregistered":
        return Decimal(n.ZIBO_UNREGISTERED_FIRST_PAY)
    if how.remote not in n.ZIBO_REMOTE_TEMPORARY or visit.day.year < n.ZIBO_REMOTE_FROM:
        raise NotCovered("no rule for this kind of care elsewhere")
    return Decimal(n.ZIBO_REMOTE_FIRST_PAY)


# ───────────────────────── Zibo ─────────────────────────


def zibo_inpatient(visit: Visit) -> Rule:
    """Say what Zibo grants for a stay, a birth or a maternity visit."""
    if visit.day.year < 2021 or visit.institution_kind == "2":
        raise NotCovered("no rule")
    employee = visit.person.insutype == "310"
    if visit.med_type == DEAR_DRUGS:
        layer = "rare_drug" if visit.disease in RARE_ENZYME else "special_drug"
        return Rule(layer, None, "", NOTHING, {}, layers=(layer,))
    if visit.med_type in (MATERNITY_VISIT, FAMILY_PLANNING):
        return zibo_maternity_lump(visit)
    rule = zibo_employee_stay(visit) if employee else zibo_resident_stay(visit)
    if visit.med_type == BIRTH and visit.how.maternity not in ("miscarriage", "abortion"):
        if employee:
            return replace(
                rule, benefit="delivery", deductible=None, share=Decimal(1), bands=(), caps={}, overflow="", layers=(),
            )
        return replace(rule, benefit="delivery", floor=Decimal(n.ZIBO_BIRTH_FLOOR))
    return rule


def zibo_maternity_lump(visit: Visit) -> Rule:
    """Prenatal checks and operations are paid by a lump."""
    how = visit.how
    if visit.med_type == MATERNITY_VISIT and how.maternity == "prenatal":
        lump = n.ZIBO_EMPLOYEE_PRENATAL if visit.person.insutype == "310" else n.ZIBO_RESIDENT_PRENATAL
        return Rule("prenatal", None, "", NOTHING, {"prenatal.pool": Decimal(lump)}, lump=Decimal(lump))
    if visit.med_type != FAMILY_PLANNING or visit.person.insutype != "310":
        raise NotCovered("no lump")
    if how.maternity == "abortion":
        lump = n.ZIBO_ABORTION["before 4 months" if how.pregnancy_months < 4 else "from 4 months"]
    elif how.maternity in n.ZIBO_FAMILY_PLANNING:
        lump = n.ZIBO_FAMILY_PLANNING[how.maternity]
    else:
        raise NotCovered("no lump")
    return Rule("family_planning", None, "", NOTHING, {}, lump=Decimal(lump))


def zibo_employee_stay(visit: Visit) -> Rule:
    """Stays of employees: flat since 2024, banded before; referral raises the share since 2025."""
    who, level, year = visit.person_class, visit.level, visit.day.year
    more = NOTHING
    if year >= n.ZIBO_REFERRAL_FROM:
        more = Decimal(n.ZIBO_REFERRAL.get((visit.how.referred_from, level), "0"))
    flat = year >= n.ZIBO_FLAT_FROM
    return Rule(
        "inpatient",
        zibo_stay_deductible(visit),
        "",
        Decimal(n.ZIBO_STAY_SHARE[who][level]) + more if flat else NOTHING,
        {POOL: Decimal(latest(o.ZIBO_EMPLOYEE_YEAR_CAP, year))},
        bands=() if flat else bands_of(n.ZIBO_OLD_BOUNDS, n.ZIBO_OLD_STAY_BANDS[who][level], more),
        overflow=POOL,
        layers=zibo_layers(visit, ("large_amount", "serious_illness")),
    )


def zibo_resident_stay(visit: Visit) -> Rule:
    """Stays of residents."""
    level = visit.level
    essential = level == "1" and "essential_drugs" in visit.how.traits
    return Rule(
        "inpatient",
        zibo_stay_deductible(visit),
        "",
        Decimal(n.ZIBO_RESIDENT_STAY_SHARE["1 with essential drugs" if essential else level]),
        {POOL: Decimal(o.ZIBO_RESIDENT_YEAR_CAP)},
        layers=zibo_layers(visit, ("serious_illness",)),
    )


def zibo_stay_deductible(visit: Visit) -> Decimal:
    """The first stay of a year bears the whole, the second half, later ones nothing."""
    insutype = visit.person.insutype
    if insutype == "390" and visit.person.identity in n.ZIBO_NO_DEDUCTIBLE_FOR and "designated" in visit.how.traits:
        return ZERO
    child = insutype == "390" and visit.person.psn_type.startswith("14")
    whole = n.ZIBO_STAY_DEDUCTIBLE_CHILD if child else n.ZIBO_STAY_DEDUCTIBLE[insutype][visit.level]
    return Decimal(whole) * Decimal(n.ZIBO_STAY_PART_OF_DEDUCTIBLE[min(visit.how.admission, 3)])


def zibo_layers(visit: Visit, always: tuple[str, ...]) -> tuple[str, ...]:
    """Name the layers that the person has, in their order."""
    found = always
    if visit.person.civil_servant and visit.person.insutype == "310":
        found += ("civil_servant",)
    if visit.person.identity in n.ZIBO_ASSISTANCE and visit.day >= n.ZIBO_ASSISTANCE_FROM:
        found += ("assistance",)
    return found


# ───────────────────────── Huizhou ─────────────────────────


def huizhou_inpatient(visit: Visit) -> Rule:
    """Say what Huizhou grants for a stay, a birth or a maternity visit."""
    if visit.day.year < 2021 or visit.institution_kind == "2":
        raise NotCovered("no rule")
    employee = visit.person.insutype == "310"
    if visit.med_type == DEAR_DRUGS:
        cap = {POOL: Decimal(o.HUIZHOU_YEAR_CAP[visit.person.insutype])}
        return Rule("negotiated_drugs", None, "", huizhou_negotiated(visit), cap)
    if visit.med_type in (MATERNITY_VISIT, FAMILY_PLANNING):
        return huizhou_maternity_lump(visit)
    if visit.med_type == BIRTH and employee:
        share = Decimal(1)
        if visit.day < n.HUIZHOU_BIRTH_NEW_RULE:
            enough = visit.person.paid_months >= n.HUIZHOU_BIRTH_MONTHS
            share = Decimal(n.HUIZHOU_BIRTH_OLD_SHARE["a year of payment" if enough else "less"])
        return Rule("delivery", None, "", share, {})
    rule = huizhou_stay(visit)
    if visit.med_type == BIRTH:
        more = Decimal(n.HUIZHOU_RESIDENT_BIRTH_MORE)
        return replace(rule, benefit="delivery", deductible=None, share=min(rule.share + more, Decimal(1)), layers=())
    return rule


def huizhou_maternity_lump(visit: Visit) -> Rule:
    """Prenatal checks and operations are paid by a lump."""
    if visit.person.insutype != "310":
        raise NotCovered("no lump")
    if visit.med_type == MATERNITY_VISIT and visit.how.maternity == "prenatal":
        return Rule("prenatal", None, "", Decimal(1), {"prenatal.pool": Decimal(n.HUIZHOU_PRENATAL)})
    if visit.med_type == FAMILY_PLANNING and visit.how.maternity in n.HUIZHOU_FAMILY_PLANNING:
        return Rule("family_planning", None, "", NOTHING, {}, lump=Decimal(n.HUIZHOU_FAMILY_PLANNING[visit.how.maternity]))
    raise NotCovered("no lump")


def huizhou_stay(visit: Visit) -> Rule:
    """Stays: the full deductible each time, for some diseases once a year."""
    usual = not visit.how.remote and not visit.how.referred_from
    yearly = usual and visit.disease.startswith(n.HUIZHOU_ONE_DEDUCTIBLE_A_YEAR)
    caps = {POOL: Decimal(o.HUIZHOU_YEAR_CAP[visit.person.insutype])}
    if visit.med_type == ACCIDENT:
        caps["accident.pool"] = Decimal(n.HUIZHOU_ACCIDENT_CAP)
    return Rule(
        "inpatient",
        huizhou_stay_deductible(visit),
        "inpatient_long_term.deductible" if yearly else "",
        huizhou_stay_share(visit),
        caps,
        overflow=POOL if visit.person.insutype == "310" and visit.day <= n.HUIZHOU_OLD_RULE_UNTIL else "",
        layers=huizhou_layers(visit),
    )


def huizhou_stay_deductible(visit: Visit) -> Decimal:
    """By level at home; one figure away from home; after a transfer in the city only the difference."""
    how = visit.how
    if how.remote:
        if how.remote not in n.HUIZHOU_OUTSIDE_DEDUCTIBLE:
            raise NotCovered("no rule for this kind of care elsewhere")
        return Decimal(n.HUIZHOU_OUTSIDE_DEDUCTIBLE[how.remote])
    borne = Decimal(n.HUIZHOU_STAY_DEDUCTIBLE[how.referred_from]) if how.referred_from else NOTHING
    return max(Decimal(n.HUIZHOU_STAY_DEDUCTIBLE[visit.level]) - borne, NOTHING)


def huizhou_stay_share(visit: Visit) -> Decimal:
    """By scheme, person, months of payment and level; less where the person chose to go elsewhere."""
    insutype = visit.person.insutype
    if visit.how.remote in n.HUIZHOU_NOT_REGISTERED:
        if "non_contracted" in visit.how.traits:
            return Decimal(n.HUIZHOU_OWN_CHOICE["other"][insutype])
        if insutype == "310":
            return Decimal(n.HUIZHOU_OWN_CHOICE["contracted"]["310"])
        usual = Decimal(o.HUIZHOU_FIRST_CLASS_RESIDENT[visit.level])
        return usual - Decimal(n.HUIZHOU_OWN_CHOICE["contracted"]["390 less"])
    if insutype == "390":
        return Decimal(o.HUIZHOU_FIRST_CLASS_RESIDENT[visit.level])
    if visit.person_class == "retired":
        return Decimal(o.HUIZHOU_FIRST_CLASS_RETIRED)
    if visit.person.paid_months >= o.HUIZHOU_FULL_SHARE_MONTHS:
        return Decimal(o.HUIZHOU_FIRST_CLASS_ACTIVE)
    return Decimal(o.HUIZHOU_FIRST_CLASS_ACTIVE_SHORT)


def huizhou_layers(visit: Visit) -> tuple[str, ...]:
    """Name the layers that a stay has, in their order."""
    identity, found = visit.person.identity, []
    old = visit.day <= n.HUIZHOU_OLD_RULE_UNTIL
    if old and visit.person.insutype == "310":
        found.append("large_amount")
    found.append("serious_illness")
    if old and identity in n.HUIZHOU_WHOLLY_ASSISTED:
        found += ["whole_own", "whole_out_of_scope"]
    if identity in n.HUIZHOU_ASSISTANCE_FOR:
        found.append("assistance")
    if identity == "commercially_insured" and visit.day.year == n.HUIZHOU_COMMERCIAL_YEAR:
        found += ["commercial_own", "commercial_out_of_scope"]
    return tuple(found)


def huizhou_negotiated(visit: Visit) -> Decimal:
    """Say which share of negotiated drugs Huizhou pays."""
    return Decimal(n.HUIZHOU_NEGOTIATED[visit.person.insutype])
