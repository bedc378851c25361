"""The published inpatient examples come out to the fen at the counter: admitted, charged, discharged, settled over HTTP.

Each row's parameters are loaded as the law of a region of its own, written by the same hand that writes them for the
engine's own test; hospital, person and catalogue of that region are planted so that the fee lines fall into the parts
that the row names. Where a row is the second or third stay of a year, the earlier ones are driven as well.

A row about care away from home carries what distance changes (deductible, ratio, first-pay) in its own parameters. It
goes the same way as the others, at a hospital of its own region: how a stay elsewhere is routed is not its subject.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import threading
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest
import uvicorn

from tests.support.till import Counter, total
from tests.support.ward import DIAGNOSIS, Ward
from yibao.app import App
from yibao.demo.description import ENDPOINT
from yibao.infra.config import Settings
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.clock import SystemClock
from yibao.policy.case import Case
from yibao.usecases.policies.example_rows import ExampleRow, read_rows
from yibao.usecases.policies.worked_examples import prepare

CASES = Path(__file__).parents[1] / "policy" / "cases" / "worked-examples.csv"
NOT_ON_THE_WIRE = {"hifmi_base", "maf_steps", "remaining"}
"""Results between the steps, which no field of 2304 carries; what follows from them is compared."""
NO_STAY = {
    "identity": "只验证恒等式，没有政策参数，不是一次结算",
    "dedc": "只求各次起付标准，没有费用，不是一次结算",
    "hifmi": "由累计个人负担单独计算大病保险，不是一次结算",
    "hifmi_base": "由累计个人负担单独计算大病保险，不是一次结算",
    "maf": "由剩余个人负担单独计算救助，不是一次结算",
    "lump": "只求定额，没有住院",
    "allowance": "津贴，不是账单", "allowance+lump": "津贴，不是账单", "spouse_subsidy": "补贴，不是账单",
    "supplement": "补充保险对已结算账单的再计算",
}
"""Why the other inpatient rows cannot go through the counter, by computation."""


def _calc(row: ExampleRow) -> str:
    return str(json.loads(row.inputs)["calc"])


INPATIENT = [
    r for r in read_rows(CASES.read_text(encoding="utf-8"))
    if r.labels["med_type"][:1] == "2" or r.labels["med_type"] == "52"
]
ROWS = [r for r in INPATIENT if _calc(r) == "settle"]


def region_of(row: ExampleRow) -> str:
    """Return the region that has the row's parameters for its law."""
    return f"99{ROWS.index(row) + 1:04d}"


def law_and_case(row: ExampleRow) -> tuple[str, Case]:
    """Return the row's law as the text of its region's file, and the case that the row describes."""
    computation = prepare(msgspec.structs.replace(row, labels={}), {}).computation
    (case,) = computation.cases
    return computation.law.text().replace('admdvs = "990000"', f'admdvs = "{region_of(row)}"'), case


def test_every_inpatient_row_is_driven_or_said_why_not() -> None:
    assert len(ROWS) == 39
    left = {r.id: _calc(r) for r in INPATIENT if r not in ROWS}
    assert set(left.values()) <= NO_STAY.keys(), left


# ------------------------------------------------------------------ the planted region of a row

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def certificate(region: str, born: date, number: int) -> str:
    """Return an identity number with its check letter."""
    body = f"{region}{born:%Y%m%d}{number:03d}"
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, _WEIGHTS, strict=True)) % 11]


class Place(msgspec.Struct):
    """Who and what is planted for a row."""

    row: ExampleRow
    case: Case
    patient: dict[str, str]
    counter: Counter

    @property
    def day(self) -> datetime:
        """Return when the stay of the row begins."""
        on = self.case.service_on
        return datetime(on.year, on.month, on.day, 8, tzinfo=SHANGHAI)


def place_of(row: ExampleRow) -> Place:
    region, (_, case) = region_of(row), law_and_case(row)
    born = date(case.service_on.year - case.person.age, 1, 15)
    psn_no = f"{region}0000000001"
    patient = {"psn_no": psn_no, "insutype": case.insutype, "certno": certificate(region, born, 1), "insuplc_admdvs": region}
    counter = Counter(f"H{region}00001", "算例医院", region, "none", "", "", "0001", "算例", f"D{region}001", "算例医师", "A0301",
                      "内科")
    return Place(row, case, patient, counter)


ITEMS = (
    # code, class, first-pay, ceiling: what a line of it falls into
    ("EX-SCOPE", "01", 0, None), ("EX-OWN", "03", None, None), ("EX-OVER", "02", 0, 0), ("EX-FIRST", "02", 10000, None),
)


def items_of(place: Place) -> list[tuple[str, str, int | None, int | None]]:
    """Return the catalogue of a row: what its items name, and one item for each part of a bill."""
    named = []
    for n, item in enumerate(json.loads(place.row.inputs).get("items", ())):
        level = "03" if item["lv"] == "03" else item["lv"]
        named.append((f"EX-ITEM{n}", level, round(item.get("selfpay_prop", 0) * 10000), None))
    return [*ITEMS, *named]


def charges_of(place: Place) -> list[dict[str, Any]]:
    """Return fee lines whose parts add up to the bill of the row."""
    lines = []
    lacking = {
        "EX-OWN": sum(x.own for x in place.case.lines), "EX-OVER": sum(x.over for x in place.case.lines),
        "EX-FIRST": sum(x.first_pay for x in place.case.lines), "EX-SCOPE": sum(x.in_scope for x in place.case.lines),
    }
    for n, item in enumerate(json.loads(place.row.inputs).get("items", ())):
        amount = round(item["amt"] * 100)
        first = amount if item["lv"] == "03" else round(amount * item["selfpay_prop"])
        lacking["EX-OWN" if item["lv"] == "03" else "EX-FIRST"] -= first
        lacking["EX-SCOPE"] -= amount - first
        lines.append((f"EX-ITEM{n}", amount))
    assert min(lacking.values()) >= 0
    lines += [(code, amount) for code, amount in lacking.items() if amount]
    return [charge(code, amount) for code, amount in lines]


def charge(code: str, fen: int) -> dict[str, Any]:
    """Return a fee line of one piece that costs so much."""
    return {"med_list_codg": code, "medins_list_codg": code, "pric": fen / 100, "cnt": 1, "det_item_fee_sumamt": fen / 100}


async def plant(url: str, places: list[Place]) -> None:
    """Write region, hospital, person and catalogue of every row."""
    connection = await asyncpg.connect(url)
    everything: dict[str, set[tuple[Any, ...]]] = {"items": set(), "terms": set(), "limits": set()}
    start = date(2000, 1, 1)
    await connection.execute(
        "insert into catalogue.diagnosis (code, name, valid_from, version) values ($1, $2, $3, 'x') on conflict do nothing",
        *DIAGNOSIS, start)
    for p in places:
        region, c, who = p.counter.region, p.counter, p.patient
        await connection.execute(
            "insert into institutions.institution (fixmedins_code, admdvs, region, name, uscc, kind, hosp_lv, level, "
            "agreement_no, agreement_from, agreement_to, auth_scheme) values ($1, $2, $2, $3, '', '1', '01', $4, 'x', $5, $6, "
            "'none')", c.fixmedins_code, region, c.fixmedins_name, p.case.institution.level, start, date(2100, 1, 1))
        await connection.execute(
            "insert into institutions.department (fixmedins_code, dept_code, admdvs, name, caty, opened_on, head_name, "
            "head_phone) values ($1, $2, $3, $4, 'A03', $5, '', '')",
            c.fixmedins_code, c.dept_code, region, c.dept_name, start)
        await connection.execute(
            "insert into institutions.practitioner (fixmedins_code, code, admdvs, name, kind, cert_type, certno, dept_code, "
            "registered_on) values ($1, $2, $3, $4, '1', '01', '', $5, $6)", c.fixmedins_code, c.dr_codg, region, c.dr_name,
            c.dept_code, start)
        person = p.case.person
        await connection.execute(
            "insert into people.person (psn_no, admdvs, cert_type, certno, name, sex, birth_on) values ($1, $2, '01', $3, "
            "'算例', '2', $4)", who["psn_no"], region, who["certno"], date(p.case.service_on.year - person.age, 1, 15))
        await connection.execute(
            "insert into enrolment.relation (psn_no, relation_id, admdvs, insutype, psn_type, status, account_kind, insured_on, "
            "benefit_from, paid_months) values ($1, '1', $2, $3, $4, '1', $5, $6, $6, $7)", who["psn_no"], region,
            who["insutype"], person.psn_type, person.account_kind, start, person.paid_months)
        for code, fen in p.case.counters.items():
            await connection.execute(
                "insert into settlements.counter (psn_no, year, insutype, code, admdvs, used_fen) "
                "values ($1, $2, $3, $4, $5, $6)",
                who["psn_no"], p.case.service_on.year, who["insutype"], code, region, fen)
        for code, level, first_pay, limit in items_of(p):
            everything["items"].add((code,))
            everything["terms"].add((region, code, level, first_pay))
            if limit is not None:
                everything["limits"].add((region, code, p.case.institution.level, limit))
    await connection.executemany(
        "insert into catalogue.item (code, list_type, name, charge_type, origin, valid_from, version) "
        "values ($1, '201', $1, '14', 'demo', '2000-01-01', 'x')", sorted(everything["items"]))
    await connection.executemany(
        "insert into catalogue.term (admdvs, code, valid_from, class_level, first_pay, source, assumed) values ($1, $2, "
        "'2000-01-01', $3, $4, 'x', true)", sorted(everything["terms"], key=str))
    await connection.executemany(
        "insert into catalogue.price_limit (admdvs, code, level, valid_from, limit_micro, source, assumed) "
        "values ($1, $2, $3, '2000-01-01', $4, 'x', true)", sorted(everything["limits"]))
    await connection.close()


class Serving(threading.Thread):
    """A server thread on a port of its own, over the laws of all rows."""

    def __init__(self, settings: Settings, laws: dict[str, dict[str, str]]) -> None:
        super().__init__(daemon=True)
        self._app = App(settings, policy_files=laws, clock=SystemClock())
        self.server = uvicorn.Server(
            uvicorn.Config(self._app, host="127.0.0.1", port=0, log_level="warning", access_log=False)
        )
        self.ready = threading.Event()
        started = self.server.startup

        async def startup(sockets: Any = None) -> None:
            await started(sockets=sockets)
            self.ready.set()

        self.server.startup = startup  # type: ignore[method-assign]

    def run(self) -> None:
        asyncio.run(self.server.serve())


@pytest.fixture(scope="module")
def places(database_url: str) -> dict[str, Place]:
    found = {row.id: place_of(row) for row in ROWS}
    asyncio.run(plant(database_url, list(found.values())))
    return found


@pytest.fixture(scope="module")
def base(database_url: str, places: dict[str, Place]) -> Iterator[str]:
    laws = {region_of(p.row): {"example.toml": law_and_case(p.row)[0]} for p in places.values()}
    with tempfile.TemporaryDirectory() as home:
        thread = Serving(Settings(home=Path(home), database_url=database_url, demo=True, connections=4), laws)
        thread.start()
        assert thread.ready.wait(30)
        yield f"http://127.0.0.1:{thread.server.servers[0].sockets[0].getsockname()[1]}"
        thread.server.should_exit = True
        thread.join(20)


# ------------------------------------------------------------------ the rows


def settle_alone(place: Place, base: str) -> dict[str, Any]:
    """Drive the stay of a row, after the earlier stays of its year, and return the reply to 2304."""
    ward = Ward(base + ENDPOINT, place.counter)
    # Earlier stays of one fen in scope: their deductible takes it, so they count and move nothing else.
    for earlier in range(place.case.admission - 1, 0, -1):
        begin = place.day - timedelta(days=10 * earlier)
        ward.whole_stay(place.patient, begin, [charge("EX-SCOPE", 1)], days=1)
    charges = charges_of(place)
    stay = ward.admit(place.patient, place.day, med_type=place.row.labels["med_type"])
    ward.charge(stay, place.day, charges)
    ward.discharge(stay, place.day + timedelta(hours=6))
    tried = ward.try_stay(stay, total(charges))["setlinfo"]
    reply: dict[str, Any] = ward.settle_stay(stay, total(charges))
    ward.close()
    for name, value in tried.items():
        if name in reply["setlinfo"] and name not in ("setl_id", "setl_time", "clr_way", "clr_optins", "medins_setl_id"):
            assert reply["setlinfo"][name] == value, name
    return reply


@pytest.mark.drives("2401", "2301", "2303", "2402", "2304")
@pytest.mark.parametrize("row", ROWS, ids=lambda r: r.id)
def test_row_comes_out_at_the_counter(row: ExampleRow, base: str, places: dict[str, Place]) -> None:
    info = settle_alone(places[row.id], base)["setlinfo"]
    expected = {k: v for k, v in json.loads(row.expected, parse_float=Decimal).items() if k not in NOT_ON_THE_WIRE}
    assert len(expected) >= 2, "too little of the row is on the wire"
    got = {name: Decimal(str(info[name])) for name in expected}
    assert got == {name: Decimal(str(value)) for name, value in expected.items()}
