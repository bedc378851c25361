"""What an agent may see: the objects a request names must lie in its regions and division."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.refusal import Refusal, refuse

# Row-level security decides what is there: the regions and the division of the transaction.
PERSON = "select 1 from people.person where psn_no = $1"
PAYER = """
select 1 where exists (select from people.person where psn_no = $1 or household_no = $1)
    or exists (select from enrolment.employer where emp_no = $1)
"""
PERSONS = ("psn_no", "member_no", "sharer_no", "heir_no")
EMPLOYERS = ("emp_no", "from_no", "to_no", "school_no")
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
        named: what the request names: numbers of people, employers and payers, and ``admdvs``; everything else is left
            to the use case.
    """
    admdvs = named.get("admdvs")
    if isinstance(admdvs, str) and admdvs and admdvs not in actor.regions:
        if not actor.login:  # a stranger may ask of any region there is
            return refuse("REGION_NOT_FOUND", "本平台不办理这个统筹区", field="admdvs", received=admdvs[:12],
                          remedy="请核对统筹区")
        return refuse("REGION_NOT_YOURS", "不属于您办理的统筹区", field="admdvs", received=admdvs[:12],
                      remedy="请由所属经办机构办理")
    for field, sql, code, words in _looked_up(named):
        number = named.get(field)
        if isinstance(number, str) and number and await tx.fetchval(sql, number) is None:
            return refuse(code, f"没有该编号的{words}", field=field, received=number[:32], remedy="请核对编号")
    return None


def _looked_up(named: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    found = [(f, PERSON, "PERSON_NOT_FOUND", "参保人") for f in PERSONS if f in named]
    found += [(f, EMPLOYER, "EMPLOYER_NOT_FOUND", "参保单位") for f in EMPLOYERS if f in named]
    return found + [("payer_no", PAYER, "PAYER_NOT_FOUND", "缴费人")] * ("payer_no" in named)
