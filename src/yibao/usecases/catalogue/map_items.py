"""Map an institution's own items to the national codes, or take a mapping back (3301, 3302).

A mapping whose code, name and unit agree with the national list is approved at once; any other is a proposal
that the agency decides on (``decide_mapping``). Until then what was approved before goes on holding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from yibao.domains.catalogue.model import CatalogueItem, Successor
from yibao.domains.catalogue.queries import find_items, find_successors
from yibao.domains.institutions.item_mappings import ItemMapping, add_mappings, find_known, withdraw_mapping
from yibao.domains.institutions.mapping_rules import AUTO, Official, doubts_of
from yibao.domains.institutions.model import Institution
from yibao.infra.database import Connection
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.catalogue.look_up_lines import named

MAPPINGS_MAX = 1000
_AGREED_STATES = frozenset({"approved", "superseded"})


class Mapped(msgspec.Struct, frozen=True):
    """What became of an upload: the mappings as they were written, approved or proposed."""

    mappings: tuple[ItemMapping, ...]

    @property
    def waiting(self) -> tuple[ItemMapping, ...]:
        """Return those that the agency must decide on."""
        return tuple(m for m in self.mappings if m.state == "proposed")


async def map_items(
    tx: Connection, *, institution: Institution, mappings: Sequence[ItemMapping], upload_id: str
) -> Mapped | Refusal:
    """Write mappings of own items to national codes: all of them, or none with every fault named.

    Nothing is overwritten: where a new mapping of an own item is approved, the one before it ends the day before.

    Args:
        upload_id: id of this upload; each mapping's own id is made of it.
    """
    if len(mappings) > MAPPINGS_MAX:
        return refuse("TOO_MANY_MAPPINGS", f"一次最多上传{MAPPINGS_MAX}条对照", field="data",
                      received=str(len(mappings)), remedy="请分批上传")
    codes = [mapping.med_list_codg for mapping in mappings]
    items = await find_items(tx, codes=codes)
    successors = await find_successors(tx, codes=codes)
    faults = tuple(_faults(mappings, items, successors))
    if faults:
        return Refusal(faults)
    known = await find_known(
        tx, fixmedins_code=institution.fixmedins_code, keys=[(m.list_type, m.medins_list_codg) for m in mappings]
    )
    written = []
    for index, mapping in enumerate(mappings):
        before = known.get((mapping.list_type, mapping.medins_list_codg), [])
        judged = _judged(mapping, items[mapping.med_list_codg], before, mapping_id=f"{upload_id}{index:04d}")
        written.append((len(before) + 1, judged))
    await add_mappings(tx, written, fixmedins_code=institution.fixmedins_code, admdvs=institution.region)
    return Mapped(tuple(mapping for _, mapping in written))


async def unmap_item(
    tx: Connection, *, institution: Institution, fixmedins_code: str, list_type: str,
    medins_list_codg: str, med_list_codg: str, now: datetime,
) -> Refusal | None:
    """Take a mapping back; only the institution's own, and only one that is there."""
    if fixmedins_code != institution.fixmedins_code:
        return refuse(
            "NOT_OWN_MAPPING", "只能撤销本机构的目录对照", field="data.fixmedins_code",
            received=fixmedins_code, remedy="请填写本机构的定点医药机构编号",
        )
    was_there = await withdraw_mapping(
        tx, fixmedins_code=fixmedins_code, list_type=list_type,
        medins_list_codg=medins_list_codg, med_list_codg=med_list_codg, at=now,
    )
    if was_there:
        return None
    return refuse(
        "MAPPING_NOT_FOUND", "没有这条目录对照", field="data.fixmedins_hilist_id",
        received=f"{list_type} {medins_list_codg} {med_list_codg}", remedy="请用1317查询本机构的对照后再撤销",
    )


def _judged(
    mapping: ItemMapping, item: CatalogueItem, before: Sequence[ItemMapping], *, mapping_id: str
) -> ItemMapping:
    """Return the mapping as it is written: approved at once where nothing is doubtful or the same was approved before."""
    unit = mapping.detail.get("prcunt", "")
    doubts = doubts_of(
        name=mapping.name, unit=unit, approval_no=mapping.detail.get("aprvno", ""),
        official=Official(item.name, item.unit, item.approval_no),
    )
    was_agreed = any(
        b.state in _AGREED_STATES and b.mapping_id and (b.med_list_codg, b.name, b.detail.get("prcunt", ""))
        == (mapping.med_list_codg, mapping.name, unit)
        for b in before
    )
    if doubts and not was_agreed:
        return msgspec.structs.replace(mapping, state="proposed", mapping_id=mapping_id, doubts=doubts)
    return msgspec.structs.replace(mapping, state="approved", mapping_id=mapping_id, decided_by=AUTO)


def _faults(
    mappings: Sequence[ItemMapping], items: Mapping[str, CatalogueItem],
    successors: Mapping[str, Sequence[Successor]],
) -> Iterator[Fault]:
    seen: dict[tuple[str, str], int] = {}
    for index, mapping in enumerate(mappings):
        path = f"data[{index}]"
        first = seen.setdefault((mapping.list_type, mapping.medins_list_codg), index)
        if first != index:
            yield Fault(
                "MAPPING_TWICE", f"同一机构目录编号在data[{first}]已出现", f"{path}.fixmedins_hilist_id",
                mapping.medins_list_codg, "请删去其中一行",
            )
        if mapping.valid_to < mapping.valid_from:
            yield Fault(
                "PERIOD_REVERSED", "结束日期早于开始日期", f"{path}.enddate", f"{mapping.valid_to}", "请更正日期",
            )
        fault = item_fault(
            mapping, items.get(mapping.med_list_codg), successors.get(mapping.med_list_codg, ()), path
        )
        if fault is not None:
            yield fault


def item_fault(
    mapping: ItemMapping, item: CatalogueItem | None, successors: Sequence[Successor], path: str
) -> Fault | None:
    """Return why a mapping cannot point to its national code, None if it can."""
    if item is None:
        return Fault(
            "ITEM_NOT_IN_CATALOGUE", "医疗目录编码不在国家目录内", f"{path}.med_list_codg",
            mapping.med_list_codg, "请先下载最新目录并更正编码",
        )
    if item.list_type != mapping.list_type:
        return Fault(
            "LIST_TYPE_DIFFERS", f"目录类别与编码不符，【{item.name}】的目录类别为{item.list_type}",
            f"{path}.list_type", mapping.list_type, "请更正目录类别或编码",
        )
    if item.valid_to is not None and item.valid_to <= mapping.valid_from:
        return Fault(
            "ITEM_NO_LONGER_VALID", f"【{item.name}】自{item.valid_to}起不在目录内", f"{path}.begndate",
            f"{mapping.valid_from}", f"请对照到{named(successors)}" if successors else "请对照到现行编码",
        )
    return None
