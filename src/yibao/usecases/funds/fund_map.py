"""Which fund a part of a due goes to and which fund a credit comes from: package data, ``data/funds/fund_map.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources


class FundUnknown(LookupError):
    """No row of the map fits: the data is to be completed before such money can be booked."""


def fund_of(*, insutype: str, payer: str, part: str, account_kind: str, enrolment_kind: str) -> str:
    """Return the fund (``fund_pay_type``) that a part of a due goes to.

    Args:
        insutype: 310 employee, 390 resident, 410 long-term care.
        payer: ``unit``, ``person`` or ``state``; part: ``basic``, ``large_amount``, ``care``, ``account``, ``subsidy`` ...
        account_kind: ``with_account``, ``pool_only`` or ``none``, of the relation the due is of.
        enrolment_kind: ``employed``, ``flexible``, ``past_retirement`` ...: who pays both parts alone pays the pool with one.

    Raises:
        FundUnknown: the map has no row for it.
    """
    return _first("dues", {
        "insutype": insutype, "payer": payer, "part": part, "account_kind": account_kind, "enrolment_kind": enrolment_kind,
    })


def credit_fund(*, admdvs: str, psn_type: str, enrolment_kind: str = "") -> str:
    """Return the fund that a monthly credit of a personal account is taken from.

    Args:
        admdvs: the region: not every one has a part of its own for the account.
        psn_type: the person's class; only its first two digits count.
        enrolment_kind: how the person is enrolled; ``""`` where nothing depends on it.

    Raises:
        FundUnknown: the map has no row for the class.
    """
    return _first("credits", {"admdvs": admdvs, "psn_type": psn_type[:2], "enrolment_kind": enrolment_kind})


def _first(part: str, facts: Mapping[str, str]) -> str:
    for row in _rows(part):
        if all(facts.get(name) == value for name, value in row.items() if name != "fund"):
            return row["fund"]
    said = "，".join(f"{name}={value}" for name, value in facts.items())
    raise FundUnknown(f"基金归属表没有覆盖：{said}")


@cache
def _rows(part: str) -> tuple[Mapping[str, str], ...]:
    file = resources.files("yibao") / "data" / "funds" / "fund_map.toml"
    return tuple(tomllib.loads(file.read_text(encoding="utf-8"))[part])
