"""R30-R41: the diagnoses are known, fit the patient, and one of them is the principal one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from yibao.domains.records.model import (
    TCM_DISEASE,
    TCM_SYNDROME,
    WESTERN,
    ListDiagnosis,
    ListFacts,
    QualityTables,
    SettlementList,
)
from yibao.domains.records.rules import Hit, age_in_days, check

SEX_TEXT = {"1": "男性", "2": "女性"}
ONLY = {"1": "female", "2": "male"}
"""Sex of the wire -> the kind of limit that a patient of that sex breaks."""
TCM_TREATMENTS = ("21", "22", "30")
NOT_ON_ADMISSION = "4"


def western(x: SettlementList) -> list[ListDiagnosis]:
    """Return the western diagnoses of a list."""
    return [d for d in x.diagnoses if d.kind == WESTERN]


def main_of(x: SettlementList) -> ListDiagnosis | None:
    """Return the principal western diagnosis, the first if several are marked."""
    return next((d for d in western(x) if d.is_main), None)


def _said(d: ListDiagnosis) -> str:
    return f"{d.code} {d.name}".strip()


@check("R30")
def one_main(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Exactly one western diagnosis is the principal one; chronic outpatient care may name its disease apart."""
    if facts.care == "chronic" and not western(x) and any(c.diagnosis_code for c in x.chronic_care):
        return
    count = sum(d.is_main for d in western(x))
    if count != 1:
        yield Hit(str(count), f"标为主要诊断的有{count}个")


@check("R31")
def codes_known(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Every western code is in the version published for the day."""
    for d in western(x):
        if d.code not in facts.diagnoses:
            yield Hit(d.code, d.name)
    for c in x.chronic_care:
        if c.diagnosis_code and c.diagnosis_code not in facts.diagnoses:
            yield Hit(c.diagnosis_code, c.diagnosis_name)


@check("R32")
def sex_fits(x: SettlementList, facts: ListFacts, tables: QualityTables) -> Iterator[Hit]:
    """No diagnosis belongs to the other sex alone."""
    broken = ONLY.get(facts.person.sex)
    if broken is None:
        return
    for d in western(x):
        limit = tables.find(broken, d.code)
        if limit is not None:
            yield Hit(d.code, f"{limit.reason}，患者为{SEX_TEXT[facts.person.sex]}")


@check("R33")
def age_fits(x: SettlementList, facts: ListFacts, tables: QualityTables) -> Iterator[Hit]:
    """No diagnosis belongs to another age."""
    days = age_in_days(facts.person.birth_on, facts.began_on)
    for d in western(x):
        limit = tables.find("age", d.code)
        if limit is not None and not (limit.age_from or 0) <= days < (limit.age_to or days + 1):
            yield Hit(d.code, f"{limit.reason}，患者出生于{facts.person.birth_on}")


@check("R34")
def main_is_no_symptom(x: SettlementList, _facts: ListFacts, tables: QualityTables) -> Iterator[Hit]:
    """The principal diagnosis is a disease, not a sign of one."""
    main = main_of(x)
    if main is not None and tables.find("symptom", main.code) is not None:
        yield Hit(main.code, main.name)


@check("R35")
def main_may_be_main(x: SettlementList, _facts: ListFacts, tables: QualityTables) -> Iterator[Hit]:
    """The principal diagnosis is no additional code."""
    main = main_of(x)
    limit = tables.find("not_principal", main.code) if main is not None else None
    if main is not None and limit is not None:
        yield Hit(main.code, limit.reason)


@check("R36")
def no_repeats(x: SettlementList, _facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """No diagnosis stands twice."""
    for code in _repeated((d.kind, d.code) for d in x.diagnoses):
        yield Hit(code[1])


def _repeated(codes: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    seen: set[tuple[str, str]] = set()
    twice: dict[tuple[str, str], None] = {}
    for code in codes:
        if code in seen:
            twice[code] = None
        seen.add(code)
    return list(twice)


@check("R37")
def admission_state_said(x: SettlementList, _facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Every western diagnosis says whether it was there on admission."""
    for d in western(x):
        if not d.on_admission:
            yield Hit(d.code)


@check("R38")
def main_was_there(x: SettlementList, _facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """The principal diagnosis was there on admission."""
    main = main_of(x)
    if main is not None and main.on_admission == NOT_ON_ADMISSION:
        yield Hit(main.code, main.name)


@check("R39")
def tcm_complete(x: SettlementList, _facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """Chinese-medicine care names its main disease; a syndrome does not stand without one."""
    kinds = {d.kind for d in x.diagnoses}
    if TCM_DISEASE not in kinds and (x.treatment[:2] in TCM_TREATMENTS or TCM_SYNDROME in kinds):
        yield Hit(x.treatment)


@check("R40")
def tcm_known(x: SettlementList, facts: ListFacts, _tables: QualityTables) -> Iterator[Hit]:
    """A Chinese-medicine code belongs to a published class; single codes are not published."""
    for d in x.diagnoses:
        if d.kind != WESTERN and not any(d.code.startswith(c) for c in facts.tcm_classes):
            yield Hit(d.code, d.name)


@check("R41")
def injury_has_cause(x: SettlementList, _facts: ListFacts, tables: QualityTables) -> Iterator[Hit]:
    """An injury as principal diagnosis comes with its external cause."""
    main = main_of(x)
    if main is None or tables.find("needs_cause", main.code) is None:
        return
    if not any(tables.find("cause", d.code) for d in western(x)):
        yield Hit(main.code, _said(main))
