"""Which region a request is about: whom it names, else the only one of who asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from yibao.infra.database import Connection

_TABLES = (
    ("psn_no", "people.person"), ("member_no", "people.person"), ("emp_no", "enrolment.employer"),
    ("application_id", "services.application"), ("transfer_id", "transfers.transfer"), ("bill_id", "contributions.bill"),
    ("payment_id", "contributions.payment"), ("refund_id", "contributions.refund"), ("payout_id", "exchange.payout"),
    ("filing_id", "applications.filing"),
)
SQL = {field: f"select admdvs from {table} where {field} = $1" for field, table in _TABLES}  # noqa: S608 - constants
SQL["member_no"] = SQL["member_no"].replace("member_no", "psn_no")


async def place_named(tx: Connection, named: Mapping[str, Any]) -> str:
    """Return the region of what is named, ``""`` where nothing is named that has one."""
    told = named.get("admdvs")
    if isinstance(told, str) and told:
        return told
    for field, sql in SQL.items():
        number = named.get(field)
        if isinstance(number, str) and number:
            found = await tx.fetchval(sql, number)
            if found is not None:
                return str(found)
    return ""


async def place_of(tx: Connection, named: Mapping[str, Any], *, regions: Sequence[str]) -> str:
    """Return the region of what a request names; the first of who asks where it names nothing that has one.

    Row-level security shows what the actor may see: a number of another region's is answered as one that does not exist,
    by whoever looks for it next.
    """
    told = named.get("admdvs")
    if isinstance(told, str) and told:
        return told
    return (await place_named(tx, named) if len(regions) > 1 else "") or regions[0]
