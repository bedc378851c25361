"""Says in Chinese why a case is in its group, naming the rows of the tables that decided, or why it is in none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from yibao.policy.grouping.conditions import Condition, Found
from yibao.policy.grouping.grouper import (
    CONDITIONS_NOT_MET,
    MAIN_DIAGNOSIS_UNKNOWN,
    MAIN_DIAGNOSIS_UNLISTED,
    NO_CORE_GROUP,
    NO_MAIN_DIAGNOSIS,
    Complication,
    Grouped,
)
from yibao.policy.grouping.scheme import SUBCATEGORY, Category, Scheme

_SHOWN = 5
_KINDS = {"mcc": "严重并发症或合并症（MCC）", "cc": "并发症或合并症（CC）"}
_SEVERITIES = {"mcc": "伴MCC", "mcc_or_cc": "伴MCC或CC", "any": "无需并发症"}
_HEADLINES = {
    NO_MAIN_DIAGNOSIS: "没有主要诊断，无法入组",
    MAIN_DIAGNOSIS_UNKNOWN: "主要诊断{main}不在方案的编码表内，任何MDC都不收，无法入组",
    MAIN_DIAGNOSIS_UNLISTED: "主要诊断{main}不在任何MDC的主诊表（mdc_dx）内，无法入组",
    CONDITIONS_NOT_MET: "主要诊断{main}在主诊表内，但MDC的其他条件不满足，无法入组",
    NO_CORE_GROUP: "已进入MDC，但其中没有ADRG收本病例，无法入组",
}


def why(grouped: Grouped, scheme: Scheme) -> tuple[str, ...]:
    """Return the reasons, one sentence each: notes on the row, MDC, ADRG, complications, DRG."""
    if grouped.category is None or grouped.core is None or grouped.group is None:
        return (*grouped.notes, *_why_not(grouped, scheme))
    category, core, group = grouped.category, grouped.core, grouped.group
    return (
        *grouped.notes,
        *(_passed(earlier) for earlier in grouped.passed if earlier.diagnoses),
        f"{category.code} {category.name}（mdc表第{category.order}行，规则“{category.rule}”）："
        + _evidence(category.conditions, grouped.entry, f"mdc_dx表{category.code}", scheme, category.sites),
        f"{core.code} {core.name}（adrg表{core.code}，组内第{core.order}，规则“{core.rule}”）："
        + _evidence(core.conditions, grouped.core_entry, f"adrg_dx表{core.code}", scheme, {}),
        *(_complication(c, grouped.facts.main, scheme) for c in grouped.complications),
        f"{group.code} {group.name}（drg表{group.code}，第{group.order}，要求“{_SEVERITIES[group.severity]}”）",
    )


def diagnosis_text(code: str, scheme: Scheme) -> str:
    """Return a diagnosis code with its name."""
    known = scheme.diagnoses.get(code)
    return f"{code} {known.name}" if known and known.name else code


def procedure_text(code: str, scheme: Scheme) -> str:
    """Return a procedure code with its name."""
    name = scheme.procedures.get(code, "")
    return f"{code} {name}" if name else code


def _passed(category: Category) -> str:
    return f"曾进入{category.code} {category.name}，其中没有ADRG收本病例，继续往后"


def _evidence(
    conditions: Sequence[Condition], found: Sequence[Found], lists: str, scheme: Scheme, sites: Mapping[str, str]
) -> str:
    return "；".join(
        _held(condition, one, lists, scheme, sites) for condition, one in zip(conditions, found, strict=True)
    )


def _held(condition: Condition, found: Found, lists: str, scheme: Scheme, sites: Mapping[str, str]) -> str:
    several = len(found.diagnoses) > 1
    texts = [
        f"诊断{diagnosis_text(code, scheme)}在{lists}内{f'，部位{sites[code]}' if several else ''}"
        for code in found.diagnoses
    ]
    for number, code in found.procedures:
        where = f"在{lists.replace('_dx', '_op')}的列表{number}内" if number else "是有效手术（procedures表valid_op=1）"
        texts.append(f"手术操作{procedure_text(code, scheme)}{where}")
    return f"{condition.word}（{'，'.join(texts)}）" if texts else condition.word


def _complication(one: Complication, main: str, scheme: Scheme) -> str:
    text = f"其他诊断{diagnosis_text(one.code, scheme)}属于{_KINDS[one.kind]}，排除表{one.table}"
    known = scheme.diagnoses.get(main)
    if one.is_excluded:
        return f"{text}，正是主要诊断{main}的排除表，不计"
    exclusion = known.exclusion if known else ""
    return f"{text}，{f'主要诊断{main}的排除表是{exclusion}' if exclusion else f'主要诊断{main}没有排除表'}，计入"


def _why_not(grouped: Grouped, scheme: Scheme) -> tuple[str, ...]:
    facts = grouped.facts
    texts = [_HEADLINES[grouped.state].format(main=diagnosis_text(facts.main, scheme))]
    entered = [category for category in grouped.passed if category.diagnoses]
    for category in scheme.categories:
        if category in entered:
            texts.append(f"{category.code} {category.name}：已进入，{len(category.cores)}个ADRG的规则都不满足")
        elif facts.main in category.diagnoses:
            unmet = [c for c in category.conditions if c.test(facts, category.diagnoses, {}, category.sites) is None]
            needs = "、".join(f"“{c.word}”不满足：{c.needs}" for c in unmet)
            texts.append(f"{category.code} {category.name}：{needs}")
    if grouped.state == MAIN_DIAGNOSIS_UNLISTED:
        texts += _near(facts.main, scheme)
    return (*texts, f"全部{len(scheme.categories)}个MDC都不能入组，记为{scheme.ungrouped}")


def _near(code: str, scheme: Scheme) -> list[str]:
    """Name listed codes of the same subcategory: unlisted ones are often a heading whose parts are meant."""
    listed = scheme.listed.get(code[:SUBCATEGORY], ())
    if not listed:
        return []
    shown = "、".join(diagnosis_text(near, scheme) for near in listed[:_SHOWN])
    return [f"同一亚目中可入组的编码有{shown}{'等' if len(listed) > _SHOWN else ''}，请核对是否应使用其中之一"]
