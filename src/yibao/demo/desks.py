"""Makes visit orders of stories: which doctor sees the patient, and the bill in the words of the wire."""

from __future__ import annotations

import asyncpg

from yibao.demo.institutions import OPERATOR
from yibao.demo.orders import Desk, OrderLine, VisitOrder
from yibao.demo.stories import Story, Visit, institution_of
from yibao.infra.database import Database

_DESKS = """
select i.fixmedins_code, i.name, i.region, d.dept_code, d.name as dept_name, d.caty, p.code as dr_codg,
       p.name as dr_name, coalesce(s.name, '') as opter_name
from institutions.institution i
join institutions.department d on d.fixmedins_code = i.fixmedins_code and d.closed_on is null
join institutions.practitioner p on p.fixmedins_code = i.fixmedins_code and p.dept_code = d.dept_code
    and p.left_on is null
left join access.staff s on s.login = lower(i.fixmedins_code)
order by i.fixmedins_code, d.dept_code, p.code
"""
_CHILDREN, _EMERGENCY, _PSYCHIATRY, _TUMOUR, _CHINESE = "A07", "A20", "A15", "A19", "A50"


async def read_desks(database: Database) -> dict[str, list[Desk]]:
    """Return every doctor with department and operator, by institution."""
    desks: dict[str, list[Desk]] = {}
    for row in await database.fetch(_DESKS):
        desks.setdefault(row["fixmedins_code"], []).append(_desk(row))
    return desks


def order_of(
    story: Story, visit: Visit, desks: dict[str, list[Desk]], *, psn_no: str, certno: str, visit_no: str
) -> VisitOrder:
    """Return the order that settles a visit of a story."""
    desk = choose_desk(desks[institution_of(story, visit).code], story, visit)
    return VisitOrder(
        psn_no=psn_no, psn_name=story.person.name, certno=certno, insutype=story.person.insutype,
        insuplc_admdvs=story.region, desk=desk, visit_no=visit_no, med_type=visit.med_type,
        diag_code=visit.diag_code, diag_name=visit.diag_name, dise_codg=visit.dise_codg,
        acct_used_flag="1" if visit.use_account else "0",
        lines=tuple(
            OrderLine(x.good.code, x.good.local_code, x.pric, x.cnt, x.amount, x.appr) for x in visit.fee_lines()
        ),
    )


def choose_desk(desks: list[Desk], story: Story, visit: Visit) -> Desk:
    """Return a fitting doctor: by visit class, age and diagnosis, else the institution's first."""
    wanted = ""
    if visit.med_type == "13":
        wanted = _EMERGENCY
    elif story.person.age < 14:
        wanted = _CHILDREN
    elif visit.diag_code.startswith("F"):
        wanted = _PSYCHIATRY
    elif visit.diag_code.startswith("C"):
        wanted = _TUMOUR
    elif "herbal" in story.key:
        wanted = _CHINESE
    return next((d for d in desks if d.caty == wanted), desks[0])


def _desk(row: asyncpg.Record) -> Desk:
    return Desk(
        row["fixmedins_code"], row["name"], row["region"], OPERATOR, row["opter_name"], row["dept_code"],
        row["dept_name"], row["caty"], row["dr_codg"], row["dr_name"],
    )
