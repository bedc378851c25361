"""Examples that name a region are decided by that region's own law; what the row says itself goes before it."""

from __future__ import annotations

import re
import typing
from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec

from yibao.kernel.money import WHOLE
from yibao.policy.case import Case, PersonFacts
from yibao.policy.law.loading import BadPolicy, load_policy
from yibao.policy.law.parameters import RegionPolicy
from yibao.usecases.policies.example_bills import Computation, Setting
from yibao.usecases.policies.example_law import ABSENT, percent, points, quoted
from yibao.usecases.policies.example_rows import Given, RowFault

_PERSONS = (
    ("退休", "1201"),
    ("老年", "1601"),
    ("儿童", "1402"),
    ("学生", "1403"),
    ("少儿", "1402"),
    ("居民", "1501"),
    ("在职", "1101"),
    ("职工", "1101"),
)
"""Which class of person a label speaks of; the first word found decides."""
_REMOTE = {
    "filed_long": ("registered", "outside"),
    "filed": ("registered", "outside"),
    "filed_in_province": ("registered", "in_province"),
    "filed_referral": ("referred", "outside"),
    "temporary": ("temporary", "outside"),
    "unfiled_temporary": ("temporary", "outside"),
    "unfiled": ("unregistered", "outside"),
    "emergency": ("emergency", "outside"),
}
"""What the words of ``rloc_type`` say about a stay elsewhere."""
_MONTH, _DAY = 6, 1
"""The middle of a year that is given without a day."""


def setting_of(labels: Mapping[str, str], inputs: Given, regions: Mapping[str, Mapping[str, str]]) -> Setting:
    """Return where an example happens: in no place, or in the region that its extra column names.

    Args:
        labels: the columns of the row beside id, inputs, parameters and expected results. Without a
            ``region`` they decide nothing.
        inputs: the row's inputs, for the facts among them.
        regions: the files of every region.

    Raises:
        RowFault: the region is not known, its files are faulty, or a fact is written wrongly.
    """
    admdvs = labels.get("region", "")
    on = _day(labels)
    if not admdvs:
        return Setting(on=on or Setting().on)
    if admdvs not in regions:
        raise RowFault(f"没有统筹区 {admdvs} 的政策文件；现有：{'、'.join(regions)}")
    if on is None:
        raise RowFault("写明 region 的算例须写明日期 on（YYYY-MM-DD）")
    try:
        policy = load_policy(regions[admdvs])
    except BadPolicy as error:
        raise RowFault(f"统筹区 {admdvs} 的政策文件有误：{error}") from None
    insutype = labels.get("insutype", "")[:3]
    return Setting(
        admdvs=admdvs,
        on=on,
        insutype=insutype if insutype.isdecimal() else "310",
        med_type=_leading_digits(labels.get("med_type", "")) or "21",
        person=_person(labels, inputs),
        level=_leading_digits(labels.get("hosp_level", ""))[:1] or "3",
        region=policy,
        facts=_facts(labels, inputs),
    )


def over_region(computation: Computation, inputs: Given, policy: RegionPolicy) -> Computation:
    """Return a computation whose parameters stand over the region's law, and what belonged to the old ones is lifted.

    A figure of a row already holds the effect of bonuses, factors and steps; so where the row gives the
    ratio or the deductible itself, the region's own bonuses and factors must not work on it once more.
    """
    law = computation.law
    own = frozenset(law.keys)
    if "deductible" in own:
        law.add_unless("deductible_factor", percent(WHOLE, ""))
        for key in ("deductible_step", "deductible_floor"):
            law.add_unless(key, ABSENT)
        for counter in sorted({r.counter for r in policy.rows if r.key == "deductible_year_cap"}):
            law.add_unless("deductible_year_cap", ABSENT, counter=quoted(counter))
    if "pool_ratio" in own:
        law.add_unless("own_factor", percent(WHOLE, ""))
        for group in sorted({str(r.extra.get("group", "")) for r in policy.rows if r.key == "pool_bonus"}):
            if group or "pool_bonus" not in own:
                law.add("pool_bonus", points(0), **({"group": quoted(group)} if group else {}))
    if "pool_cap" in own:
        for counter in sorted({r.counter for r in policy.rows if r.key == "pool_cap"}):
            law.add("pool_cap", ABSENT, counter=quoted(counter))
    cases = tuple(_counted(case, own, inputs.inner("prior"), policy) for case in computation.cases)
    return msgspec.structs.replace(computation, cases=cases)


def _counted(case: Any, own: frozenset[str], prior: Given, policy: RegionPolicy) -> Any:
    """Return a case whose year has used what the row says, by the region's own counters."""
    if not isinstance(case, Case):
        return case
    used = dict(case.counters)
    for key, amount in (("deductible", prior.money("dedc_paid")), ("pool_cap", prior.money("pool_paid"))):
        if amount and key not in own:
            used |= {row.counter: amount for row in policy.rows if row.key == key}
    return msgspec.structs.replace(case, counters=used)


def _day(labels: Mapping[str, str]) -> date | None:
    text = labels.get("on", "")
    if text:
        try:
            return date.fromisoformat(text)
        except ValueError:
            raise RowFault(f"on 应为 YYYY-MM-DD，收到 {text}") from None
    year = labels.get("year", "")
    return date(int(year), _MONTH, _DAY) if re.fullmatch(r"(19|20)\d\d", year) else None


def _person(labels: Mapping[str, str], inputs: Given) -> PersonFacts:
    label = labels.get("psn_category", "")
    plain = "1501" if labels.get("insutype", "").startswith("390") else "1101"
    psn_type = next((code for word, code in _PERSONS if word in label), plain)
    given: dict[str, Any] = {"psn_type": psn_type, "age": 40}
    if inputs.has("age"):
        given["age"] = inputs.count("age")
    if inputs.has("continuous_months"):
        given["paid_months"] = inputs.count("continuous_months")
    return PersonFacts(**{**given, **_columns(PersonFacts, labels)})


def _facts(labels: Mapping[str, str], inputs: Given) -> dict[str, Any]:
    """Return the other facts of the case by their names, as the extra columns and the inputs give them."""
    given: dict[str, Any] = {}
    word = inputs.text("rloc_type")
    if word:
        if word not in _REMOTE:
            raise RowFault(f"rloc_type 不认识：{word}；可用：{'、'.join(_REMOTE)}")
        given["remote"], given["remote_place"] = _REMOTE[word]
    if inputs.has("referred_from_level"):
        given["referred_from"] = inputs.text("referred_from_level")
    return given | _columns(Case, labels, but=_NOT_COLUMNS)


_NOT_COLUMNS = frozenset({"admdvs", "service_on", "insutype", "med_type", "person", "institution", "lines"})
"""Facts of a case that other columns or the inputs give."""


def _columns(
    kind: type[msgspec.Struct], labels: Mapping[str, str], *, but: frozenset[str] = frozenset()
) -> dict[str, Any]:
    """Return the columns named like a fact; several words are told apart by blanks, an object is JSON."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        text = labels.get(field.name, "")
        if text and field.name not in but:
            try:
                found[field.name] = msgspec.convert(_parts(text, field.type), field.type, strict=False)
            except msgspec.MsgspecError as error:
                raise RowFault(f"列 {field.name} 写错了（{error}）") from None
    return found


def _parts(text: str, wanted: Any) -> Any:
    origin = typing.get_origin(wanted)
    if origin is tuple:
        return text.split()
    return msgspec.json.decode(text) if origin is dict else text


def _leading_digits(text: str) -> str:
    found = re.match(r"\d+", text)
    return found[0] if found else ""
