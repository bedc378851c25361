"""The payment file for the bank and the return file from it: text, tab-separated, with count, sum and SM3 digest.

Both have a head ``H kind version file_no admdvs day count sum``, a line ``D ...`` for every payment and a last line
``T digest`` over everything before it. docs/clearing.md describes them for the bank.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from yibao.infra.digest import sm3
from yibao.kernel.money import yuan_text
from yibao.kernel.refusal import Fault, Refusal, refuse

PAY, RETURN, VERSION = "YIBAO-PAY", "YIBAO-RETURN", "1"
PAID, FAILED = "paid", "failed"
_AMOUNT = re.compile(r"\d{1,15}\.\d{2}", re.ASCII)
_HEAD_CELLS, _LINE_CELLS = 8, 6
_AGAIN = "请向银行索取完整的回盘文件"


class Transfer(msgspec.Struct, frozen=True):
    """One line of a payment file."""

    payment_id: str
    account_name: str
    account_no: str
    bank_name: str
    amount_fen: int
    purpose: str


class Outcome(msgspec.Struct, frozen=True):
    """One line of a return file: what became of a payment."""

    line: int
    payment_id: str
    amount_fen: int
    state: str
    bank_ref: str
    reason: str


class ReturnFile(msgspec.Struct, frozen=True):
    """What the bank says of the payments of one file; it may answer them in several return files."""

    file_no: str
    admdvs: str
    outcomes: tuple[Outcome, ...]


def write_file(kind: str, *, file_no: str, admdvs: str, on: date, sum_fen: int, lines: Sequence[Sequence[str]]) -> bytes:
    """Return the bytes of a file; the same content gives the same bytes."""
    head = ("H", kind, VERSION, file_no, admdvs, on.isoformat(), str(len(lines)), yuan_text(sum_fen))
    text = "".join("\t".join(map(_clean, row)) + "\n" for row in (head, *(("D", *line) for line in lines)))
    body = text.encode()
    return body + f"T\tsm3={sm3(body).hex()}\n".encode()


def write_payment_file(*, file_no: str, admdvs: str, on: date, transfers: Iterable[Transfer]) -> bytes:
    """Return the payment file of some transfers."""
    rows = list(transfers)
    lines = [
        (t.payment_id, t.account_name, t.account_no, t.bank_name, yuan_text(t.amount_fen), t.purpose) for t in rows
    ]
    return write_file(PAY, file_no=file_no, admdvs=admdvs, on=on, sum_fen=sum(t.amount_fen for t in rows), lines=lines)


def _clean(cell: str) -> str:
    return cell if cell.isprintable() else "".join(c if c.isprintable() else " " for c in cell)


def read_return_file(content: bytes) -> ReturnFile | Refusal:
    """Return what a return file says; refused with every fault when digest, count, sum or a line is wrong."""
    body, _, tail = content.rstrip(b"\r\n").rpartition(b"\n")
    body += b"\n"
    told = tail.strip().decode("ascii", "replace")
    if told != f"T\tsm3={sm3(body).hex()}":
        return refuse("RETURN_DIGEST", "回盘文件的摘要与内容不符", field="file", received=told[:80], remedy=_AGAIN)
    try:
        rows = [line.split("\t") for line in body.decode("utf-8").splitlines()]
    except UnicodeDecodeError:
        return refuse("RETURN_UNREADABLE", "回盘文件不是UTF-8编码", field="file", remedy=_AGAIN)
    head = rows[0]
    if len(head) != _HEAD_CELLS or head[:3] != ["H", RETURN, VERSION]:
        return refuse("RETURN_UNREADABLE", "回盘文件首行不符合格式", field="file[1]", received=" ".join(head)[:80],
                      remedy=_AGAIN)
    faults: list[Fault] = []
    outcomes = tuple(o for n, row in enumerate(rows[1:], 2) if (o := _outcome(n, row, faults)) is not None)
    paid = sum(o.amount_fen for o in outcomes if o.state == PAID)
    if head[6] != str(len(rows) - 1):
        faults.append(Fault("RETURN_COUNT", "回盘笔数与首行不符", "file[1]", f"首行{head[6]}，明细{len(rows) - 1}", _AGAIN))
    if not faults and head[7] != yuan_text(paid):
        faults.append(Fault("RETURN_SUM", "回盘成功金额合计与首行不符", "file[1]", f"首行{head[7]}，明细{yuan_text(paid)}",
                            _AGAIN))
    seen: set[str] = set()
    for o in outcomes:
        if o.payment_id in seen:
            faults.append(Fault("RETURN_TWICE", f"第{o.line}行支付单重复出现", f"file[{o.line}]", o.payment_id, _AGAIN))
        seen.add(o.payment_id)
    return Refusal(tuple(faults)) if faults else ReturnFile(head[3], head[4], outcomes)


def _outcome(n: int, row: Sequence[str], faults: list[Fault]) -> Outcome | None:
    if len(row) != _LINE_CELLS or row[0] != "D":
        faults.append(Fault("RETURN_UNREADABLE", f"第{n}行应为6列并以D开头", f"file[{n}]", "\t".join(row)[:80], _AGAIN))
        return None
    _, payment_id, amount, state, bank_ref, reason = row
    if not _AMOUNT.fullmatch(amount) or state not in (PAID, FAILED):
        faults.append(Fault("RETURN_UNREADABLE", f"第{n}行金额或结果无法识别", f"file[{n}]", f"{amount} {state}"[:80], _AGAIN))
        return None
    return Outcome(n, payment_id, int(amount.replace(".", "")), state, bank_ref, reason)
