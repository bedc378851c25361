"""Loading the catalogue: the packaged lists in seconds, faulty files refused row by row."""

from __future__ import annotations

import csv
import gzip
import io
import time
from collections.abc import Callable
from datetime import date, datetime
from importlib.resources import files

import pytest

from yibao.domains.catalogue.queries import diagnosis_exists, terms_for
from yibao.infra.database import GATEWAY, Database
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.ids import CountingIds
from yibao.usecases.catalogue.load_catalogue import (
    CatalogueFile, Loaded, LoadProgress, LoadRefused, load_all, load_catalogue, packaged_files,
)

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=SHANGHAI)
TABLES = ("item", "term", "price_limit", "diagnosis", "procedure", "chronic_disease", "tcm_class", "loaded")


def packaged(name: str) -> list[dict[str, str]]:
    content = (files("yibao") / "data" / "catalogues" / name).read_bytes()
    text = (gzip.decompress(content) if name.endswith(".gz") else content).decode()
    return list(csv.DictReader(io.StringIO(text)))


def as_file(part: str, rows: list[dict[str, str]] | str) -> CatalogueFile:
    if isinstance(rows, str):
        return CatalogueFile(part, "rows.csv", rows.encode(), "test")
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return CatalogueFile(part, "rows.csv", out.getvalue().encode(), "test")


async def contents(database: Database) -> dict[str, str]:
    """Return a digest of every catalogue table and of the audit log."""
    sql = "select coalesce(md5(string_agg(t::text, '' order by t::text)), '') from {} t"
    names = [f"catalogue.{table}" for table in TABLES] + ["platform.audit_entry"]
    return {name: (await database.fetch(sql.format(name)))[0][0] for name in names}


@pytest.fixture(scope="module")
async def loaded(database: Database) -> tuple[tuple[Loaded, ...], float, list[LoadProgress]]:
    steps: list[LoadProgress] = []
    begin = time.process_time()
    result = await load_all(database, now=NOW, ids=CountingIds(), progress=steps.append)
    return result, time.process_time() - begin, steps


async def test_all_packaged_lists_load_with_progress_in_seconds(
    database: Database, loaded: tuple[tuple[Loaded, ...], float, list[LoadProgress]]
) -> None:
    result, cpu_s, steps = loaded
    print({r.part: (r.rows, r.changed) for r in result}, cpu_s)
    assert {r.part: r.rows for r in result}["diagnoses"] == 33_304
    assert all(r.rows == r.changed for r in result)
    assert cpu_s < 20
    assert [step for step in steps if step.part == "diagnoses"][-1].rows == 33_304
    assert all(0 <= step.bytes_done <= step.bytes_total for step in steps)
    for table, name in (("diagnosis", "diagnoses.csv.gz"), ("procedure", "procedures.csv.gz")):
        count = (await database.fetch(f"select count(*) from catalogue.{table}"))[0][0]
        assert count == len(packaged(name))


async def test_loading_again_changes_nothing(
    database: Database, loaded: tuple[tuple[Loaded, ...], float, list[LoadProgress]]
) -> None:
    before = await contents(database)
    again = await load_all(database, now=NOW, ids=CountingIds(1000))
    assert [r.changed for r in again] == [0] * len(again)
    assert await contents(database) == before
