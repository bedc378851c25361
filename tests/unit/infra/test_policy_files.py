"""Policy files: the packaged ones, a directory of one's own, and every version kept."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from yibao.infra.database import Database
from yibao.infra.policy_files import find_version, read_policy_files, store_version

NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)


def test_each_region_has_its_own_folder(tmp_path: Path) -> None:
    for name, file in (("370300", "b.toml"), ("370300", "a.toml"), ("370300", "notes.txt"), ("draft", "c.toml")):
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / file).write_text(f"# {file}", encoding="utf-8")
    assert read_policy_files(tmp_path) == {"370300": {"a.toml": "# a.toml", "b.toml": "# b.toml"}}


def test_a_missing_directory_holds_no_policies(tmp_path: Path) -> None:
    assert read_policy_files(tmp_path / "nowhere") == {}


async def test_a_version_is_stored_once_and_found_again(database: Database) -> None:
    texts = {"outpatient.toml": "title = '门诊'"}
    for name in ("淄博", "淄博市"):
        async with database.transaction() as tx:
            await store_version(tx, admdvs="370300", name=name, version="v1", texts=texts, now=NOW)
    async with database.connection() as tx:
        assert await find_version(tx, "v1") == texts
        assert await find_version(tx, "v2") is None
        assert [tuple(r) for r in await tx.fetch("select * from platform.region")] == [("370300", "淄博市")]
        assert await tx.fetchval("select count(*) from platform.policy_version") == 1
