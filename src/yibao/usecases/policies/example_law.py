"""Writes the rules of one worked example as a policy file, the way a policy officer would, for the loader to read."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from yibao.kernel.money import WHOLE, yuan_text
from yibao.policy.law.values import ratio_text
from yibao.usecases.policies.example_rows import Given, RowFault

REGION = "990000"
"""A place that is no place: the region of an example that names none."""
BENEFIT = "example"
ABSENT = '"不设"'
_START = "1900-01-01"
_FIRST = 1_000_000
"""What an example says goes before everything that a region's files say."""

_HEAD = """format = 1
admdvs = "{admdvs}"
{name}
"""
_PERSONS = '[person_classes]\nany = { name = "参保人", psn_type = ["11"] }\n'


class Layer(msgspec.Struct, frozen=True):
    """How a layer of an example is named, and where its payment goes.

    Attributes:
        code: its name in the law and in ``order``.
        title: its Chinese name.
        fund: its fund type; every layer has its own, so that payments of one head field can be told apart.
        field: its head field on the wire.
        base: what it works on.
    """

    code: str
    title: str
    fund: str
    field: str
    base: str = "own"


class LawText:
    """A policy file in the making: parameters are added one by one, ``text`` puts them together.

    Attributes:
        layers: the layers added so far, in their order.
        keys: the parameters added so far.
    """

    def __init__(self, *, admdvs: str = REGION) -> None:
        self._admdvs = admdvs
        self._blocks: list[str] = []
        self._priority = 0 if admdvs == REGION else _FIRST
        self._words: dict[str, dict[str, str]] = {}
        self.layers: list[str] = []
        self.keys: set[str] = set()

    def add(self, key: str, value: str, when: Mapping[str, str] | None = None, /, **more: str) -> None:
        """Add one dated value.

        Args:
            key: the parameter.
            value: as TOML; a list of bands starts with ``[{``.
            when: conditions, as TOML by dimension.
            more: further fields of the parameter, as TOML by name.
        """
        self.keys.add(key)
        what = "bands" if value.startswith("[{") else "value"
        fields = {"rule": f'"例-{len(self._blocks) + 1}"', what: value, **more}
        if when:
            fields["when"] = "{ " + ", ".join(f"{name} = {wanted}" for name, wanted in when.items()) + " }"
        row = ", ".join(f"{name} = {written}" for name, written in fields.items())
        self._blocks.append(
            f'[[parameter]]\nkey = "{key}"\nname = "{_NAMES.get(key, key)}"\nmark = "assumed"\n'
            f'clause = "算例所述"\nfrom = {_START}\npriority = {self._priority}\n'
            f"rows = [\n  {{ {row} }},\n]\n"
        )

    def add_unless(self, key: str, value: str, **more: str) -> None:
        """Add a value of a key that has none yet."""
        if key not in self.keys:
            self.add(key, value, **more)

    def declare(self, section: str, word: str, name: str) -> None:
        """Declare a word of the region's vocabulary (``traits``, ``identities``)."""
        self._words.setdefault(section, {})[word] = name

    def add_layer(self, layer: Layer, rule: Given, **more: str) -> None:
        """Add a layer that pays by an over-rule: ``dedc``, one ``ratio`` or ``tiers``, ``base``, ``cap``.

        Raises:
            RowFault: the rule has neither ``ratio`` nor ``tiers``, or a base that is not known.
        """
        self.layers.append(layer.code)
        named = {"layer": quoted(layer.code)}
        self.add(
            "layer",
            quoted(layer.code),
            title=quoted(layer.title),
            fund=quoted(layer.fund),
            field=quoted(layer.field),
            base=quoted(layer.base),
            **more,
        )
        threshold = rule.money("dedc")
        if threshold:
            self.add("layer_deductible", yuan(threshold), **named)
        axis = rule.text("base") or "absolute"
        if axis not in ("absolute", "above_dedc"):
            raise RowFault(f"{layer.title}的 base 应为 absolute 或 above_dedc，收到 {axis}")
        self.add("layer_ratio", banded(rule, layer.title), base=quoted(axis), **named)
        if rule.has("cap"):
            self.add("layer_cap", yuan(rule.money("cap")), **named)

    def text(self) -> str:
        """Return the file."""
        name = 'region = "算例"' if self._admdvs == REGION else 'title = "算例"'
        words = "".join(
            f"[{section}]\n" + "".join(f"{quoted(word)} = {quoted(said)}\n" for word, said in entries.items())
            for section, entries in self._words.items()
        )
        persons = _PERSONS if self._admdvs == REGION else ""
        return _HEAD.format(admdvs=self._admdvs, name=name) + persons + words + "".join(self._blocks)


_NAMES = {
    "benefit": "待遇类别",
    "deductible": "起付标准",
    "deductible_factor": "起付标准系数",
    "deductible_step": "逐次降低额",
    "deductible_floor": "起付标准下限",
    "deductible_year_cap": "全年累计起付上限",
    "remote_first_pay": "异地先行自付",
    "item_limit": "计入限额",
    "line_ratio": "单列费用支付比例",
    "pool_ratio": "统筹支付比例",
    "pool_bonus": "支付比例加减",
    "pool_floor": "保底支付",
    "pool_cap": "支付限额",
    "lump": "定额支付",
    "fund": "支付基金",
    "layer": "分层保障",
    "layer_deductible": "起付线",
    "layer_ratio": "支付比例",
    "layer_cap": "支付上限",
    "order": "支付顺序",
    "rounding": "取整方式",
    "benefit_year": "待遇年度",
}


def quoted(text: str) -> str:
    """Return a text as a TOML string."""
    return '"' + "".join(_ESCAPES.get(c, c) if c >= " " else f"\\u{ord(c):04x}" for c in text) + '"'


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\x7f": "\\u007f"}


def yuan(fen: int) -> str:
    """Return an amount the way a policy file writes it."""
    return quoted(f"{yuan_text(fen)}元")


def percent(ratio: int, what: str) -> str:
    """Return a ratio the way a policy file writes it.

    Raises:
        RowFault: it is outside 0 to 100 %.
    """
    if not 0 <= ratio <= WHOLE:
        raise RowFault(f"{what}应在 0 到 1 之间，收到 {ratio_text(ratio)}")
    return quoted(ratio_text(ratio))


def factor(ratio: int, what: str) -> str:
    """Return a factor, which may exceed the whole, the way a policy file writes it.

    Raises:
        RowFault: it is below nothing.
    """
    if ratio < 0:
        raise RowFault(f"{what}不能为负数，收到 {ratio_text(ratio)}")
    return quoted(ratio_text(ratio))


def points(ratio: int) -> str:
    """Return points the way a policy file writes them."""
    return quoted(f"{ratio_text(ratio)[:-1]}个百分点")


def banded(rule: Given, what: str) -> str:
    """Return the ``tiers`` or the one ``ratio`` of a rule the way a policy file writes it."""
    if rule.has("tiers"):
        tiers = rule.tiers("tiers")
        if len(tiers) == 1 and tiers[0][0] is None:
            return percent(tiers[0][1], f"{what}的比例")
        bounds = (0, *(upper for upper, _ in tiers))
        # A band without width pays nothing, and a policy file does not accept it.
        bands = [_band(upper, ratio, what) for (upper, ratio), lower in zip(tiers, bounds, strict=False) if upper != lower]
        if bands:
            return f"[{', '.join(bands)}]"
    if not rule.has("ratio"):
        raise RowFault(f"{what}缺少比例（ratio 或 tiers）")
    return percent(rule.ratio("ratio"), f"{what}的比例")


def _band(upper: int | None, ratio: int, what: str) -> str:
    bound = "" if upper is None else f"to = {yuan(upper)}, "
    return f"{{ {bound}ratio = {percent(ratio, f'{what}的比例')} }}"
