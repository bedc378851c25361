"""What a row of a book must say, and how it may end. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from yibao.domains.registers.model import (
    LAPSED,
    OPEN_STATES,
    REFUSED,
    REQUIRED,
    STATES,
    WITHDRAWN,
    AskedPaper,
    Entry,
    Kind,
    NewEntry,
)
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Fault, Refusal, refuse


def number_of(admdvs: str, kind: str, ordinal: int) -> str:
    """Return the number that people are told: region, book and place in the book."""
    return f"R{admdvs}-{kind}-{ordinal:06d}"


def refuse_entry(new: NewEntry, kind: Kind | None, asked: Sequence[AskedPaper]) -> Refusal | None:
    """Refuse a row of no book, without a name, with missing papers or with impossible money; all faults at once."""
    if kind is None:
        return refuse("REGISTER_UNKNOWN", "没有这种登记册", field="kind", received=new.kind[:40], remedy="请从登记册清单中选择")
    faults = []
    if not new.applicant_name.strip():
        faults.append(Fault("APPLICANT_MISSING", "须写明登记的是谁", "applicant_name", remedy="请填写姓名或单位名称"))
    if min(new.amount_fen, new.paid_fen) < 0:
        faults.append(Fault("AMOUNT_NEGATIVE", "金额不能为负", "paid_fen", remedy="请核对金额"))
    elif not kind.money and (new.amount_fen or new.paid_fen):
        faults.append(Fault("REGISTER_WITHOUT_MONEY", f"{kind.title}不登记金额", "amount_fen", remedy="请登记到相应的资金登记册"))
    given = {p.code for p in new.papers}
    faults += [
        Fault("PAPER_MISSING", f"缺少材料：{p.title}", f"papers.{p.code}", remedy="请补交后登记")
        for p in asked if p.rule == REQUIRED and p.code not in given
    ]
    faults += [
        Fault("PAPER_EMPTY", f"{p.title}没有内容", f"papers[{n}].content", remedy="请上传扫描件或录入内容")
        for n, p in enumerate(new.papers) if not p.content and not p.digest
    ]
    return Refusal(tuple(faults)) if faults else None


def refuse_end(
    entry: Entry, *, state: str, reason: str, due_fen: int, back_fen: int, topup_fen: int
) -> Refusal | None:
    """Refuse to end a row twice, without a reason where one is owed, or with money that does not balance."""
    if not entry.is_open:
        return refuse("REGISTER_ENDED", f"{entry.register_no}{STATES[entry.state]}", field="register_no",
                      received=entry.register_no, remedy="无需再办理")
    if state in OPEN_STATES or state not in STATES:
        return refuse("REGISTER_STATE", "登记只能以办结、未能办理、撤回、转手工报销或逾期结束", field="state",
                      received=state[:40], remedy="请改用终结状态")
    faults = []
    if state in (REFUSED, WITHDRAWN, LAPSED) and not reason.strip():
        faults.append(Fault("REASON_MISSING", f"{STATES[state]}须写明理由", "reason", remedy="请填写理由"))
    in_all, out = entry.paid_fen + topup_fen, due_fen + back_fen
    if min(due_fen, back_fen, topup_fen) < 0 or (back_fen and topup_fen) or in_all != out:
        faults.append(Fault(
            "REGISTER_UNBALANCED",
            f"{entry.register_no}金额不平：已收{yuan_text(entry.paid_fen)}元，补收{yuan_text(topup_fen)}元；"
            f"应付{yuan_text(due_fen)}元，退回{yuan_text(back_fen)}元",
            "back_fen", remedy="请核对应付、应退与应补金额"))
    return Refusal(tuple(faults)) if faults else None

