"""The kinds of difference: distinct names, in the manual, and two rows that a spec test cannot make."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from yibao.domains.clearing.difference_kinds import KINDS
from yibao.domains.clearing.differences import Compared, Evidence, compare_books
from yibao.domains.clearing.model import BookRow, CentreRow, Scope, SeenMessage

DAY = date(2026, 2, 3)
SCOPE = Scope("H1", "370300", "11", "", DAY, DAY, True)


def centre(setl_id: str, **more: Any) -> CentreRow:
    row = CentreRow("P", setl_id, f"M{setl_id}", "H1", "310", "11", "370300", DAY, "settlement", "active", None, 1000, 600, 100,
                    "H1", f"msg-{setl_id}")
    return msgspec.structs.replace(row, **more)


def book(line: int, ours: CentreRow, **more: Any) -> BookRow:
    row = BookRow(line, ours.setl_id, ours.mdtrt_id, ours.psn_no, *ours.amounts, ours.kind == "refund")
    return msgspec.structs.replace(row, **more)


def refund_of(ours: CentreRow, setl_id: str, **more: Any) -> CentreRow:
    total, fund, account = ours.amounts
    return centre(setl_id, mdtrt_id=ours.mdtrt_id, kind="refund", origin_id=ours.setl_id, medfee_fen=-total, fund_fen=-fund,
                  account_fen=-account, **more)


def codes(lines: list[Compared]) -> list[list[str]]:
    return [[d.kind.code for d in line.differences] for line in lines]


def compare(rows: list[BookRow], ours: list[CentreRow], *messages: SeenMessage, elsewhere: tuple[CentreRow, ...] = (),
            scope: Scope = SCOPE) -> list[list[str]]:
    evidence = Evidence({row.setl_id: row for row in elsewhere}, messages)
    return codes(compare_books(rows, ours, scope=scope, evidence=evidence))


def test_every_kind_has_a_name_of_its_own_and_stands_in_the_manual() -> None:
    manual = (Path(__file__).parents[3] / "docs" / "clearing.md").read_text(encoding="utf-8")
    assert len({kind.title for kind in KINDS.values()}) == len(KINDS) >= 12
    assert all(f"| {kind.title} | {kind.remedy} |" in manual for kind in KINDS.values())


def test_what_the_agency_settled_again_is_named() -> None:
    mine = centre("1", state="reversed")
    again = [refund_of(mine, "2", sender="YIBAO"), centre("3", sender="YIBAO")]
    assert compare([book(1, mine)], [mine, *again]) == [[], ["BY_AGENCY"], ["BY_AGENCY"]]


def test_a_reply_asked_for_again_is_a_lost_one() -> None:
    ours = centre("1")
    assert compare([], [ours], SeenMessage("msg-1", "2207", "replayed", None, "M1")) == [["REPLY_LOST"]]
    assert compare([], [ours], SeenMessage("other", "2204", "refused", "WHATEVER", "M1")) == [["ONLY_AT_CENTRE"]]


def test_a_row_without_id_stands_for_one_settlement_only() -> None:
    first, second = centre("1", mdtrt_id="M"), centre("2", mdtrt_id="M")
    blank = book(1, first, setl_id="")
    assert compare([blank, msgspec.structs.replace(blank, line=2)], [first, second]) == [["REPLY_LOST"], ["REPLY_LOST"]]
    # The named row is served first wherever it stands.
    assert compare([blank, book(2, first)], [first]) == [["ONLY_AT_INSTITUTION"], []]


def test_a_settlement_undone_in_another_period_is_no_pair() -> None:
    ours = centre("1", state="reversed")
    refund = refund_of(ours, "2", settled_on=date(2026, 3, 1))
    assert compare([], [ours]) == [["ONLY_AT_CENTRE"]]
    negative = BookRow(2, "1", ours.mdtrt_id, "P", -1000, -600, -100, True)
    assert compare([book(1, ours), negative], [ours], elsewhere=(refund,)) == [[], ["OUTSIDE_PERIOD"]]
    late = Scope("H1", "370300", "11", "", date(2026, 3, 1), date(2026, 3, 31), True)
    assert compare([], [refund], scope=late) == [["REFUND_COUNTED_ONCE"]]


def test_settled_undone_restored_and_undone_again() -> None:
    ours = centre("1", state="reversed")
    first = refund_of(ours, "2", state="reversed")
    restored = centre("3", mdtrt_id=ours.mdtrt_id, kind="reinstatement", origin_id="2", state="closed")
    second = refund_of(ours, "4")
    whole = [ours, first, restored, second]
    assert compare([book(n, row) for n, row in enumerate(whole, 1)], whole) == [[]] * 4
    under_origin = [book(1, ours), book(2, first, setl_id="1"), book(3, second, setl_id="1")]
    assert compare(under_origin, whole) == [[], [], [], ["REINSTATED"]]


def test_another_insurance_is_another_class_when_one_was_asked_for() -> None:
    ours = centre("1", insutype="390")
    asked = msgspec.structs.replace(SCOPE, insutype="310")
    assert compare([book(1, ours)], [], elsewhere=(ours,), scope=asked) == [["OTHER_BUCKET"]]


def test_nothing_against_nothing() -> None:
    assert compare([], []) == []
