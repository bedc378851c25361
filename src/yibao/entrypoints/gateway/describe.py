"""The pages of ``docs/interface``: every message explained from the tables, the handlers and recorded exchanges."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files

from yibao.entrypoints.gateway import interface
from yibao.entrypoints.gateway.examples import Example, SeenRefusal, example_of
from yibao.entrypoints.gateway.interface import Field, Interface, Node, Transaction
from yibao.entrypoints.gateway.offer import Standing, standings

GENERATED = "<!-- 由 `yibao interface pages` 生成，改动请写在接口数据表里。 -->"
KIND_TEXT = {"working": "可用", "stored": "留存", "refused": "不办理"}
_TYPES = {
    "string": "文本", "number": "数值", "date": "日期", "datetime": "日期时间", "boolean": "是否", "bytes": "文件内容",
    "list": "列表", "object": "对象",
}
_QUIRKS = {
    "missing_ok": "可不填", "missing_warned": "不填只提醒", "empty_ok": "可为空", "echo": "不校验，以平台登记的为准",
    "node_alias": "节点可另用名", "code_prefix": "代码可比代码表更长", "max_len": "放宽长度",
}


def interface_pages() -> dict[str, str]:
    """Return file name -> text: the coverage table, the codes, and a page for every transaction that is offered."""
    book, found = interface.load(), standings()
    pages = {"coverage.md": coverage_page(found), "codes.md": codes_page(book)}
    for standing in found:
        if standing.kind != "refused":
            transaction = book.transactions[standing.infno]
            pages[f"{standing.infno}.md"] = message_page(transaction, standing, example_of(standing.infno))
    return pages


def coverage_page(found: Iterable[Standing]) -> str:
    """Return the table of everything that has a field table, with what the platform does with it."""
    rows = list(found)
    counts = {kind: sum(s.kind == kind for s in rows) for kind in KIND_TEXT}
    lines = [
        GENERATED, "", "# 接口覆盖情况", "",
        "国家医保定点机构接口中每个有字段表的交易，本平台实际做到什么程度：", "",
        "- **可用**（working）：业务真实办理，且有测试把它做到底（资金、状态，或能原样读回的文书）。",
        "- **留存**（stored）：校验、保存、可用查询取回，不宣称更多。",
        "- **不办理**（refused by name）：点名拒绝并说明原因，不返回假的成功。", "",
        f"可用 {counts['working']}，留存 {counts['stored']}，不办理 {counts['refused']}，共 {len(rows)}。"
        "代码表见 [codes.md](codes.md)。", "",
        "| 交易 | 名称 | 状态 | 说明 |", "|---|---|---|---|",
    ]
    for s in rows:
        number = s.infno if s.kind == "refused" else f"[{s.infno}]({s.infno}.md)"
        says = s.says or _purposes().get(s.infno, "")
        lines.append(f"| {number} | {s.name_zh} | {KIND_TEXT[s.kind]} | {says} |")
    return "\n".join(lines) + "\n"


def codes_page(book: Interface) -> str:
    """Return every code table that a field of an offered transaction uses."""
    said = "各统筹区可以扩充；标为“封闭”的字段只接受表中的代码，其余字段收到未知代码时只提醒。"
    lines = [GENERATED, "", "# 代码表", "", said, ""]
    for table in sorted(book.code_tables):
        lines += [f"## {table}", "", "| 代码 | 含义 |", "|---|---|"]
        lines += [f"| {code} | {text} |" for code, text in book.code_tables[table].items()]
        lines.append("")
    return "\n".join(lines)


def message_page(transaction: Transaction, standing: Standing, example: Example | None) -> str:
    """Return the page of one transaction: purpose, fields, example, refusals, common mistakes."""
    infno = transaction.infno
    lines = [
        GENERATED, "", f"# {infno} {transaction.name_zh}", "",
        f"{KIND_TEXT[standing.kind]}。{standing.says or _purposes().get(infno, '')}", "",
        "会改变数据：同一机构的同一 `msgid` 只办理一次，重发得到完全相同的答复。" if standing.changes
        else "只查询，不改变数据；每次按当时的数据回答。", "",
    ]
    for ordinal, form in enumerate(transaction.inputs):
        lines += ["## 请求" if ordinal == 0 else "## 请求的另一种写法", "", *_node_tables(form, "input")]
    if transaction.output is not None:
        lines += ["## 答复", "", *_node_tables(transaction.output, "output")]
    for title, columns in (("上传文件的列", transaction.infile), ("下载文件的列", transaction.outfile)):
        if columns:
            lines += [f"## {title}", "", *_field_table(columns), ""]
    if example is not None:
        lines += _example(example)
        lines += _refusals(example.refusals)
    lines += _mistakes(transaction, standing)
    return "\n".join(lines).rstrip() + "\n"


def _node_tables(root: Node, side: str) -> list[str]:
    lines: list[str] = []
    for node in root.walk():
        if not node.fields:
            continue
        kind = "列表，每项一行" if node.is_list else "对象"
        needed = "，必填" if node.required else ""
        lines += [f"### `{side}{'.' if node.path else ''}{node.path}`（{kind}{needed}）", "", *_field_table(node.fields), ""]
    return lines or ["无内容。", ""]


def _field_table(fields: Iterable[Field]) -> list[str]:
    lines = ["| 字段 | 名称 | 类型 | 必填 | 代码表 | 宽容之处 |", "|---|---|---|---|---|---|"]
    for f in fields:
        kind = _TYPES.get(f.type, f.type)
        if f.max_len:
            kind += f"({f.max_len}{f',{f.scale}' if f.scale else ''})"
        code = f"[{f.code_table}](codes.md#{f.code_table}){'，封闭' if f.closed else ''}" if f.code_table else ""
        spare = [_QUIRKS[q] + (f"，按 {v} 处理" if q == "missing_ok" and v else "") for q, v in f.quirks.items() if q in _QUIRKS]
        spare += [f"也可写作 `{name}`" for name in f.variants]
        lines.append(f"| `{f.name}` | {f.name_zh} | {kind} | {'是' if f.required else ''} | {code} | {'；'.join(spare)} |")
    return lines


def _example(example: Example) -> list[str]:
    said = "取自测试中真实的一次往来；人员为虚构，证件号码一律换成同一个虚构号码。"
    lines = ["## 示例", "", said, "", "请求：", "", *_json(example.request), ""]
    if example.reply is None:
        return [*lines, "答复是文件（application/octet-stream）。", ""]
    return [*lines, "答复：", "", *_json(example.reply), ""]


def _json(value: object) -> list[str]:
    return ["```json", json.dumps(value, ensure_ascii=False, indent=1), "```"]


def _refusals(refusals: Iterable[SeenRefusal]) -> list[str]:
    rows = [f"| `{r.code}` | {_cell(r.field)} | {_cell(r.sentence)} | {_cell(r.remedy)} |" for r in refusals]
    return ["## 拒绝的情形", "", "| 代码 | 字段 | 原因 | 怎么办 |", "|---|---|---|---|", *rows, ""] if rows else []


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _mistakes(transaction: Transaction, standing: Standing) -> list[str]:
    """Return what goes wrong most often, as far as the tables tell: conditions, and how to ask again."""
    lines = ["## 常见差错", ""]
    for form in transaction.inputs[:1]:
        for node in form.walk():
            lines += [f"- `{node.path or 'input'}`：{_rule_text(r.kind, r.field, r.others, r.values)}" for r in node.rules]
    if standing.changes:
        lines.append("- 超时没有收到答复时，请用同一 `msgid` 原样重发；换一个 `msgid` 就是另一笔业务。")
        lines.append("- 同一 `msgid` 换了内容会被单独拒绝；被拒绝的报文改正后可以沿用原 `msgid`。")
    lines.append("- 一条报文里的全部错误在一次答复中列出，请逐条改正后再发。")
    return [*lines, ""]


def _rule_text(kind: str, field: str, others: tuple[str, ...], values: tuple[str, ...]) -> str:
    other, value = "、".join(f"`{o}`" for o in others), "、".join(values)
    texts = {
        "required_if": f"{other} 为 {value} 时 `{field}` 必填", "required_with": f"填写了 {other} 时 `{field}` 必填",
        "required_unless": f"除非 {other} 为 {value}，`{field}` 必填", "one_of": f"`{field}`、{other} 至少填一个",
        "above_zero": f"`{field}` 须大于 0", "not_negative": f"`{field}` 不能为负", "unique": f"`{field}` 在一条报文中不能重复",
        "rows_required": "至少要有一行", "identity_number": f"`{field}` 须通过身份证校验码检查",
    }
    return texts.get(kind, f"`{field}` 受 {other} {value} 约束")


@cache
def _purposes() -> Mapping[str, str]:
    source = files("yibao") / "data" / "interface" / "purposes.csv"
    return {r["infno"]: r["purpose"] for r in csv.DictReader(source.read_text("utf-8").splitlines())}
