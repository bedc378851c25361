"""Charges and questions for the rule tests, with everything that does not matter filled in."""

from __future__ import annotations

from datetime import date, datetime
from functools import cache
from itertools import count
from pathlib import Path

from yibao.kernel.business_time import SHANGHAI
from yibao.policy.review.facts import Charge, Hit, Patient, Question, Visit
from yibao.policy.review.judge import review
from yibao.policy.review.loading import load_rules
from yibao.policy.review.rules import RuleBook

DATA = Path(__file__).parents[3] / "src/yibao/data/supervision"
HERE, ELSEWHERE = "H37030000001", "H37030000002"
_serial = count(1)


@cache
def book() -> RuleBook:
    """Return the packaged rules."""
    return load_rules({f.name: f.read_text(encoding="utf-8") for f in DATA.iterdir() if f.suffix in (".csv", ".toml")})


def at(day: int, hour: int = 9, minute: int = 0, *, month: int = 3) -> datetime:
    """Return a moment of 2026, in March unless told."""
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


def charge(
    code: str, when: datetime, *, times: float = 1, name: str = "", list_type: str = "201", price: float = 10,
    visit: str = "V1", institution: str = HERE, limit: float | None = None, rx: str = "", frequency: str = "",
    days: int = 1,
) -> Charge:
    """Return a charge of ``times`` units at ``price`` yuan each; negative ``times`` is a return."""
    return Charge(
        charge_id=str(next(_serial)), mdtrt_id=visit, fixmedins_code=institution, item_code=code, item_name=name or code,
        list_type=list_type, at=when, quantity_e4=round(times * 10_000), amount_fen=round(times * price * 100),
        price_micro=round(price * 1_000_000), limit_micro=None if limit is None else round(limit * 1_000_000), rx=rx,
        frequency=frequency, days=days,
    )


def drug(name: str, when: datetime, *, list_type: str = "101", **more: object) -> Charge:
    """Return a charge of a drug, which rules know by its name."""
    return charge(f"X-{name}", when, name=name, list_type=list_type, **more)  # type: ignore[arg-type]


def judged(
    *bill: Charge, history: tuple[Charge, ...] = (), sex: str = "2", birth_on: date = date(1980, 6, 15),
    kinds: tuple[str, ...] = (), level: str = "3", share: int | None = 5000, only: tuple[str, ...] = (),
) -> tuple[Hit, ...]:
    """Return what the packaged rules say of a bill of visit V1 at the institution ``HERE``."""
    question = Question(
        Patient(sex, birth_on), Visit("V1", HERE, frozenset(kinds), level), bill, history, share
    )
    return review(question, book(), only=only)


def codes(hits: tuple[Hit, ...]) -> list[str]:
    """Return the kinds' codes of hits, in order."""
    return [h.rule_id.split("-")[0] for h in hits]
