"""Small laws of published cities, and bills in one line, for specifications that show one rule at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from yibao.infra.policy_files import read_policy_files, read_policy_files_elsewhere
from yibao.kernel.money import fen_to_yuan, yuan_to_fen
from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case, InstitutionFacts, LineGroup, PersonFacts
from yibao.policy.decide import decide
from yibao.policy.decision import Decision
from yibao.policy.law.loading import load_policy
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.reckoning.cases import Question, Reckoned

_PERSON = frozenset(PersonFacts.__struct_fields__)
_HEAD = """
format = 1
admdvs = "990000"
region = "{city}"
[person_classes]
active = {{ name = "在职职工", psn_type = ["11"] }}
retired = {{ name = "退休人员", psn_type = ["12"] }}
resident = {{ name = "居民", psn_type = ["14", "15", "16"] }}
"""


@cache
def packaged(admdvs: str) -> RegionPolicy:
    """Return the compiled packaged law of a city, served or a sample."""
    return load_policy({**read_policy_files_elsewhere(), **read_policy_files()}[admdvs])


def parameter(key: str, value: str, when: str = "", **more: str) -> str:
    """Return one dated value as a policy file writes it; ``value``, ``when`` and ``more`` are TOML."""
    fields = {"rule": '"V"', "bands" if value.startswith("[{") else "value": value, **more}
    if when:
        fields["when"] = f"{{ {when} }}"
    row = ", ".join(f"{name} = {written}" for name, written in fields.items())
    return f"""
[[parameter]]
key = "{key}"
name = "{key}"
mark = "assumed"
clause = "公开网页所述"
from = 2000-01-01
rows = [{{ {row} }}]
"""


def law_of(city: str, *parameters: str, order: str = '["pool", "cash"]') -> RegionPolicy:
    """Return the law of a published city that has one benefit; what the parameters leave out is the plainest."""
    text = _HEAD.format(city=city) + "".join(parameters)
    plain = {
        "benefit": parameter("benefit", '"any"', 'insutype = ["310", "390"]', title='"住院"'),
        "deductible": parameter("deductible", '"不设"', counter='"never.counted"'),
        "pool_ratio": parameter("pool_ratio", '"80%"'),
        "fund": parameter("fund", '"310100"', field='"hifp_pay"'),
        "rounding": parameter("rounding", '"half_up"'),
        "benefit_year": parameter("benefit_year", '"service_date"'),
        "order": parameter("order", order),
    }
    missing = (block for key, block in plain.items() if f'key = "{key}"' not in text)
    return load_policy({"city.toml": text + "".join(missing)})


def bill(
    law: RegionPolicy,
    on: str,
    amount: str,
    *,
    own: str = "0",
    groups: Mapping[str, str] | None = None,
    level: str = "3",
    traits: tuple[str, ...] = (),
    insutype: str = "310",
    psn_type: str = "1101",
    age: int = 45,
    med_type: str = "21",
    used: Mapping[str, str] | None = None,
    balance: str = "",
    **facts: Any,
) -> Decision:
    """Decide one bill; amounts in yuan, ``groups`` lies inside ``amount``, ``balance`` means the account is used."""
    single = {name: fen(text) for name, text in (groups or {}).items()}
    rest = fen(amount) - sum(single.values())
    person = {name: facts.pop(name) for name in list(facts) if name in _PERSON}
    decided = decide(
        Case(
            admdvs=law.admdvs,
            service_on=date.fromisoformat(on),
            insutype=insutype,
            med_type=med_type,
            person=PersonFacts(psn_type, age, **person),
            institution=InstitutionFacts("H00000000001", "1", level, traits),
            lines=(
                LineGroup(rest, fen(own), 0, 0, rest - fen(own)),
                *(LineGroup(part, 0, 0, 0, part, name) for name, part in single.items()),
            ),
            counters={code: fen(text) for code, text in (used or {}).items()},
            account_balance=fen(balance or "0"),
            use_account=bool(balance),
            **facts,
        ),
        law,
    )
    assert not isinstance(decided, Refusal), decided
    return decided


def resident(law: RegionPolicy, on: str, amount: str, **facts: Any) -> Decision:
    """Decide one bill of an adult resident."""
    return bill(law, on, amount, **{"insutype": "390", "psn_type": "1501", **facts})


def ask(question: Question, law: RegionPolicy) -> Reckoned:
    """Answer a question that is no bill."""
    answer = decide(question, law)
    assert not isinstance(answer, Refusal), answer
    return answer


def fen(text: str) -> int:
    """Return yuan as fen."""
    return yuan_to_fen(Decimal(text))


def yuan(amount: int) -> str:
    """Return fen as yuan with two decimals."""
    return str(fen_to_yuan(amount))
