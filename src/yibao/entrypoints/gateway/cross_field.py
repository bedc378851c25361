"""Rules over more than one field of a node, compiled from ``cross_field_rules.csv``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from yibao.entrypoints.gateway.interface import Field, Node, Rule
from yibao.entrypoints.gateway.problems import Problems
from yibao.kernel import identity_number

Judge = Callable[[dict[str, Any], Problems, str], None]
ROW_RULES = frozenset({"rows_required", "unique"})
"""Rules over the list rather than over one of its rows."""


def _required(field: Field, because: str) -> Callable[[Problems, str], None]:
    def add(problems: Problems, prefix: str) -> None:
        problems.add(
            prefix + field.name, field, "FIELD_MISSING", f"{because}时必填", f"请填写{field.name_zh}", value=""
        )

    return add


def _required_if(rule: Rule, node: Node, wanted: bool) -> Judge:
    field, other = node.find(rule.field), node.find(rule.others[0])
    assert field is not None, rule
    assert other is not None, rule
    because = f"{other.name_zh}（{other.name}）{'' if wanted else '不'}为{'、'.join(rule.values)}"
    add = _required(field, because)
    values = frozenset(rule.values)

    def judge(clean: dict[str, Any], problems: Problems, prefix: str) -> None:
        value = clean.get(other.name)
        if value is not None and (value in values) is wanted and field.name not in clean:
            add(problems, prefix)

    return judge


def _required_with(rule: Rule, node: Node) -> Judge:
    field, other = node.find(rule.field), node.find(rule.others[0])
    assert field is not None, rule
    assert other is not None, rule
    add = _required(field, f"填写{other.name_zh}（{other.name}）")

    def judge(clean: dict[str, Any], problems: Problems, prefix: str) -> None:
        if other.name in clean and field.name not in clean:
            add(problems, prefix)

    return judge


def _one_of(rule: Rule, node: Node) -> Judge:
    names = (rule.field, *rule.others)
    field = node.find(rule.field)
    assert field is not None, rule

    def judge(clean: dict[str, Any], problems: Problems, prefix: str) -> None:
        if not any(name in clean for name in names):
            problems.add(
                prefix + rule.field, field, "FIELD_MISSING", f"与{'、'.join(rule.others)}至少填一项", "请至少填写一项",
                value="",
            )

    return judge


def _sign(rule: Rule, node: Node, zero_allowed: bool) -> Judge:
    field = node.find(rule.field)
    assert field is not None, rule
    reason = "不能为负数" if zero_allowed else "必须大于0"

    def judge(clean: dict[str, Any], problems: Problems, prefix: str) -> None:
        value = clean.get(rule.field)
        if value is not None and (value < 0 or (value == 0 and not zero_allowed)):
            problems.add(prefix + rule.field, field, "FIELD_RULE", reason, "请核对数值", value=value)

    return judge


def _identity(rule: Rule, node: Node) -> Judge:
    field = node.find(rule.field)
    assert field is not None, rule

    def judge(clean: dict[str, Any], problems: Problems, prefix: str) -> None:
        value = clean.get(rule.field)
        if (
            isinstance(value, str) and len(value) == 18 and clean.get(rule.others[0]) in rule.values
            and not identity_number.is_valid(value)
        ):
            problems.add(
                prefix + rule.field, field, "FIELD_RULE", "不是有效的身份证号码（校验码或出生日期不符）",
                "请核对证件号码", value=value,
            )

    return judge


def compile_rules(node: Node) -> tuple[Judge, ...]:
    """Return the judges of one row of a node."""
    judges: list[Judge] = []
    for rule in node.rules:
        if rule.kind in ROW_RULES:
            continue
        if rule.kind in ("required_if", "required_unless"):
            judges.append(_required_if(rule, node, rule.kind == "required_if"))
        elif rule.kind == "required_with":
            judges.append(_required_with(rule, node))
        elif rule.kind == "one_of":
            judges.append(_one_of(rule, node))
        elif rule.kind in ("above_zero", "not_negative"):
            judges.append(_sign(rule, node, rule.kind == "not_negative"))
        elif rule.kind == "identity_number":
            judges.append(_identity(rule, node))
        else:
            raise AssertionError(f"cross_field_rules.csv: unknown rule {rule.kind!r}")
    return tuple(judges)


def judge_rows(node: Node, rows: list[dict[str, Any]], problems: Problems, path: str) -> None:
    """Apply the rules over the whole list of a node."""
    for rule in node.rules:
        if rule.kind == "rows_required" and not rows:
            problems.add_plain(path, "FIELD_MISSING", f"节点{node.name}至少要有一行", "请填写明细后重发")
        elif rule.kind == "unique":
            _judge_unique(rule, node, rows, problems, path)


def _judge_unique(rule: Rule, node: Node, rows: list[dict[str, Any]], problems: Problems, path: str) -> None:
    first: dict[Any, int] = {}
    field = node.find(rule.field)
    for index, row in enumerate(rows):
        value = row.get(rule.field)
        if value is None:
            continue
        if value in first:
            problems.add(
                f"{path}[{index}].{rule.field}", field, "FIELD_RULE", f"与第{first[value] + 1}行重复",
                "同一报文内请勿重复", value=value,
            )
        else:
            first[value] = index
