"""Look up what fee lines rest on: the region's term and ceiling of each line's own day, and what its own code is worth."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

import msgspec

from yibao.domains.catalogue.model import ItemTerm, Successor
from yibao.domains.catalogue.queries import find_successors, terms_on_days
from yibao.domains.institutions.item_mappings import find_for_lines
from yibao.domains.institutions.mapping_rules import LineMapping, worth_of_line
from yibao.domains.institutions.model import Institution
from yibao.infra.database import Connection
from yibao.kernel.refusal import Fault

_TOLD_CODES_MAX = 5


class LineKey(msgspec.Struct, frozen=True):
    """What of a fee line the look-up needs: national code, own code, and the day whose catalogue counts."""

    item_code: str
    local_code: str
    on: date


class LineFacts(msgspec.Struct, frozen=True):
    """What a line rests on.

    Attributes:
        term: None where the region's catalogue does not hold the item on the line's day.
        mapping: what the own code is worth; ``mapped_to`` is the national code it is mapped to, ``""`` if none.
        successors: what took the place of an item that the catalogue no longer holds.
    """

    term: ItemTerm | None
    mapping: LineMapping
    mapped_to: str = ""
    successors: tuple[Successor, ...] = ()


async def look_up_lines(
    tx: Connection, *, institution: Institution, admdvs: str, lines: Sequence[LineKey]
) -> list[LineFacts]:
    """Look up every line by its own day, in the order of the lines; at most three statements however many lines.

    Args:
        admdvs: pooling region whose catalogue decides (the insured person's).
    """
    terms = await terms_on_days(
        tx, admdvs=admdvs, wanted=((x.item_code, x.on) for x in lines), level=institution.level
    )
    missing = {x.item_code for x in lines if (x.item_code, x.on) not in terms}
    successors = await find_successors(tx, codes=missing) if missing else {}
    mappings, maps_items = await find_for_lines(
        tx, fixmedins_code=institution.fixmedins_code, lines=[(x.local_code, x.item_code, x.on) for x in lines]
    )
    facts = []
    for line, found in zip(lines, mappings, strict=True):
        term = terms.get((line.item_code, line.on))
        worth = worth_of_line(
            found, item_code=line.item_code, is_item_listed=term is not None, has_uploaded=maps_items
        )
        facts.append(LineFacts(
            term, worth, found.med_list_codg if found else "", tuple(successors.get(line.item_code, ()))
        ))
    return facts


def faults_of_lines(
    lines: Sequence[LineKey], facts: Sequence[LineFacts], *, node: str = "feedetail"
) -> list[Fault]:
    """Return why lines cannot be taken: items outside the catalogue, own codes that are mapped to nothing or to
    something else. Only an institution that uploads mappings is held to them."""
    faults = []
    for i, (line, known) in enumerate(zip(lines, facts, strict=True)):
        if known.term is None:
            faults.append(not_in_catalogue(line, known.successors, f"{node}[{i}].med_list_codg"))
        elif known.mapping == "unmatched":
            faults.append(Fault(
                "LOCAL_CODE_UNMAPPED", "院内目录编码没有当日有效的目录对照", f"{node}[{i}].medins_list_codg",
                line.local_code, "请先用3301上传对照，不会按自费处理",
            ))
        elif known.mapping == "differs":
            faults.append(Fault(
                "LOCAL_CODE_MAPPED_ELSEWHERE", f"院内目录编码对照的是{known.mapped_to}，与上传的医疗目录编码不一致",
                f"{node}[{i}].medins_list_codg", line.local_code, "请更正明细，或用3301重新对照",
            ))
    return faults


def not_in_catalogue(line: LineKey, successors: Sequence[Successor], field: str) -> Fault:
    """Return the fault of an item that the catalogue does not hold on the line's day, with its successor if known."""
    remedy = "请核对国家编码；院内自费项目请对照到目录中的自费编码"
    if successors:
        remedy = f"该编码已停用，请改用{named(successors)}并重新对照"
    return Fault(
        "ITEM_NOT_IN_CATALOGUE", f"医疗目录编码不在{line.on}的医保目录中", field, line.item_code, remedy
    )


def named(successors: Sequence[Successor]) -> str:
    """Return successors as text: code and name of each."""
    return "或".join(f"{s.code}【{s.name}】" for s in successors)


def warnings_of_lines(lines: Sequence[LineKey], facts: Sequence[LineFacts]) -> list[str]:
    """Return what the sender should know of lines that are taken: own codes that wait for approval or are not mapped."""
    counts: dict[str, Counter[str]] = {"candidate": Counter(), "unchecked": Counter()}
    for line, known in zip(lines, facts, strict=True):
        if known.mapping in counts:
            counts[known.mapping][line.local_code] += 1
    said = {
        "candidate": "条明细的院内目录编码尚待经办机构审核对照",
        "unchecked": "条明细的院内目录编码未对照，请用3301上传",
    }
    return [
        f"{sum(codes.values())}{said[worth]}（{'、'.join(list(codes)[:_TOLD_CODES_MAX])}"
        f"{'等' if len(codes) > _TOLD_CODES_MAX else ''}）"
        for worth, codes in counts.items() if codes
    ]
