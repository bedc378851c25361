"""Each fault of the host or the settings that is planted here is found, and the finding says how to mend it."""

from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from yibao.infra.config import Settings
from yibao.infra.digest import sm3
from yibao.usecases.diagnosis import machine_checks as checks
from yibao.usecases.diagnosis.finding import Finding

GIB = 1 << 30


def no_zone(key: str) -> ZoneInfo:
    raise ZoneInfoNotFoundError(key)


def utc_instead(key: str) -> ZoneInfo:
    return ZoneInfo("UTC")


def no_digest(data: bytes) -> bytes:
    raise ValueError("unsupported hash type sm3")


def home_in_a_file(directory: Path) -> Finding:
    (directory / "file").write_bytes(b"")
    return checks.check_home(directory / "file" / "home")


@pytest.mark.parametrize(("level", "name", "finding", "remedy"), [
    ("error", "machine.disk", checks.check_disk(Path("/x"), usage=lambda _: (100 * GIB, 98 * GIB, 2 * GIB)), "清理"),
    ("error", "machine.disk", checks.check_disk(Path("/x"), usage=lambda _: (4 * GIB, 3 * GIB, GIB - 1)), "清理"),
    ("error", "machine.port", checks.check_port(Settings(), is_free=False, is_ours=False), "YIBAO_PORT"),
    ("error", "machine.zone", checks.check_zone(load=no_zone), "tzdata"),
    ("error", "machine.zone", checks.check_zone(load=utc_instead), "tzdata"),
    ("error", "machine.sm3", checks.check_sm3(digest=no_digest), "OpenSSL"),
    ("error", "machine.sm3", checks.check_sm3(digest=lambda data: bytes(32)), "OpenSSL"),
    ("warning", "machine.font", checks.check_font(roots=("/nowhere",)), "fonts-wqy-microhei"),
    ("error", "settings.failpoints", checks.check_failpoints(Settings(failpoints=True)), "YIBAO_FAILPOINTS"),
    ("warning", "settings.variables", checks.check_variables({"YIBAO_PROT": "1"}), "拼写"),
    ("error", "settings.exposure", checks.check_exposure(Settings(host="0.0.0.0", demo=True)), "YIBAO_HOST"),
    ("warning", "settings.exposure", checks.check_exposure(Settings(host="0.0.0.0")), "YIBAO_SECURE_COOKIES"),
])
def test_a_planted_fault_is_found(level: str, name: str, finding: Finding, remedy: str) -> None:
    assert (finding.level, finding.check) == (level, name)
    assert remedy in finding.remedy


def test_a_home_that_cannot_be_made_is_found(tmp_path: Path) -> None:
    finding = home_in_a_file(tmp_path)
    assert (finding.level, finding.check) == ("error", "machine.home")
    assert "YIBAO_HOME" in finding.remedy


def test_a_sound_machine_is_fine(tmp_path: Path) -> None:
    (tmp_path / "wqy-microhei.ttc").write_bytes(b"")
    findings = [
        checks.check_home(tmp_path / "home"),
        checks.check_disk(tmp_path / "home", usage=lambda _: (100 * GIB, 50 * GIB, 50 * GIB)),
        checks.check_port(Settings(), is_free=True, is_ours=False),
        checks.check_port(Settings(), is_free=False, is_ours=True),
        checks.check_zone(),
        checks.check_sm3(digest=sm3),
        checks.check_font(roots=(str(tmp_path),)),
        checks.check_failpoints(Settings()),
        checks.check_variables({"YIBAO_PORT": "80"}),
        checks.check_exposure(Settings()),
        checks.check_exposure(Settings(host="0.0.0.0", secure_cookies=True)),
    ]
    assert [f.level for f in findings] == ["ok"] * len(findings)
    assert not any(f.remedy for f in findings)
