"""What must be true of an institution before it may send business."""

from __future__ import annotations

from datetime import date

from yibao.domains.institutions.model import Institution
from yibao.kernel.refusal import Refusal, refuse


def check_agreement(institution: Institution, day: date) -> Refusal | None:
    """Refuse an institution whose agreement is not in force on ``day``."""
    if day < institution.agreement_from:
        return refuse(
            "AGREEMENT_NOT_YET_IN_FORCE",
            f"定点医药机构【{institution.name}】的服务协议自{institution.agreement_from}起生效",
            field="fixmedins_code", received=institution.fixmedins_code, remedy="请在协议生效后办理",
        )
    if day >= institution.agreement_to:
        return refuse(
            "AGREEMENT_EXPIRED",
            f"定点医药机构【{institution.name}】的服务协议已于{institution.agreement_to}到期",
            field="fixmedins_code", received=institution.fixmedins_code, remedy="请联系经办机构续签协议",
        )
    if institution.suspended_on is not None and day >= institution.suspended_on:
        return refuse(
            "AGREEMENT_SUSPENDED",
            f"定点医药机构【{institution.name}】的服务协议自{institution.suspended_on}起中止",
            field="fixmedins_code", received=institution.fixmedins_code, remedy="请联系经办机构",
        )
    return None
