"""The plans that come with the program, by name."""

from __future__ import annotations

from importlib import resources

_SUFFIX = ".toml"


def plan_names() -> tuple[str, ...]:
    """Return the names of the plans that come with the program."""
    found = (resources.files("yibao") / "data" / "plans").iterdir()
    return tuple(sorted(f.name.removesuffix(_SUFFIX) for f in found if f.name.endswith(_SUFFIX)))


def plan_text(name: str) -> str | None:
    """Return the text of a plan that comes with the program; None: there is no such plan."""
    if name not in plan_names():
        return None
    return (resources.files("yibao") / "data" / "plans" / f"{name}{_SUFFIX}").read_text("utf-8")
