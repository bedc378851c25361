"""What settling asks of maternity care: who may receive it, and of which kind it is."""

from __future__ import annotations

from collections.abc import Collection

import asyncpg
import msgspec

from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.policy.case import Case
from yibao.policy.law.parameters import RegionPolicy
from yibao.policy.pipeline.choosing import choose_benefit, plan_of
from yibao.usecases.filings.words import words

_FEMALE = "2"
_UNFIT = frozenset({"BENEFIT_NOT_OFFERED", "NO_RULE_FOR_CASE"})
"""Refusals of the law that another kind of maternity care may not meet with."""


def sex_faults(row: asyncpg.Record, *, psn_no: str) -> list[Fault]:
    """Return the fault of birth, prenatal or miscarriage care of somebody who is no woman.

    A man who claims for his wife by a special identity is none. ``row`` has sex, identities, med_type and maternity.
    """
    known, kind, med_type = words(), row["maternity"] or "", row["med_type"]
    is_womens = (
        kind in known.womens_words or med_type in known.womens_classes
        or (not kind and med_type in known.womens_classes_without_kind)
    )
    if not is_womens or row["sex"] == _FEMALE or known.claims_for_spouse.intersection(row["identities"] or ()):
        return []
    return [Fault("PERSON_SEX", "参保人不是女性，不能享受生育、产前检查、流产引产和宫内节育器待遇", "data.psn_no", psn_no,
                  "请核对就诊人身份、医疗类别（med_type）、生育类别（matn_type）和计划生育手术类别（birctrl_type）")]


def refuse_kind(case: Case, policy: RegionPolicy) -> Refusal | None:
    """Refuse maternity care that the law does not pay as it is, but would if a kind, or another one, were named.

    What no kind would change is left to the law's own refusal.
    """
    known = words()
    if case.med_type not in known.kind_classes or not _is_unfit(case, policy):
        return None
    fitting = {
        word for word in {*known.maternity.values(), *known.family_planning.values()}
        if not _is_unfit(msgspec.structs.replace(case, maternity=word), policy)
    }
    births = _codes(known.maternity, fitting)
    planning = _codes(known.family_planning, fitting)
    if not fitting:
        return None
    offered = [f"{name}（{codes}）" for name, codes in (("matn_type", births), ("birctrl_type", planning)) if codes]
    code, text, do = (
        ("MATERNITY_KIND_UNFIT", f"所报的生育或计划生育手术类别，参保地不按医疗类别{case.med_type}支付", "更正")
        if case.maternity else
        ("MATERNITY_KIND_MISSING", f"医疗类别{case.med_type}须填写生育类别或计划生育手术类别", "补报")
    )
    return refuse(
        code, text, field="mdtrtinfo.matn_type" if births else "mdtrtinfo.birctrl_type",
        remedy=f"请{do}{'或'.join(offered)}：住院用2403（已出院的先用2405撤销出院，也可由2402填写），门诊重新上传2203",
    )


def _is_unfit(case: Case, policy: RegionPolicy) -> bool:
    benefit = choose_benefit(case, policy)
    found = benefit if isinstance(benefit, Refusal) else plan_of(case, benefit, policy)
    return isinstance(found, Refusal) and found.faults[0].code in _UNFIT


def _codes(mapping: dict[str, str], fitting: Collection[str]) -> str:
    return "、".join(code for code, word in sorted(mapping.items()) if word in fitting)
