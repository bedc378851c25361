"""Writes the policy of one worked example as a policy file, the way a policy officer would."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

REGION = "990000"

_HEAD = f"""
format = 1
admdvs = "{REGION}"
region = "算例"
[person_classes]
any = {{ name = "参保人", psn_type = ["11", "12", "14", "15", "16"] }}
"""


def parameter(key: str, value: str, *, more: str = "", bands: str = "") -> str:
    """Return one ``[[parameter]]`` with a single row; ``value`` and ``bands`` are TOML."""
    what = f"bands = {bands}" if bands else f"value = {value}"
    return f"""
[[parameter]]
key = "{key}"
name = "{key}"
mark = "assumed"
clause = "算例所述"
from = 2000-01-01
{more}
rows = [{{ rule = "EX-1", {what} }}]
"""


def policy_of(example: dict[str, Any]) -> str:
    """Return the policy text of one example: a single benefit that decides whatever comes."""
    law = example["policy"]
    bands = ", ".join(f'{{ {_upper(b)}ratio = "{Decimal(b["ratio"]) * 100:f}%" }}' for b in law["bands"])
    deductible = f'"{law["dedc"]}元"' if Decimal(law["dedc"]) else '"不设"'
    yearly = law.get("dedc_mode", "").startswith("year")
    counter = "example.deductible" if yearly else "never.counted"
    text = _HEAD
    text += parameter(
        "benefit", '"example"', more=f'title = "算例"\nwhen = {{ insutype = "{example["insutype"]}" }}'
    )
    text += parameter("deductible", deductible, more=f'counter = "{counter}"')
    text += parameter("pool_ratio", "", bands=f"[{bands}]")
    text += parameter("fund", '"310100"', more='field = "hifp_pay"')
    text += parameter("rounding", '"half_up"')
    text += parameter("benefit_year", '"service_date"')
    text += parameter("order", '["pool", "cash"]')
    if "item_limit" in law:
        text += parameter("item_limit", f'"{law["item_limit"]}元"')
    if "pool_cap" in law:
        text += parameter("pool_cap", f'"{law["pool_cap"]}元"', more='counter = "example.pool"')
    return text


def _upper(band: dict[str, str]) -> str:
    return f'to = "{band["to"]}元", ' if "to" in band else ""
