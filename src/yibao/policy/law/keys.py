"""Every key a policy file may use: what its value is, which attributes it has, what its rows may depend on."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from yibao.kernel.money import WHOLE
from yibao.policy.law.conditions import (
    CASE_DIMENSIONS,
    FILING_DIMENSIONS,
    GROUP_DIMENSIONS,
    LINE_DIMENSIONS,
    RECKONING_DIMENSIONS,
)
from yibao.policy.law.rounding import ROUNDINGS


class Attribute(msgspec.Struct, frozen=True):
    """What an attribute that only some keys have may hold.

    Attributes:
        shape: ``text``, ``word``, ``counter``, ``code`` (six digits), ``ratio``, ``truth``, ``choice`` or
            ``base`` (``base`` or ``index.<name>``).
        choices: the words of a ``choice``.
        needed: whether every row must have it.
    """

    shape: str
    choices: tuple[str, ...] = ()
    needed: bool = False


class Kind(msgspec.Struct, frozen=True):
    """What a parameter key accepts.

    Attributes:
        name: Chinese name of the kind, used in messages.
        value: ``amount``, ``ratio``, ``points``, ``count``, ``code``, ``choice``, ``truth`` or ``order``.
        choices: the words a ``choice`` may use.
        attributes: attributes that its rows may have beside the common ones.
        dimensions: what its rows may depend on; region-wide settings depend on nothing but the day.
        place: who reads it: ``choosing`` (which benefit), ``bill``, ``line``, ``region``, ``index``, ``reckoning``.
        needs_when: dimensions that every row must name.
        banded: whether a ratio may be written in bands.
        highest: the highest ratio, in ten-thousandths.
        units: the units of a ``count``.
        pattern: what a ``code`` must look like, empty for any text.
    """

    name: str
    value: str
    choices: tuple[str, ...] = ()
    attributes: Mapping[str, Attribute] = MappingProxyType({})
    dimensions: tuple[str, ...] = CASE_DIMENSIONS
    place: str = "bill"
    needs_when: tuple[str, ...] = ()
    banded: bool = False
    highest: int = WHOLE
    units: tuple[str, ...] = ()
    pattern: str = ""

    @property
    def extra(self) -> frozenset[str]:
        """Names of the attributes that only some keys have."""
        return frozenset(self.attributes)


FIELDS = (
    "hifp_pay", "cvlserv_pay", "hifes_pay", "hifmi_pay", "hifob_pay", "hifdm_pay", "maf_pay", "oth_pay",
)  # fmt: skip
"""Head fields of the wire in which a fund may report."""
WINDOWS = ("year", "month", "quarter", "stay", "pregnancy")
"""How long a counter counts before it begins anew."""
LAYER_BASES = ("own", "own_without_deductible", "above_cap", "out_of_scope", "first_pay")
"""What a layer above the pool works on."""
MULTIPLE = 10 * WHOLE
"""The highest factor and the highest share of a base, such as three times the average wage."""

_TEXT = Attribute("text")
_SAID = Attribute("text", needed=True)
_TRUTH = Attribute("truth")
_WINDOW = Attribute("choice", WINDOWS)
_COUNTER = Attribute("counter", needed=True)
_MAY_COUNT = Attribute("counter")
_FIELD = Attribute("choice", FIELDS)
_ROUNDING = Attribute("choice", tuple(ROUNDINGS))
_LAYER = Attribute("word", needed=True)
_PAYER = Attribute("choice", ("unit", "person", "state"))
_WHOLE_BILL = r"[A-Za-z][A-Za-z0-9_]*"


def _reckoned(name: str, value: str, *units: str, **attributes: Attribute) -> Kind:
    """Return a key that no bill reads."""
    choices = tuple(ROUNDINGS) if value == "choice" else ()
    return Kind(
        name,
        value,
        choices,
        attributes=attributes,
        dimensions=RECKONING_DIMENSIONS,
        place="reckoning",
        units=units,
    )


def _filed(name: str, value: str, *words: str, units: tuple[str, ...] = (), pattern: str = "") -> Kind:
    """Return a key that only filings ask for; ``words`` are those of a choice."""
    return Kind(
        name, value, words, dimensions=FILING_DIMENSIONS, place="reckoning", units=units, pattern=pattern
    )


_BILLS = {
    "benefit": Kind(
        "待遇类别",
        "code",
        attributes={"title": _TEXT, "clr_type": _TEXT, "needs_disease": _TRUTH, "needs_recognition": _TRUTH},
        dimensions=tuple(d for d in CASE_DIMENSIONS if d != "benefit"),
        place="choosing",
    ),
    "remote_first_pay": Kind("异地先行自付比例", "ratio"),
    "refusal": Kind(
        "不予支付的情形",
        "code",
        attributes={"title": _SAID, "remedy": _SAID},
        pattern=_WHOLE_BILL,
    ),
    "deductible": Kind("起付标准", "amount", attributes={"counter": _COUNTER, "window": _WINDOW}),
    "deductible_factor": Kind("起付标准系数", "ratio", highest=MULTIPLE),
    "deductible_step": Kind("起付标准逐次递减", "amount"),
    "deductible_floor": Kind("起付标准下限", "amount"),
    "deductible_year_cap": Kind("年度起付累计上限", "amount", attributes={"counter": _COUNTER}),
    "item_limit": Kind("计入限额", "amount", attributes={"counter": _MAY_COUNT, "window": _WINDOW}),
    "line_ratio": Kind(
        "单列项目支付比例", "ratio", dimensions=(*CASE_DIMENSIONS, *GROUP_DIMENSIONS), needs_when=("group",)
    ),
    "line_deductible": Kind(
        "单列项目起付标准",
        "amount",
        attributes={"counter": _COUNTER},
        dimensions=(*CASE_DIMENSIONS, *GROUP_DIMENSIONS),
        needs_when=("group",),
    ),
    "pool_ratio": Kind(
        "统筹支付比例",
        "ratio",
        attributes={"base": Attribute("choice", ("above_dedc", "cost_band"))},
        banded=True,
    ),
    "own_factor": Kind("个人负担系数", "ratio"),
    "pool_bonus": Kind("支付比例加减", "points", attributes={"group": Attribute("word")}),
    "pool_floor": Kind("最低支付额", "amount"),
    "lump": Kind("定额支付", "amount"),
    "pool_cap": Kind(
        "支付限额",
        "amount",
        attributes={
            "counter": _COUNTER,
            "window": _WINDOW,
            "optional": _TRUTH,
            "each_other_disease": Attribute("ratio"),
            "feeds": _TRUTH,
        },
    ),
    "layer": Kind(
        "补充支付层",
        "code",
        attributes={
            "title": _TEXT,
            "fund": Attribute("code", needed=True),
            "field": _FIELD,
            "base": Attribute("choice", LAYER_BASES),
            "counter": _MAY_COUNT,
            "paid_counter": _MAY_COUNT,
            "rounding": _ROUNDING,
            "conversion": Attribute("ratio"),
        },
        pattern=_WHOLE_BILL,
    ),
    "layer_deductible": Kind("补充支付层起付线", "amount", attributes={"layer": _LAYER}),
    "layer_ratio": Kind(
        "补充支付层比例",
        "ratio",
        attributes={"layer": _LAYER, "base": Attribute("choice", ("absolute", "above_dedc"))},
        banded=True,
    ),
    "layer_cap": Kind("补充支付层限额", "amount", attributes={"layer": _LAYER}),
    "fund": Kind("支付基金", "code", attributes={"field": _FIELD}, pattern=r"\d{6}"),
    "first_pay": Kind("先行自付比例", "ratio", dimensions=LINE_DIMENSIONS, place="line"),
    "rounding": Kind("取整方式", "choice", tuple(ROUNDINGS)),
    "benefit_year": Kind("待遇年度", "choice", ("service_date", "discharge_date")),
    "order": Kind("支付顺序", "order"),
    "account.pays": Kind("个人账户支付范围", "choice", ("person_part", "in_scope")),
    "account.first_limit": Kind("个人账户先付限额", "amount"),
    "account.shared_inside_acct_pay": Kind(
        "共济支付计入个人账户支付", "truth", dimensions=(), place="region"
    ),
    "reversal.later_settlements": Kind(
        "撤销时已有后续结算", "choice", ("refuse", "keep", "resettle"), dimensions=(), place="region"
    ),
    "clearing.period": Kind("清算周期", "choice", ("month", "quarter"), dimensions=(), place="region"),
    "clearing.cut_day": Kind("清算截止日", "count", dimensions=(), place="region", units=("日",)),
    "index": Kind(
        "指数", "amount", attributes={"index": Attribute("word", needed=True)}, dimensions=(), place="index"
    ),
}
_RECKONINGS = {
    "dues_rate": _reckoned("缴费费率", "ratio", payer=_PAYER, part=Attribute("word"), of=Attribute("base")),
    "dues_fixed": _reckoned(
        "定额缴费",
        "amount",
        payer=_PAYER,
        part=Attribute("word"),
        period=Attribute("choice", ("month", "year")),
    ),
    "dues_floor": _reckoned("缴费基数下限", "amount"),
    "dues_ceiling": _reckoned("缴费基数上限", "amount"),
    "dues_rounding": _reckoned("缴费取整方式", "choice"),
    "credit_rate": _reckoned("账户划入比例", "ratio"),
    "credit_fixed": _reckoned("账户定额划入", "amount"),
    "allowance_days": _reckoned(
        "津贴天数", "count", "天", adds=_TRUTH, per=Attribute("choice", ("extra_foetus",))
    ),
    "allowance_divisor": msgspec.structs.replace(
        _reckoned("津贴日额除数", "code"), pattern=r"[1-9]\d*(/[1-9]\d*)?"
    ),
    "allowance_lump": _reckoned("津贴外定额补助", "amount"),
    "allowance_needs_months": _reckoned("津贴所需缴费月数", "count", "个月"),
    "wait_fixed": _reckoned("固定等待期", "count", "个月"),
    "wait_per_missed_year": _reckoned("每断缴一年增加的等待期", "count", "个月"),
    "wait_repair_per_year": _reckoned("每补缴一年减少的等待期", "count", "个月"),
    "wait_least": _reckoned("最短等待期", "count", "个月"),
    "newborn_window": _reckoned("新生儿参保窗口", "count", "天"),
    "gap_allowed": _reckoned("允许中断缴费的月数", "count", "个月"),
    "years_needed": _reckoned(
        "退休所需缴费年限", "count", "年", kind=Attribute("choice", ("total", "actual"))
    ),
    "claim_within": _reckoned("申报时限", "count", "天", "个月", "年"),
}
_ENROLMENT = {
    "benefit_lag": _reckoned("缴费后几个月起享受", "count", "个月"),
    "arrears_kept": _reckoned("欠缴仍享受的月数", "count", "个月"),
    "gap_paid": _reckoned("断缴期间补缴后支付", "truth"),
    "identity_no_wait": _reckoned("不设等待期的对象", "truth"),
    "surcharge_daily": _reckoned("滞纳金日率", "ratio"),
    "due_day": _reckoned("每月缴费截止日", "count", "日"),
    "resident_season": msgspec.structs.replace(
        _reckoned("居民集中缴费期", "code"), pattern=r"\d{2}-\d{2}/\d{2}-\d{2}"
    ),
    "late_pays_subsidy": _reckoned("逾期缴费另缴财政补助", "truth"),
    "pay_after_enrolment": msgspec.structs.replace(
        _reckoned("参保登记后何时可缴费", "choice"), choices=("same_day", "next_day")
    ),
    "account_interest": _reckoned("个人账户年利率", "ratio"),
    "dues_from_account": _reckoned("从个人账户划扣的缴费", "truth"),
    "sharing_circle": msgspec.structs.replace(_reckoned("共济范围", "code"), pattern=r"[a-z]+(,[a-z]+)*"),
    "withdrawal_causes": msgspec.structs.replace(_reckoned("一次性支取的情形", "code"), pattern=r"[a-z]+(,[a-z]+)*"),
}
_FILINGS = {
    "recognition_by": _filed("慢特病认定由谁决定", "choice", "hospital", "agency"),
    "recognition_review": _filed("慢特病认定复审期限", "count", units=("个月",)),
    "referral_valid": _filed("转诊备案有效期", "count", units=("天",)),
    "choice_limit": _filed("可选定机构家数", "count", units=("家",)),
    "choice_change": _filed("改选期间", "code", pattern=r"\d{2}-\d{2}/\d{2}-\d{2}"),
    "choice_effect": _filed("改选生效", "choice", "at_once", "next_year"),
    "registration_begin": _filed("生育登记起始日期", "choice", "filing_day", "any_day"),
}

KINDS: Mapping[str, Kind] = MappingProxyType({**_BILLS, **_RECKONINGS, **_ENROLMENT, **_FILINGS})
"""Every key a policy file may use. A later benefit adds a key here and a step that reads it."""
