"""Who may move, which months count, and when money fits a transfer. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from yibao.domains.transfers.model import CLOSED, MERGED, PAID, Leaver, Run, Sheet, Transfer
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Fault, Refusal

_SHOWN = 12
EMPLOYEES = "310"


def next_month(month: date) -> date:
    """Return the first day of the month after one."""
    return date(month.year + month.month // 12, month.month % 12 + 1, 1)


def months_of(runs: Iterable[Run]) -> set[date]:
    """Return every month of some runs."""
    found = set()
    for run in runs:
        month = run.first_month
        while month < run.until_month:
            found.add(month)
            month = next_month(month)
    return found


def runs_of(months: Iterable[date], *, admdvs: str, kind: str = PAID) -> list[Run]:
    """Return months as runs without gaps, the earliest first."""
    runs: list[Run] = []
    for month in sorted(set(months)):
        if runs and runs[-1].until_month == month:
            runs[-1] = Run(runs[-1].first_month, next_month(month), admdvs, kind)
        else:
            runs.append(Run(month, next_month(month), admdvs, kind))
    return runs


def split_counted(sheet: Sheet, own: set[date]) -> tuple[list[Run], int]:
    """Return the runs of a sheet that are new here, and how many of its months counted here before.

    A month counts once, whoever paid it where: what this region already counts stays, and so does the first of two rows
    of the sheet that name the same month.
    """
    seen, fresh, over = set(own), [], 0
    for run in sheet.runs:
        months = months_of([run])
        new = months - seen
        over += len(months) - len(new)
        seen |= new
        fresh += runs_of(new, admdvs=run.admdvs, kind=run.kind)
    return fresh, over


def refuse_leaver(leaver: Leaver) -> Refusal | None:
    """Refuse somebody who cannot leave yet, with everything that stands in the way and what to do about each."""
    faults = []
    if leaver.died_on is not None:
        faults.append(Fault("PERSON_DEAD", f"参保人已于{leaver.died_on}死亡", "psn_no",
                            remedy="请由继承人办理个人账户一次性支取"))
    if leaver.is_retired:
        faults.append(Fault("TRANSFER_RETIRED", "已享受退休待遇，关系不再转移", "psn_no",
                            remedy="可办理异地安置退休人员备案", basis="医保办发〔2021〕43号第二条"))
    if leaver.open_relation:
        faults.append(Fault("RELATION_OPEN", "在转出地仍为正常参保", "psn_no", leaver.open_relation,
                            "请先由单位办理减员或本人停保，再申请转移"))
    if leaver.unpaid:
        faults.append(Fault("TRANSFER_UNPAID", f"有{len(leaver.unpaid)}个月已核定未缴费", "psn_no", _months(leaver.unpaid),
                            "请由缴费单位或本人先到税务部门缴清，到账后再申请转移"))
    if leaver.in_transit:
        faults.append(Fault("TRANSFER_IN_TRANSIT", f"有{len(leaver.in_transit)}个月已缴费尚未到账", "psn_no",
                            _months(leaver.in_transit), "请等待到账（一般为次日）后再申请，无需另行缴费"))
    if leaver.is_frozen:
        faults.append(Fault("ACCOUNT_FROZEN", "个人账户已冻结", "psn_no", remedy="请先解除冻结"))
    if not leaver.runs and not leaver.unnamed_months:
        faults.append(Fault("NOTHING_TO_TRANSFER", "在本统筹区没有缴费记录", "psn_no", leaver.psn_no, "请核对险种和转出地"))
    return Refusal(tuple(faults)) if faults else None


def _months(months: Sequence[date]) -> str:
    said = "、".join(f"{m:%Y-%m}" for m in months[:_SHOWN])
    return said if len(months) <= _SHOWN else f"{said}等"


def money_doubt(transfer: Transfer | None, amount_fen: int, *, from_admdvs: str) -> str:
    """Return why money fits no transfer, ``""`` where it does: only the whole account of a merged transfer is booked."""
    if transfer is None:
        return "没有这个编号的转入业务"
    if transfer.other_admdvs != from_admdvs:
        return f"付款地与转出地{transfer.other_admdvs}不符"
    if transfer.state == CLOSED:
        return "该转移已办结，疑为重复付款"
    if transfer.state != MERGED:
        return "信息表尚未收到，收到后自动入账"
    expected = transfer.account_fen - transfer.received_fen
    if amount_fen != expected:
        return f"金额{yuan_text(amount_fen)}与信息表的账户余额{yuan_text(expected)}不符"
    return ""
