"""The two READMEs say the same, and what they say exists."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from yibao.entrypoints.cli.main import app
from yibao.infra.config import Settings, variable

ROOT = Path(__file__).parents[3]
NAMES = ("README.md", "README.zh-CN.md")
OFF_BY_NATURE = {"failpoints", "demo", "clock"}
"""Settings that no operator should be told to try."""


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def commands(text: str) -> list[str]:
    """Return the lines of the shell blocks without their comments."""
    blocks = re.findall(r"```sh\n(.*?)```", text, flags=re.DOTALL)
    return [line.split("  #")[0].rstrip() for block in blocks for line in block.splitlines()]


def test_both_show_the_same_commands() -> None:
    english, chinese = (commands(text_of(name)) for name in NAMES)
    assert english == chinese
    assert {"make demo", "make test"} <= set(english)


def test_both_have_the_same_sections_in_the_same_order() -> None:
    english, chinese = (len(re.findall(r"^## ", text_of(name), flags=re.MULTILINE)) for name in NAMES)
    assert english == chinese


@pytest.mark.parametrize("name", NAMES)
def test_every_setting_is_told_and_none_is_invented(name: str) -> None:
    told = set(re.findall(r"YIBAO_[A-Z_]+", text_of(name)))
    assert told == {variable(f.name) for f in msgspec.structs.fields(Settings) if f.name not in OFF_BY_NATURE}


@pytest.mark.parametrize("name", NAMES)
def test_every_verb_is_told(name: str) -> None:
    verbs = {command.name for command in app.registered_commands} | {group.name for group in app.registered_groups}
    assert {verb for verb in verbs if verb and verb in text_of(name)} == verbs


@pytest.mark.parametrize("name", NAMES)
def test_weak_values_are_said_before_the_first_command(name: str) -> None:
    text = text_of(name)
    assert 0 < text.index("示例参数，非当地现行政策") < text.index("```sh")


@pytest.mark.parametrize("name", [*NAMES, "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/README.md", "docs/adr/README.md"])
def test_links_lead_somewhere(name: str) -> None:
    here = (ROOT / name).parent
    for target in re.findall(r"\]\(([^)#]+)\)", text_of(name)):
        if "://" not in target:
            assert (here / target).exists(), target


def test_every_decision_is_listed() -> None:
    listing = text_of("docs/adr/README.md")
    for decision in sorted((ROOT / "docs" / "adr").glob("0*.md")):
        assert f"({decision.name})" in listing
