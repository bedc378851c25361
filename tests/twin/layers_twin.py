"""What stands above the pool, told slowly: large-amount fund, serious illness, civil servants, assistance of both cities.

Yearly layers are reckoned twice from nothing, for the year with this bill and for the year without it; the difference is
what this bill brings. Nothing here knows how the engine keeps its counters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tests.twin import city_numbers_inpatient as n
from tests.twin.visit_facts import ZERO, Bands, Rule, Visit


@dataclass
class Borne:
    """A bill after the pool: what it cost in scope, what was charged and paid, and the cost that the yearly ceiling cut off.

    ``used`` is what the year already counted, by counter.
    """

    visit: Visit
    rule: Rule
    scope: Decimal
    deductible: Decimal
    pool: Decimal
    behind: Fraction
    outside: Decimal
    used: dict[str, Decimal]

    def before(self, counter: str) -> Decimal:
        """Return what the year counted before this bill."""
        return self.used.get(counter, ZERO)


Paid = dict[str, Decimal]


def pay_layers(city: str, bill: Borne) -> tuple[Paid, Paid]:
    """Return the payments by head field, and what is to be counted by counter."""
    paid: Paid = {}
    counted: Paid = {}
    own = max(bill.scope - bill.pool, ZERO)
    outside = bill.outside
    for layer in bill.rule.layers:
        if layer.endswith("_out_of_scope"):
            part = outside if layer == "whole_out_of_scope" else commercial(layer, bill, outside, counted)
            outside -= part
        else:
            part = _on_own_cost(layer, city, bill, own, counted)
            own -= part
        paid[FIELDS[layer]] = paid.get(FIELDS[layer], ZERO) + part
    return paid, {counter: amount for counter, amount in counted.items() if amount}


FIELDS = {
    "large_amount": "hifob_pay",
    "serious_illness": "hifmi_pay",
    "special_drug": "hifmi_pay",
    "rare_drug": "hifmi_pay",
    "civil_servant": "cvlserv_pay",
    "assistance": "maf_pay",
    "whole_own": "maf_pay",
    "whole_out_of_scope": "maf_pay",
    "commercial_own": "oth_pay",
    "commercial_out_of_scope": "oth_pay",
}


def _on_own_cost(layer: str, city: str, bill: Borne, own: Decimal, counted: Paid) -> Decimal:
    if layer == "large_amount":
        return large_amount(city, bill, counted)
    if layer == "serious_illness":
        return serious_illness(city, bill, own, counted)
    if layer == "civil_servant":
        return civil_servant(bill, own, counted)
    if layer in ("special_drug", "rare_drug"):
        return dear_drug(layer, bill, own, counted)
    if layer == "whole_own":
        return own
    if layer == "commercial_own":
        return commercial(layer, bill, own, counted)
    return assistance(city, bill, own, counted)


def large_amount(city: str, bill: Borne, counted: Paid) -> Decimal:
    """Pay for the cost behind the pool's yearly ceiling: Zibo up to a yearly limit, Huizhou by its older rule without one."""
    if city == "441300":
        return to_cents(bill.behind * Fraction(n.HUIZHOU_SUPPLEMENTARY_SHARE))
    due = to_cents(bill.behind * Fraction(n.ZIBO_LARGE_AMOUNT_SHARE))
    return within("large_amount.paid", due, Decimal(n.ZIBO_LARGE_AMOUNT_LIMIT), bill, counted)


def dear_drug(layer: str, bill: Borne, own: Decimal, counted: Paid) -> Decimal:
    """Zibo: drugs that the pool leaves out, paid over the year above a threshold of their own."""
    law = n.ZIBO_SPECIAL_DRUG if layer == "special_drug" else n.ZIBO_RARE_DRUG
    bands = tuple((bound(upper), Decimal(share)) for upper, share in law["bands"])
    due = over_the_year(f"{layer}.base", own, Decimal(law["above"]), bands, bill, counted)
    return within(f"{layer}.paid", due, Decimal(law["limit"]), bill, counted)


def commercial(layer: str, bill: Borne, cost: Decimal, counted: Paid) -> Decimal:
    """Huizhou's commercial cover of 2023: own cost in scope, or cost outside it, each over the year."""
    if layer == "commercial_own":
        above, bands = n.HUIZHOU_COMMERCIAL_OWN["above"], ((None, n.HUIZHOU_COMMERCIAL_OWN["share"]),)
    else:
        above, bands = n.HUIZHOU_COMMERCIAL_OUT["above"], n.HUIZHOU_COMMERCIAL_OUT["bands"]
    law = tuple((bound(upper), Decimal(share)) for upper, share in bands)
    return over_the_year(f"{layer}.base", cost, Decimal(above), law, bill, counted)


def serious_illness(city: str, bill: Borne, own: Decimal, counted: Paid) -> Decimal:
    """Both cities: bands over the whole year's own cost in scope."""
    threshold, bands, limit = serious_law(city, bill.visit)
    due = over_the_year("serious_illness.base", own, threshold, bands, bill, counted)
    return within("serious_illness.paid", due, limit, bill, counted)


def serious_law(city: str, visit: Visit) -> tuple[Decimal, Bands, Decimal | None]:
    """Return threshold, bands and yearly limit for the person."""
    identity = visit.person.identity
    if city == "370300":
        poor = identity in n.ZIBO_SERIOUS_POOR
        more = Decimal(n.ZIBO_SERIOUS_POOR_MORE) if poor else ZERO
        threshold = n.ZIBO_SERIOUS_POOR_THRESHOLD if poor else n.ZIBO_SERIOUS_THRESHOLD
        bands = tuple((bound(upper), Decimal(share) + more) for upper, share in n.ZIBO_SERIOUS_BANDS)
        return Decimal(threshold), bands, None if poor else Decimal(n.ZIBO_SERIOUS_LIMIT)
    lowered, points = n.HUIZHOU_SERIOUS_POOR.get(identity, (n.HUIZHOU_SERIOUS_THRESHOLD, "0"))
    shares = n.HUIZHOU_SERIOUS_SHARES[visit.person.insutype]
    bands = tuple(
        (bound(upper), Decimal(share) + Decimal(points))
        for upper, share in zip(n.HUIZHOU_SERIOUS_BOUNDS, shares, strict=True)
    )
    unlimited = identity in n.HUIZHOU_SERIOUS_POOR
    return Decimal(lowered), bands, None if unlimited else Decimal(n.HUIZHOU_SERIOUS_LIMIT)


def civil_servant(bill: Borne, own: Decimal, counted: Paid) -> Decimal:
    """Zibo: most of a stay's co-payment without its deductible; of outpatient cost what the year bears above a threshold."""
    if not bill.rule.benefit.endswith("_outpatient"):
        return to_cents(Fraction(max(own - bill.deductible, ZERO)) * Fraction(n.ZIBO_CIVIL_STAY_SHARE))
    law = n.ZIBO_CIVIL_OUTPATIENT
    bands: Bands = ((None, Decimal(law["share"])),)
    due = over_the_year("civil_servant.base", own, Decimal(law["above"]), bands, bill, counted)
    return within("civil_servant.paid", due, Decimal(law["limit"]), bill, counted)


def assistance(city: str, bill: Borne, own: Decimal, counted: Paid) -> Decimal:
    """Households in need: one layer after the other, each over the year, each on what the former left."""
    if city == "441300":
        bands: Bands = tuple((bound(upper), Decimal(share)) for upper, share in n.HUIZHOU_ASSISTANCE_BANDS)
        due = over_the_year("assistance.base", own, ZERO, bands, bill, counted)
        return within("assistance.paid", due, Decimal(n.HUIZHOU_ASSISTANCE_LIMIT), bill, counted)
    paid = ZERO
    for number, (above, share, limit) in enumerate(n.ZIBO_ASSISTANCE[bill.visit.person.identity], 1):
        name = "assistance" if number == 1 else "second_assistance"
        due = over_the_year(f"{name}.base", own - paid, Decimal(above), ((None, Decimal(share)),), bill, counted)
        paid += within(f"{name}.paid", due, Decimal(limit), bill, counted)
    return paid


def over_the_year(
    counter: str, own: Decimal, threshold: Decimal, bands: Bands, bill: Borne, counted: Paid
) -> Decimal:
    """Return what the year with this bill is due more than the year without it; bounds count from nothing."""
    before = bill.before(counter)
    counted[counter] = own
    due = [to_cents(in_bands(bands, threshold, max(year, threshold))) for year in (before + own, before)]
    return due[0] - due[1]


def within(counter: str, due: Decimal, limit: Decimal | None, bill: Borne, counted: Paid) -> Decimal:
    """Hold a payment inside what the year's limit leaves."""
    paid = due if limit is None else min(due, max(limit - bill.before(counter), ZERO))
    counted[counter] = paid
    return paid


def in_bands(bands: Bands, start: Decimal, end: Decimal) -> Fraction:
    """Pay the stretch from ``start`` to ``end`` band by band; above a closed last band nothing is paid."""
    total = Fraction(0)
    lower = ZERO
    for upper, share in bands:
        top = end if upper is None else min(end, upper)
        if top > max(start, lower):
            total += Fraction(top - max(start, lower)) * Fraction(share)
        if upper is not None:
            lower = upper
    return total


def cost_behind(rule: Rule, scope: Decimal, deductible: Decimal, left: Decimal) -> Fraction:
    """Return the cost that would still have been paid, had the ceiling not ended at ``left``: walk up until it is used."""
    bands: Bands = rule.bands or ((None, rule.share),)
    rest, lower, behind = Fraction(left), deductible, Fraction(0)
    for upper, share in bands:
        top = scope if upper is None else min(scope, upper)
        if top <= lower:
            continue
        stretch, covered = Fraction(top - lower), rest / Fraction(share) if share else Fraction(top - lower)
        if covered < stretch:
            behind += stretch - covered
            rest = Fraction(0)
        else:
            rest -= stretch * Fraction(share)
        lower = top
    return behind


def to_cents(value: Fraction) -> Decimal:
    """Round an exact amount half up to cents."""
    return Decimal((value * 200 + 1) // 2).scaleb(-2)


def bound(text: str | None) -> Decimal | None:
    """Return a bound of a band, None for an open one."""
    return None if text is None else Decimal(text)


def bands_of(bounds: Sequence[str | None], shares: Sequence[str], more: Decimal = ZERO) -> Bands:
    """Put bounds and shares together."""
    return tuple((bound(upper), Decimal(share) + more) for upper, share in zip(bounds, shares, strict=True))
