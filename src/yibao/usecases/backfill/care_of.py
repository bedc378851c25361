"""Lay out care as the plan of a window sees it: which business, which class of visit, whose."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from yibao.domains.encounters.visit_classes import visit_classes
from yibao.domains.episodes.model import OUTPATIENT, SALE, STAY
from yibao.domains.institutions.model import PHARMACY
from yibao.policy.case import Case
from yibao.usecases.backfill.model import Care
from yibao.usecases.filings.words import words

_BUSINESS = {
    "outpatient": "outpatient_settlement", "chronic": "chronic_settlement", "inpatient": "inpatient_settlement",
    "maternity": "maternity_settlement", "drug": "pharmacy_sale", "special_drug": "negotiated_drug",
}
_SPECIAL_DRUG = "special_drug"
_SPECIAL_PURCHASE = "18"


def care_of(
    case: Case, row: Any, *, mdtrt_id: str, visit_no: str, invono: str, amount_fen: int, begin: datetime,
    end: datetime | None, field: str, is_part: bool = False,
) -> Care:
    """Return the care behind a case.

    Args:
        row: the facts, with ``care_admdvs``, ``fixmedins_code`` and ``kind`` of the institution.
        begin, end: of the visit, the stay or the purchase; ``end`` None while a stay goes on.
    """
    kind, visit_class = _kind_and_class(case, row)
    return Care(
        mdtrt_id=mdtrt_id, admdvs=case.admdvs, care_admdvs=row["care_admdvs"],
        fixmedins_code=row["fixmedins_code"], insutype=case.insutype, psn_type=case.person.psn_type, kind=kind,
        business=_BUSINESS[visit_class], visit_class="drug" if visit_class == _SPECIAL_DRUG else visit_class,
        institution="pharmacy" if row["kind"] == PHARMACY else "hospital", visit_no=visit_no, invono=invono, begin=begin,
        end=end, amount_fen=amount_fen, is_part=is_part, field=field,
    )


def _kind_and_class(case: Case, row: Any) -> tuple[str, str]:
    classes = visit_classes()
    if row["kind"] == PHARMACY:
        return SALE, _SPECIAL_DRUG if case.med_type == _SPECIAL_PURCHASE else "drug"
    is_stay = case.med_type in classes.stay
    if case.med_type in words().maternal_classes:
        return STAY if is_stay else OUTPATIENT, "maternity"
    if is_stay:
        return STAY, "inpatient"
    return OUTPATIENT, "chronic" if case.med_type in classes.needs_recognition else "outpatient"
