"""3602 and 3603: an institution asks that a stay leave payment by group, changes that, takes it back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from yibao.domains.grouping.model import Application
from yibao.domains.grouping.operations import add_application, change_application
from yibao.domains.grouping.queries import find_settlement, get_application, is_closed, live_application
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.payment.terms import BY_ITEM
from yibao.usecases.grouping.open_terms import clearing_way, pool_of

FILED, WITHDRAWN = "filed", "withdrawn"
STATES = {"filed": "待审核", "withdrawn": "已撤销", "approved": "同意退出", "refused": "不同意退出"}


class ExitCommand(msgspec.Struct, frozen=True, kw_only=True):
    """What an institution asks for. ``detail`` and ``items``: the other fields, kept as sent."""

    psn_no: str
    setl_id: str
    exit_type: str
    reason: str
    detail: dict[str, Any]
    items: list[dict[str, Any]]
    opter: str
    opter_name: str


async def apply_exit(
    tx: Connection, *, command: ExitCommand, fixmedins_code: str, application_id: str, now: datetime
) -> Application | Refusal:
    """File an application for a settlement in force that is paid by group; one at a time."""
    row = await find_settlement(tx, psn_no=command.psn_no, setl_id=command.setl_id)
    if row is None or row["fixmedins_code"] != fixmedins_code:
        return refuse("SETTLEMENT_NOT_FOUND", "本机构没有这笔结算", field="data.setl_id", received=command.setl_id,
                      remedy="请核对结算ID与人员编号")
    faults = [*_faults(row, command), *await _closed(tx, row)]
    live = await live_application(tx, psn_no=command.psn_no, setl_id=command.setl_id)
    if live is not None:
        faults.append(_already_filed(command.setl_id, live))
    if faults:
        return Refusal(tuple(faults))
    application = Application(
        psn_no=command.psn_no, application_id=application_id, admdvs=row["admdvs"], fixmedins_code=fixmedins_code,
        setl_id=command.setl_id, exit_type=command.exit_type, reason=command.reason, detail=command.detail,
        items=command.items, state=FILED, filed_at=now, changed_at=now, opter=command.opter,
        opter_name=command.opter_name, decided_at=None, decided_by="", opinion="",
    )
    if not await add_application(tx, application):
        return Refusal((_already_filed(command.setl_id, "，刚由另一报文提交"),))
    return application


def _already_filed(setl_id: str, which: str) -> Fault:
    return Fault("EXIT_ALREADY_FILED", f"这笔结算已有退出申请{which}", "data.setl_id", setl_id, "请用3603修改或撤销原申请")


async def change_exit(
    tx: Connection, *, application_id: str, changes: dict[str, Any], items: list[dict[str, Any]] | None,
    is_withdrawn: bool, fixmedins_code: str, now: datetime,
) -> Application | Refusal:
    """Change or withdraw an application that nobody decided yet; what is not named stays as it was."""
    application = await get_application(tx, application_id)
    if application is None or application.fixmedins_code != fixmedins_code:
        return refuse("EXIT_NOT_FOUND", "本机构没有这份退出申请", field="data.appy_chk_setl_list_id",
                      received=application_id, remedy="请用3601查询申请编号")
    if application.state != FILED:
        return refuse("EXIT_STATE", f"申请{STATES[application.state]}，不能修改或撤销",
                      field="data.appy_chk_setl_list_id", received=application_id, remedy="如需再次申请，请用3602")
    named = dict(changes)
    changed = msgspec.structs.replace(
        application, exit_type=named.pop("appy_exit_type", application.exit_type),
        reason=named.pop("exit_rea", application.reason), detail=application.detail | named,
        items=application.items if items is None else items, state=WITHDRAWN if is_withdrawn else FILED, changed_at=now,
    )
    await change_application(tx, changed)
    return changed


def _faults(row: asyncpg.Record, command: ExitCommand) -> list[Fault]:
    faults = []
    if row["state"] != "active" or row["kind"] != "settlement":
        faults.append(Fault("SETTLEMENT_REVERSED", "这笔结算已撤销", "data.setl_id", command.setl_id, "请核对结算ID"))
    on = business_date(row["settled_at"])
    way = clearing_way(row["admdvs"], institution_kind=row["institution_kind"], med_type=row["med_type"], on=on)
    if way == BY_ITEM or pool_of(row["admdvs"], year=on.year, insutype=row["insutype"]) is None:
        faults.append(Fault("NOT_PAID_BY_GROUP", "这笔结算不按组付费，无需申请退出", "data.setl_id", command.setl_id,
                            "按项目付费的结算没有退出申请"))
    if not command.reason.strip():
        faults.append(Fault("REASON_MISSING", "退出申请必须写明原因", "data.exit_rea", "", "请填写退出原因"))
    return faults


async def _closed(tx: Connection, row: asyncpg.Record) -> list[Fault]:
    year = business_date(row["settled_at"]).year
    pool = pool_of(row["admdvs"], year=year, insutype=row["insutype"])
    if pool is None or not await is_closed(tx, admdvs=row["admdvs"], year=year, fund_type=pool.fund_type):
        return []
    return [Fault("YEAR_CLOSED", f"{year}年度已完成年终清算，不再受理退出申请", "data.setl_id", "", "请联系经办机构")]
