"""Check a plan before anybody relies on it: it can be read, each cell has one answer, and nobody is asked the impossible."""

from __future__ import annotations

from yibao.domains.windows.checking import FAULT, Finding
from yibao.domains.windows.checking import check_plan as run_checks
from yibao.domains.windows.checking_cells import check_causes, check_cells, check_conflicts
from yibao.domains.windows.checking_rules import check_channels, check_rules
from yibao.domains.windows.checking_times import check_head, check_stages, check_tracks, check_words
from yibao.domains.windows.model import Plan
from yibao.domains.windows.reading import read_plan
from yibao.kernel.refusal import Fault, Refusal

CHECKS = (
    check_head, check_tracks, check_words, check_stages, check_rules, check_channels, check_cells, check_causes,
    check_conflicts,
)
NOT_SOUND = "PLAN_NOT_SOUND"


def check_plan(text: str) -> tuple[Plan, tuple[Finding, ...]] | Refusal:
    """Read a plan and return it with everything that is wrong with it, faults first; a text that cannot be read is refused."""
    plan = read_plan(text)
    if isinstance(plan, Refusal):
        return plan
    return plan, run_checks(plan, CHECKS, text)


def sound_plan(text: str) -> Plan | Refusal:
    """Return a plan that may be published, or refuse it with every fault and a proposal for each."""
    checked = check_plan(text)
    if isinstance(checked, Refusal):
        return checked
    plan, findings = checked
    faults = tuple(
        Fault(NOT_SOUND, f.says, where(f), f.code, f.proposal) for f in findings if f.level == FAULT
    )
    return Refusal(faults) if faults else plan


def where(finding: Finding) -> str:
    """Return where a finding stands, as a person looks for it."""
    block = f"[[{finding.block}]] {finding.name}" if finding.block else ""
    return " ".join(part for part in (f"第 {finding.line} 行" if finding.line else "", block, finding.key) if part)
