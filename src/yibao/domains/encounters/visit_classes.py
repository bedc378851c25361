"""Which visit classes (``med_type``) are offered, and as what: package data, ``data/visit_classes.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources

import msgspec

from yibao.kernel.refusal import Fault

OUTPATIENT, STAY, PHARMACY = "outpatient", "stay", "pharmacy"
_CALLED = {OUTPATIENT: "门诊", STAY: "住院", PHARMACY: "药店购药"}


class VisitClasses(msgspec.Struct, frozen=True):
    """The offered classes by kind of care, code -> Chinese name.

    Attributes:
        needs_recognition: classes that only people with a recognised disease may use.
    """

    outpatient: dict[str, str]
    stay: dict[str, str]
    pharmacy: dict[str, str]
    needs_recognition: frozenset[str]

    def of_kind(self, kind: str) -> dict[str, str]:
        """Return the classes of a kind of care."""
        found: dict[str, str] = getattr(self, kind)
        return found


@cache
def visit_classes() -> VisitClasses:
    """Return the classes, read once."""
    file = resources.files("yibao") / "data" / "visit_classes.toml"
    data = tomllib.loads(file.read_text(encoding="utf-8"))
    return VisitClasses(
        outpatient=data[OUTPATIENT], stay=data[STAY], pharmacy=data[PHARMACY],
        needs_recognition=frozenset(data["needs_recognition"]),
    )


def class_faults(med_type: str, *, kind: str, name: str, field: str) -> list[Fault]:
    """Return why a class cannot be used for a kind of care: not offered, or it is of another kind.

    Args:
        name: Chinese name of the class as the code table has it.
    """
    offered = visit_classes().of_kind(kind)
    if med_type in offered:
        return []
    return [Fault("MED_TYPE_NOT_OFFERED", f"医疗类别【{f'{med_type} {name}'.strip()}】的{_CALLED[kind]}结算本平台尚未开通", field,
                  med_type, "已开通：" + "、".join(f"{k}{v}" for k, v in offered.items()))]
