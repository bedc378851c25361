"""What filings mean for a bill: pure, each answer from the filings that count on the day."""

from __future__ import annotations

from collections.abc import Sequence

from yibao.domains.applications.model import Choice, FilingFacts, InjuryFact, Trauma
from yibao.kernel.refusal import Refusal, refuse

INJURY_NOT_APPROVED = "INJURY_NOT_APPROVED"
FIRST, SECOND, OTHER = "first", "second", "other"
_ORDINALS = {"1": FIRST, "2": SECOND}


def provider_of(choices: Sequence[Choice], *, fixmedins_code: str) -> str:
    """Return ``first``, ``second`` or ``other`` for the institution that treats, ``""`` where nobody was chosen."""
    if not choices:
        return ""
    here = sorted(c.ordinal for c in choices if c.fixmedins_code == fixmedins_code)
    return _ORDINALS.get(here[0], SECOND) if here else OTHER


def referred_from_of(facts: FilingFacts, *, provider: str, is_emergency: bool) -> str:
    """Return the level that a referral or an emergency lets count, ``""`` where there is neither.

    An emergency at another institution than the chosen one counts like a referral by the first chosen one; at home of
    one's choice, or without one, only a filed referral counts.
    """
    if facts.referred_from:
        return facts.referred_from
    if is_emergency and provider == OTHER:
        return min(facts.choices, key=lambda c: c.ordinal).level
    return ""


def cause_of(trauma: Trauma, injuries: Sequence[InjuryFact], *, is_injury_visit: bool) -> str | Refusal:
    """Return why somebody is treated: ``accident``, ``third_party``, ``work_injury``, or ``""`` for illness.

    A recognised work injury comes before all else. A liable third party counts, whoever named it, until the person has
    signed that nobody else is liable. An accident that was filed as not to be paid is refused, whatever the hospital says
    with the bill. An injury of which nothing is known is refused: the fund may only pay when somebody has looked for a
    liable third party.

    Args:
        trauma: what the hospital says.
        injuries: the filings that count on the day.
        is_injury_visit: whether the visit class alone says that it is an injury.
    """
    if not (is_injury_visit or trauma.is_trauma):
        return ""
    kinds = {injury.kind for injury in injuries if injury.approved}
    if "work_injury" in kinds:
        return "work_injury"
    if any(injury.has_undertaking and injury.approved for injury in injuries):
        return "accident"
    if trauma.third_party or "third_party" in {injury.kind for injury in injuries}:
        return "third_party"
    if "accident" in kinds:
        return "accident"
    if any(injury.kind == "accident" for injury in injuries):
        return refuse(INJURY_NOT_APPROVED, "意外伤害备案的审核支付标志为不支付", field="data.chk_pay_flag",
                      remedy="请核查有无第三方责任；确无第三方责任的，由经办机构撤销原备案后重新备案（2507）")
    if trauma.third_party is False:
        return "accident"
    return refuse("LIABILITY_NOT_STATED", "外伤就诊没有说明是否涉及第三方责任", field="exp_content",
                  remedy="请在exp_content中填写TRUM_FLAG和REL_TTP_FLAG，或先办理意外伤害备案（2507）")


def maternity_filing_of(prenatal: Sequence[str], *, fixmedins_code: str) -> str:
    """Return ``registered``, ``elsewhere`` (at another prenatal institution) or ``missing``, as the law words it."""
    if not prenatal:
        return "missing"
    return "registered" if "" in prenatal or fixmedins_code in prenatal else "elsewhere"
