"""The amounts of a bill, and what comes out of them. Each amount is an ``Amount``: one bill or a column of bills."""

from __future__ import annotations

from collections.abc import Mapping

from yibao.policy.case import Case
from yibao.policy.decision import Step
from yibao.policy.pipeline.exact import Amount, Arithmetic


class Bill:
    """The amounts a plan is run on, all in fen.

    Attributes:
        amount: the whole bill; ``own`` fully own, ``over`` above price limits, ``first_pay`` and ``in_scope``.
        groups: in-scope cost of the lines of a named group, a part of ``in_scope``.
        counters: what windows have used, by counter code; an absent one is 0.
        balance: of the own account; family: what sharing relatives may pay, None where nobody is asked.
        already: what another settlement has paid, by head field.
        inputs: named inputs of formulas.
    """

    __slots__ = (
        "already",
        "amount",
        "balance",
        "counters",
        "family",
        "first_pay",
        "groups",
        "in_scope",
        "inputs",
        "over",
        "own",
    )

    def __init__(
        self,
        *,
        amount: Amount,
        own: Amount,
        over: Amount,
        first_pay: Amount,
        in_scope: Amount,
        groups: Mapping[str, Amount],
        counters: Mapping[str, Amount],
        balance: Amount,
        already: Mapping[str, Amount],
        inputs: Mapping[str, Amount],
        family: Amount | None = None,
    ) -> None:
        self.amount = amount
        self.own = own
        self.over = over
        self.first_pay = first_pay
        self.in_scope = in_scope
        self.groups = groups
        self.counters = counters
        self.balance = balance
        self.already = already
        self.inputs = inputs
        self.family = family


def bill_of(case: Case) -> Bill:
    """Return the amounts of one case, its lines added up."""
    amount = own = over = first_pay = in_scope = 0
    groups: dict[str, int] = {}
    for line in case.lines:
        amount += line.amount
        own += line.own
        over += line.over
        first_pay += line.first_pay
        in_scope += line.in_scope
        if line.group:
            groups[line.group] = groups.get(line.group, 0) + line.in_scope
    return Bill(
        amount=amount,
        own=own,
        over=over,
        first_pay=first_pay,
        in_scope=in_scope,
        groups=groups,
        counters=case.counters,
        balance=case.account_balance,
        already=case.already,
        inputs=case.inputs,
        family=case.family_balance,
    )


class Outcome:
    """What a plan makes of a bill, all in fen.

    ``funds`` are (fund type, head field, amount) in the order of payment, those of amount 0 included;
    ``counters`` are (code, what the bill adds, ceiling or None), likewise. ``pool_ratio`` is the applied
    ratio of the pool in ten-thousandths, before floor and ceilings. ``shared_pay`` is a part of ``account_pay``.
    """

    __slots__ = (
        "account_pay",
        "amount",
        "cash",
        "counters",
        "deductible",
        "first_pay",
        "fund_total",
        "funds",
        "in_scope",
        "over",
        "own",
        "person_part",
        "pool_ratio",
        "shared_pay",
    )

    amount: Amount
    own: Amount
    over: Amount
    first_pay: Amount
    in_scope: Amount
    deductible: Amount
    pool_ratio: Amount
    shared_pay: Amount
    funds: list[tuple[str, str, Amount]]
    fund_total: Amount
    person_part: Amount
    account_pay: Amount
    cash: Amount
    counters: list[tuple[str, Amount, Amount | None]]


class Tally:
    """What the steps of one run share: the bill, the arithmetic, what has been counted and paid so far, the trace.

    Attributes:
        in_scope: the in-scope cost after the remote first-pay; ``groups`` the part of each named group.
        account_first: what the own account paid before the pool, and ``account_in_scope`` its in-scope part.
        deductible: what was charged.
        scope_paid: what funds have paid of in-scope cost, ``out_paid`` of cost out of scope,
            ``first_paid`` of first-pay.
        trace: the steps so far, None if nobody reads them.
    """

    __slots__ = (
        "_counted",
        "account_first",
        "account_in_scope",
        "arithmetic",
        "bill",
        "deductible",
        "first_paid",
        "first_pay",
        "funds",
        "groups",
        "in_scope",
        "out_paid",
        "scope_paid",
        "trace",
    )

    def __init__(self, bill: Bill, arithmetic: Arithmetic, trace: list[Step] | None) -> None:
        self.bill = bill
        self.arithmetic = arithmetic
        self.trace = trace
        self.in_scope: Amount = bill.in_scope
        self.first_pay: Amount = bill.first_pay
        self.groups: Mapping[str, Amount] = bill.groups
        self.account_first: Amount = 0
        self.account_in_scope: Amount = 0
        self.deductible: Amount = 0
        self.scope_paid: Amount = 0
        self.out_paid: Amount = 0
        self.first_paid: Amount = 0
        self.funds: list[tuple[str, str, Amount]] = []
        self._counted: dict[str, tuple[Amount, Amount | None]] = {}

    def before(self, code: str) -> Amount:
        """Return what a counter stands at, with what this bill has added so far; 0 for the counter ``""``."""
        used = self.bill.counters.get(code, 0)
        if code in self._counted:
            used = used + self._counted[code][0]
        return used

    def count(self, code: str, added: Amount, cap: Amount | None) -> None:
        """Add to a counter, with the ceiling it was tested against or None; the counter ``""`` counts nothing.

        A counter to which several steps add is held by the highest of their ceilings, by none if one of
        them adds without testing: what has been granted must fit in.
        """
        if not code:
            return
        if code in self._counted:
            earlier, held = self._counted[code]
            added = earlier + added
            cap = None if held is None or cap is None else self.arithmetic.most(held, cap)
        self._counted[code] = (added, cap)

    def counted(self) -> list[tuple[str, Amount, Amount | None]]:
        """Return what the bill adds to each counter, in the order of the steps."""
        return [(code, added, cap) for code, (added, cap) in self._counted.items()]

    def unpaid(self) -> Amount:
        """Return what nobody has paid of the whole bill yet."""
        left = self.bill.amount - self.account_first - self.scope_paid - self.out_paid - self.first_paid
        return self.arithmetic.most(left, 0)
