"""What to write instead: a proposal for each fault, made from what stands in the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from difflib import get_close_matches
from typing import Any

from yibao.policy.law.conditions import DIMENSIONS
from yibao.policy.law.faults import PolicyFault
from yibao.policy.law.keys import KINDS
from yibao.policy.law.reading import FIELDS, PAYERS
from yibao.policy.law.values import ABSENT

Sections = Mapping[str, tuple[str, ...]]
"""The words a region declares: ``person_classes``, ``diseases``, ``sources`` ..., ``benefit``, ``layer``, ``admdvs``."""

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_SECTION = {"person": "person_classes", "identity": "identities", "trait": "traits", "disease": "diseases",
            "recognised_all": "diseases", "benefit": "benefit"}  # fmt: skip
_MARKS = ("official", "public_page", "assumed")
_MISSING = {
    "rule": 'rule = "地区简称-编号"',
    "name": 'name = "参数的中文名"',
    "from": "from = 2025-01-01（有效的第一天，不加引号）",
    "clause": 'clause = "条款或原文要点"',
    "mark": 'mark = "official"、"public_page" 或 "assumed"',
    "counter": 'counter = "待遇代码.deductible" 一类的计数名',
    "rows": 'rows = [{ rule = "…", value = "…", from = 2025-01-01, clause = "…" }]',
    "key": f'key = "deductible" 一类的参数名；全部参数：{", ".join(KINDS)}',
    "format": "format = 1",
    "region": 'region = "某某市"，只在一个文件里写一次',
    "layer": 'layer = "层次代码"，与 key = "layer" 行的 value 一致',
    "group": 'when = { group = "special_drug" } 一类的费用组',
}


def declared(documents: Iterable[Mapping[str, Any]]) -> dict[str, tuple[str, ...]]:
    """Return the words that a region's files declare, by section; codes of benefits and layers by their key."""
    found: dict[str, list[str]] = {}
    for document in documents:
        for section, words in document.items():
            if isinstance(words, dict):
                found.setdefault(section, []).extend(words)
        if re.fullmatch(r"\d{6}", str(document.get("admdvs"))):
            found.setdefault("admdvs", []).append(str(document["admdvs"]))
        blocks = document.get("parameter")
        for block in blocks if isinstance(blocks, list) else []:
            key = block.get("key") if isinstance(block, dict) else ""
            if key in ("benefit", "layer") and isinstance(block.get("rows"), list):
                rows = [row for row in block["rows"] if isinstance(row, dict)]
                found.setdefault(key, []).extend(str(row.get("value", "")) for row in rows)
    return {section: tuple(dict.fromkeys(words)) for section, words in found.items()}


def propose(fault: PolicyFault, entry: Mapping[str, Any], sections: Sections) -> str:
    """Return what to write instead.

    Args:
        fault: what is wrong and where.
        entry: the row's fields with those of its block; outside of blocks the whole document.
        sections: see :func:`declared`.
    """
    field = fault.field
    if field.startswith("when."):
        return _of_condition(field[5:], entry, sections)
    found = _of_field(fault, entry, sections)
    if found:
        return found
    if field and field not in entry and field in _MISSING:
        return f"写上 {_MISSING[field]}"
    if not field:
        return '核对这一行的引号、括号、逗号和等号，如 value = "500元", from = 2025-01-01；一对 { } 写在同一行'
    return f"改写 {field}，写法见 docs/policy-format.md"


def _of_field(fault: PolicyFault, entry: Mapping[str, Any], sections: Sections) -> str:
    field, kind = fault.field, KINDS.get(str(entry.get("key")))
    if field == "value" and kind and kind.value == "order":
        return _of_order(entry.get("value"), sections)
    if field in ("counter", "paid_counter") and field in entry:
        return f'{field} = "{_counter(field, entry)}"'
    if field == "layer" and field in entry:
        return _nearest("layer", str(entry["layer"]), sections.get("layer", ()))
    if field == "value":
        proposed = propose_value(kind.value if kind else "", entry.get("value"), kind.choices if kind else ())
        if proposed == f'value = "{entry.get("value")}"':  # well written; it does not fit another row
            return f'核对 "{entry["value"]}" 的位数，以及所说那一行的数额，改写不对的一处'
        return proposed
    if field == "bands":
        return 'bands = [{ to = "30000元", ratio = "60%" }, { ratio = "65%" }]：上限逐段增大，末段可不写 to'
    if field == "key":
        return _nearest("key", str(entry.get("key", "")), KINDS)
    if field == "mark" and field in entry:
        return _nearest("mark", str(entry["mark"]), _MARKS)
    if field in ("source", "sources"):
        return _of_source(str(entry.get("source", "")), sections)
    if field == "admdvs":
        return f'admdvs = "{next(iter(sections.get("admdvs", ())), "000000")}"，各文件一致的六位区划代码'
    if field in ("from", "to") and field in entry:
        return _of_date(fault, entry)
    if field.startswith("person_classes."):
        return 'psn_type = ["11"]：人员类别代码，每个代码只归一类人员'
    if field.startswith("sources."):
        return '来源写作 Z1 = { title = "文件名", where = "网址或文号", reliability = "M" }'
    if kind and field in entry and "没有这个字段" in fault.message:
        known = FIELDS | kind.extra
        close = get_close_matches(field, known, 1)
        return f"把 {field} 改为 {close[0]}" if close else f"删去 {field}；要作说明可写在 note"
    if kind is None and field in entry and "顶层" in fault.message:
        return f"删去 {field}，或移到它所属的 [[parameter]] 中"
    return ""


def propose_value(kind: str, written: object, choices: Iterable[str] = ()) -> str:
    """Return how a value of this kind is written, made from what was written."""
    text = str(written)
    found = _NUMBER.search(text.replace(",", "").replace("，", ""))
    number = Decimal(found[0]) if found else None
    if kind == "amount":
        if number is None:
            return f'value = "500元"；没有的写 "{ABSENT}"'
        if "万" in text:
            number *= 10_000
        return f'value = "{_plain(abs(number))}元"'
    if kind == "ratio":
        return f'value = "{_plain(_percent(number, text))}%"' if number is not None else 'value = "85%"'
    if kind == "points":
        return f'value = "{_plain(number)}个百分点"' if number is not None else 'value = "5个百分点"'
    if kind == "count":
        return f'value = "{_plain(number)}个月"（或 天、年、次）' if number is not None else 'value = "3个月"'
    if kind == "truth":
        return "value = true 或 value = false（不加引号）"
    if kind == "choice":
        return _nearest("value", text, choices)
    return 'value = "代码"（非空文本）'


def _of_order(written: object, sections: Sections) -> str:
    layers = sections.get("layer", ())
    if isinstance(written, list):
        for word in map(str, written):
            close = get_close_matches(word, [*PAYERS, *layers], 1)
            if word not in (*PAYERS, *layers):
                declare = f'用 key = "layer" 声明 {word}'
                return f'把 "{word}" 改为 "{close[0]}"，或{declare}' if close else declare
    return 'value = ["pool", …, "own_account", "shared_account", "cash"]：pool 之后写各层，cash 在最后，不重复'


def _counter(field: str, entry: Mapping[str, Any]) -> str:
    """Return a name of its own for a counter: whose it is, and what it counts."""
    when = entry.get("when")
    benefit = when.get("benefit") if isinstance(when, dict) else ""
    key, written = str(entry.get("key")), str(entry[field])
    if key == "layer":
        return f"{entry.get('value', 'layer')}.{'paid' if field == 'paid_counter' else 'base'}"
    counted = {"deductible": "deductible", "pool_cap": "pool", "item_limit": "cost"}.get(key, key)
    return f"{benefit if isinstance(benefit, str) and benefit else written.partition('.')[0] or key}.{counted}"


def _percent(number: Decimal, text: str) -> Decimal:
    """Return the percentage that was most likely meant: 0.85 and 85 and 8500% are all 85."""
    number = abs(number)
    if number < 1 or (number == 1 and "%" not in text):
        number *= 100
    while number > 100:
        number /= 10
    return number


def _plain(number: Decimal) -> str:
    return f"{number.quantize(Decimal('0.01')).normalize():f}"


def _of_date(fault: PolicyFault, entry: Mapping[str, Any]) -> str:
    written, field = entry[fault.field], fault.field
    start, end = entry.get("from"), entry.get("to")
    if type(written) is not date:
        digits = re.findall(r"\d+", str(written))[:3]
        if len(digits) == 3 and len(digits[0]) == 4:
            return f"{field} = {digits[0]}-{int(digits[1]):02d}-{int(digits[2]):02d}（不加引号）"
        return f"{field} = 2025-01-01（年-月-日，不加引号）"
    if field == "to" and type(start) is date and type(end) is date and end < start:
        return f"from = {end}, to = {start}，或删去 to（至今有效）"
    before = start - timedelta(days=1) if type(start) is date else None
    return f"给先写的一行加 to = {before}，或写上不同的 when，或删去本行"


def _of_source(source: str, sections: Sections) -> str:
    known = sections.get("sources", ())
    close = [k for k in known if sorted(k) == sorted(source)] or get_close_matches(source, known, 3)
    declare = f'在 [sources] 中声明 {source or "Z1"} = {{ title = "文件名", where = "网址或文号", reliability = "M" }}'
    if close:
        return f'source = {" 或 ".join(map(_quoted, close))}，或{declare}'
    return f'写 source = "{known[0] if known else "Z1"}" 一类已声明的来源，或{declare}；没有出处的写 mark = "assumed"'


def _of_condition(dimension: str, entry: Mapping[str, Any], sections: Sections) -> str:
    when = entry.get("when")
    wanted = when.get(dimension) if isinstance(when, dict) else None
    if wanted is None:
        return f"在 when 中写明 {dimension}，如 when = {{ {dimension} = \"…\" }}"
    if dimension not in DIMENSIONS:
        return _nearest("条件", dimension, DIMENSIONS)
    if isinstance(wanted, dict) or dimension in ("age", "paid_months"):
        found = re.findall(r"\d+", str(wanted))
        return f"{dimension} = {{ from = {found[0] if found else 60} }}，需要上限时再写 below"
    values = wanted if isinstance(wanted, list) else [wanted]
    if not all(isinstance(value, str) for value in values):
        return f"{dimension} = [{', '.join(_quoted(v) for v in values)}]（代码是文本，加引号）"
    section = _SECTION.get(dimension, "")
    known = sections.get(section, ())
    unknown = [v for v in values if v not in known]
    if not section or not unknown:
        return f"改用该维度可用的代码，或从 when 中删去 {dimension}"
    close = get_close_matches(unknown[0], known, 1)
    where = 'key = "benefit" 的行' if section == "benefit" else f"[{section}]"
    return f'把 {unknown[0]} 改为 "{close[0]}"' if close else f"在 {where} 中声明 {unknown[0]}；已声明：{'、'.join(known)}"


def _nearest(field: str, written: str, known: Iterable[str]) -> str:
    words = list(known)
    close = get_close_matches(written, words, 1, 0.5)
    return f'{field} = "{close[0]}"' if close else f"{field} 用其中之一：{'、'.join(words)}"


def _quoted(value: object) -> str:
    return f'"{value}"'
