"""What an agent may see: the objects a request names must lie in its regions and division."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.refusal import Refusal, refuse

# Row-level security decides what is there: the regions and the division of the transaction.
PERSON = "select 1 from people.person where psn_no = $1"
EMPLOYER = "select 1 from enrolment.employer where emp_no = $1"
DIVISION = "select set_config('yibao.division', $1, true)"


async def divide(tx: Connection, actor: Actor) -> None:
    """Limit the transaction to the actor's county or town, if it has one."""
    if actor.division:
        await tx.execute(DIVISION, actor.division)


async def see_objects(tx: Connection, named: Mapping[str, Any], *, actor: Actor) -> Refusal | None:
    """Refuse a request that names a person, employer or region the actor may not see.

    A person of another region and one that does not exist get the same answer.

    Args:
        named: what the request names: ``psn_no``, ``emp_no``, ``admdvs``; everything else is left to the use case.
    """
    admdvs = named.get("admdvs")
    if isinstance(admdvs, str) and admdvs and admdvs not in actor.regions:
        return refuse("REGION_NOT_YOURS", "不属于您办理的统筹区", field="admdvs", received=admdvs[:12],
                      remedy="请由所属经办机构办理")
    psn_no = named.get("psn_no")
    if isinstance(psn_no, str) and psn_no and await tx.fetchval(PERSON, psn_no) is None:
        return refuse("PERSON_NOT_FOUND", "没有该人员编号的参保人", field="psn_no", received=psn_no[:32], remedy="请核对人员编号")
    emp_no = named.get("emp_no")
    if isinstance(emp_no, str) and emp_no and await tx.fetchval(EMPLOYER, emp_no) is None:
        return refuse("EMPLOYER_NOT_FOUND", "没有该编号的参保单位", field="emp_no", received=emp_no[:32], remedy="请核对单位编号")
    return None
