"""One visit in one line, for specifications that a policy officer can check by hand."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from tests.spec.policy.cities import city_policy
from yibao.kernel.money import fen_to_yuan, yuan_to_fen
from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case, InstitutionFacts, LineGroup, PersonFacts
from yibao.policy.decide import decide
from yibao.policy.decision import Decision

PERSONS = {
    "在职": ("310", "1101"),
    "退休": ("310", "1201"),
    "居民": ("390", "1501"),
    "儿童": ("390", "1402"),
    "老年居民": ("390", "1601"),
}


@dataclass(frozen=True)
class Visit:
    """Who, where, when, how much in scope (yuan); ``used`` in yuan by counter."""

    city: str
    day: str
    person: str
    level: str
    in_scope: str
    med_type: str = "11"
    disease: str = ""
    recognised: tuple[str, ...] = ()
    used: dict[str, str] = field(default_factory=dict)
    account_kind: str = "with_account"
    paid_months: int = 120
    pharmacy: bool = False
    children: bool = False


def fen(text: str) -> int:
    """Return yuan as fen."""
    return yuan_to_fen(Decimal(text))


def settle(visit: Visit) -> Decision | Refusal:
    """Decide a visit by the city's packaged law."""
    insutype, psn_type = PERSONS[visit.person]
    scope = fen(visit.in_scope)
    case = Case(
        admdvs=visit.city,
        service_on=date.fromisoformat(visit.day),
        insutype=insutype,
        med_type=visit.med_type,
        person=PersonFacts(psn_type, 40, account_kind=visit.account_kind, paid_months=visit.paid_months),
        institution=InstitutionFacts(
            "H00000000001",
            "2" if visit.pharmacy else "1",
            visit.level,
            ("children",) if visit.children else (),
        ),
        lines=(LineGroup(scope, 0, 0, 0, scope),),
        disease_code=visit.disease,
        counters={code: fen(amount) for code, amount in visit.used.items()},
        recognised=visit.recognised,
    )
    return decide(case, city_policy(visit.city))


def outcome(visit: Visit) -> tuple[str, str]:
    """Return (deductible, pool payment) in yuan as text; for a refusal its code and an empty text."""
    decision = settle(visit)
    if isinstance(decision, Refusal):
        return decision.code, ""
    return str(fen_to_yuan(decision.deductible)), str(fen_to_yuan(decision.fund("hifp_pay")))


def rules(visit: Visit) -> set[str]:
    """Return the ids of every rule the decision names."""
    decision = settle(visit)
    assert isinstance(decision, Decision)
    return {used.rule for step in decision.steps for used in step.used}
