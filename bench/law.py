"""``python -m bench.law``: how fast the law decides, one bill and a million; writes docs/benchmarks-law.{json,md}.

Three measurements in one run: the scalar ``decide`` of a ten-line bill with its trace, columns of a million bills of
one city, and the ordinary outpatient bills among them beside OpenFisca on the same formula. OpenFisca is installed for
this run alone, into ``.bench-venv``, from ``bench/openfisca/requirements.txt``.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import numpy as np
import polars as pl

from bench.report import machine
from yibao.infra.policy_files import read_policy_files
from yibao.policy.case import Case, InstitutionFacts, LineGroup, PersonFacts
from yibao.policy.columns.decide_columns import decide_columns, decide_sorted, sort_bills
from yibao.policy.decide import decide
from yibao.policy.law.loading import load_policy
from yibao.policy.law.parameters import RegionPolicy

REGION = "370300"
YEAR_START = date(2025, 1, 1)
ENVIRONMENT = Path(".bench-venv")
PARTS = 2
"""Frames are decided in so many parts at once: the machine has two cores and NumPy lets others run meanwhile."""
_LINES = 10
_SCALAR_BILLS = 20_000


def main() -> None:
    """Measure and write the report."""
    parser = argparse.ArgumentParser(prog="python -m bench.law", description=__doc__)
    parser.add_argument("--bills", type=int, default=1_000_000)
    parser.add_argument("--docs", type=Path, default=Path("docs"))
    asked = parser.parse_args()
    policy = load_policy(read_policy_files()[REGION])
    found: dict[str, Any] = {
        "when": datetime.now(UTC).isoformat(" ", "minutes"), "machine": machine(), "bills": asked.bills,
        "scalar_us": _scalar_us(policy),
    }
    for name, benefits in (("outpatient", ("11",)), ("inpatient", ("21",)), ("both", ("11", "21"))):
        frame = bills(asked.bills, benefits, seed=11)
        found[f"columns_{name}_per_s"] = round(asked.bills / _best(lambda frame=frame: _decided(frame, policy)))  # type: ignore[misc]
    found |= _beside_openfisca(bills(asked.bills, ("11",), seed=12, insutypes=("310",)), policy)
    (asked.docs / "benchmarks-law.json").write_bytes(msgspec.json.format(msgspec.json.encode(found), indent=1) + b"\n")
    (asked.docs / "benchmarks-law.md").write_text(_REPORT.format(**found), encoding="utf-8")
    print(_REPORT.format(**found))


def bills(count: int, med_types: tuple[str, ...], *, seed: int, insutypes: tuple[str, ...] = ("310", "390")) -> pl.DataFrame:
    """Return bills of one year: employees and residents, three levels, repeated admissions, used-up counters."""
    rng = np.random.default_rng(seed)

    def of(choices: tuple[Any, ...]) -> pl.Series:
        kind = pl.Enum(choices) if isinstance(choices[0], str) else None
        return pl.Series(choices, dtype=kind).gather(pl.Series(rng.integers(0, len(choices), count)))

    insutype = of(insutypes)
    resident = (insutype == "390").to_numpy()
    retired, child = rng.random(count) < 0.3, rng.random(count) < 0.2
    kinds = ("1101", "1201", "1501", "1401")
    kind = np.where(resident, 2 + child, 0 + retired)
    psn_type = pl.Series(kinds, dtype=pl.Enum(kinds)).gather(pl.Series(kind))
    amount = (rng.random(count) ** 3 * 5_000_000).astype(np.int64)
    own, first_pay = (amount * rng.random(count) * 0.1).astype(np.int64), (amount * rng.random(count) * 0.1).astype(np.int64)
    return pl.DataFrame({
        "service_on": pl.Series([YEAR_START + timedelta(days=d) for d in range(365)]).gather(
            pl.Series(rng.integers(0, 365, count))),
        "insutype": insutype, "med_type": of(med_types), "psn_type": psn_type,
        "age": np.where(child & resident, rng.integers(0, 18, count), rng.integers(18, 95, count)),
        "level": of(("1", "2", "3")), "admission": rng.integers(1, 4, count), "use_account": of((True, False)),
        "amount": amount, "own": own, "over": np.zeros(count, dtype=np.int64), "first_pay": first_pay,
        "in_scope": amount - own - first_pay, "balance": rng.integers(0, 200_000, count),
        "counter:ordinary_outpatient.deductible": rng.integers(0, 80_000, count),
        "counter:ordinary_outpatient.pool": rng.integers(0, 600_000, count),
        "counter:inpatient_chronic.pool": rng.integers(0, 10_000_000, count),
        "counter:serious_illness.base": rng.integers(0, 3_000_000, count),
    })


def _decided(frame: pl.DataFrame, policy: RegionPolicy) -> pl.DataFrame:
    size = -(-frame.height // PARTS)
    with ThreadPoolExecutor(PARTS) as threads:
        parts = threads.map(lambda n: decide_columns(frame.slice(n * size, size), policy), range(PARTS))
        return pl.concat(parts, how="diagonal")


def _best(work: Callable[[], object]) -> float:
    seconds = []
    for _ in range(5):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return min(seconds)


def _scalar_us(policy: RegionPolicy) -> float:
    lines = tuple(LineGroup(12_345 + n, 0, 0, 1_000 + n, 11_345) for n in range(_LINES))
    case = Case(
        admdvs=REGION, service_on=date(2025, 6, 1), insutype="310", med_type="11", person=PersonFacts(psn_type="1101", age=45),
        institution=InstitutionFacts(code="", kind="1", level="2"), lines=lines, account_balance=50_000, use_account=True,
        counters={"ordinary_outpatient.deductible": 20_000},
    )
    took = []
    for _ in range(_SCALAR_BILLS):
        started = time.perf_counter_ns()
        decide(case, policy)
        took.append(time.perf_counter_ns() - started)
    return round(median(took) / 1000, 1)


def _beside_openfisca(frame: pl.DataFrame, policy: RegionPolicy) -> dict[str, Any]:
    """Decide the same outpatient bills by ourselves and by OpenFisca; return both rates and the bills it gets wrong."""
    python = ENVIRONMENT / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", ENVIRONMENT], check=True)
        subprocess.run(
            [python, "-m", "pip", "install", "-q", "--require-hashes", "-r", "bench/openfisca/requirements.txt"], check=True
        )
    with tempfile.TemporaryDirectory() as directory:
        given, answered = Path(directory) / "given.npz", Path(directory) / "answered.npz"

        def yuan(name: str) -> Any:
            return frame[name].to_numpy() / 100

        np.savez(
            given, amount=yuan("amount"), in_scope=yuan("in_scope"),
            borne=yuan("counter:ordinary_outpatient.deductible"), used=yuan("counter:ordinary_outpatient.pool"),
            level=frame["level"].cast(pl.String).cast(pl.Int64).to_numpy(), retired=(frame["psn_type"] == "1201").to_numpy(),
        )
        subprocess.run([python, "bench/openfisca/formula.py", given, answered], check=True)
        theirs = np.load(answered)
        pool, seconds = theirs["pool"], float(theirs["seconds"][0])
    bills_sorted, kept = sort_bills(frame, policy), dict[str, Any]()
    ours = _best(lambda: decide_sorted(bills_sorted, kept))
    paid = _decided(frame, policy)["hifp_pay"].to_numpy()
    return {
        "openfisca_per_s": round(frame.height / seconds),
        "same_bills_per_s": round(frame.height / ours),
        "times_faster": round(seconds / ours, 1),
        "openfisca_wrong": int((np.rint(pool.astype(np.float64) * 100).astype(np.int64) != paid).sum()),
    }


_REPORT = """# Benchmarks of the law

Written by `make bench`; no figure here is typed by hand. {when} UTC.
Machine: {machine}.

| what | figure |
|---|---:|
| one bill of ten lines, ordinary outpatient, decided with its trace: median | {scalar_us} µs |
| columns of {bills} bills, ordinary outpatient, from facts to results | {columns_outpatient_per_s} bills/s |
| the same, inpatient with serious illness and the other layers | {columns_inpatient_per_s} bills/s |
| the same, both mixed | {columns_both_per_s} bills/s |
| deciding alone, employees' outpatient bills sorted beforehand, account and counters too | {same_bills_per_s} bills/s |
| OpenFisca on the same bills, inputs set beforehand: six variables, best of three | {openfisca_per_s} bills/s |
| deciding alone, ours is so many times as fast | {times_faster} |
| bills of which OpenFisca's 32-bit floats miss the pool's payment by a fen or more | {openfisca_wrong} |

The first three figures of columns are of two parts decided by two threads, the comparison is of one thread each; a
figure is the best of five. Sorting bills into the classes that the law treats alike is in the first three, and in neither
of the two that are compared.
"""


if __name__ == "__main__":
    main()
