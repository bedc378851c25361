"""Frames of generated bills for a region's law: every fact the law may ask for, drawn from a seed, and the case of a row."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import polars as pl

from yibao.policy.case import Case, InstitutionFacts, LineGroup, PersonFacts
from yibao.policy.columns.classes import GROUP, LIST_SEPARATOR
from yibao.policy.columns.decide_columns import AMOUNTS, COUNTER, INPUT, without_window
from yibao.policy.decision import Decision
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.pipeline.choosing import windowed

_LEVELS = ("1", "2", "3")
_REMOTE = ("", "", "", "registered", "referred", "temporary", "own_choice", "unregistered", "emergency")
_MATERNITY = ("", "", "", "birth", "difficult", "caesarean", "miscarriage", "abortion", "prenatal", "iud", "sterilisation")
_CAUSES = ("",) * 7 + ("accident", "third_party", "work_injury")
_SIZES_YUAN = (50, 800, 9_000, 60_000, 600_000)
_MEANT = 0.9
_FIRST_DAY, _LAST_DAY = date(2021, 1, 1), date(2026, 12, 31)


def drawn_frame(policy: RegionPolicy, count: int, seed: int) -> pl.DataFrame:
    """Return ``count`` bills of one region; the same seed gives the same bills."""
    rng = np.random.default_rng(seed)
    words = policy.words

    def of(choices: Any) -> list[Any]:
        return [choices[i] for i in rng.integers(0, len(choices), count)]

    def some(words_: tuple[str, ...]) -> list[str]:
        if not words_:
            return [""] * count
        chosen = rng.random((count, len(words_))) < 1.0 / (1 + len(words_))
        return [LIST_SEPARATOR.join(w for w, has in zip(words_, row, strict=True) if has) for row in chosen]

    first = min([_FIRST_DAY, *policy.starts])
    last = (_LAST_DAY - first).days
    days = rng.integers(0, last + 1, count)
    persons = (*(prefix.ljust(4, "0") for prefixes in words.persons.values() for prefix in prefixes),)
    persons = (*persons * 10, "9901")
    diseases = tuple(code for patterns in words.diseases.values() for code in _codes(patterns))
    identities, traits = words_of(policy, "identity"), words_of(policy, "trait")
    recognised = some(diseases[:4])
    amount = _amounts(rng, count)
    parts = rng.random((count, 4)) ** np.array([6, 6, 4, 0.2])
    parts[:, 3] += 1e-3
    shares = parts / parts.sum(axis=1, keepdims=True)
    own, over, first_pay = ((amount * shares[:, i]).astype(np.int64) for i in range(3))
    in_scope = amount - own - over - first_pay
    columns: dict[str, Any] = {
        "service_on": [first + timedelta(days=int(d)) for d in days],
        "insutype": of((*granted(policy, "insutype"), "510")),
        "med_type": of((*granted(policy, "med_type"), "9999")), "psn_type": of(persons),
        "age": rng.integers(0, 100, count), "level": of(_LEVELS), "institution_kind": of(("1", "1", "1", "2")),
        "traits": some(traits), "identities": some(identities), "account_kind": of(("with_account", "pool_only", "none")),
        "civil_servant": of((False, False, True)), "rank": of(("", "1", "2")), "enrolment_kind": of(("", "1", "2")),
        "paid_months": rng.integers(0, 24, count), "continuous_years": rng.integers(0, 12, count),
        "claim_free": of((False, True)), "disease_code": of(("", "", *diseases)) if diseases else [""] * count,
        "recognised": recognised, "admission": rng.integers(1, 6, count), "remote": of(_REMOTE),
        "remote_place": of(("in_province", "outside")), "referred_from": of(("", "", "1", "2", "3")),
        "maternity": of(_MATERNITY), "pregnancy_months": rng.integers(0, 10, count), "foetuses": rng.integers(1, 4, count),
        "provider": of(("", "first", "second", "other")), "cause": of(_CAUSES),
        "maternity_filing": of(("", "", "registered", "elsewhere", "missing")), "use_account": of((False, True)),
        "amount": amount, "own": own, "over": over, "first_pay": first_pay, "in_scope": in_scope,
        "balance": rng.integers(0, 500_000, count),
    }
    left = in_scope.copy()
    for name in words_of(policy, "group"):
        columns[GROUP + name] = (left * rng.random(count) * (rng.random(count) < 0.3)).astype(np.int64)
        left -= columns[GROUP + name]
    for code in counters_of(policy):
        columns[COUNTER + code] = np.where(rng.random(count) < 0.4, 0, _amounts(rng, count))
    for name in inputs_of(policy):
        columns[INPUT + name] = _amounts(rng, count)
    _meet_some_benefit(policy, columns, (rng, first, last))
    return pl.DataFrame(columns)


def _meet_some_benefit(policy: RegionPolicy, columns: dict[str, Any], draw: tuple[np.random.Generator, date, int]) -> None:
    """Turn nine bills of ten into ones that some benefit is meant for: its scheme, visit class, disease, and a day of it."""
    rng, first, last = draw
    benefits = [r for r in policy.rows if r.key == "benefit"]
    meant = rng.integers(0, len(benefits), len(columns["level"]))
    for number, row in enumerate(benefits):
        start = max((row.valid_from - first).days, 0)
        end = min((row.valid_to - first).days if row.valid_to else last, last)
        for place in np.flatnonzero((meant == number) & (rng.random(len(meant)) < _MEANT)):
            columns["service_on"][place] = first + timedelta(days=int(rng.integers(start, max(end, start) + 1)))
            for condition in row.conditions:
                name = "disease_code" if condition.dimension == "disease" else condition.dimension
                choices = sorted(condition.allowed or ()) if condition.form == "code" else _codes(condition.patterns)
                if choices and isinstance(columns.get(name), list):
                    columns[name][place] = choices[rng.integers(0, len(choices))]


def _codes(patterns: tuple[str, ...]) -> list[str]:
    return [pattern.replace("*", "09")[:6] for pattern in patterns]


def granted(policy: RegionPolicy, dimension: str) -> tuple[str, ...]:
    """Return every code on which some benefit of the city depends."""
    rows = [r for r in policy.rows if r.key == "benefit"]
    return tuple(sorted({w for r in rows for c in r.conditions if c.dimension == dimension for w in c.allowed or ()})) or ("21",)


def words_of(policy: RegionPolicy, dimension: str) -> tuple[str, ...]:
    """Return every word that any condition on a dimension names."""
    return tuple(sorted({w for r in policy.rows for c in r.conditions if c.dimension == dimension for w in c.allowed or ()}))


def counters_of(policy: RegionPolicy) -> tuple[str, ...]:
    """Return the codes of all counters that any row reads or adds to."""
    named = {str(row.extra.get(name, "")) for row in policy.rows for name in ("counter", "paid_counter")}
    return tuple(sorted(({row.counter for row in policy.rows} | named) - {""}))


def inputs_of(policy: RegionPolicy) -> tuple[str, ...]:
    """Return the named inputs that any share is taken of."""
    bases = {getattr(row.formula, "of", "") for row in policy.rows}
    return tuple(sorted(b.removeprefix("input.") for b in bases if b.startswith("input.")))


def case_of(policy: RegionPolicy, row: dict[str, Any], windowed: dict[str, tuple[str, ...]]) -> Case:
    """Return the counter's case of one row of a frame.

    Args:
        windowed: every code under which a counter may stand on the day of the row, by its code without a window.
    """
    groups = {n.removeprefix(GROUP): v for n, v in row.items() if n.startswith(GROUP)}
    rest = row["in_scope"] - sum(groups.values())
    lines = [LineGroup(row["amount"] - sum(groups.values()), row["own"], row["over"], row["first_pay"], rest)]
    lines += [LineGroup(v, 0, 0, 0, v, group=n) for n, v in groups.items()]
    counters = {}
    for name, value in row.items():
        if name.startswith(COUNTER):
            for code in windowed.get(name.removeprefix(COUNTER), (name.removeprefix(COUNTER),)):
                counters[code] = value
    return Case(
        admdvs=policy.admdvs, service_on=row["service_on"], insutype=row["insutype"], med_type=row["med_type"],
        person=PersonFacts(
            psn_type=row["psn_type"], age=row["age"], identities=_listed(row["identities"]),
            civil_servant=row["civil_servant"], account_kind=row["account_kind"], paid_months=row["paid_months"],
            rank=row["rank"], enrolment_kind=row["enrolment_kind"], continuous_years=row["continuous_years"],
            claim_free=row["claim_free"],
        ),
        institution=InstitutionFacts(code="", kind=row["institution_kind"], level=row["level"], traits=_listed(row["traits"])),
        lines=tuple(lines), disease_code=row["disease_code"], counters=counters, account_balance=row["balance"],
        use_account=row["use_account"], recognised=_listed(row["recognised"]), admission=row["admission"],
        remote=row["remote"], remote_place=row["remote_place"], referred_from=row["referred_from"],
        maternity=row["maternity"], pregnancy_months=row["pregnancy_months"], foetuses=row["foetuses"],
        provider=row["provider"], cause=row["cause"], maternity_filing=row["maternity_filing"],
        inputs={n.removeprefix(INPUT): v for n, v in row.items() if n.startswith(INPUT)},
    )


def frame_of(policy: RegionPolicy, cases: list[Case]) -> pl.DataFrame:
    """Return cases of one region as a frame of bills; each counter is that of the bill's own window."""
    windows = {
        (str(code), str(row.extra.get("window", "year")))
        for row in policy.rows for code in (row.counter, row.extra.get("counter", ""), row.extra.get("paid_counter", "")) if code
    }
    groups = sorted({line.group for case in cases for line in case.lines if line.group})
    rows = []
    for case in cases:
        p, i = case.person, case.institution
        row: dict[str, Any] = {
            "service_on": case.service_on, "insutype": case.insutype, "med_type": case.med_type, "psn_type": p.psn_type,
            "age": p.age, "level": i.level, "institution_kind": i.kind, "traits": LIST_SEPARATOR.join(i.traits),
            "identities": LIST_SEPARATOR.join(p.identities), "account_kind": p.account_kind,
            "civil_servant": p.civil_servant, "rank": p.rank, "enrolment_kind": p.enrolment_kind,
            "paid_months": p.paid_months, "continuous_years": p.continuous_years, "claim_free": p.claim_free,
            "disease_code": case.disease_code, "recognised": LIST_SEPARATOR.join(case.recognised),
            "admission": case.admission, "remote": case.remote, "remote_place": case.remote_place,
            "referred_from": case.referred_from, "maternity": case.maternity, "pregnancy_months": case.pregnancy_months,
            "foetuses": case.foetuses, "provider": case.provider, "cause": case.cause,
            "maternity_filing": case.maternity_filing, "use_account": case.use_account,
            "balance": max(case.account_balance, 0),
        }
        row |= {name: sum(getattr(line, name) for line in case.lines) for name in AMOUNTS}
        row |= {GROUP + g: sum(line.in_scope for line in case.lines if line.group == g) for g in groups}
        row |= {COUNTER + code: case.counters.get(windowed(code, window, case.service_on), 0) for code, window in windows}
        rows.append(row)
    return pl.DataFrame(rows, infer_schema_length=None)


def decided(decision: Decision) -> dict[str, int]:
    """Return a decision of the counter in the columns of ``decide_columns``."""
    found: dict[str, int] = {
        name: getattr(decision, name)
        for name in ("first_pay", "in_scope", "deductible", "pool_ratio", "fund_total", "person_part", "account_pay", "cash")
    }
    for share in decision.funds:
        name = share.field or f"fund:{share.fund_pay_type}"
        found[name] = found.get(name, 0) + share.amount
    for change in decision.counters:
        name = "added:" + without_window(change.code)
        found[name] = found.get(name, 0) + change.delta
    return found


def _amounts(rng: np.random.Generator, count: int) -> Any:
    largest = np.array(_SIZES_YUAN)[rng.integers(0, len(_SIZES_YUAN), count)]
    return (rng.random(count) * largest * 100).astype(np.int64)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split(LIST_SEPARATOR)) if text else ()
