"""Show a settlement list with what the platform adds to it: person, bill, names (4103)."""

from __future__ import annotations

from collections.abc import Mapping

import asyncpg
import msgspec

from yibao.domains.encounters.queries import find_encounter
from yibao.domains.enrolment.queries import find_relation
from yibao.domains.people.queries import find_person
from yibao.domains.records import queries
from yibao.domains.records.model import ChargeClass, SettlementList
from yibao.domains.settlements.queries import find_settlement
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.records.gather_list_facts import batches_of


class ShownList(msgspec.Struct, frozen=True):
    """A list and everything a reader wants beside it; rows as they are stored."""

    row: asyncpg.Record
    content: SettlementList
    settlement: asyncpg.Record
    encounter: asyncpg.Record
    person: asyncpg.Record
    employer: str
    charges: Mapping[str, ChargeClass]
    staff: Mapping[str, str]


async def show_list(tx: Connection, *, psn_no: str, setl_id: str, fixmedins_code: str) -> ShownList | Refusal:
    """Return the list of one of the institution's settlements; ``psn_no`` may be empty."""
    settlement = await find_settlement(tx, setl_id)
    if settlement is None or settlement["fixmedins_code"] != fixmedins_code or psn_no not in ("", settlement["psn_no"]):
        return refuse("SETTLEMENT_NOT_FOUND", "本机构没有该参保人的这笔结算", field="data.setl_id", received=setl_id,
                      remedy="请核对结算ID与人员编号")
    row = await queries.find_list(tx, psn_no=settlement["psn_no"], setl_id=setl_id)
    if row is None:
        return refuse("LIST_NOT_FOUND", "这笔结算还没有上传清单", field="data.setl_id", received=setl_id,
                      remedy="请先用4101上传清单")
    content = queries.content_of(row)
    person = await find_person(tx, settlement["psn_no"])
    encounter = await find_encounter(tx, psn_no=settlement["psn_no"], mdtrt_id=settlement["mdtrt_id"])
    assert person is not None
    assert encounter is not None
    relation = await find_relation(
        tx, settlement["psn_no"], insutype=settlement["insutype"], on=business_date(encounter["begin_at"]))
    charges = await queries.charges_of(
        tx, psn_no=settlement["psn_no"], mdtrt_id=settlement["mdtrt_id"], batches=await batches_of(tx, settlement))
    codes = {content.chief_doctor, content.nurse} | {c for p in content.procedures for c in (p.surgeon, p.anaesthetist)}
    staff = await queries.staff_names(tx, fixmedins_code, codes=codes - {""})
    return ShownList(row, content, settlement, encounter, person, (relation and relation["emp_name"]) or "", charges, staff)
