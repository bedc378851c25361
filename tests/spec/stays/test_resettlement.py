"""A law that changes backwards reaches stays too: listed to the fen, and settled again over what they covered.

Zibo, employees, level 2: deductible 500, for the second stay 250, then 85 %; the change makes it 88 %.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Any, TypeVar

import asyncpg
import pytest

from tests.spec.stays.conftest import YEAR, at, of, paid
from tests.support.ward import Ward
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds
from yibao.kernel.refusal import Refusal
from yibao.policy.law.loading import load_policy
from yibao.usecases.resettlement.list_affected import Affected, list_affected
from yibao.usecases.resettlement.resettle_person import Resettled, resettle_person
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.verification.verify_books import verify_books

T = TypeVar("T")
OLD_ROW = 'when = { level = "2", person = "active" }, value = "85%", clause = "在职职工，二级'


def changed_law() -> dict[str, dict[str, str]]:
    """Return the packaged law with another ratio for the stays of employees at level 2."""
    texts = {region: dict(files) for region, files in read_policy_files().items()}
    file = "40-employee-inpatient.toml"
    assert texts["370300"][file].count(OLD_ROW) == 1
    texts["370300"][file] = texts["370300"][file].replace(OLD_ROW, OLD_ROW.replace("85%", "88%"))
    return texts


def inside(url: str, work: Callable[[asyncpg.Connection], Awaitable[T]]) -> T:
    """Run some work in one transaction of the owner; a refusal rolls it back."""

    async def run() -> T:
        connection = await asyncpg.connect(url)
        transaction = connection.transaction(isolation="repeatable_read")
        await transaction.start()
        done = await work(connection)
        await (transaction.rollback() if isinstance(done, Refusal) else transaction.commit())
        await connection.close()
        return done

    return asyncio.run(run())


async def breaches(tx: asyncpg.Connection) -> list[Any]:
    return [f for f in await verify_books(tx) if f.breaches]


@pytest.fixture(scope="module")
def law() -> tuple[dict[str, dict[str, str]], PolicyShelf]:
    texts = changed_law()
    return texts, PolicyShelf({region: load_policy(files) for region, files in texts.items()})


def again(url: str, psn_no: str, law: tuple[dict[str, dict[str, str]], PolicyShelf]) -> Resettled | Refusal:
    texts, shelf = law
    return inside(url, lambda tx: resettle_person(
        tx, psn_no=psn_no, year=YEAR, operator="张复核", shelf=shelf, texts=texts, clock=SystemClock(), ids=RandomIds()))


def test_stays_are_listed_and_settled_again(
    hospitals: Callable[..., Ward], people: Callable[..., dict[str, Any]], world_url: str,
    law: tuple[dict[str, dict[str, str]], PolicyShelf],
) -> None:
    ward, who = hospitals("2"), people()
    stays = [ward.whole_stay(who, at(month, 1), [of(10_000)])[0] for month in (3, 5)]
    listed = inside(world_url, lambda tx: list_affected(tx, admdvs="370300", since=date(YEAR, 1, 1), shelf=law[1]))
    assert isinstance(listed, Affected)
    (year,) = [y for y in listed.persons if y.psn_no == who["psn_no"]]
    # (10000 − 500) × 3 % = 285.00, (10000 − 250) × 3 % = 292.50
    assert [s.difference and s.difference.fund_total for s in year.settlements] == [28500, 29250]
    done = again(world_url, who["psn_no"], law)
    assert isinstance(done, Resettled)
    heads = [
        ward.call("5203", {"data": {**stay.key, "setl_id": one.new_setl_id}})["setlinfo"]
        for stay, one in zip(stays, done.settlements, strict=True)
    ]
    assert [h["hifp_pay"] for h in heads] == [8360, 8580]  # 9500 × 88 %, 9750 × 88 %
    assert inside(world_url, breaches) == []
    # The hospital undoes what the agency settled as it would its own, and settles by its own law again.
    for stay, one in reversed(list(zip(stays, done.settlements, strict=True))):
        ward.cancel_settlement(stay, one.new_setl_id)
    assert paid(ward.settle_stay(stays[0], 10_000)["setlinfo"]) == (500, 8075, 1925)
    assert inside(world_url, breaches) == []


def test_a_stay_in_parts_is_left_to_people(
    hospitals: Callable[..., Ward], people: Callable[..., dict[str, Any]], world_url: str,
    law: tuple[dict[str, dict[str, str]], PolicyShelf],
) -> None:
    ward, who = hospitals("2"), people()
    stay = ward.admit(who, at(3, 1))
    ward.charge(stay, at(3, 2), [of(3000)])
    ward.settle_stay(stay, 3000, interim=True)
    ward.charge(stay, at(3, 4), [of(3000)])
    ward.discharge(stay, at(3, 5))
    ward.settle_stay(stay, 3000)
    refused = again(world_url, who["psn_no"], law)
    assert isinstance(refused, Refusal)
    assert "不能自动重新结算" in refused.sentence()
    assert inside(world_url, breaches) == []
