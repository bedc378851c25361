"""Say whether benefits are due for a person, an insurance and a visit class on a day (2001).

Beside the insurance itself, the law is asked what filings decide already: a visit that would be refused at settlement as
things stand (no registered pregnancy, another chosen clinic, an accident filed as not to be paid) has no benefit due. What
only a bill can tell is left to settlement.
"""

from __future__ import annotations

from datetime import date, datetime

import asyncpg
import msgspec

from yibao.domains.applications.model import Maternity, Trauma
from yibao.domains.applications.queries import list_chronic_recognitions, read_filing_facts
from yibao.domains.applications.rules import INJURY_NOT_APPROVED
from yibao.domains.encounters.visit_classes import visit_classes
from yibao.domains.enrolment.queries import list_identities
from yibao.domains.entitlement.queries import find_standing
from yibao.domains.institutions.model import Institution
from yibao.domains.institutions.queries import find_institution
from yibao.domains.people.queries import find_person
from yibao.domains.windows.model import Asked as Question
from yibao.infra.database import Connection
from yibao.kernel.business_time import age_on
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.case import Case, InstitutionFacts, PersonFacts
from yibao.policy.pipeline.choosing import choose_benefit, refused_by_law
from yibao.usecases.deadlines.name_way import has_transit, name_way
from yibao.usecases.entitlement.standing_faults import standing_faults
from yibao.usecases.filings.case_facts import CaseWords, case_words, filing_facts
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.windows.business_of import GATEWAY, settlement_business
from yibao.usecases.windows.pass_gate import NO_GATE, Gate


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a visit would be: who, where, what for; ``disease_code`` ``""`` if none."""

    psn_no: str
    insutype: str
    on: date
    fixmedins_code: str
    med_type: str
    disease_code: str = ""
    maternity: Maternity = Maternity()
    trauma: Trauma = Trauma()


class BenefitCheck(msgspec.Struct, frozen=True):
    """The answer: due or not, from when to when (half-open), and why not."""

    admdvs: str
    insutype: str
    due: bool
    begin: date
    end: date | None
    result: str


async def check_benefits(
    tx: Connection, asked: Asked, *, shelf: PolicyShelf, gate: Gate = NO_GATE, at: datetime | None = None
) -> BenefitCheck | Refusal:
    """Check the benefit of an insurance on a day, with the reason and the next step in words.

    Args:
        gate, at: what plans say for dues that are on their way, at an instant.
    """
    insutype, on = asked.insutype, asked.on
    person = await find_person(tx, asked.psn_no)
    if person is None:
        return refuse("PERSON_NOT_FOUND", "没有该人员编号的参保人", field="data.psn_no", received=asked.psn_no,
                      remedy="请用1101查询人员编号")
    relation = await find_standing(tx, asked.psn_no, insutype=insutype, on=on)
    faults = standing_faults(
        insutype=insutype, status=relation["status"] if relation else None,
        status_reason=relation["status_reason"] if relation else "",
        benefit_from=relation["benefit_from"] if relation else None,
        benefit_to=relation["benefit_to"] if relation else None, died_on=person["died_on"], on=on,
    )
    if at is not None and faults and has_transit(Refusal(tuple(faults))):
        faults = await _named_way(tx, asked, faults, admdvs=person["admdvs"], gate=gate, at=at)
    if relation and not faults:
        faults = await _filing_faults(tx, asked, person=person, relation=relation, shelf=shelf)
    return BenefitCheck(
        admdvs=relation["admdvs"] if relation else person["admdvs"], insutype=insutype, due=not faults,
        begin=relation["benefit_from"] if relation else on, end=relation["benefit_to"] if relation else None,
        result="；".join(f"{f.reason}，{f.remedy}" for f in faults) or "可享受待遇",
    )


async def _named_way(
    tx: Connection, asked: Asked, faults: list[Fault], *, admdvs: str, gate: Gate, at: datetime
) -> list[Fault]:
    """Return the faults with what the plan says to do for this class of visit at this place."""
    institution = await find_institution(tx, asked.fixmedins_code)
    care = institution.region if institution is not None else admdvs
    kind = next((k for k in ("stay", "pharmacy") if asked.med_type in visit_classes().of_kind(k)), "outpatient")
    business = settlement_business(asked.med_type, kind=kind, is_remote=care[:4] != admdvs[:4])
    question = Question(business=business, admdvs=admdvs, channel=GATEWAY, care_admdvs=care, insutype=asked.insutype)
    return list(name_way(Refusal(tuple(faults)), gate=gate, asked=question, at=at, is_institution=True).faults)


async def _filing_faults(
    tx: Connection, asked: Asked, *, person: asyncpg.Record, relation: asyncpg.Record, shelf: PolicyShelf
) -> list[Fault]:
    """Return why settlement would be refused by what is filed, or not filed, on that day."""
    institution, policy = await find_institution(tx, asked.fixmedins_code), shelf.of(relation["admdvs"])
    if institution is None or isinstance(policy, Refusal):
        return []
    row = await read_filing_facts(
        tx, psn_no=asked.psn_no, fixmedins_code=asked.fixmedins_code, insutype=asked.insutype, on=asked.on
    )
    filed = case_words(
        filing_facts(row), fixmedins_code=asked.fixmedins_code, med_type=asked.med_type, trauma=asked.trauma
    )
    if isinstance(filed, Refusal):
        # Whether somebody else is liable may still be said with the visit or the bill.
        return [fault for fault in filed.faults if fault.code == INJURY_NOT_APPROVED]
    case = await _case(tx, asked, person=person, relation=relation, institution=institution, filed=filed)
    benefit = choose_benefit(case, policy)
    refusal = None if isinstance(benefit, Refusal) else refused_by_law(case, benefit)
    return list(refusal.faults) if refusal is not None else []


async def _case(
    tx: Connection, asked: Asked, *, person: asyncpg.Record, relation: asyncpg.Record, institution: Institution,
    filed: CaseWords,
) -> Case:
    """Return the case without a bill: it has no lines, counters or balance."""
    on = asked.on
    recognised = tuple(
        r["disease_code"] for r in await list_chronic_recognitions(tx, asked.psn_no, on=on) if r["valid_from"] <= on
    )
    identities = tuple(
        i["identity_type"] for i in await list_identities(tx, asked.psn_no)
        if i["valid_from"] <= on and (i["valid_to"] is None or i["valid_to"] > on)
    )
    return Case(
        admdvs=relation["admdvs"], service_on=on, insutype=asked.insutype, med_type=asked.med_type,
        person=PersonFacts(
            psn_type=relation["psn_type"], age=age_on(person["birth_on"], on), identities=identities,
            civil_servant=relation["civil_servant"], account_kind=relation["account_kind"],
            paid_months=relation["paid_months"],
        ),
        institution=InstitutionFacts(
            code=institution.fixmedins_code, kind=institution.kind, level=institution.level,
            traits=tuple(institution.traits),
        ),
        lines=(), disease_code=asked.disease_code if asked.disease_code in recognised else "", recognised=recognised,
        maternity=asked.maternity.kind, foetuses=asked.maternity.foetuses, referred_from=filed.referred_from,
        provider=filed.provider, cause=filed.cause, maternity_filing=filed.maternity_filing,
    )
