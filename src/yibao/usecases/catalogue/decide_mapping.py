"""Decide on mappings that institutions proposed: the agency lists, approves or refuses them."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.catalogue.queries import find_items, find_successors
from yibao.domains.institutions import item_mappings
from yibao.domains.institutions.item_mappings import MappingOnFile
from yibao.infra import audit
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.catalogue.map_items import item_fault

LISTED_MAX = 500
_SAID = {"approved": "已通过", "refused": "未通过", "superseded": "已被新的上传替代", "withdrawn": "已由机构撤销"}


class Proposal(msgspec.Struct, frozen=True):
    """A mapping as the agency sees it: what the institution says, and what the national list says of the code."""

    mapping_id: str
    fixmedins_code: str
    fixmedins_name: str
    admdvs: str
    list_type: str
    medins_list_codg: str
    name: str
    unit: str
    med_list_codg: str
    official_name: str
    official_unit: str
    valid_from: date
    valid_to: date
    state: str
    doubts: tuple[str, ...]
    proposed_at: datetime | None
    decided_by: str
    decision: str


async def list_proposals(
    tx: Connection, *, state: str = "proposed", admdvs: str = "", fixmedins_code: str = ""
) -> list[Proposal]:
    """List uploaded mappings of a state, the longest waiting first, at most ``LISTED_MAX``; ``""`` means any."""
    found = await item_mappings.list_on_file(
        tx, state=state, admdvs=admdvs, fixmedins_code=fixmedins_code, limit=LISTED_MAX
    )
    items = await find_items(tx, codes=[on_file.mapping.med_list_codg for on_file in found])
    proposals = []
    for on_file in found:
        item = items.get(on_file.mapping.med_list_codg)
        proposals.append(_proposal(on_file, item.name if item else "", item.unit if item else ""))
    return proposals


async def decide_mapping(
    tx: Connection, *, mapping_id: str, is_approved: bool, by: str, reason: str, now: datetime, ids: Ids, channel: str
) -> Proposal | Refusal:
    """Approve or refuse a proposed mapping, once; a refusal needs its reason, which the institution reads in 1317.

    An approved mapping holds in its whole period, also for days before the decision: the goods were the same then.
    """
    if not by.strip():
        return refuse("DECIDER_NOT_NAMED", "未写明审核人", field="by", remedy="请写明审核人")
    if not is_approved and not reason.strip():
        return refuse("REASON_MISSING", "不予通过须写明原因", field="reason", remedy="请写明原因，机构可据此更正")
    found = await item_mappings.find_on_file(tx, mapping_id)
    if found is None:
        return refuse("MAPPING_NOT_FOUND", "没有这条目录对照", field="mapping_id", received=mapping_id,
                      remedy="请先列出待审核的对照")
    mapping = found.mapping
    if mapping.state != "proposed":
        return refuse("MAPPING_ALREADY_DECIDED", f"这条目录对照{_SAID[mapping.state]}，不能再审核", field="mapping_id",
                      received=mapping_id, remedy="如需更改，请机构重新上传对照")
    item = (await find_items(tx, codes=[mapping.med_list_codg])).get(mapping.med_list_codg)
    if is_approved:
        # The catalogue may have moved on while the proposal waited.
        successors = await find_successors(tx, codes=[mapping.med_list_codg])
        fault = item_fault(mapping, item, successors.get(mapping.med_list_codg, ()), "mapping")
        if fault is not None:
            return Refusal((fault,))
    await item_mappings.decide(tx, found, is_approved=is_approved, by=by, reason=reason, at=now)
    decided = msgspec.structs.replace(
        mapping, state="approved" if is_approved else "refused", decided_by=by, decision=reason
    )
    await audit.write(
        tx, entry_id=ids.new(now), at=now, actor=by, sender="yibao", channel=channel, verb="decide_mapping",
        object_id=mapping_id, admdvs=found.admdvs, digest=sm3(msgspec.json.encode(decided)), rule=decided.state,
    )
    return _proposal(
        msgspec.structs.replace(found, mapping=decided, decided_at=now), item.name if item else "", item.unit if item else ""
    )


def _proposal(on_file: MappingOnFile, official_name: str, official_unit: str) -> Proposal:
    m = on_file.mapping
    return Proposal(
        m.mapping_id, on_file.fixmedins_code, on_file.fixmedins_name, on_file.admdvs, m.list_type, m.medins_list_codg,
        m.name, m.detail.get("prcunt", ""), m.med_list_codg, official_name, official_unit, m.valid_from, m.valid_to,
        m.state, m.doubts, on_file.proposed_at, m.decided_by, m.decision,
    )
