"""What filings add to a case: the words that the law asks for, from the filings that count at an institution on a day."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import asyncpg
import msgspec

from yibao.domains.applications.model import Choice, FilingFacts, InjuryFact, Maternity, Trauma
from yibao.domains.applications.rules import cause_of, maternity_filing_of, provider_of, referred_from_of
from yibao.kernel.refusal import Refusal
from yibao.usecases.filings.words import words


class CaseWords(msgspec.Struct, frozen=True):
    """The facts of a case that rest on filings; see ``yibao.policy.case.Case`` for what each word means."""

    provider: str = ""
    referred_from: str = ""
    cause: str = ""
    maternity_filing: str = ""
    pregnancy_id: str = ""


def filing_facts(row: asyncpg.Record | Mapping[str, Any]) -> FilingFacts:
    """Return the filings from a row of ``applications.filing_facts``; its columns begin with ``filed_``."""
    return FilingFacts(
        choices=tuple(
            Choice(*found)
            for found in zip(
                row["filed_choice_ordinals"] or (), row["filed_choice_codes"] or (), row["filed_choice_levels"] or (),
                strict=True,
            )
        ),
        referred_from=row["filed_referred_from"] or "",
        injuries=tuple(
            InjuryFact(*found)
            for found in zip(
                row["filed_injury_kinds"] or (), row["filed_injury_undertakings"] or (),
                row["filed_injury_approvals"] or (), strict=True,
            )
        ),
        prenatal=tuple(row["filed_prenatal"] or ()),
        pregnancy_id=row["filed_pregnancy_id"] or "",
    )


def case_words(
    facts: FilingFacts, *, fixmedins_code: str, med_type: str, trauma: Trauma | None = None
) -> CaseWords | Refusal:
    """Return what the filings add to a case at an institution, or refuse an injury of which nothing is known.

    Args:
        facts: the filings that count at the institution on the day of service.
        med_type: visit class; decides what is an injury, an emergency, a maternity visit.
        trauma: what the hospital said with the visit or the stay, None if nothing.
    """
    known = words()
    provider = provider_of(facts.choices, fixmedins_code=fixmedins_code)
    cause = cause_of(trauma or Trauma(), facts.injuries, is_injury_visit=med_type in known.injury_classes)
    if isinstance(cause, Refusal):
        return cause
    filing = ""
    if med_type in known.maternal_classes:
        filing = maternity_filing_of(facts.prenatal, fixmedins_code=fixmedins_code)
    return CaseWords(
        provider=provider,
        referred_from=referred_from_of(
            facts, provider=provider, is_emergency=med_type in known.emergency_classes
        ),
        cause=cause,
        maternity_filing=filing,
        pregnancy_id=facts.pregnancy_id,
    )


def maternity_of(
    *, matn_type: str = "", birctrl_type: str = "", weeks: Decimal | int | None = None,
    foetuses: Decimal | int | None = None,
) -> Maternity:
    """Return what a maternity visit is for from the fields of 2401, 2402, 2203 and 2203A.

    The kind of maternity comes before the kind of family planning; ``matn_type`` 9 (other) leaves it to the latter.
    Months are full ones.
    """
    known = words()
    kind = known.maternity.get(matn_type) or known.family_planning.get(birctrl_type, "")
    return Maternity(kind, int(weeks or 0) // known.weeks_in_month, max(int(foetuses or 1), 1))
