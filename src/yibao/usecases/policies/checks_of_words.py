"""Checks of words: declared and never used, sources nobody can look up, counters that never meet."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches

from yibao.usecases.policies.lawbook import Entry, Lawbook
from yibao.usecases.policies.remarks import HINT, Remark, about, about_section

_NEVER = "never.counted"
_COUNTERS = ("counter", "paid_counter")
_DIMENSIONS = {
    "person_classes": ("person",),
    "diseases": ("disease", "recognised_all"),
    "traits": ("trait",),
    "identities": ("identity",),
}
_NAMES = {"person_classes": "人员类别", "diseases": "病种组", "traits": "机构特征", "identities": "特殊身份"}


def check_words(book: Lawbook) -> Iterator[Remark]:
    """Yield what is odd about the words the rows use."""
    yield from _unused(book)
    yield from _sources(book)
    yield from _counters(book)


def _unused(book: Lawbook) -> Iterator[Remark]:
    for section, dimensions in _DIMENSIONS.items():
        used = {word for entry in book.entries for d in dimensions for word in entry.codes(d) or ()}
        for document in book.documents.values():
            for word in document.get(section, {}):
                if word not in used:
                    only = "，只用来确认有待遇资格" if section == "person_classes" else ""
                    yield about_section(
                        book, section, word, kind="unused_word",
                        message=f"声明了{_NAMES[section]} {word}，没有一行以它为条件{only}",
                        proposal=f"在需要的行写 when = {{ {dimensions[0]} = \"{word}\" }}，或删去这一声明",
                    )  # fmt: skip
    benefits = {entry.row.word for entry in book.of("benefit")}
    for entry in book.of("benefit"):
        if not any((other.codes("benefit") or frozenset()) & {entry.row.word} for other in book.entries):
            others = "、".join(sorted(benefits - {entry.row.word}))
            yield about(
                book, entry, kind="unused_word", field="value", weight=HINT,
                message=f"待遇 {entry.row.word} 没有任何一行专门规定，全部取通用的取值",
                proposal=f"核对代码是否写错（其他待遇：{others}），或补上它的取值",
            )  # fmt: skip


def _sources(book: Lawbook) -> Iterator[Remark]:
    used = {str(entry.fields.get("source", "")) for entry in book.entries}
    for document in book.documents.values():
        for key, source in document.get("sources", {}).items():
            if key not in used:
                yield about_section(
                    book, "sources", key, kind="unused_source",
                    message=f"来源 {key} 没有一行引用",
                    proposal=f'在出自它的行写 source = "{key}"，或删去这一来源',
                )  # fmt: skip
            lacking = [field for field in ("where", "reliability") if not source.get(field)]
            if lacking:
                yield about_section(
                    book, "sources", key, kind="vague_source",
                    message=f"来源 {key} 没有写明 {'、'.join(lacking)}，无从核对",
                    proposal=f'补上 {lacking[0]} = "{"网址或文号" if lacking[0] == "where" else "H、M 或 L"}"',
                )  # fmt: skip


def _counters(book: Lawbook) -> Iterator[Remark]:
    """Counters that look like another one misspelt, or are kept over two windows."""
    first: dict[str, Entry] = {}
    uses: dict[str, int] = {}
    for entry in book.entries:
        for field in _COUNTERS:
            code = str(entry.fields.get(field, ""))
            if not code or code == _NEVER:
                continue
            uses[code] = uses.get(code, 0) + 1
            earlier = first.setdefault(code, entry)
            yield from _meet(book, earlier, entry, code, field)
    for code, entry in first.items():
        for near in get_close_matches(code, [c for c in first if c != code], 1, 0.93):
            if uses[code] <= uses[near] and first[near] is not entry:
                field = next(f for f in _COUNTERS if entry.fields.get(f) == code)
                yield about(
                    book, entry, kind="odd_counter", field=field,
                    message=f"计数 {code} 只在此处读写，与 {near} 只差几个字，两者不会合并累计",
                    proposal=f'{field} = "{near}"；确为两个计数的，换一个不易混淆的名称',
                )  # fmt: skip


def _meet(book: Lawbook, earlier: Entry, entry: Entry, code: str, field: str) -> Iterator[Remark]:
    mine, theirs = str(entry.fields.get("window", "year")), str(earlier.fields.get("window", "year"))
    if mine != theirs:
        yield about(
            book, entry, kind="odd_counter", field="window" if "window" in entry.fields else field,
            message=f"计数 {code} 在 {earlier.row.used.rule} 按 {theirs} 累计，在本行按 {mine} 累计，读到的不是同一个数",
            proposal=f'window = "{theirs}"，或改用另一个计数名',
        )  # fmt: skip
