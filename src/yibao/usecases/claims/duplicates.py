"""Whether a receipt was paid or is being paid in another way: other claims, settlements here, backfills, other stays."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from yibao.domains.claims import queries
from yibao.domains.claims.kinds import words
from yibao.domains.claims.model import SALE, STAY, VISIT, Bill
from yibao.infra.database import Connection
from yibao.kernel.business_time import business_date
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Fault

_EPISODE_KIND = {VISIT: "outpatient", STAY: "stay", SALE: "sale"}
_OPEN = ("held", "entered")
BY_HAND = "manual_reimburse"


async def duplicate_faults(
    tx: Connection, bills: Sequence[Bill], *, today: date, other_than: str = ""
) -> tuple[list[Fault], list[str], dict[int, str], dict[int, str]]:
    """Return what keeps receipts from being claimed, hints for the reviewer, encounters here and episodes by ordinal.

    The person and the numbers of the receipts are held, so that nothing can be settled or claimed meanwhile.

    Args:
        other_than: claim that is appealed against: its receipts are these.
    """
    faults: list[Fault] = []
    hints: list[str] = []
    visits: dict[int, str] = {}
    episodes: dict[int, str] = {}
    for i, bill in enumerate(bills):
        at = f"bills[{i}]"
        faults += await _claimed(tx, bill, at=at, other_than=other_than)
        if bill.fixmedins_code:
            found, mdtrt_id = await _settled(tx, bill, at=at)
            faults += found
            visits[bill.ordinal] = mdtrt_id
            alike = await tx.fetchval(
                queries.ALIKE, bill.psn_no, bill.fixmedins_code, business_date(bill.begin_at), bill.total_fen)
            if alike and not found:
                hints.append(f"票据{bill.bill_no}：同一机构同日有金额相同的结算{alike}，请核对是否同一笔费用")
            wrong, episode_id = await _held_open(tx, bill, at=at, today=today)
            faults += wrong
            if episode_id:
                episodes[bill.ordinal] = episode_id
        if bill.care == STAY:
            faults += await _overlapping(tx, bill, at=at, other_than=other_than)
    return faults, hints, visits, episodes


async def _claimed(tx: Connection, bill: Bill, *, at: str, other_than: str) -> list[Fault]:
    faults = []
    for row in await tx.fetch(queries.SAME_NUMBER, bill.party, bill.bill_no):
        if row["claim_id"] == other_than and row["total_fen"] == bill.total_fen:
            continue
        if row["total_fen"] != bill.total_fen:
            faults.append(Fault(
                "BILL_ALTERED", f"同一票据此前登记的金额是{yuan_text(row['total_fen'])}元，两次金额不同", f"{at}.total_fen",
                yuan_text(bill.total_fen), "请核对票据原件；涂改的票据不予受理，并移交稽核"))
        elif row["is_live"]:
            whose = "该参保人" if row["psn_no"] == bill.psn_no else "另一参保人"
            faults.append(Fault("BILL_CLAIMED", f"这张票据已由{whose}申请手工报销（{row['claim_id']}）", f"{at}.bill_no",
                                bill.bill_no, "同一票据只能报销一次，可查询原申请的进度"))
        if faults:
            return faults
    same = await tx.fetchrow(queries.SAME_VISIT, bill.psn_no, bill.party, bill.visit_no) if bill.care == STAY else None
    if same is not None and same["claim_id"] not in (other_than, bill.claim_id):
        faults.append(Fault("BILL_CLAIMED", f"这次住院已在申请{same['claim_id']}中（票据{same['bill_no']}）", f"{at}.visit_no",
                            bill.visit_no, "一次住院只能报销一次"))
    return faults


async def _settled(tx: Connection, bill: Bill, *, at: str) -> tuple[list[Fault], str]:
    """Return what was settled of a receipt at an institution here, and the institution's encounter."""
    row = await tx.fetchrow(queries.SETTLED_NUMBER, bill.psn_no, bill.fixmedins_code, bill.bill_no)
    if row is not None and row["medfee_fen"] != bill.total_fen:
        return [Fault("BILL_ALTERED", f"该票据在医疗机构的结算金额是{yuan_text(row['medfee_fen'])}元", f"{at}.total_fen",
                      yuan_text(bill.total_fen), "请核对票据原件；涂改的票据不予受理，并移交稽核")], ""
    if row is not None and row["state"] == "active":
        return [_settled_fault(row["setl_id"], f"{at}.bill_no", bill.bill_no)], ""
    visit = await tx.fetchrow(queries.VISIT, bill.fixmedins_code, bill.visit_no) if bill.visit_no else None
    if visit is None:
        return [], ""
    if visit["psn_no"] != bill.psn_no:
        return [Fault("VISIT_OF_ANOTHER", "这个门诊号（住院号）登记的是另一人", f"{at}.visit_no", bill.visit_no,
                      "请核对票据")], ""
    if visit["setl_id"] is not None:
        return [_settled_fault(visit["setl_id"], f"{at}.visit_no", bill.visit_no)], ""
    return [], visit["mdtrt_id"]


def _settled_fault(setl_id: str, field: str, received: str) -> Fault:
    return Fault("BILL_SETTLED", f"这次就医已联网结算（结算ID {setl_id}），不能再手工报销", field, received,
                 "如联网结算有误，请由就诊机构撤销后重新结算")


async def _held_open(tx: Connection, bill: Bill, *, at: str, today: date) -> tuple[list[Fault], str]:
    """Return the episode of a window that a receipt belongs to; while it can be backfilled, that is its way."""
    row = await queries.find_episode(
        tx, psn_no=bill.psn_no, fixmedins_code=bill.fixmedins_code, kind=_EPISODE_KIND[bill.care],
        visit_no=bill.visit_no, bill_no=bill.bill_no)
    if row is None:
        return [], ""
    if row["state"] == "settled":
        return [Fault("BILL_SETTLED", "这次就医已补录结算，不能再手工报销", f"{at}.bill_no", bill.bill_no,
                      "如补录结算有误，请由就诊机构撤销后重新结算")], ""
    if row["state"] == "claimed":
        return [], ""
    is_in_time = row["settle_by"] is None or today <= row["settle_by"]
    if row["state"] in _OPEN and row["disposition"] != BY_HAND and is_in_time:
        until = f"（{row['settle_by']}前）" if row["settle_by"] else ""
        return [Fault("BACKFILL_FIRST", "这次就医由就诊机构补录结算，不能手工报销", f"{at}.bill_no", bill.bill_no,
                      f"请到就诊机构补录结算{until}；逾期未能补录的再申请手工报销")], ""
    return [], row["episode_id"]


async def _overlapping(tx: Connection, bill: Bill, *, at: str, other_than: str) -> list[Fault]:
    days = (bill.psn_no, business_date(bill.begin_at), business_date(bill.end_at))
    settled = None if other_than else await tx.fetchval(queries.OVERLAPPING, *days)
    claimed = None if other_than else await tx.fetchval(queries.OVERLAPPING_BILL, *days)
    if settled is None and claimed is None:
        return []
    other = f"就诊ID {settled}" if settled else f"票据{claimed}"
    return [Fault("STAY_OVERLAPS", f"同一时间另有一次住院（{other}）", f"{at}.begin_at", f"{days[1]}至{days[2]}",
                  "同一人不能同时住两家医院，请核对出入院日期")]


def filing_faults(bill: Bill, *, has_referral: bool, at: str) -> list[Fault]:
    """Return the fault of care elsewhere that is said to be filed without anything that shows it."""
    if bill.remote not in words().filed or bill.filing_ref or (bill.remote == "referred" and has_referral):
        return []
    return [Fault("REMOTE_NOT_FILED", f"没有{words().remote[bill.remote]}的备案记录", f"{at}.filing_ref",
                  remedy="请填写备案编号或纸质备案凭证号；没有备案的按未备案申报")]
