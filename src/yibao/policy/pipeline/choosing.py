"""Chooses the rows of the law that decide a case, from its facts alone. Refuses, never guesses."""

from __future__ import annotations

from datetime import date

import msgspec

from yibao.kernel.money import WHOLE, div_half_up, share
from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case
from yibao.policy.law.conditions import Facts
from yibao.policy.law.parameters import BenefitLaw, CapLaw, RegionPolicy, Row, first_match
from yibao.policy.law.values import Band, Share, Slope
from yibao.policy.pipeline.exact import SCALAR
from yibao.policy.pipeline.facts import facts_of
from yibao.policy.pipeline.plan import (
    CapPlan,
    DeductiblePlan,
    GroupPlan,
    LayerPlan,
    Plan,
    PoolPlan,
    Value,
)
from yibao.policy.pipeline.rates import held, invertible, one_scale, scaled_own, slope_at
from yibao.policy.pipeline.refusing import (
    disease_missing,
    no_law,
    no_rule,
    not_covered,
    not_offered,
    not_payable,
)

BEYOND_SCOPE = ("out_of_scope", "first_pay")
"""Bases of layers that pay for more than the in-scope cost."""
UNCOUNTED = "never.counted"
"""The counter of a deductible that each admission bears anew: nobody reads it, nothing is added to it."""
OF_ADMISSION = "admission.deductible"
"""What counts such a deductible after all while a stay is settled in parts, in the window of the stay."""


_SEVERAL = frozenset(
    {"pool_bonus", "pool_cap", "line_ratio", "line_deductible"}
    | {"layer", "layer_deductible", "layer_ratio", "layer_cap"}
)
"""Keys of which several rows may apply to a case; of the others the first that fits does."""


class Benefit(msgspec.Struct, frozen=True):
    """The benefit kind of a case, with what the gate must know about it.

    Attributes:
        code: ``ordinary_outpatient``, ``chronic_outpatient``, ``two_disease`` ...
        title: Chinese name.
        clr_type: clearing kind of the wire.
        needs_recognition: only for people recognised for the disease of the visit.
        row: the row of the policy that chose it.
        facts: what conditions look at.
        law: the parameters in force.
    """

    code: str
    title: str
    clr_type: str
    needs_recognition: bool
    row: Row
    facts: Facts
    law: BenefitLaw


class _Refused(Exception):
    """Carries a refusal out of the choice."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


def choose_benefit(case: Case, policy: RegionPolicy) -> Benefit | Refusal:
    """Return the benefit kind that the region grants for this case.

    Refuses when no law is loaded for the day, when the region does not know the class of person or does
    not offer the visit class, or when the benefit needs a disease and none is named.
    """
    if case.admdvs != policy.admdvs:
        raise AssertionError(f"case of region {case.admdvs} asked under the law of {policy.admdvs}")
    law = policy.law_on(case.service_on)
    if law is None:
        return no_law(case, policy, "医保政策")
    person = policy.person_class(case.person.psn_type)
    if not person:
        return not_covered(case, policy)
    facts = facts_of(case, person)
    row = first_match(law.choosing.get(case.insutype, ()), facts)
    if row is None:
        return not_offered(case, policy, law)
    title = str(row.extra.get("title", row.word))
    if row.extra.get("needs_disease") and not case.disease_code:
        return disease_missing(title, row.used.rule)
    facts["benefit"] = row.word
    return Benefit(
        code=row.word,
        title=title,
        clr_type=str(row.extra.get("clr_type", "")),
        needs_recognition=bool(row.extra.get("needs_recognition", False)),
        row=row,
        facts=facts,
        law=law.benefits[case.insutype, row.word],
    )


def plan_of(case: Case, benefit: Benefit, policy: RegionPolicy) -> Plan | Refusal:
    """Return the rows that decide a case.

    Only facts are read: no amount of a line, a counter, the account, an input or an earlier payment; of the
    lines only which groups there are, of earlier payments only their fields. Cases that agree in these share
    a plan. Refuses when the law says that such a case is not paid, when a parameter has no row on that day, or
    none that fits this person and institution.
    """
    if benefit.law.missing:
        return no_law(case, policy, f"{benefit.title}的{'、'.join(benefit.law.missing)}")
    try:
        return _Choice(case, benefit, policy).plan()
    except _Refused as refused:
        return refused.refusal


def refused_by_law(case: Case, benefit: Benefit) -> Refusal | None:
    """Return the refusal that the law orders for a case, None where it orders none; no amounts are asked for."""
    against = first_match(benefit.law.rows.get("refusal", ()), benefit.facts)
    return None if against is None else not_payable(case, against)


class _Choice:
    """The choice of rows for one case; ``row`` holds the one that applies, by key."""

    __slots__ = ("benefit", "case", "facts", "policy", "row", "rows")

    def __init__(self, case: Case, benefit: Benefit, policy: RegionPolicy) -> None:
        self.case = case
        self.benefit = benefit
        self.policy = policy
        self.facts = benefit.facts
        self.rows = rows = benefit.law.rows
        facts = benefit.facts
        self.row = {key: first_match(rows[key], facts) for key in rows if key not in _SEVERAL}

    def plan(self) -> Plan:
        against = self.row.get("refusal")
        if against is not None:
            raise _Refused(not_payable(self.case, against))
        case, fund, rounding, order = (
            self.case,
            self.row.get("fund"),
            self.row.get("rounding"),
            self.row.get("order"),
        )
        field = str(fund.extra.get("field", "")) if fund is not None else ""
        pool_paid = field in case.already
        lump = None if pool_paid else self.value("lump")
        by_ratio = lump is None and not pool_paid
        deductible = self._deductible() if by_ratio else None
        groups = self._groups() if by_ratio else ()
        pool = self._pool() if by_ratio else None
        if fund is None or rounding is None or order is None:
            raise _Refused(self._no_rule("fund", "支付基金、取整方式或支付顺序"))
        caps = () if pool_paid else tuple(self._caps())
        words = order.word.split()
        layers = self._layers(words, rounding.word) if "layer" in self.rows else ()
        account = self.row.get("account.pays") if "own_account" in words else None
        floor = None if pool_paid else self.value("pool_floor")
        limit = self.value("item_limit") if by_ratio else None
        remote = self.row.get("remote_first_pay")
        inverse = 0
        if pool is not None and any(layer.base == "above_cap" for layer in layers):
            pool, groups, inverse = invertible(pool, groups)
        elif groups and pool is not None:
            pool, groups = one_scale(pool, groups)
        return Plan(
            benefit=self.benefit.code,
            title=self.benefit.title,
            clr_type=self.benefit.clr_type,
            benefit_row=self.benefit.row,
            fund=fund,
            fund_field=field,
            rounding=rounding.word,
            rounding_row=rounding,
            order=order,
            pool=pool,
            deductible=deductible,
            caps=caps,
            lump=lump,
            pool_paid=pool_paid,
            floor=floor,
            item_limit=limit,
            item_counter=self._counter(limit.row) if limit is not None else "",
            remote_first_pay=remote,
            remote_rate=self._ratio(remote) if remote is not None else 0,
            groups=groups,
            layers=layers,
            account_pays=account,
            use_account=case.use_account,
            account_first=words[0] == "own_account",
            shared_pays="shared_account" in words,
            first_limit=self.value("account.first_limit"),
            already=tuple(case.already),
            inverse=inverse,
            beyond_scope=(
                floor is not None or lump is not None or any(x.base in BEYOND_SCOPE for x in layers)
            ),
        )

    def value(self, key: str) -> Value | None:
        """Return the amount of a key that applies, None if there is none."""
        row = self.row.get(key)
        return self._value(row) if row is not None else None

    def _value(self, row: Row) -> Value:
        formula = row.formula
        if formula is None:
            return Value(row, row.number, row.absent)
        if isinstance(formula, Slope):
            return Value(row, slope_at(formula, self.facts))
        if not formula.of.startswith("index."):
            return Value(row, 0, False, formula)
        return Value(row, self._index_share(formula))

    def _index_share(self, formula: Share) -> int:
        name, day = formula.of.partition(".")[2], self.case.service_on
        if formula.years_back:
            day = date(day.year - formula.years_back, 1, 1)
        index = self.policy.index(name, day)
        if index is None:
            what = f"指数 {self.policy.words.names.get(f'index.{name}', name)}"
            raise _Refused(no_law(msgspec.structs.replace(self.case, service_on=day), self.policy, what))
        amount = SCALAR.divide(index.number * formula.ratio, WHOLE, formula.rounding)
        if formula.at_least is not None:
            amount = max(amount, formula.at_least)
        return amount if formula.at_most is None else min(amount, formula.at_most)

    def _ratio(self, row: Row) -> int:
        """Return a flat ratio in ten-thousandths."""
        return slope_at(row.formula, self.facts) if isinstance(row.formula, Slope) else row.number

    def _counter(self, row: Row) -> str:
        """Return the counter of a row with the window it counts in."""
        window = row.extra.get("window", "year")
        if window == "year" or not row.counter:
            return "" if row.counter == UNCOUNTED else row.counter
        return windowed(row.counter, str(window), self.case.service_on)

    def _deductible(self) -> DeductiblePlan:
        row = self.row.get("deductible")
        if row is None:
            raise _Refused(self._no_rule("deductible", "起付标准"))
        factor, year_cap = self.row.get("deductible_factor"), self.value("deductible_year_cap")
        if year_cap is not None and year_cap.absent:
            year_cap = None
        in_parts = self.case.in_parts and row.counter == UNCOUNTED
        return DeductiblePlan(
            standard=self._value(row),
            counter=windowed(OF_ADMISSION, "stay", self.case.service_on) if in_parts else self._counter(row),
            factor=factor,
            factor_last=factor is not None and not self._factors_ask_admission(),
            step=self.value("deductible_step"),
            steps=max(self.case.admission - 1, 0),
            floor=self.value("deductible_floor"),
            year_cap=year_cap,
            year_counter=year_cap.row.counter if year_cap is not None else "",
        )

    def _factors_ask_admission(self) -> bool:
        """Say whether the factors are about the admission; else they are about the person and come last."""
        rows = self.rows["deductible_factor"]
        return any(c.dimension == "admission" for row in rows for c in row.conditions)

    def _groups(self) -> tuple[GroupPlan, ...]:
        if "line_ratio" not in self.rows:
            return ()
        groups = []
        for group in dict.fromkeys(line.group for line in self.case.lines if line.group):
            facts = {**self.facts, "group": group}
            row = first_match(self.rows["line_ratio"], facts)
            if row is None:
                continue
            own = first_match(self.rows.get("line_deductible", ()), facts)
            groups.append(
                GroupPlan(
                    group,
                    self._ratio(row),
                    row,
                    None if own is None else self._value(own),
                    "" if own is None else self._counter(own),
                )
            )
        return tuple(groups)

    def _pool(self) -> PoolPlan:
        row, factor = self.row.get("pool_ratio"), self.row.get("own_factor")
        if row is None:
            raise _Refused(self._no_rule("pool_ratio", "统筹支付比例"))
        bonuses = self._bonuses() if "pool_bonus" in self.rows else ()
        points = sum(b.number for b in bonuses)
        bands, scale = row.bands or (Band(None, self._ratio(row)),), int(WHOLE)
        if points or not row.bands:
            bands = tuple(Band(b.upper, held(b.ratio + points)) for b in bands)
        if factor is not None:
            bands, scale = scaled_own(bands, factor.number)
        flat = -1 if row.bands else div_half_up(bands[0].ratio * WHOLE, scale)
        on_cost = bool(row.bands) and row.extra.get("base", "above_dedc") == "cost_band"
        return PoolPlan(row, bonuses, factor, bands, scale, flat, on_cost)

    def _bonuses(self) -> tuple[Row, ...]:
        """Return one row of each group of bonuses, in the order of the file."""
        found: dict[object, Row] = {}
        for row in self.rows["pool_bonus"]:
            group = row.extra.get("group", "")
            if group not in found and row.applies(self.facts):
                found[group] = row
        return tuple(found.values())

    def _caps(self) -> list[CapPlan]:
        found = []
        for cap in self.benefit.law.caps:
            row = first_match(cap.rows, self.facts)
            if row is not None:
                found.append(self._cap(cap, row))
            elif not cap.optional:
                raise _Refused(self._no_rule("pool_cap", cap.name))
        return found

    def _cap(self, cap: CapLaw, row: Row) -> CapPlan:
        counter, name, facts = self._counter(row), row.used.name, self.facts
        if row.absent:
            return CapPlan(counter, name, None, row)
        feeds = bool(row.extra.get("feeds", False))
        if "each_other_disease" not in row.extra or len(facts["recognised_all"]) < 2:
            return CapPlan(counter, name, self._value(row), row, (), feeds)
        rows = {}
        for code in (self.case.disease_code, *self.case.recognised):
            other = first_match(cap.rows, {**facts, "disease": code})
            if other is not None and not other.absent:
                rows[other.place] = other
        highest, *others = sorted(rows.values(), key=lambda r: -r.number)
        part = int(row.extra["each_other_disease"])
        limit = highest.number + sum(share(other.number, part) for other in others)
        return CapPlan(counter, name, Value(highest, limit), highest, tuple(others), feeds)

    def _layers(self, words: list[str], rounding: str) -> tuple[LayerPlan, ...]:
        declared: dict[str, Row] = {}
        for row in self.rows["layer"]:
            if row.word in words and row.word not in declared and row.applies(self.facts):
                declared[row.word] = row
        return tuple(self._layer(declared[word], rounding) for word in words if word in declared)

    def _layer(self, row: Row, rounding: str) -> LayerPlan:
        title = str(row.extra.get("title", row.word))
        ratio = self._of_layer("layer_ratio", row.word)
        if ratio is None:
            raise _Refused(self._no_rule("layer_ratio", f"{title}支付比例"))
        threshold, cap = self._of_layer("layer_deductible", row.word), self._of_layer("layer_cap", row.word)
        return LayerPlan(
            name=row.word,
            title=title,
            fund=str(row.extra.get("fund", "")),
            field=str(row.extra.get("field", "")),
            base=str(row.extra.get("base", "own")),
            counter=row.counter,
            paid_counter=str(row.extra.get("paid_counter", "")),
            rounding=str(row.extra.get("rounding", rounding)),
            conversion=int(row.extra.get("conversion", 0)),
            threshold=None if threshold is None or threshold.absent else self._value(threshold),
            bands=ratio.bands or (Band(None, held(self._ratio(ratio))),),
            above_threshold=ratio.extra.get("base", "absolute") == "above_dedc",
            cap=None if cap is None or cap.absent else self._value(cap),
            row=row,
            ratio_row=ratio,
        )

    def _of_layer(self, key: str, layer: str) -> Row | None:
        for row in self.rows.get(key, ()):
            if row.extra.get("layer") == layer and row.applies(self.facts):
                return row
        return None

    def _no_rule(self, key: str, what: str) -> Refusal:
        return no_rule(self.case, self.benefit.title, self.policy, self.facts, key, what)


def windowed(counter: str, window: str, day: date) -> str:
    """Return the code of a counter in its window: ``code@2026-03``, ``code@2026Q1``, ``code#stay``, ``code`` for a year."""
    if window == "year":
        return counter
    if window == "month":
        return f"{counter}@{day.year}-{day.month:02d}"
    if window == "quarter":
        return f"{counter}@{day.year}Q{(day.month + 2) // 3}"
    return f"{counter}#{window}"
