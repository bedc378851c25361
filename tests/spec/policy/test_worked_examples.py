"""Worked outpatient and chronic examples give their printed result, by an ad-hoc policy and by the city's own files."""

from __future__ import annotations

import tomllib
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.spec.policy.adhoc_policy import REGION, policy_of
from tests.spec.policy.cities import city_policy
from yibao.kernel.money import fen_to_yuan, share, to_scaled, yuan_to_fen
from yibao.policy.case import Case, InstitutionFacts, LineGroup, PersonFacts
from yibao.policy.decide import decide
from yibao.policy.decision import Decision
from yibao.policy.loading import load_policy

EXAMPLES: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parent / "cases" / "outpatient.toml").read_text(encoding="utf-8")
)["case"]
CITIES = {"淄博": "370300", "惠州": "441300"}
PERSONS = {"在职": "1101", "退休": "1201", "居民": "1501", "居民(高血压)": "1501"}


def fen(text: str) -> int:
    return yuan_to_fen(Decimal(text))


def bill_of(example: dict[str, Any]) -> LineGroup:
    """Split the example's head and items into the four parts of the bill."""
    bill = example["bill"]
    amount, own = fen(bill["medfee_sumamt"]), fen(bill.get("fulamt_ownpay_amt", "0"))
    first = 0
    for item in bill.get("items", []):
        if item["lv"] == "03":
            own += fen(item["amt"])
        else:
            first += share(fen(item["amt"]), to_scaled(Decimal(item["selfpay_prop"]), 4))
    return LineGroup(amount, own, 0, first, amount - own - first)


def results(decision: Decision) -> dict[str, Decimal]:
    """Return the head fields the examples name, in yuan."""
    return {
        "preselfpay_amt": fen_to_yuan(decision.first_pay),
        "fulamt_ownpay_amt": fen_to_yuan(decision.own),
        "inscp_scp_amt": fen_to_yuan(decision.in_scope),
        "act_pay_dedc": fen_to_yuan(decision.deductible),
        "hifp_pay": fen_to_yuan(decision.fund("hifp_pay")),
        "fund_pay_sumamt": fen_to_yuan(decision.fund_total),
        "psn_part_amt": fen_to_yuan(decision.person_part),
    }


def assert_printed_result(decision: object, example: dict[str, Any]) -> None:
    assert isinstance(decision, Decision), decision
    found = results(decision)
    printed = {key: Decimal(value) for key, value in example["expected"].items()}
    assert {key: found[key] for key in printed} == printed


def prior(example: dict[str, Any], deductible: str, pool: str) -> dict[str, int]:
    used = example["bill"].get("prior", {})
    return {deductible: fen(used.get("dedc_paid", "0")), pool: fen(used.get("pool_paid", "0"))}


def test_all_thirteen_examples_are_here() -> None:
    assert [e["id"] for e in EXAMPLES] == [f"PX-OU{n:03d}" for n in range(1, 14)]
    assert all(e["source"] and e["origin"] for e in EXAMPLES)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda e: e["id"])
def test_example_by_its_own_policy(example: dict[str, Any]) -> None:
    """A policy file that says only what the example says gives the printed result."""
    case = Case(
        admdvs=REGION,
        service_on=date(example["year"], 6, 1),
        insutype=example["insutype"],
        med_type=example["med_type"][:2],
        person=PersonFacts(PERSONS[example["person"]], 40),
        institution=InstitutionFacts("H99000000001", "1", example["level"] or "1"),
        lines=(bill_of(example),),
        counters=prior(example, "example.deductible", "example.pool"),
    )
    assert_printed_result(decide(case, load_policy({"example.toml": policy_of(example)})), example)


@pytest.mark.parametrize("example", [e for e in EXAMPLES if e["city"] in CITIES], ids=lambda e: e["id"])
def test_example_by_the_citys_files(example: dict[str, Any]) -> None:
    """Where the example is of a city we have loaded, the city's own dated files give the same result."""
    admdvs = CITIES[example["city"]]
    chronic = example["med_type"] == "14"
    benefit = "chronic_outpatient" if chronic else "ordinary_outpatient"
    disease = "M05400" if chronic else "M03900" if "两病" in example["med_type"] else ""
    case = Case(
        admdvs=admdvs,
        service_on=date(example["year"], 6, 1),
        insutype=example["insutype"],
        med_type=example["med_type"][:2],
        person=PersonFacts(PERSONS[example["person"]], 40, account_kind="with_account", paid_months=120),
        institution=InstitutionFacts("H00000000001", "1", example["level"]),
        lines=(bill_of(example),),
        disease_code=disease,
        counters=prior(example, f"{benefit}.deductible", f"{benefit}.pool"),
    )
    assert_printed_result(decide(case, city_policy(admdvs)), example)
