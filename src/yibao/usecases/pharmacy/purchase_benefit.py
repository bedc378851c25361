"""Pooled outpatient at a pharmacy: a visit class that the law pays nothing for there is refused when it is named (2203)."""

from __future__ import annotations

import asyncpg

from yibao.domains.institutions.model import PHARMACY, Institution
from yibao.infra.database import Connection
from yibao.kernel.refusal import Refusal
from yibao.policy.case import Case
from yibao.policy.pipeline.choosing import choose_benefit
from yibao.usecases.settlement.gather_case import VISIT
from yibao.usecases.settlement.judging import institution_of, person_of
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.settlement.way import placed

NO_BATCH = ""
PLACES = {
    "med_type": "mdtrtinfo.med_type", "dise_codg": "mdtrtinfo.dise_codg", "begntime": "mdtrtinfo.begntime",
}
"""Where the message that names the visit class has what a refusal of the law is about."""


async def refuse_unpaid_purchase(
    tx: Connection, *, psn_no: str, mdtrt_id: str, institution: Institution, shelf: PolicyShelf
) -> Refusal | None:
    """Refuse a recorded visit at a pharmacy for which the region's law has no benefit, as settling it would.

    Only the benefit is asked for, by what is known before there are lines: amounts, filings and shares are judged when it
    is settled. Without this, lines would take from a prescription for a purchase that can never be settled. Hospitals
    pass untouched: what they record is settled much later, and by then a missing recognition may be there.
    """
    if institution.kind != PHARMACY:
        return None
    row = await tx.fetchrow(VISIT.facts, psn_no, mdtrt_id, NO_BATCH)
    if row is None or row["psn_type"] is None:
        return None  # not insured on that day: said with its own reason where it is settled
    policy = shelf.of(row["admdvs"])
    if isinstance(policy, Refusal):
        return policy
    benefit = choose_benefit(_case(row), policy)
    if not isinstance(benefit, Refusal):
        return None
    return placed(benefit, PLACES)


def _case(row: asyncpg.Record) -> Case:
    recognised = tuple(row["recognised"] or ())
    return Case(
        admdvs=row["admdvs"], service_on=row["service_on"], insutype=row["insutype"], med_type=row["med_type"],
        person=person_of(row, row["service_on"]), institution=institution_of(row), lines=(),
        disease_code=row["disease_code"] if row["disease_code"] in recognised else "", recognised=recognised,
        maternity=row["maternity"], pregnancy_months=row["pregnancy_months"], foetuses=row["foetuses"],
    )
