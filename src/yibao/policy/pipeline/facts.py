"""What the conditions of rows look at: the facts of a case by dimension."""

from __future__ import annotations

from yibao.policy.case import Case
from yibao.policy.law.conditions import Facts


def facts_of(case: Case, person: str) -> Facts:
    """Return what the conditions of rows look at; ``person`` is the region's class of the person."""
    recognised = case.recognised
    if case.disease_code and case.disease_code not in recognised:
        recognised = (case.disease_code, *recognised)
    who, institution = case.person, case.institution
    return {
        "insutype": case.insutype,
        "med_type": case.med_type,
        "benefit": "",
        "person": person,
        "age": who.age,
        "identity": who.identities,
        "account_kind": who.account_kind,
        "paid_months": who.paid_months,
        "rank": who.rank,
        "enrolment_kind": who.enrolment_kind,
        "continuous_years": who.continuous_years,
        "claim_free": who.claim_free,
        "level": institution.level,
        "institution_kind": institution.kind,
        "trait": institution.traits,
        "disease": case.disease_code,
        "recognised_all": recognised,
        "admission": case.admission,
        "remote": case.remote,
        "remote_place": case.remote_place,
        "referred_from": case.referred_from,
        "maternity": case.maternity,
        "pregnancy_months": case.pregnancy_months,
        "foetuses": case.foetuses,
        "provider": case.provider,
        "cause": case.cause,
        "maternity_filing": case.maternity_filing,
        "group": "",
    }
