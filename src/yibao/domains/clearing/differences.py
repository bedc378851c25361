"""Compare an institution's book with the platform's, settlement by settlement, and name every difference.

Pure: both books come as frozen rows. A settlement that was undone stands in the platform's book with a positive and a
negative row, and with a third one when the undoing was itself undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from yibao.domains.clearing.difference_kinds import KINDS, Kind
from yibao.domains.clearing.model import BookRow, CentreRow, Scope, SeenMessage
from yibao.kernel.money import yuan_text

REPLAYED, REFUSED = "replayed", "refused"
ALREADY_SETTLED = ("BATCH_ALREADY_SETTLED", "STAY_SETTLED")
"""Reasons for which a second attempt is refused that a till makes when it never had the first answer."""
_NUMBERS = (("MEDFEE_DIFFERS", "医疗费总额"), ("FUND_DIFFERS", "基金支付"), ("ACCOUNT_DIFFERS", "个人账户支付"))


class Difference(msgspec.Struct, frozen=True):
    """One difference: its kind and the particulars in Chinese."""

    kind: Kind
    says: str

    def sentence(self) -> str:
        """Return the kind, the particulars and what to do."""
        particulars = f"：{self.says}" if self.says else ""
        return f"【{self.kind.title}】{particulars}。{self.kind.remedy}"


class Compared(msgspec.Struct, frozen=True):
    """One line of the result: a row of either book, or of both, and what is wrong with it (nothing: they agree).

    Attributes:
        book: the institution's row, None for what only the platform has.
        centre: the platform's row; None where there is none, or none that this institution may see.
    """

    book: BookRow | None
    centre: CentreRow | None
    differences: tuple[Difference, ...]


class Evidence(msgspec.Struct, frozen=True):
    """What besides the two books is known.

    Attributes:
        elsewhere: settlements that the file names and that are not in the scope, by id.
        messages: messages that were refused or asked for again.
    """

    elsewhere: Mapping[str, CentreRow]
    messages: Sequence[SeenMessage]


def compare_books(
    book: Sequence[BookRow], centre: Sequence[CentreRow], *, scope: Scope, evidence: Evidence
) -> list[Compared]:
    """Return a line for every row of the file, in its order, then one for every settlement that only the platform has."""
    return _Comparison(centre, scope, evidence).run(book)


class _Comparison:
    """The books while they are compared."""

    def __init__(self, centre: Sequence[CentreRow], scope: Scope, evidence: Evidence) -> None:
        self._centre = {row.setl_id: row for row in centre}
        self._known = {**evidence.elsewhere, **self._centre}
        self._refunds_of: dict[str, list[CentreRow]] = {}
        for row in self._known.values():
            if row.kind == "refund" and row.origin_id:
                self._refunds_of.setdefault(row.origin_id, []).append(row)
        self._of_encounter: dict[str, list[CentreRow]] = {}
        for row in centre:
            self._of_encounter.setdefault(row.mdtrt_id, []).append(row)
        self._refused: dict[str, SeenMessage] = {m.mdtrt_id: m for m in evidence.messages if m.mdtrt_id and m.outcome == REFUSED}
        self._asked_again = {m.msgid: m for m in evidence.messages if m.outcome == REPLAYED}
        self._scope = scope
        self._found: set[str] = set()

    def run(self, book: Sequence[BookRow]) -> list[Compared]:
        # Rows without an id last: what they may stand for must not be named by another row.
        lines = {row.line: self._line(row) for row in sorted(book, key=lambda row: not row.setl_id)}
        missing = [row for row in self._centre.values() if row.setl_id not in self._found]
        return [lines[row.line] for row in book] + [Compared(None, row, (self._missing(row),)) for row in missing]

    def _line(self, row: BookRow) -> Compared:
        if not row.setl_id:
            return self._without_id(row)
        ours = self._match(row)
        if ours is None:
            return Compared(row, None, (_said("UNKNOWN_SETTLEMENT", f"结算ID {row.setl_id}"),))
        if ours.fixmedins_code != self._scope.fixmedins_code:
            return Compared(row, None, (_said("OTHER_INSTITUTION", f"结算ID {row.setl_id}不是本机构办理的"),))
        if _undoes(row, ours) and ours.setl_id not in self._refunds_of:
            return Compared(row, ours, (_said("REFUND_NOT_AT_CENTRE", f"{_named(ours)}在平台上有效，没有撤销记录"),))
        if ours.setl_id in self._found:
            return Compared(row, ours, (_said("DUPLICATE_ROW", f"结算ID {ours.setl_id}已在另一行出现"),))
        self._found.add(ours.setl_id)
        return Compared(row, ours, (*self._place(row, ours), *_persons(row, ours), *_amounts(row, ours)))

    def _match(self, row: BookRow) -> CentreRow | None:
        """Return the platform's row of a file row; a refund may be written under the id of what it undoes."""
        ours = self._known.get(row.setl_id)
        if ours is None or not _undoes(row, ours):
            return ours
        return next((r for r in self._refunds_of.get(ours.setl_id, ()) if r.setl_id not in self._found), ours)

    def _without_id(self, row: BookRow) -> Compared:
        """Return what a row without a settlement id is: settled with the reply lost, or never settled."""
        ours = next((
            c for c in self._of_encounter.get(row.mdtrt_id, ()) if c.psn_no == row.psn_no
            and c.setl_id not in self._found and (c.medfee_fen, c.kind) == (row.medfee_fen, "settlement")
        ), None)
        if ours is not None:
            self._found.add(ours.setl_id)
            return Compared(row, ours, (_said("REPLY_LOST", _named(ours)),))
        refused = self._refused.get(row.mdtrt_id)
        why = f"就诊ID {row.mdtrt_id}没有与此相符的结算"
        if refused is not None:
            why += f"，交易{refused.infno}（报文ID {refused.msgid}）被拒绝，原因代码{refused.refusal_code}"
        return Compared(row, None, (_said("ONLY_AT_INSTITUTION", why),))

    def _place(self, row: BookRow, ours: CentreRow) -> Iterable[Difference]:
        scope = self._scope
        if not scope.first <= ours.settled_on <= scope.last:
            yield _said("OUTSIDE_PERIOD", f"平台结算日期{ours.settled_on}")
        held = (("险种", ours.insutype, scope.insutype), ("清算类别", ours.clr_type, scope.clr_type),
                ("结算经办机构", ours.clr_optins, scope.clr_optins))
        other = [f"{label}为{is_}" for label, is_, asked in held if asked and is_ != asked]
        if other:
            yield _said("OTHER_BUCKET", "、".join(other))
        # What was undone may bear either mark: both readings of the flag are in use.
        is_undone = ours.kind == "settlement" and ours.state == "reversed"
        if row.is_refund != (ours.kind == "refund") and not is_undone:
            yield _said("REFUND_FLAG_WRONG", f"机构填{int(row.is_refund)}，应为{int(ours.kind == 'refund')}")

    def _missing(self, ours: CentreRow) -> Difference:
        """Say why a settlement of the platform may be missing at the institution."""
        if ours.sender != ours.fixmedins_code:
            return _said("BY_AGENCY", _named(ours))
        if ours.kind == "reinstatement":
            return _said("REINSTATED", f"{_named(ours)}，恢复撤销记录{ours.origin_id}")
        others = self._refunds_of.get(ours.setl_id, [])
        if ours.kind == "refund":
            others = [row for row in (self._known.get(ours.origin_id or ""),) if row is not None]
        if others and not any(row.setl_id in self._found for row in others):
            return _said("PAIR_NOT_COUNTED", f"{_named(ours)}，另一笔为{others[0].setl_id}")
        if ours.kind == "refund":
            return _said("REFUND_COUNTED_ONCE", f"缺撤销的一笔，{_named(ours)}，原结算{ours.origin_id}")
        if others:
            return _said("REFUND_COUNTED_ONCE", f"缺被撤销的一笔，{_named(ours)}，撤销记录{others[0].setl_id}")
        again = self._asked_again.get(ours.msgid) or self._refused.get(ours.mdtrt_id)
        if again is not None and (again.outcome == REPLAYED or again.refusal_code in ALREADY_SETTLED):
            return _said("REPLY_LOST", f"{_named(ours)}，其后报文{again.msgid}再次要求结算")
        return _said("ONLY_AT_CENTRE", _named(ours))


def _said(code: str, says: str) -> Difference:
    return Difference(KINDS[code], says)


def _named(ours: CentreRow) -> str:
    return f"结算ID {ours.setl_id}，报文ID {ours.msgid}，就诊ID {ours.mdtrt_id}"


def _undoes(row: BookRow, ours: CentreRow) -> bool:
    """Say whether a file row means the refund of the settlement whose id it bears."""
    return row.is_refund and row.medfee_fen < 0 and ours.kind == "settlement"


def _turned(row: BookRow) -> tuple[int, int, int]:
    return -row.medfee_fen, -row.fund_fen, -row.account_fen


def _persons(row: BookRow, ours: CentreRow) -> Iterable[Difference]:
    if row.psn_no != ours.psn_no:
        yield _said("PERSON_DIFFERS", f"机构{row.psn_no or '未填'}，平台{ours.psn_no}")
    if row.mdtrt_id != ours.mdtrt_id:
        yield _said("ENCOUNTER_DIFFERS", f"机构{row.mdtrt_id or '未填'}，平台{ours.mdtrt_id}")


def _amounts(row: BookRow, ours: CentreRow) -> Iterable[Difference]:
    if row.amounts == ours.amounts:
        return
    if _turned(row) == ours.amounts:
        yield _said("SIGN_WRONG", f"医疗费总额机构{yuan_text(row.medfee_fen)}，平台{yuan_text(ours.medfee_fen)}，{_named(ours)}")
        return
    for (code, label), theirs, held in zip(_NUMBERS, row.amounts, ours.amounts, strict=True):
        if theirs != held:
            yield _said(code, f"{label}机构{yuan_text(theirs)}，平台{yuan_text(held)}，报文ID {ours.msgid}")
