"""Whether benefits are due by somebody's standing on a day, and if not, why and what to do."""

from __future__ import annotations

from datetime import date

from yibao.domains.enrolment.rules import benefit_faults
from yibao.kernel.refusal import Fault
from yibao.policy.reckoning.benefit_words import REASONS, words_of


def standing_faults(
    *, insutype: str, status: str | None, status_reason: str | None, benefit_from: date | None,
    benefit_to: date | None, died_on: date | None, on: date,
) -> list[Fault]:
    """Return why benefits are not due on a day; empty when they are.

    Args:
        status: reason code of the spell that holds on the day; of somebody without spells the status of the loaded
            relation (``1`` normal, ``2`` paused, ``4`` ended); None: never insured.
        status_reason: the rows of the law behind the spell; of a loaded relation the reason in Chinese.
        benefit_from, benefit_to: half-open period of the spell, or of the loaded benefits.
        died_on: day of death, the last day with benefits.
    """
    reason = REASONS.get(status or "")
    if reason is None or benefit_from is None or (died_on is not None and died_on < on):
        return benefit_faults(
            insutype=insutype, status=status, status_reason=status_reason, benefit_from=benefit_from,
            benefit_to=benefit_to, died_on=died_on, on=on,
        )
    if not reason.fault:
        return []
    return [Fault(reason.fault, words_of(status or "", benefit_from, benefit_to), "psn_no", remedy=reason.remedy,
                  basis=status_reason or "")]
