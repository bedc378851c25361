"""Reads the text of a plan (TOML) into facts; collects every fault with its line before it complains. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from yibao.domains.windows.lines import Lines
from yibao.domains.windows.model import (
    AFTER,
    DISPOSITIONS,
    STAGES,
    Asked,
    Channel,
    Hotline,
    Plan,
    Register,
    Rule,
    Sample,
    Selector,
    Stage,
    Track,
)
from yibao.domains.windows.tables import books, businesses, channels, families, terms, ways
from yibao.domains.windows.terms import Terms, read_term
from yibao.domains.windows.words import TO_BE_ANNOUNCED, read_instant
from yibao.kernel.business_time import SHANGHAI
from yibao.kernel.refusal import Fault, Refusal

_FORMAT = 1
_BAD = "PLAN_NOT_READABLE"
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_REGION = re.compile(r"\d{6}")
_SYNTAX = re.compile(r"at line (\d+)")
_BLOCKS = ("track", "rule", "hotline", "register", "channel", "stage", "sample")
_TOP = {"format", "name", "admdvs", "title", "version", "published_by", "source", "announced_on", "amends", "reason",
        "systems", *_BLOCKS}
PLACES = ("local", "province", "cross")
INSTITUTIONS = ("hospital", "pharmacy")
PAYERS = ("unit", "person", "household")
VISIT_CLASSES = ("outpatient", "chronic", "inpatient", "maternity", "drug")
POSITIONS = tuple(f"P{n}" for n in range(1, 10))
PHASES = (*STAGES, AFTER)
MARKS = ("notice", "assumed")


def read_plan(text: str) -> Plan | Refusal:
    """Return the plan of a text, or all faults: what is not known, missing or of the wrong type, each with its line.

    What the plan means (gaps, overlaps, conflicts) is the check's affair, see ``checking``.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = _SYNTAX.search(str(error))
        where = f"第 {line[1]} 行" if line else "文件末尾"
        return Refusal((Fault(_BAD, f"不是有效的 TOML（{error}）", where, "", "请按提示的行号修改"),))
    reader = _Reader(document, Lines(text))
    plan = reader.plan()
    return Refusal(tuple(reader.faults)) if reader.faults else plan


class _Block:
    """One table of the document, whose keys are taken one by one; what is left over is not known."""

    def __init__(self, reader: _Reader, kind: str, ordinal: int, table: Mapping[str, Any]) -> None:
        self._reader, self.kind, self.ordinal = reader, kind, ordinal
        self._table, self._taken = table, set[str]()
        self.name = str(table.get("id") or table.get("code") or table.get("name") or table.get("kind") or "")

    def fault(self, key: str, reason: str, received: object = "", remedy: str = "") -> None:
        """Note a fault at a key."""
        line = self._reader.lines.of(self.kind, self.ordinal, key)
        block = f" [[{self.kind}]] {self.name}".rstrip() if self.kind else ""
        where = f"第 {line} 行{block} {key}".rstrip()
        self._reader.faults.append(Fault(_BAD, reason, where, str(received), remedy))

    def raw(self, key: str) -> Any:
        """Return a value as TOML has it; a dotted key is taken from its sub-table."""
        self._taken.add(key)
        value: Any = self._table
        for part in key.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        return value

    def text(self, key: str, *, required: bool = False, allowed: tuple[str, ...] | None = None) -> str:
        """Return a text, ``""`` where there is none."""
        value = self.raw(key)
        if value is None:
            if required:
                self.fault(key, "缺少必填项", remedy="请补上")
            return ""
        if not isinstance(value, str):
            self.fault(key, "应为文字", value)
            return ""
        if allowed is not None and value not in allowed:
            self.fault(key, "不认识的取值", value, f"可用：{'、'.join(allowed)}")
        return value

    def words(self, key: str, *, allowed: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return a list of texts, () where there is none."""
        value = self.raw(key)
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
            self.fault(key, "应为文字的列表", value)
            return ()
        for unknown in [v for v in value if allowed is not None and v not in allowed]:
            self.fault(key, "不认识的取值", unknown, f"可用：{'、'.join(allowed or ())}")
        return tuple(value)

    def business(self, key: str) -> tuple[str, ...]:
        """Return codes of businesses; the name of a family stands for all of it, ``-code`` takes one out again."""
        found: dict[str, None] = {}
        for word in self.words(key):
            plain = word.removeprefix("-")
            members = families().get(plain, (plain,) if plain in businesses() else ())
            if not members:
                self.fault(key, "没有这项业务", word, "请用 data/windows/businesses.csv 中的代码或轨道名")
            for member in members:
                found.pop(member, None) if word.startswith("-") else found.setdefault(member)
        return tuple(found)

    def whole(self, key: str, default: int | None = None) -> int | None:
        """Return a whole number."""
        value = self.raw(key)
        if value is None:
            return default
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            self.fault(key, "应为不小于 0 的整数", value)
            return default
        return value

    def flag(self, key: str) -> bool | None:
        """Return a truth value, None where there is none."""
        value = self.raw(key)
        if value is not None and not isinstance(value, bool):
            self.fault(key, "应为 true 或 false", value)
            return None
        return value

    def instant(self, key: str, *, required: bool = False, may_be_announced: bool = False) -> datetime | None:
        """Return an instant; ``待公告`` where it may be announced later is None."""
        value = self.raw(key)
        if value is None and not required:
            return None
        if may_be_announced and value == TO_BE_ANNOUNCED:
            return None
        found = value.replace(tzinfo=SHANGHAI) if isinstance(value, datetime) else read_instant(str(value))
        if found is None:
            also = f"，或 {TO_BE_ANNOUNCED}" if may_be_announced else ""
            self.fault(key, "应为时间" if value is not None else "缺少必填项", value or "",
                       f"请写成 2021-10-18 24:00 的样子{also}")
        return found

    def end(self) -> None:
        """Complain about keys that nobody took."""
        known = {key.split(".")[0] for key in self._taken}
        for key in self._table.keys() - known:
            self.fault(key, "不认识的字段", remedy=f"可用：{'、'.join(sorted(self._taken))}")
        for key, inner in self._table.items():
            if isinstance(inner, Mapping) and key != "terms":
                for unknown in [k for k in inner if f"{key}.{k}" not in self._taken]:
                    self.fault(f"{key}.{unknown}", "不认识的字段")


class _Reader:
    """Reads the document block by block."""

    def __init__(self, document: Mapping[str, Any], lines: Lines) -> None:
        self._document, self.lines = document, lines
        self.faults: list[Fault] = []

    def plan(self) -> Plan:
        """Return the plan; it counts only while there are no faults."""
        top = _Block(self, "", 0, self._document)
        for unknown in self._document.keys() - _TOP:
            top.fault(unknown, "不认识的顶层字段", remedy=f"可用：{'、'.join(sorted(_TOP))}")
        if top.raw("format") != _FORMAT:
            top.fault("format", "不认识的格式", top.raw("format"), f"请写 format = {_FORMAT}")
        name, admdvs = top.text("name", required=True), top.text("admdvs", required=True)
        if name and not _NAME.fullmatch(name):
            top.fault("name", "名称由小写字母、数字和短横组成", name)
        if admdvs and not _REGION.fullmatch(admdvs):
            top.fault("admdvs", "区划为 6 位数字", admdvs)
        rules = self._each("rule", self._rule)
        return Plan(
            name=name, admdvs=admdvs, title=top.text("title", required=True), version=top.whole("version", 1) or 0,
            published_by=top.text("published_by", required=True), source=top.text("source", required=True),
            tracks=self._each("track", _track), rules=rules, hotlines=self._each("hotline", _hotline),
            registers=self._each("register", _register), channels=self._each("channel", _channel),
            stages=self._each("stage", _stage), systems=top.words("systems"),
            snapshot=tuple({b: None for r in rules if r.terms.get("snapshot") for b in r.when.business}),
            announced_on=top.text("announced_on"), amends=top.whole("amends", 0) or 0, reason=top.text("reason"),
            samples=self._each("sample", lambda block: _sample(block, admdvs)),
        )

    def _each(self, kind: str, read: Callable[[_Block], Any]) -> tuple[Any, ...]:
        tables = self._document.get(kind, [])
        if not isinstance(tables, list) or not all(isinstance(t, Mapping) for t in tables):
            self.faults.append(Fault(_BAD, f"应写成 [[{kind}]]", f"第 {self.lines.of('', 0, kind)} 行"))
            return ()
        found, seen = [], set[str]()
        for ordinal, table in enumerate(tables):
            block = _Block(self, kind, ordinal, table)
            if block.name in seen and block.name:
                block.fault("", f"{block.name} 出现了两次", remedy="请改名或合并")
            seen.add(block.name)
            found.append(read(block))
            block.end()
        return tuple(found)

    def _rule(self, block: _Block) -> Rule:
        disposition = block.text("disposition", required=True, allowed=tuple(DISPOSITIONS))
        return Rule(
            id=block.text("id", required=True), disposition=disposition, when=_selector(block),
            phase=block.words("phase", allowed=PHASES), says=block.text("says", required=True),
            sentence=block.words("sentence"), begin=block.instant("begin"), end=block.instant("end"),
            terms=_terms(block, disposition), says_employer=block.text("says_employer"),
            says_institution=block.text("says_institution"), mark=block.text("mark", allowed=MARKS) or MARKS[0],
        )


def _selector(block: _Block) -> Selector:
    for transaction in block.words("when.transaction"):
        if ("transaction", transaction) not in ways():
            block.fault("when.transaction", "接口没有这个交易", transaction, "请核对交易编号")
    for county in block.words("when.county"):
        if not _REGION.fullmatch(county):
            block.fault("when.county", "区划为 6 位数字", county)
    return Selector(
        business=block.business("when.business"), transaction=block.words("when.transaction"),
        channel=block.words("when.channel"), insutype=block.words("when.insutype"),
        psn_type=block.words("when.psn_type"), place=block.words("when.place", allowed=PLACES),
        institution=block.words("when.institution", allowed=INSTITUTIONS),
        visit_class=block.words("when.visit_class", allowed=VISIT_CLASSES),
        position=block.words("when.position", allowed=POSITIONS), cause=block.words("when.cause"),
        county=block.words("when.county"), payer=block.words("when.payer", allowed=PAYERS),
        urgent=block.flag("when.urgent"), amount_from_fen=block.whole("when.amount_from_fen"),
        amount_to_fen=block.whole("when.amount_to_fen"),
    )


def _terms(block: _Block, disposition: str) -> Terms:
    value = block.raw("terms")
    if value is None or disposition not in DISPOSITIONS:
        return {}
    if not isinstance(value, Mapping):
        block.fault("terms", "应写成 terms.名称 = 值", value)
        return {}
    found: dict[str, str | int | bool | tuple[str, ...]] = {}
    for name, said in value.items():
        known = terms().get((disposition, name)) or terms().get(("*", name))
        if known is None:
            able = sorted({t for d, t in terms() if d in (disposition, "*")})
            block.fault(f"terms.{name}", "这种处置方式没有这个条件", remedy=f"可用：{'、'.join(able)}")
            continue
        read = read_term(known, said)
        if isinstance(read, Fault):
            block.fault(f"terms.{name}", read.reason, said, read.remedy)
        else:
            found[name] = read
    return found


def _track(block: _Block) -> Track:
    stop = block.instant("stop", required=True)
    return Track(
        code=block.text("code", required=True), title=block.text("title", required=True),
        stop=stop or datetime.max.replace(tzinfo=SHANGHAI),
        restart=block.instant("restart", required=True, may_be_announced=True), business=block.business("business"),
        stop_says=block.text("stop_says"), restart_says=block.text("restart_says"), expected=block.instant("expected"),
        last_call=block.instant("last_call"), drain=block.instant("drain"), normal=block.instant("normal"),
    )


def _hotline(block: _Block) -> Hotline:
    return Hotline(title=block.text("title", required=True), phone=block.text("phone", required=True),
                   business=block.business("business"), county=block.words("county"))


def _register(block: _Block) -> Register:
    return Register(
        kind=block.text("kind", required=True, allowed=tuple(books())), title=block.text("title", required=True),
        keeper=block.text("keeper", allowed=("agency", "institution")), answer_within=block.text("answer_within"),
        sentence=block.words("sentence"),
    )


def _channel(block: _Block) -> Channel:
    code = block.text("code", required=True)
    is_ours = block.flag("is_ours") is not False
    if is_ours and code not in channels():
        block.fault("code", "没有这个渠道", code, f"可用：{'、'.join(channels())}；外单位的渠道请写 is_ours = false")
    return Channel(code=code, title=block.text("title", required=True), track=block.text("track"),
                   successor=block.text("successor"), is_ours=is_ours)


def _stage(block: _Block) -> Stage:
    return Stage(
        ordinal=block.whole("ordinal", 0) or 0, title=block.text("title", required=True),
        business=block.business("business"), institutions=block.words("institutions"), opens=block.instant("opens"),
        error_rate=block.whole("error_rate"), minutes=block.whole("minutes", 30) or 30,
        least=block.whole("least", 20) or 20,
    )


def _sample(block: _Block, admdvs: str) -> Sample:
    begin = block.instant("begin", required=True)
    known = {f.name for f in msgspec.structs.fields(Asked)} - {"admdvs", "business", "channel", "urgent", "amount_fen"}
    facts = {name: block.text(f"asked.{name}") for name in sorted(known)}
    business = block.text("asked.business", required=True, allowed=tuple(businesses()))
    asked = Asked(
        business=business, admdvs=admdvs, channel=block.text("asked.channel", required=True),
        urgent=block.flag("asked.urgent") is True, amount_fen=block.whole("asked.amount_fen"), **facts,
    )
    return Sample(
        name=block.text("name", required=True), psn=block.text("psn"), end=block.instant("end"), asked=asked,
        begin=begin or datetime.max.replace(tzinfo=SHANGHAI), is_filed=block.flag("is_filed") is True,
        can_end=block.flag("can_end") is True,
    )
