"""Count the months of a person that count towards retirement."""

from __future__ import annotations

from datetime import date

from yibao.domains.enrolment.months import month_after
from yibao.domains.enrolment.queries import list_credits
from yibao.domains.enrolment.years import Years
from yibao.domains.enrolment.years import count_years as count
from yibao.infra.database import Connection

# Money that has arrived; what was bought at retirement fills years, but no month of its own.
PAID = """
select d.month, d.months, d.kind from contributions.due d
where d.psn_no = $1 and d.insutype = $2 and d.kind in ('regular', 'back', 'lump') and d.state in ('arrived', 'credited')
"""


async def count_years(tx: Connection, psn_no: str, insutype: str, *, until: date) -> Years:
    """Return the months that count before the month of ``until``: arrived dues, deemed and transferred months, each once."""
    rows = await tx.fetch(PAID, psn_no, insutype)
    paid = [month_after(r["month"], n) for r in rows if r["kind"] != "lump" for n in range(r["months"])]
    bought = sum(r["months"] for r in rows if r["kind"] == "lump")
    years = count(paid, await list_credits(tx, psn_no, insutype=insutype), until=until)
    return Years(years.actual_months, years.deemed_months, years.transferred_months, years.bought_months + bought,
                 years.total_months + bought)
