"""Describe a region's law as a page: tables by benefit with value, period, clause, source and mark, and charts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date

import msgspec

from yibao.kernel.money import yuan_text
from yibao.policy.explain import WEAK_NOTE, is_weak, mark_text
from yibao.policy.law.keys import KINDS
from yibao.usecases.policies.draw_shares import draw_shares
from yibao.usecases.policies.lawbook import Entry, Lawbook
from yibao.usecases.policies.who_pays import PAYERS, SHOWN, Picture, picture
from yibao.usecases.policies.wording import value_text

_HEADS = ("规则", "参数", "适用", "值", "起", "止", "条款", "来源", "标记")
_RECKONED = ("reckoning", "index")
_BY_ONE = "yibao policy pages"
_REMARK = "<!-- 由 `yibao policy pages` 生成，改动请写在政策文件里。 -->"


class Page(msgspec.Struct, frozen=True):
    """A region's page and what it shows.

    Attributes:
        admdvs: the region.
        name: its Chinese name.
        text: the page, Markdown.
        charts: file name to SVG text, beside the page.
    """

    admdvs: str
    name: str
    text: str
    charts: Mapping[str, str]


def describe_policy(book: Lawbook, *, on: date, served: bool) -> Page:
    """Return the page of a region.

    Args:
        on: the charts show the law of this day, or of the last one before on which a benefit had law.
        served: whether the platform settles by this law, or keeps it as a sample.
    """
    policy = book.policy
    charts: dict[str, str] = {}
    parts = [_head(book, on, served=served)]
    for benefit, title in _benefits(book).items():
        parts.append(_benefit_section(book, benefit, title, on, charts))
    rest = [e for e in book.entries if not e.codes("benefit") and e.row.key != "benefit"]
    bills = [e for e in rest if KINDS[e.row.key].place not in _RECKONED]
    reckoned = [e for e in rest if KINDS[e.row.key].place in _RECKONED]
    if bills:
        parts.append("## 各待遇通用\n\n" + _table(bills))
    if reckoned:
        parts.append("## 筹资、账户、津贴与等待期\n\n" + _table(reckoned))
    parts.append(_sources(book))
    return Page(policy.admdvs, policy.name, "\n\n".join(parts) + "\n", charts)


def describe_all(pages: list[tuple[Page, bool]], *, on: date) -> str:
    """Return the list of all pages, which also says by the law of which day the charts are drawn."""
    lines = [
        _REMARK, "", "# 各统筹区的政策", "",
        f"由政策文件生成（`{_BY_ONE} --on {on}`）：每个取值的起止、条款、来源和标记，以及各级医疗机构谁付多少的图。",
        f"† 表示{WEAK_NOTE}：取值为假定，或来源可靠性低。", "",
        "| 代码 | 统筹区 | 结算 |", "|---|---|---|",
    ]  # fmt: skip
    for page, served in pages:
        lines.append(f"| [{page.admdvs}]({page.admdvs}.md) | {page.name} | {'开通' if served else '仅为样例，不结算'} |")
    return "\n".join(lines) + "\n"


def _head(book: Lawbook, on: date, *, served: bool) -> str:
    policy = book.policy
    weak = sum(is_weak(e.row.used) for e in book.entries)
    lines = [
        _REMARK, "", f"# {policy.name}（{policy.admdvs}）", "",
        f"共 {len(book.entries)} 个取值，版本 `{policy.version[:12]}`；其中 {weak} 个标有 †：{WEAK_NOTE}"
        "（取值为假定，或来源可靠性低）。图按 " + f"{on} 的规定绘制，该日已无规定的，按此前最后的规定。",
    ]  # fmt: skip
    if not served:
        lines += ["", "本地区只是样例，平台不按它结算。"]
    return "\n".join(lines)


def _benefits(book: Lawbook) -> dict[str, str]:
    """Return every benefit's code and Chinese title, in the order of the files."""
    found: dict[str, str] = {}
    for entry in sorted(book.of("benefit"), key=lambda e: (e.file, e.line)):
        found.setdefault(entry.row.word, str(entry.row.extra.get("title", entry.row.word)))
    return found


def _benefit_section(book: Lawbook, benefit: str, title: str, on: date, charts: dict[str, str]) -> str:
    rows = [
        e for e in book.entries
        if benefit in (e.codes("benefit") or ()) or (e.row.key == "benefit" and e.row.word == benefit)
    ]  # fmt: skip
    parts = [f"## {title}"]
    for shown in _pictures(book, benefit, on):
        file = f"{book.policy.admdvs}-{benefit}-{shown.insutype}.svg"
        charts[file] = draw_shares(shown, region=book.policy.name)
        parts += [f"![{shown.title}：谁付多少]({file})", _numbers(shown)]
    return "\n\n".join([*parts, _table(rows)])


def _pictures(book: Lawbook, benefit: str, on: date) -> Iterator[Picture]:
    """Yield a picture for each insurance; where two insurances pay alike only the first."""
    insutypes = sorted({i for e in book.of("benefit") if e.row.word == benefit for i in e.codes("insutype") or ()})
    seen: list[Picture] = []
    for insutype in insutypes:
        shown = picture(book, insutype, benefit, on=on)
        if shown is not None and shown.curves not in [p.curves for p in seen]:
            seen.append(shown)
            yield shown


def _numbers(shown: Picture) -> str:
    """Return what each payer pays of a few bills, in yuan."""
    lines = [
        f"{shown.title}，{shown.person}，{shown.day} 的规定，本年首次就诊，政策范围内费用（元）：", "",
        "| 医疗机构 | 付费方 | " + " | ".join(_whole(bill) for bill in SHOWN) + " |",
        "|---|---|" + "---:|" * len(SHOWN),
    ]  # fmt: skip
    for curve in shown.curves:
        for payer in (p for p in PAYERS if p in curve.numbers):
            paid = " | ".join(yuan_text(amount) for amount in curve.numbers[payer])
            lines.append(f"| {curve.label.removesuffix('医疗机构') or '各级'} | {PAYERS[payer]} | {paid} |")
    return "\n".join(lines)


def _table(entries: list[Entry]) -> str:
    lines = ["| " + " | ".join(_HEADS) + " |", "|" + "---|" * len(_HEADS)]
    for entry in sorted(entries, key=lambda e: (e.file, e.line, e.row.place)):
        used = entry.row.used
        source = str(entry.fields.get("source", ""))
        cells = (
            used.rule, used.name, used.condition or "全部", value_text(entry) + (" †" if is_weak(used) else ""), str(entry.start),
            str(entry.row.valid_to or ""), used.clause, f"[{source}](#来源)" if source else "", mark_text(used),
        )  # fmt: skip
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _sources(book: Lawbook) -> str:
    lines = ["## 来源", "", "| 代号 | 标题 | 出处 | 可靠性 |", "|---|---|---|---|"]
    for file in sorted(book.documents):
        for key, source in book.documents[file].get("sources", {}).items():
            cells = [key, *(str(source.get(name, "")) for name in ("title", "where", "reliability"))]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def _whole(fen: int) -> str:
    return f"{fen // 100:,}".replace(",", " ")
