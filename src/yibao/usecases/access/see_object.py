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
_SEEN = "exists (select from people.person p where p.psn_no = x.{})"
_PAID = """exists (select from people.person p where p.psn_no = x.payer_no or p.household_no = x.payer_no)
    or exists (select from enrolment.employer e where e.emp_no = x.payer_no)"""
_THINGS = (
    ("payout_id", "exchange.payout", _SEEN.format("psn_no"), "PAYOUT_NOT_FOUND", "支付单"),
    ("transfer_id", "transfers.transfer", f"x.psn_no = '' or {_SEEN.format('psn_no')}", "TRANSFER_NOT_FOUND", "转移接续业务"),
    ("filing_id", "applications.filing", _SEEN.format("psn_no"), "FILING_NOT_FOUND", "备案"),
    ("doubt_id", "people.doubt", f"x.psn_no is null or {_SEEN.format('psn_no')}", "DOUBT_NOT_FOUND", "待核实事项"),
    ("merge_id", "people.merge", f"{_SEEN.format('kept_no')} and {_SEEN.format('merged_no')}", "MERGE_NOT_FOUND", "合并"),
    ("bill_id", "contributions.bill", _PAID, "BILL_NOT_FOUND", "缴费单"),
    ("payment_id", "contributions.payment", _PAID, "PAYMENT_NOT_FOUND", "缴费"),
    ("refund_id", "contributions.refund", _PAID, "REFUND_NOT_FOUND", "退费"),
)
"""Things a county's clerk may name by a number of their own: theirs are those of the people and employers they see."""
THINGS = {
    field: (f"select 1 from {table} x where x.{field} = $1 and ({seen})", code, words)  # noqa: S608 - constants
    for field, table, seen, code, words in _THINGS
}
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
    things = [(f, *THINGS[f]) for f in THINGS if f in named] if actor.division else []
    for field, sql, code, words in _looked_up(named) + things:
        number = named.get(field)
        if isinstance(number, str) and number and await tx.fetchval(sql, number) is None:
            return refuse(code, f"没有该编号的{words}", field=field, received=number[:32], remedy="请核对编号")
    return None


def _looked_up(named: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    found = [(f, PERSON, "PERSON_NOT_FOUND", "参保人") for f in PERSONS if f in named]
    found += [(f, EMPLOYER, "EMPLOYER_NOT_FOUND", "参保单位") for f in EMPLOYERS if f in named]
    return found + [("payer_no", PAYER, "PAYER_NOT_FOUND", "缴费人")] * ("payer_no" in named)
