"""The agency decides whether a stay leaves payment by group."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.grouping.model import Application
from yibao.domains.grouping.operations import decide_application
from yibao.domains.grouping.queries import get_application
from yibao.infra import audit
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.grouping.apply_exit import FILED, STATES


async def decide_exit(
    tx: Connection, *, admdvs: str, application_id: str, is_approved: bool, opinion: str, operator: str, now: datetime,
    ids: Ids,
) -> Application | Refusal:
    """Approve or refuse a filed application of a region; a refusal needs its reason.

    An approved stay is paid by item from the next grouping on.
    """
    if not operator.strip():
        return refuse("OPERATOR_MISSING", "没有说明由谁经办", remedy="请写明经办人姓名")
    application = await get_application(tx, application_id)
    if application is None or application.admdvs != admdvs:
        return refuse("EXIT_NOT_FOUND", "本统筹区没有这份退出申请", field="application_id", received=application_id,
                      remedy="请核对申请编号")
    if application.state != FILED:
        return refuse("EXIT_STATE", f"申请{STATES[application.state]}，不能再审核", field="application_id",
                      received=application_id, remedy="请核对申请编号")
    if not is_approved and not opinion.strip():
        return refuse("REASON_MISSING", "不同意退出必须写明意见", field="opinion", remedy="请填写审核意见")
    state = "approved" if is_approved else "refused"
    await decide_application(tx, application_id=application_id, state=state, at=now, by=operator, opinion=opinion)
    await audit.write(
        tx, entry_id=ids.new(now), at=now, actor=operator, sender="agency", channel="cli", verb="decide_exit",
        object_id=application_id, admdvs=admdvs, digest=sm3(f"{application_id} {state} {opinion}".encode()),
    )
    return msgspec.structs.replace(application, state=state, decided_at=now, decided_by=operator, opinion=opinion)
