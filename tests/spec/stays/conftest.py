"""Wards at the demo world's hospitals, charges of its catalogue, and patients for stays."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from tests.support.till import Till
from tests.support.ward import Ward
from yibao.demo.description import ENDPOINT
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.ids import RandomIds

Charge = dict[str, Any]
Charges = Callable[..., list[Charge]]


@pytest.fixture(scope="module")
def ward_for(world: dict[str, Any], till_for: Callable[..., Till]) -> Callable[..., Ward]:
    """Return a function that opens a ward: the n-th hospital of a scheme in a region."""

    def open_ward(region: str = "370300", scheme: str = "none", index: int = 0) -> Ward:
        return Ward(world["base_url"] + ENDPOINT, till_for(region, scheme, index).counter)

    return open_ward


@pytest.fixture
def ward(ward_for: Callable[..., Ward]) -> Iterator[Ward]:
    """Return a ward at the first unsigned hospital of the first region."""
    opened = ward_for()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def charges_of(world: dict[str, Any]) -> Charges:
    """Return a function that makes charges of drugs of the world's catalogue: so many lines, so many of each."""
    drugs = [i for i in world["items"] if i["list_type"] == "101" and i["chrgitm_lv"] != "03"]

    def make(count: int = 3, *, each: int = 10, first: int = 0) -> list[Charge]:
        return [
            {"med_list_codg": d["med_list_codg"], "medins_list_codg": d["medins_list_codg"], "pric": d["price"],
             "cnt": each, "det_item_fee_sumamt": round(float(d["price"]) * 100) * each / 100}
            for d in (drugs[(first + n) % len(drugs)] for n in range(count))
        ]

    return make


@pytest.fixture
def patient(world: dict[str, Any]) -> Mapping[str, Any]:
    """Return an insured employee of the first region."""
    return next(p for p in world["patients"] if p["insutype"] == "310" and p["insuplc_admdvs"][:4] == "3703")


def days_ago(days: int, hour: int = 9) -> datetime:
    """Return a time of business some days ago."""
    now = datetime.now(SHANGHAI).replace(hour=hour, minute=0, second=0, microsecond=0)
    return now - timedelta(days=days)


@pytest.fixture(scope="module")
def slot() -> Callable[[], int]:
    """Return a function that gives days ago for one more stay of at most three days, which no other stay of the module
    overlaps."""
    taken = iter(range(320, 8, -4))
    return lambda: next(taken)


# ───────────── people and charges about which everything is known, for sums that are worked by hand ─────────────

ITEM = "TST-PLAIN"
YEAR = 2025


def at(month: int, day: int, hour: int = 9, *, year: int = YEAR) -> datetime:
    return datetime(year, month, day, hour, tzinfo=SHANGHAI)


def of(yuan: int, **more: Any) -> dict[str, Any]:
    """Return a charge of so many yuan, all in scope."""
    return {"med_list_codg": ITEM, "medins_list_codg": ITEM, "pric": 1, "cnt": yuan, "det_item_fee_sumamt": yuan, **more}


def execute(url: str, sql: str, *values: Any) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(sql, *values)
        finally:
            await connection.close()

    asyncio.run(run())


@pytest.fixture(scope="module")
def catalogue(world_url: str) -> None:
    """Put a plain item into both regions' catalogues."""
    start = date(2000, 1, 1)
    execute(world_url, "insert into catalogue.item (code, list_type, name, charge_type, origin, valid_from, version) values "
            "($1, '201', '演示项目', '14', 'demo', $2, 'x')", ITEM, start)
    for region in ("370300", "441300"):
        execute(world_url, "insert into catalogue.term (admdvs, code, valid_from, class_level, first_pay, source, assumed) "
                "values ($1, $2, $3, '01', 0, 'x', true)", region, ITEM, start)


@pytest.fixture
def people(world_url: str, world: Mapping[str, Any], catalogue: None) -> Callable[..., dict[str, Any]]:
    """Return a function that plants a working employee with no money on the own account, insured since 2020."""
    born = iter(range(1, 1000))

    def make(region: str = "370300", sex: str = "1") -> dict[str, Any]:
        number = next(born)
        psn_no = f"{region}{RandomIds().new(at(1, 1))[-10:]}"
        execute(world_url, "insert into people.person (psn_no, admdvs, cert_type, certno, name, sex, birth_on) values "
                "($1, $2, '01', $3, '某人', $4, '1980-01-01')", psn_no, region, f"{psn_no}{number}", sex)
        execute(world_url, "insert into enrolment.relation (psn_no, relation_id, admdvs, insutype, psn_type, status, "
                "account_kind, insured_on, benefit_from, paid_months) values ($1, '1', $2, '310', '1101', '1', 'pool_only', "
                "'2020-01-01', '2020-01-01', 120)", psn_no, region)
        return {"psn_no": psn_no, "insutype": "310", "certno": f"{psn_no}{number}", "insuplc_admdvs": region,
                "psn_name": "某人"}

    return make


@pytest.fixture
def hospitals(world: Mapping[str, Any], ward_for: Callable[..., Ward]) -> Iterator[Callable[..., Ward]]:
    """Return a function that opens a ward at a hospital of a level."""
    opened: list[Ward] = []

    def find(level: str, region: str = "370300") -> Ward:
        for scheme in ("none", "api_hmac_sha1", "tif_sha256"):
            for index in range(4):
                try:
                    ward = ward_for(region, scheme, index)
                except IndexError:
                    break
                here = next(i for i in world["institutions"] if i["fixmedins_code"] == ward.counter.fixmedins_code)
                if here["level"] == level:
                    opened.append(ward)
                    return ward
        raise AssertionError(f"no hospital of level {level}")

    yield find
    for ward in opened:
        ward.close()


def paid(info: Mapping[str, Any]) -> tuple[float, float, float]:
    """Return deductible, pool, and what the person bears."""
    return info["act_pay_dedc"], info["hifp_pay"], info["psn_part_amt"]
