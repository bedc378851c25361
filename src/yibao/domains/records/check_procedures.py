"""R50-R59: the procedures are known, lie inside the stay, and were done by registered people."""

from __future__ import annotations

from collections.abc import Iterator

from yibao.domains.records.model import ListFacts, ListProcedure, QualityTables, SettlementList
from yibao.domains.records.rules import Hit, check, is_before
from yibao.kernel.business_time import business_date, to_wire

ONLY = {"1": "female", "2": "male"}


@check("R50")
def codes_known(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Every code is in the version published for the day."""
    for p in x.procedures:
        if p.code not in facts.procedures:
            yield Hit(p.code, p.name)


@check("R51")
def inside_stay(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Procedures begin and end inside the care; to the second where both times are known, else by day."""
    for p in x.procedures:
        for at in (p.begun_at, p.ended_at):
            if at is None:
                continue
            too_early = is_before(at, facts.stay.admitted_at) if facts.stay else business_date(at) < facts.began_on
            left_at = facts.stay.discharged_at if facts.stay else None
            too_late = is_before(left_at, at) if left_at is not None else business_date(at) > facts.ended_on
            if too_early or too_late:
                yield Hit(to_wire(at), f"{p.code} {p.name}，就诊期间{facts.began_on}至{facts.ended_on}")
                break


@check("R52")
def runs_forward(x: SettlementList, _facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """A procedure does not end before it begins."""
    for p in x.procedures:
        if p.begun_at is not None and p.ended_at is not None and is_before(p.ended_at, p.begun_at):
            yield Hit(to_wire(p.ended_at), f"开始于{to_wire(p.begun_at)}")


@check("R53")
def anaesthesia_fits(x: SettlementList, _facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Anaesthesia runs forward and meets the procedure."""
    for p in x.procedures:
        begin, end = p.anaesthesia_from, p.anaesthesia_to
        if begin is not None and end is not None and is_before(end, begin):
            yield Hit(to_wire(begin), f"结束于{to_wire(end)}")
        elif _apart(p):
            yield Hit("、".join(to_wire(at) for at in (begin, end) if at is not None), f"{p.code} {p.name}")


def _apart(p: ListProcedure) -> bool:
    begin, end = p.anaesthesia_from, p.anaesthesia_to
    starts_after = begin is not None and p.ended_at is not None and is_before(p.ended_at, begin)
    ends_before = end is not None and p.begun_at is not None and is_before(end, p.begun_at)
    return starts_after or ends_before


@check("R54")
def one_main(x: SettlementList, _facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Where there are procedures, exactly one is the main one."""
    count = sum(p.is_main for p in x.procedures)
    if x.procedures and count != 1:
        yield Hit(str(count), f"标为主要手术操作的有{count}个")


@check("R55")
def no_repeats(x: SettlementList, _facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """No procedure stands twice at the same time."""
    seen = set()
    for p in x.procedures:
        if (p.code, p.begun_at) in seen:
            yield Hit(p.code, p.name)
        seen.add((p.code, p.begun_at))


@check("R56")
def surgeon_registered(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """The surgeon is named and registered here."""
    for p in x.procedures:
        if p.surgeon not in facts.staff:
            yield Hit(p.surgeon, f"{p.code} {p.name}")


@check("R57")
def anaesthetist_registered(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """An anaesthetist who is named is registered here."""
    for p in x.procedures:
        if p.anaesthetist and p.anaesthetist not in facts.staff:
            yield Hit(p.anaesthetist, f"{p.code} {p.name}")


@check("R58")
def anaesthetist_named(x: SettlementList, _facts: ListFacts, tables: QualityTables) -> Iterator[Hit]:
    """General and spinal anaesthesia name who gave it."""
    for p in x.procedures:
        if p.anaesthesia in tables.anaesthetist_needed and not p.anaesthetist:
            yield Hit(p.anaesthesia, f"{p.code} {p.name}")


@check("R59")
def sex_fits(x: SettlementList, facts: ListFacts, tables: QualityTables) -> Iterator[Hit]:
    """No procedure belongs to the other sex alone."""
    broken = ONLY.get(facts.person.sex)
    for p in x.procedures:
        limit = next((r for r in tables.procedures if r.limit == broken and r.holds(p.code)), None)
        if limit is not None:
            yield Hit(p.code, limit.reason)
