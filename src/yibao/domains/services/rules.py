"""What may be done with an application in which state, and by whom. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from yibao.domains.services.model import (
    ACCEPTED,
    CLOSED,
    GIVEN,
    NOT_ACCEPTED,
    PAY_FAILED,
    PAYING,
    REGISTERED,
    REJECTED,
    RETURNED,
    REVIEWING,
    STATES,
    SUBMITTED,
    SUBSTITUTE,
    SUSPENDED,
    UNDERTAKEN,
    WITHDRAWN,
    Application,
    Given,
    Item,
    Paper,
)
from yibao.kernel.refusal import Fault, Refusal, refuse

MAY: dict[str, tuple[str, ...]] = {
    "accept": (SUBMITTED, REGISTERED, RETURNED),
    "register": (SUBMITTED,),
    "notify": (SUBMITTED, REGISTERED),
    "supplement": (SUBMITTED, REGISTERED, RETURNED),
    "refuse_intake": (SUBMITTED, REGISTERED, RETURNED),
    "withdraw": (SUBMITTED, REGISTERED, RETURNED, ACCEPTED, REVIEWING, SUSPENDED),
    "suspend": (ACCEPTED, REVIEWING),
    "resume": (SUSPENDED,),
    "review": (ACCEPTED,),
    "send_back": (REVIEWING,),
    "approve": (REVIEWING,),
    "reject": (REVIEWING,),
    "pay": (PAYING,),
    "pay_again": (PAY_FAILED,),
    "rate": (CLOSED, REJECTED, NOT_ACCEPTED),
}
"""In which states a deed may be done."""
_NEXT = {
    SUBMITTED: "请等待受理", REGISTERED: "已登记造册，恢复办理后集中受理", RETURNED: "请补齐材料", ACCEPTED: "请先审核",
    REVIEWING: "请由审核人以外的人审批", SUSPENDED: "请先恢复办理",
    PAYING: "请等待银行回盘", PAY_FAILED: "请更正收款账户后重新支付",
    REJECTED: "可补正后重新申请", NOT_ACCEPTED: "可补正后重新申请", WITHDRAWN: "需要时请重新申请",
}
_COUNTY_DIGITS = 6


def refuse_deed(application: Application, deed: str) -> Refusal | None:
    """Refuse what the state of an application does not allow, with what to do instead."""
    if application.state in MAY[deed]:
        return None
    return refuse(
        "APPLICATION_STATE", f"该申请{STATES[application.state]}，不能办理此项操作", field="application_id",
        received=application.application_id, remedy=_NEXT.get(application.state, "无需再办理"),
    )


def same_person(one: str, other: str) -> bool:
    """Say whether two logins are one person's; width, case and spaces do not count."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).casefold().split())


def refuse_checker(first: Iterable[str | None], login: str) -> Refusal | None:
    """Refuse the maker of a decision as the one who confirms it: four eyes."""
    own = next((name for name in first if name and same_person(name, login)), None)
    if own is None:
        return None
    return refuse("FOUR_EYES", f"审核与审批须由两人办理，{own}已参与审核", field="actor", received=login,
                  remedy="请由另一名经办人审批")


def refuse_place(application: Application, division: str, *, decides: bool) -> Refusal | None:
    """Refuse an office outside the application's county, and a town office where something is decided.

    A division contains those whose code begins with its own; ``""`` is the whole region.
    """
    if not application.division.startswith(division) and not (not decides and division.startswith(application.division)):
        return refuse("OTHER_DIVISION", "该申请不属于本经办机构管辖", field="application_id",
                      received=application.application_id, remedy="请由受理地的经办机构办理")
    if decides and len(division) > _COUNTY_DIGITS:
        return refuse("TOWN_CANNOT_DECIDE", "乡镇（街道）只能受理，不能审核或审批", field="actor", received=division,
                      remedy="请转县（区）经办机构审核")
    return None


def refuse_item(item: Item, *, applicant_kind: str, channel: str, words: dict[str, dict[str, str]]) -> Refusal | None:
    """Refuse an item that is not offered here, an applicant or a channel that it does not know; all faults at once."""
    if not item.effect:
        return refuse("SERVICE_NOT_OFFERED", f"{item.title}不能在此申请", field="item_code", received=item.code,
                      remedy=item.instead)
    faults = []
    if applicant_kind not in item.applicants:
        may = "、".join(words["applicants"].get(a, a) for a in item.applicants)
        faults.append(Fault("APPLICANT_NOT_ALLOWED", f"{item.title}须由{may}申请", "applicant_kind", applicant_kind,
                            "请由可以申请的人提出"))
    if channel not in (*item.channels, "cli", "api"):
        may = "、".join(words["channels"].get(c, c) for c in item.channels)
        faults.append(Fault("CHANNEL_NOT_OPEN", f"{item.title}可通过{may}办理", "channel", channel, "请改用可办理的渠道"))
    return Refusal(tuple(faults)) if faults else None


def missing(papers: Sequence[Paper], given: Sequence[Given], traits: frozenset[str]) -> list[Paper]:
    """Return the papers that an application still lacks; an undertaking does where the item allows it."""
    states = {g.material: g.state for g in given}
    return [
        paper for paper in papers
        if paper.is_asked(traits) and states.get(paper.material) != GIVEN
        and not (paper.rule == SUBSTITUTE and states.get(paper.material) == UNDERTAKEN)
    ]


def missing_faults(papers: Sequence[Paper]) -> tuple[Fault, ...]:
    """Return one fault for each missing paper: the one-time notice."""
    return tuple(
        Fault("MATERIAL_MISSING", f"缺少材料：{p.title}", f"materials.{p.material}", remedy="请补交" + (
            "，或签署承诺书" if p.rule == SUBSTITUTE else "")) for p in papers
    )


def refuse_notice(application: Application, papers: Sequence[Paper]) -> Refusal | None:
    """Refuse a second notice that asks for what the first did not name: the applicant is told once, and all of it."""
    fresh = [p for p in papers if p.material not in application.notice]
    if not application.notice or not fresh:
        return None
    return refuse(
        "NOTICE_ONLY_ONCE", f"补正材料已一次性告知，不得再要求：{'、'.join(p.title for p in fresh)}", field="materials",
        received="、".join(p.material for p in fresh), remedy="请按首次告知的材料受理",
    )
