"""Say whether benefits are due for a person, an insurance and a visit class on a day (2001)."""

from __future__ import annotations

from datetime import date

import msgspec

from yibao.domains.enrolment.queries import find_relation
from yibao.domains.enrolment.rules import benefit_faults
from yibao.domains.people.queries import find_person
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal, refuse


class BenefitCheck(msgspec.Struct, frozen=True):
    """The answer: due or not, from when to when (half-open), and why not."""

    admdvs: str
    insutype: str
    due: bool
    begin: date
    end: date | None
    result: str


async def check_benefits(
    tx: Connection, *, psn_no: str, insutype: str, on: date
) -> BenefitCheck | Refusal:
    """Check the benefit of an insurance on a day, with the reason and the next step in words."""
    person = await find_person(tx, psn_no)
    if person is None:
        return refuse("PERSON_NOT_FOUND", "没有该人员编号的参保人", field="data.psn_no", received=psn_no,
                      remedy="请用1101查询人员编号")
    relation = await find_relation(tx, psn_no, insutype=insutype, on=on)
    faults = benefit_faults(
        insutype=insutype, status=relation["status"] if relation else None,
        status_reason=relation["status_reason"] if relation else "",
        benefit_from=relation["benefit_from"] if relation else None,
        benefit_to=relation["benefit_to"] if relation else None, died_on=person["died_on"], on=on,
    )
    return BenefitCheck(
        admdvs=relation["admdvs"] if relation else person["admdvs"], insutype=insutype, due=not faults,
        begin=relation["benefit_from"] if relation else on, end=relation["benefit_to"] if relation else None,
        result="；".join(f"{f.reason}，{f.remedy}" for f in faults) or "可享受待遇",
    )
