"""A plan: which rows of the law decide a case, chosen from its facts alone, before any amount is known."""

from __future__ import annotations

import msgspec

from yibao.policy.law.parameters import Row
from yibao.policy.law.values import Band, Share


class Value(msgspec.Struct, frozen=True, gc=False):
    """An amount of the law as far as facts settle it.

    Attributes:
        row: the row it stands in.
        number: fen; 0 where only the bill settles it.
        absent: the law says that there is none.
        share: the share of an amount of the bill that has yet to be taken, None for a settled number.
    """

    row: Row
    number: int
    absent: bool = False
    share: Share | None = None


class DeductiblePlan(msgspec.Struct, frozen=True, gc=False):
    """What makes up the deductible of one bill.

    Attributes:
        standard: the printed standard.
        counter: what the window has borne is counted here, ``""`` where each admission starts anew.
        factor: share of the standard that is asked, with its row; None asks for all of it.
        factor_last: the factor is taken of what step and floor leave (it says who the person is), not
            before them (it says which admission this is).
        step: what each further admission takes off the standard.
        steps: how many admissions went before.
        floor: what step and factor leave at least.
        year_cap: the most that a year charges in deductibles.
        year_counter: what the year has charged is counted here.
    """

    standard: Value
    counter: str
    factor: Row | None = None
    factor_last: bool = False
    step: Value | None = None
    steps: int = 0
    floor: Value | None = None
    year_cap: Value | None = None
    year_counter: str = ""


class GroupPlan(msgspec.Struct, frozen=True, gc=False):
    """Lines that are paid at a ratio of their own, in units of the pool's ``scale``."""

    group: str
    rate: int
    row: Row
    threshold: Value | None = None
    counter: str = ""


class PoolPlan(msgspec.Struct, frozen=True, gc=False):
    """The ratio of the pool.

    Attributes:
        row: the row of the ratio.
        bonuses: rows whose points have been added.
        factor: the row that scales the person's own share, None if there is none.
        bands: the bands; ``ratio`` counts ``1 / scale``, bonuses and factor included. A flat ratio is one
            band without end.
        scale: what a ratio of 100 % is in ``bands`` and in the groups.
        flat: the ratio in ten-thousandths, -1 where there are several bands.
        on_cost: the bands are counted from the first fen of the cost, the deductible included.
    """

    row: Row
    bonuses: tuple[Row, ...]
    factor: Row | None
    bands: tuple[Band, ...]
    scale: int
    flat: int
    on_cost: bool


class CapPlan(msgspec.Struct, frozen=True, gc=False):
    """A ceiling of the pool's payment, None where the law says that there is none."""

    counter: str
    name: str
    limit: Value | None
    row: Row
    others: tuple[Row, ...] = ()
    feeds: bool = False


class LayerPlan(msgspec.Struct, frozen=True, gc=False):
    """A fund that pays after the pool.

    Attributes:
        name: its code.
        title: its Chinese name.
        fund: fund type.
        field: head field of the wire, ``""`` if it has none.
        base: ``own``, ``own_without_deductible``, ``above_cap``, ``out_of_scope`` or ``first_pay``.
        counter: the base adds up over the window here, ``""`` where each bill stands alone.
        paid_counter: what the layer has paid in the window, ``""`` if nobody counts.
        rounding: how the payment becomes fen.
        conversion: ratio that turns what the ceiling left into cost; 0 inverts the bill's own ratio.
        threshold: what the base must pass, None if nothing.
        bands: the ratio in ten-thousandths, a flat one as one band without end.
        above_threshold: bands are counted from the threshold, not from the first fen.
        cap: the most the layer pays, None if there is no limit.
        row: the row that grants the layer.
        ratio_row: the row of its ratio.
    """

    name: str
    title: str
    fund: str
    field: str
    base: str
    counter: str
    paid_counter: str
    rounding: str
    conversion: int
    threshold: Value | None
    bands: tuple[Band, ...]
    above_threshold: bool
    cap: Value | None
    row: Row
    ratio_row: Row


class Plan(msgspec.Struct, frozen=True, gc=False):
    """Everything that facts settle about a case; with the amounts of a bill it gives the decision.

    Attributes:
        benefit: code of the benefit; ``title`` its Chinese name, ``clr_type`` its clearing kind.
        benefit_row: the row that chose it.
        fund: the row of the pool's fund, ``fund_field`` its head field.
        rounding: how a payment becomes fen, and ``rounding_row`` its row.
        order: the row of the order of payers.
        pool: the ratio; None where a lump stands in its place or the pool has already paid.
        deductible: None likewise.
        lump: the pool's lump.
        pool_paid: the pool has paid by another settlement of the same cost.
        floor: what the pool pays at least.
        item_limit: cost that counts, ``item_counter`` what the window has used of it.
        account_pays: the row that says what the own account may pay, None if it pays nothing.
        use_account: whether the person wants it to.
        account_first: the account pays before the pool, at most ``first_limit``.
        shared_pays: the law lets the accounts of sharing relatives pay what the own account leaves.
        already: head fields in which another settlement has paid.
        inverse: common multiple of the pool's rates, for the cost behind a ceiling; 0 if nobody asks.
        beyond_scope: a floor, a lump or a layer may pay for cost out of scope.
    """

    benefit: str
    title: str
    clr_type: str
    benefit_row: Row
    fund: Row
    fund_field: str
    rounding: str
    rounding_row: Row
    order: Row
    pool: PoolPlan | None
    deductible: DeductiblePlan | None
    caps: tuple[CapPlan, ...]
    lump: Value | None = None
    pool_paid: bool = False
    floor: Value | None = None
    item_limit: Value | None = None
    item_counter: str = ""
    remote_first_pay: Row | None = None
    remote_rate: int = 0
    groups: tuple[GroupPlan, ...] = ()
    layers: tuple[LayerPlan, ...] = ()
    account_pays: Row | None = None
    use_account: bool = False
    account_first: bool = False
    shared_pays: bool = False
    first_limit: Value | None = None
    already: tuple[str, ...] = ()
    inverse: int = 0
    beyond_scope: bool = False
