"""What a payout and its file may become, and how the file and its answer are written. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from yibao.domains.exchange.model import Outcome, Payout, PayoutFile, PayoutLine, PayoutReturn, PayoutRow
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Fault, Refusal, refuse

PAID_CODE = "00"
STATES = {
    "ordered": "待支付", "filed": "已编入支付文件待复核", "sent": "已送银行", "paid": "已支付", "failed": "支付失败",
}
"""States of a payout and what they are called."""
FILE_STATES = {"made": "待复核", "sent": "已送银行", "answered": "银行已回盘", "withdrawn": "已撤回"}
_ASK_BANK = "请向银行核对并索取正确的回盘"


def payout_line(row: PayoutRow) -> str:
    """Return the line of a file for one payout: TAB between cells, the amount in fen."""
    cells = (row.line_id, row.payee_name, row.bank_account, row.bank_name, str(row.amount_fen), row.purpose, row.origin)
    return "\t".join("".join(c if c.isprintable() else " " for c in cell) for cell in cells)


def lines_text(lines: Iterable[str]) -> bytes:
    """Return what the digest of a file is taken over."""
    return "".join(f"{line}\n" for line in lines).encode()


def outcomes_text(rows: Iterable[Outcome]) -> bytes:
    """Return what the digest of an answer is taken over: its lines sorted, ``line_id,code,amount``."""
    return "".join(sorted(f"{o.line_id},{o.code},{o.amount_fen}\n" for o in rows)).encode()


def refuse_payout(payout: Payout) -> Refusal | None:
    """Refuse a payout that no bank could carry out, with every fault."""
    faults = []
    if payout.amount_fen <= 0:
        faults.append(Fault("PAYOUT_AMOUNT", "支付金额应大于零", "amount_fen", str(payout.amount_fen), "请核对金额"))
    for field, value, name in (
        ("payee_name", payout.payee_name, "收款人"), ("bank_account", payout.bank_account, "收款账号"),
        ("bank_name", payout.bank_name, "开户行"),
    ):
        if not value.strip():
            faults.append(Fault("PAYEE_INCOMPLETE", f"缺少{name}", field, remedy=f"请补充{name}"))
    return Refusal(tuple(faults)) if faults else None


def refuse_return(told: PayoutReturn, *, file: PayoutFile | None, lines: Mapping[str, PayoutLine], digest: str) -> Refusal | None:
    """Refuse an answer of the bank as a whole, with every fault: digest, count, unknown, repeated or changed lines.

    Args:
        lines: the lines of the file by their ids.
        digest: what we reckon over the answer, hexadecimal.
    """
    if file is None or file.state not in ("sent", "answered"):
        return refuse("PAYOUT_FILE_UNKNOWN", "回盘所指的支付文件不存在或没有送出", field="file_id", received=told.file_id[:40],
                      remedy=_ASK_BANK)
    if told.digest != digest:
        return refuse("RETURN_DIGEST", "回盘的摘要与内容不符", field="digest", received=told.digest[:64], remedy=_ASK_BANK)
    faults = []
    if told.count != len(told.rows):
        faults.append(Fault("RETURN_COUNT", "回盘笔数与明细不符", "count", f"{told.count}，明细{len(told.rows)}", _ASK_BANK))
    seen: set[str] = set()
    for n, o in enumerate(told.rows):
        line, place = lines.get(o.line_id), f"rows[{n}]"
        if o.line_id in seen:
            faults.append(Fault("RETURN_TWICE", "同一支付行重复出现", place, o.line_id[:60], _ASK_BANK))
        elif line is None:
            faults.append(Fault("PAYOUT_UNKNOWN", "支付行不在该支付文件中，不能入账", place, o.line_id[:60], _ASK_BANK))
        elif line.amount_fen != o.amount_fen:
            faults.append(Fault("PAYOUT_AMOUNT", "金额与支付文件不符", place,
                                f"回盘{yuan_text(o.amount_fen)}，文件{yuan_text(line.amount_fen)}", _ASK_BANK))
        elif not o.code:
            faults.append(Fault("RETURN_CODE", "没有返回码", place, o.line_id[:60], _ASK_BANK))
        elif line.code and line.code != o.code:
            faults.append(Fault("PAYOUT_ENDED", f"该支付行已回盘（{line.code}），不能改为另一结果", place, o.code, _ASK_BANK))
        seen.add(o.line_id)
    return Refusal(tuple(faults)) if faults else None
