"""Settings: defaults, every fault named at once, secrets hidden, handed on unchanged."""

from __future__ import annotations

from pathlib import Path

import pytest

from yibao.infra.config import (
    Settings,
    SettingsInvalid,
    environment_of,
    load_settings,
    unknown_variables,
    without_password,
)


def test_an_empty_environment_gives_the_defaults() -> None:
    assert load_settings({}) == Settings()
    assert load_settings({"YIBAO_PORT": " "}).port == 8080


def test_values_are_read() -> None:
    settings = load_settings({"YIBAO_PORT": "9090", "YIBAO_DEMO": "1", "YIBAO_HOME": "/srv/yibao"})
    assert (settings.port, settings.demo, settings.home) == (9090, True, Path("/srv/yibao"))


def test_every_fault_is_named_at_once_and_no_password_is_shown() -> None:
    with pytest.raises(SettingsInvalid) as caught:
        load_settings({
            "YIBAO_PORT": "eighty", "YIBAO_WORKERS": "0", "YIBAO_LOG_LEVEL": "loud", "YIBAO_DEMO": "perhaps",
            "YIBAO_DATABASE_URL": "mysql://root:geheim@db/yibao",
        })
    text = str(caught.value)
    assert len(caught.value.faults) == 5
    for name in ("YIBAO_PORT", "YIBAO_WORKERS", "YIBAO_LOG_LEVEL", "YIBAO_DEMO", "YIBAO_DATABASE_URL"):
        assert name in text
    assert "geheim" not in text


def test_another_process_reads_the_same_settings() -> None:
    settings = Settings(home=Path("/srv/y"), database_url="postgresql:///y?host=/run", port=81, demo=True, workers=3)
    assert load_settings(environment_of(settings)) == settings


def test_misspelt_variables_are_found() -> None:
    assert unknown_variables({"YIBAO_PROT": "1", "YIBAO_PORT": "1", "PATH": "/bin"}) == ["YIBAO_PROT"]


@pytest.mark.parametrize(("url", "shown"), [
    ("postgresql://yibao:geheim@db:5432/y", "postgresql://yibao:***@db:5432/y"),
    ("postgresql://yibao:ge@heim@db/y", "postgresql://yibao:***@db/y"),
    ("postgresql://yibao@/y?host=/run", "postgresql://yibao@/y?host=/run"),
])
def test_passwords_are_hidden(url: str, shown: str) -> None:
    assert without_password(url) == shown
    assert Settings(database_url=url).described()["database_url"] == shown
