"""Map an institution's own items to the national codes, or take a mapping back (3301, 3302)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from yibao.domains.catalogue.model import CatalogueItem
from yibao.domains.catalogue.queries import find_items
from yibao.domains.institutions.item_mappings import ItemMapping, put_mappings, remove_mapping
from yibao.domains.institutions.model import Institution
from yibao.infra.database import Connection
from yibao.kernel.refusal import Fault, Refusal, refuse


async def map_items(
    tx: Connection, *, institution: Institution, mappings: Sequence[ItemMapping]
) -> Refusal | None:
    """Write mappings of own items to national codes: all of them, or none with every fault named.

    An own item that is mapped already gets the new mapping in its place.
    """
    items = await find_items(tx, codes=[mapping.med_list_codg for mapping in mappings])
    faults = tuple(_faults(mappings, items))
    if faults:
        return Refusal(faults)
    await put_mappings(
        tx, mappings, fixmedins_code=institution.fixmedins_code, admdvs=institution.region
    )
    return None


async def unmap_item(
    tx: Connection, *, institution: Institution, fixmedins_code: str, list_type: str,
    medins_list_codg: str, med_list_codg: str,
) -> Refusal | None:
    """Take a mapping back; only the institution's own, and only one that is there."""
    if fixmedins_code != institution.fixmedins_code:
        return refuse(
            "NOT_OWN_MAPPING", "只能撤销本机构的目录对照", field="data.fixmedins_code",
            received=fixmedins_code, remedy="请填写本机构的定点医药机构编号",
        )
    was_there = await remove_mapping(
        tx, fixmedins_code=fixmedins_code, list_type=list_type,
        medins_list_codg=medins_list_codg, med_list_codg=med_list_codg,
    )
    if was_there:
        return None
    return refuse(
        "MAPPING_NOT_FOUND", "没有这条目录对照", field="data.fixmedins_hilist_id",
        received=f"{list_type} {medins_list_codg} {med_list_codg}", remedy="请用1317查询本机构的对照后再撤销",
    )


def _faults(mappings: Sequence[ItemMapping], items: Mapping[str, CatalogueItem]) -> Iterator[Fault]:
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
        fault = _item_fault(mapping, items.get(mapping.med_list_codg), path)
        if fault is not None:
            yield fault


def _item_fault(mapping: ItemMapping, item: CatalogueItem | None, path: str) -> Fault | None:
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
            f"{mapping.valid_from}", "请对照到现行编码",
        )
    return None
