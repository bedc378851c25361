"""Reads a region's policy files (TOML text) into its compiled policy; collects every fault before it complains."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Mapping
from typing import Any

from yibao.policy.law.arranging import arrange
from yibao.policy.law.checks import check_rows
from yibao.policy.law.conditions import Words
from yibao.policy.law.faults import BadPolicy, Findings, PolicyFault
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.law.positions import locate_faults
from yibao.policy.law.rows import RowReader

__all__ = ["BadPolicy", "PolicyFault", "load_policy"]

_FORMAT = 1
_SECTIONS = ("person_classes", "diseases", "traits", "identities", "sources")
_TOP = {"format", "admdvs", "region", "title", "parameter", *_SECTIONS}

_PREFIXES = (2, 4)
"""Lengths of ``psn_type`` prefixes that a person class may name; the longest that fits wins."""

Documents = dict[str, dict[str, Any]]


def load_policy(files: Mapping[str, str]) -> RegionPolicy:
    """Compile the policy files of one region.

    Args:
        files: file name to its text. Read in the order of the names; together they are one policy.

    Raises:
        BadPolicy: with every fault found: file, rule, field, and what to do.
    """
    findings = Findings()
    documents = _parse(files, findings)
    admdvs, name = _identity(documents, findings)
    words = _words(documents, findings)
    reader = RowReader(_sources(documents, findings), words, findings)
    rows = tuple(row for file, document in documents.items() for row in reader.read(file, document))
    check_rows(rows, findings)
    if findings.faults:
        raise BadPolicy(locate_faults(findings.faults, files))
    starts, laws = arrange(rows)
    return RegionPolicy(
        admdvs=admdvs,
        name=name,
        version=_version(documents),
        words=words,
        person_classes={digits: word for word, codes in words.persons.items() for digits in codes},
        rows=rows,
        starts=starts,
        laws=laws,
    )


def _parse(files: Mapping[str, str], findings: Findings) -> Documents:
    documents: Documents = {}
    if not files:
        findings.add("", "", "", "没有任何政策文件")
    for file in sorted(files):
        try:
            documents[file] = tomllib.loads(files[file])
        except tomllib.TOMLDecodeError as error:
            findings.add(file, "", "", f"不是有效的 TOML（{error}），请按提示的行号修改")
    return documents


def _identity(documents: Documents, findings: Findings) -> tuple[str, str]:
    places: set[str] = set()
    names: list[str] = []
    for file, document in documents.items():
        for unknown in sorted(set(document) - _TOP):
            findings.add(file, "", unknown, f"不认识的顶层字段；可用：{', '.join(sorted(_TOP))}")
        if document.get("format") != _FORMAT:
            findings.add(file, "", "format", f"应为 {_FORMAT}，收到 {document.get('format')!r}")
        place = document.get("admdvs")
        if not isinstance(place, str) or len(place) != 6 or not place.isdigit():
            findings.add(file, "", "admdvs", f"应为 6 位区划代码文本，收到 {place!r}")
        else:
            places.add(place)
        if "region" in document:
            names.append(str(document["region"]))
    if len(places) > 1:
        findings.add("", "", "admdvs", f"一次只能载入一个统筹区，收到 {', '.join(sorted(places))}")
    if len(names) != 1 or not names[0]:
        findings.add("", "", "region", "统筹区名称应在且只在一个文件中以 region 写明")
    return (min(places) if places else ""), (names[0] if names else "")


def _words(documents: Documents, findings: Findings) -> Words:
    persons: dict[str, tuple[str, ...]] = {}
    diseases: dict[str, tuple[str, ...]] = {}
    names: dict[str, str] = {}
    for file, document in documents.items():
        for section, field, found in (
            ("person_classes", "psn_type", persons),
            ("diseases", "codes", diseases),
        ):
            kind = "person" if section == "person_classes" else "disease"
            for word, value in findings.table(file, "", section, document.get(section, {})).items():
                entry = findings.table(file, "", f"{section}.{word}", value)
                found[word] = _codes(file, f"{section}.{word}.{field}", entry.get(field), findings)
                names[f"{kind}.{word}"] = str(entry.get("name", word))
        for section, kind in (("traits", "trait"), ("identities", "identity")):
            entries = findings.table(file, "", section, document.get(section, {}))
            names.update({f"{kind}.{word}": str(value) for word, value in entries.items()})
        names.update(_named_by_parameters(document))
    _check_person_codes(persons, findings)
    return Words(persons, diseases, names)


def _named_by_parameters(document: Mapping[str, Any]) -> dict[str, str]:
    """Return the Chinese names of layers and indexes, which other rows speak of; malformed rows are passed over."""
    names: dict[str, str] = {}
    blocks = document.get("parameter", [])
    for block in blocks if isinstance(blocks, list) else []:
        if not isinstance(block, dict) or block.get("key") not in ("layer", "index"):
            continue
        rows = block.get("rows")
        for row in rows if isinstance(rows, list) else []:
            entry = {**block, **row} if isinstance(row, dict) else block
            layer = entry["key"] == "layer"
            word, name = (entry.get("value"), entry.get("title")) if layer else (entry.get("index"), None)
            name = name or entry.get("name")
            if isinstance(word, str) and isinstance(name, str):
                names.setdefault(f"{entry['key']}.{word}", name)
    return names


def _codes(file: str, field: str, value: object, findings: Findings) -> tuple[str, ...]:
    if not isinstance(value, list) or not value or not all(isinstance(code, str) for code in value):
        findings.add(file, "", field, f"应为非空文本列表，收到 {value!r}")
        return ()
    return tuple(value)


def _check_person_codes(persons: Mapping[str, tuple[str, ...]], findings: Findings) -> None:
    owner: dict[str, str] = {}
    for word, codes in persons.items():
        for code in codes:
            field = f"person_classes.{word}.psn_type"
            if len(code) not in _PREFIXES or not code.isdigit():
                findings.add("", "", field, f"人员类别应写人员类别代码的前两位或四位数字，收到 {code!r}")
            if code in owner:
                findings.add("", "", field, f"{code} 已属于 {owner[code]}，一个代码只能属于一类人员")
            owner[code] = word


def _sources(documents: Documents, findings: Findings) -> dict[str, dict[str, str]]:
    sources: dict[str, dict[str, str]] = {}
    for file, document in documents.items():
        for key, value in findings.table(file, "", "sources", document.get("sources", {})).items():
            entry = findings.table(file, "", f"sources.{key}", value)
            sources[key] = {field: str(text) for field, text in entry.items()}
            if not sources[key].get("title"):
                findings.add(file, "", f"sources.{key}.title", "来源须有标题")
    return sources


def _version(documents: Documents) -> str:
    """Return the digest of the files' content without comments and layout: only a change of law changes it."""
    content = json.dumps(documents, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(content.encode()).hexdigest()
