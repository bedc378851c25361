"""Find the stay that a message is about, or say why it cannot be acted on."""

from __future__ import annotations

import asyncpg

from yibao.domains.encounters.stays import find_stay
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse


async def stay_of(
    tx: Connection, *, psn_no: str, mdtrt_id: str, fixmedins_code: str, field: str = "data.mdtrt_id"
) -> asyncpg.Record | Refusal:
    """Return a stay of the sending institution, the person locked until the transaction ends."""
    stay = await find_stay(tx, psn_no=psn_no, mdtrt_id=mdtrt_id, lock=True)
    if stay is None:
        return refuse("STAY_NOT_FOUND", "没有该参保人的这次住院", field=field, received=mdtrt_id,
                      remedy="请核对人员编号与就诊ID是否来自同一次2401入院登记")
    if stay["fixmedins_code"] != fixmedins_code:
        return refuse("ENCOUNTER_ELSEWHERE", "这次住院不是在本机构登记的", field=field, received=mdtrt_id,
                      remedy="请由办理入院的机构办理")
    if stay["state"] == "cancelled":
        return refuse("STAY_CANCELLED", "这次入院登记已撤销", field=field, received=mdtrt_id, remedy="请重新办理入院")
    return stay


def refuse_discharged(stay: asyncpg.Record, what: str, *, field: str = "data.mdtrt_id") -> Refusal | None:
    """Refuse to change a stay that has ended; ``what`` says in Chinese what cannot be done."""
    if stay["state"] == "admitted":
        return None
    remedy = "如需修改，请先用2405撤销出院"
    if stay["final_id"] is not None:
        remedy = "如需修改，请先用2305撤销结算，再用2405撤销出院"
    return refuse("STAY_DISCHARGED", f"已办理出院，不能{what}", field=field, received=stay["mdtrt_id"], remedy=remedy)
