"""The malformed-message proof in small, with the package's own handlers and a real database."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from random import Random

import httpx
import pytest

from tests.proofs.fuzz_faults import KINDS, write
from tests.proofs.fuzz_messages import Tally, judge, run
from tests.proofs.fuzz_samples import sample, transactions
from tests.spec.gateway.world import NOW, envelope, make_client, plant_institutions
from yibao.entrypoints.gateway import interface
from yibao.entrypoints.gateway.decode import business_content
from yibao.entrypoints.gateway.gateway import Gateway
from yibao.entrypoints.gateway.problems import Problems
from yibao.entrypoints.gateway.registry import Services, offered
from yibao.entrypoints.gateway.validation import Validator
from yibao.infra.config import Settings
from yibao.infra.database import Database
from yibao.infra.policy_files import read_policy_files
from yibao.kernel.clock import FixedClock
from yibao.kernel.ids import CountingIds
from yibao.policy.law.loading import load_policy
from yibao.usecases.settlement.shelf import PolicyShelf

N = int(os.environ.get("YIBAO_PROOF_N", "1500"))
SEED = int(os.environ.get("YIBAO_PROOF_SEED", "20260302"))


def deeds() -> frozenset[str]:
    """Return the transactions that store their reply."""
    return frozenset(infno for infno, handler in offered().items() if handler.kind != "query")


@pytest.fixture(scope="module")
async def client(database: Database, gateway_database: Database) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of a gateway as it is served."""
    await plant_institutions(database)
    shelf = PolicyShelf({admdvs: load_policy(texts) for admdvs, texts in read_policy_files().items()})
    services = Services(
        database=gateway_database, clock=FixedClock(NOW), ids=CountingIds(), policies=shelf, settings=Settings(demo=True)
    )
    gateway = Gateway(services)
    async with make_client(gateway) as opened:
        yield opened
    await gateway.close()


def test_the_unharmed_messages_are_valid() -> None:
    """Every sample passes validation, so what is refused later is refused for its planted fault."""
    validator = Validator(interface.load())
    random = Random(SEED)
    wrong = {}
    for infno in transactions():
        for _ in range(3):
            body = sample(infno, random, envelope=envelope(infno, {})).body
            problems = Problems()
            spec = validator.spec(infno)
            assert spec is not None
            validator.validate(spec, business_content(body), problems)
            if problems.faults:
                wrong[infno] = problems.faults[0].sentence()
    assert wrong == {}


@pytest.mark.parametrize(("kind", "status", "reply", "counted"), [
    ("missing", 200, {"infcode": -1, "err_msg": "data.psn_no：必填"}, "refused_by_name"),
    ("missing", 200, {"infcode": -1, "err_msg": "有一处错误"}, "unnamed"),
    ("missing", 200, {"infcode": 0, "err_msg": ""}, "without_basis"),
    ("number for text", 200, {"infcode": 0, "err_msg": ""}, "accepted"),
    ("missing", 500, {"infcode": -1, "err_msg": "psn_no"}, "broken"),
    ("missing", 200, {"infcode": -1, "err_msg": "平台内部错误 psn_no"}, "broken"),
    ("missing", 200, {"detail": "psn_no"}, "broken"),
])
def test_the_proof_can_fail(kind: str, status: int, reply: dict[str, object], counted: str) -> None:
    """Each way in which an answer can be wrong is counted as wrong."""
    base = sample("5301", Random(1), envelope=envelope("", {}))
    place = next(place for place in base.places if place.name == "psn_no")
    planted = write(base.body, place, next(k for k in KINDS if k.kind == kind), Random(1))
    tally = Tally()
    judge(tally, place, kind, planted, "label", httpx.Response(status, json=reply))
    found = {name: value for name, value in vars(tally).items() if name in (
        "refused_by_name", "unnamed", "without_basis", "accepted", "broken") and value}
    assert list(found) == [counted]


@pytest.mark.slow
async def test_faulty_messages_are_refused_by_name(client: httpx.AsyncClient, database: Database) -> None:
    """No 500, no partial write, every refusal names the field, everything accepted has its line."""
    counted = await run(N, SEED, client, database=database, envelope=envelope("", {}), deeds=deeds())
    print({name: value for name, value in counted.items() if name not in ("kinds", "accepted_kinds")})
    assert counted["answers_of_500_or_defects"] == []
    assert counted["partial_writes"] == []
    assert counted["refusals_without_the_field"] == []
    assert counted["accepted_without_basis"] == []
    assert counted["refused_by_name"] > N // 2
    assert all(row["allowed_by"] for row in counted["accepted_kinds"])
