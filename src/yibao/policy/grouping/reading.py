"""How a case becomes what the rules read: codes in the scheme's own spelling, and a note for whatever was not plain."""

from __future__ import annotations

import unicodedata

import msgspec

from yibao.policy.grouping.case import GroupingCase
from yibao.policy.grouping.conditions import Facts
from yibao.policy.grouping.scheme import Scheme, fold

_KIND_NAMES = {"dx": "诊断", "op": "手术操作"}
_SEXES = {"1": "1", "男": "1", "2": "2", "女": "2"}


class ReadCase(msgspec.Struct, gc=False):
    """A case as the rules read it. ``notes``: Chinese sentences on what was changed, left out or missing."""

    facts: Facts
    notes: list[str]


def read_case(case: GroupingCase, scheme: Scheme) -> ReadCase:
    """Return a case in the scheme's own codes.

    An unknown code stays in its place: a first procedure that nobody knows is still the first one, so that no
    later procedure is taken for the main one. The code map wins over a code that is itself one of the scheme.
    """
    notes: list[str] = []
    diagnoses = tuple([_code("dx", code, scheme, notes) for code in case.dx_codes])
    procedures = tuple([_code("op", code, scheme, notes) for code in case.op_codes])
    sex = _SEXES.get(case.gend, "")
    if not sex:
        notes.append(f"性别“{case.gend}”不是1（男）或2（女），需要性别的规则按不满足处理")
    is_newborn = case.age_days is not None and case.age_days <= scheme.newborn_days_max
    weight = case.birth_weight_g or 0
    if is_newborn and not weight:
        notes.append("新生儿出生体重未填，需要体重的规则按不满足处理")
    valid = scheme.valid_operations
    return ReadCase(Facts(
        main=diagnoses[0] if diagnoses else "", diagnoses=diagnoses, procedures=procedures,
        operations=tuple([code for code in procedures if code in valid]),
        first_is_operation=bool(procedures) and procedures[0] in valid,
        is_male=sex == "1", is_female=sex == "2", is_infant=_is_infant(case, scheme, notes),
        is_newborn=is_newborn, weight=weight,
    ), notes)


def _is_infant(case: GroupingCase, scheme: Scheme, notes: list[str]) -> bool:
    if case.age is not None:
        return case.age == 0
    if case.age_days is not None and case.age_days <= scheme.infant_days_max:
        notes.append(f"年龄（岁）未填，按年龄（天）{case.age_days}视为0岁")
        return True
    notes.append("年龄未填，需要年龄的规则按不满足处理")
    return False


def _code(kind: str, received: str, scheme: Scheme, notes: list[str]) -> str:
    known = scheme.diagnoses if kind == "dx" else scheme.procedures
    code = received
    if code not in known and (kind, code) not in scheme.moved:
        code = scheme.spellings.get((kind, fold(_plain(received))), received)
        if code != received:
            notes.append(f"{_KIND_NAMES[kind]}“{received}”按编码表写作{code}")
    target = scheme.moved.get((kind, code))
    if target is not None:
        notes.append(f"{_KIND_NAMES[kind]}{code}按编码对照表（code_map）转换为{target}")
        return target
    if code not in known:
        notes.append(f"{_KIND_NAMES[kind]}“{received}”不在方案的编码表内，保留位置，不与任何列表匹配")
    return code


def _plain(code: str) -> str:
    """Return a code without surrounding blanks, full-width characters turned into plain ones."""
    return (code if code.isascii() else unicodedata.normalize("NFKC", code)).strip()
