"""An institution's accountant: a book built from replies alone, reconciled and claimed over HTTP.

Written apart from the product, from the interface alone: money as integer cents, files made and read here.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from tests.support.till import Till
from yibao.kernel.business_time import SHANGHAI

COLUMNS = ("setl_id", "mdtrt_id", "psn_no", "medfee_sumamt", "fund_pay_sumamt", "acct_pay", "refd_setl_flag")
RESULT_COLUMNS = ("psn_no", "mdtrt_id", "setl_id", "msgid", "stmt_rslt", "refd_setl_flag", "memo", "medfee_sumamt",
                  "fund_pay_sumamt", "acct_pay")
_BOUNDARY = "accountant-7f3a"


class Entry(msgspec.Struct, frozen=True):
    """One line of the book, amounts in cents; what only the replies say stands beside what the file carries."""

    setl_id: str
    mdtrt_id: str
    psn_no: str
    total: int
    fund: int
    account: int
    is_refund: bool
    scope: int = 0
    cash: int = 0
    insutype: str = ""
    clr_type: str = ""
    clr_optins: str = ""

    def line(self) -> str:
        """Return the line as the file of 3202 has it."""
        cells = (self.setl_id or "null", self.mdtrt_id, self.psn_no, yuan(self.total), yuan(self.fund), yuan(self.account),
                 str(int(self.is_refund)))
        return "\t".join(cells)


def cents(amount: Any) -> int:
    """Return a reply's amount (yuan) as cents."""
    return round(float(amount or 0) * 100)


def yuan(amount: int) -> str:
    """Return cents as yuan with two decimals."""
    return f"{'-' if amount < 0 else ''}{abs(amount) // 100}.{abs(amount) % 100:02d}"


def entry_of(reply: Mapping[str, Any], *, is_refund: bool = False, origin: Entry | None = None) -> Entry:
    """Return the book's line for the ``setlinfo`` of a settlement or its cancellation."""
    of = origin or Entry("", "", "", 0, 0, 0, False)
    return Entry(
        reply["setl_id"], reply.get("mdtrt_id") or of.mdtrt_id, reply.get("psn_no") or of.psn_no,
        cents(reply["medfee_sumamt"]), cents(reply["fund_pay_sumamt"]), cents(reply["acct_pay"]), is_refund,
        cents(reply["inscp_scp_amt"]), cents(reply["psn_cash_pay"]), reply.get("insutype") or of.insutype,
        reply.get("clr_type") or of.clr_type, reply.get("clr_optins") or of.clr_optins,
    )


def today() -> str:
    """Return the business day."""
    return f"{datetime.now(SHANGHAI):%Y-%m-%d}"


def zipped(text: str | bytes, name: str = "book.txt") -> bytes:
    """Return a zip with one text."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


def book_file(entries: Iterable[Entry]) -> bytes:
    """Return the zip that is uploaded for some lines."""
    return zipped("".join(f"{entry.line()}\r\n" for entry in entries))


def form(till: Till, content: bytes, *, name: str = "book.zip", msgid: str | None = None) -> tuple[bytes, dict[str, str]]:
    """Return body and headers of a 9101."""
    code = till.counter.fixmedins_code
    message = till.envelope("9101", {"fsUploadIn": {"filename": name, "fixmedins_code": code}}, msgid=msgid)
    text = json.dumps(message, ensure_ascii=False).encode()
    body = b"".join((
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="jsonStr"\r\n\r\n'.encode(), text,
        f'\r\n--{_BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/zip\r\n\r\n".encode(), content, f"\r\n--{_BOUNDARY}--\r\n".encode(),
    ))
    return body, {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}


def upload(till: Till, content: bytes, *, name: str = "book.zip", msgid: str | None = None) -> dict[str, Any]:
    """Upload a file (9101) and return the reply's output."""
    import http.client

    body, headers = form(till, content, name=name, msgid=msgid)
    connection = http.client.HTTPConnection(till._host, timeout=30)
    connection.request("POST", till._path, body, {**headers, **till._signed("9101")})
    reply = connection.getresponse().read()
    connection.close()
    return dict(till.output(reply))


def download(till: Till, file: Mapping[str, Any]) -> bytes:
    """Download a file (9102)."""
    content = {"fsDownloadIn": {"file_qury_no": file["file_qury_no"], "filename": file["filename"],
                                "fixmedins_code": till.counter.fixmedins_code}}
    reply = till.send(till.envelope("9102", content))
    if reply[:1] == b"{":
        till.output(reply)
    return reply


def result_rows(content: bytes) -> list[dict[str, str]]:
    """Return the rows of a downloaded result, ``null`` as empty text."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        (name,) = archive.namelist()
        text = archive.read(name).decode("utf-8")
    rows = [line.split("\t") for line in text.splitlines()]
    assert all(len(row) == len(RESULT_COLUMNS) for row in rows), rows
    return [{k: "" if v == "null" else v for k, v in zip(RESULT_COLUMNS, row, strict=True)} for row in rows]


def details(
    till: Till, entries: Sequence[Entry], *, clr_type: str, first: str | None = None, last: str | None = None,
    clr_optins: str | None = None, **more: Any,
) -> list[dict[str, str]]:
    """Upload a book, have it compared (3202) and return the rows of the result."""
    file = upload(till, book_file(entries))
    ask = {
        "setl_optins": clr_optins or till.counter.region, "file_qury_no": file["file_qury_no"],
        "stmt_begndate": first or today(), "stmt_enddate": last or today(), "clr_type": clr_type,
        "medfee_sumamt": yuan(sum(e.total for e in entries)), "fund_pay_sumamt": yuan(sum(e.fund for e in entries)),
        "cash_payamt": yuan(sum(e.cash for e in entries)), "fixmedins_setl_cnt": len(entries), **more,
    }
    return result_rows(download(till, till.call("3202", {"data": ask})["fileinfo"]))


def totals(till: Till, entries: Sequence[Entry], *, insutype: str, clr_type: str, **more: Any) -> dict[str, Any]:
    """Return the content of a 3201 for some lines of the book."""
    mine = [e for e in entries if (e.insutype, e.clr_type) == (insutype, clr_type)]
    return {"data": {
        "insutype": insutype, "clr_type": clr_type, "setl_optins": till.counter.region, "stmt_begndate": today(),
        "stmt_enddate": today(), "medfee_sumamt": yuan(sum(e.total for e in mine)),
        "fund_pay_sumamt": yuan(sum(e.fund for e in mine)), "acct_pay": yuan(sum(e.account for e in mine)),
        "fixmedins_setl_cnt": len(mine), **more,
    }}


def claim(entries: Sequence[Entry], *, clr_type: str, day: str | None = None, **more: Any) -> dict[str, Any]:
    """Return the content of a 3203 for a day's lines of one clearing type."""
    mine, on = [e for e in entries if e.clr_type == clr_type], day or today()
    return {"data": {
        "clr_type": clr_type, "setlym": on[:7].replace("-", ""), "psntime": sum(-1 if e.is_refund else 1 for e in mine),
        "medfee_sumamt": yuan(sum(e.total for e in mine)), "med_sumfee": yuan(sum(e.scope for e in mine)),
        "fund_appy_sum": yuan(sum(e.fund for e in mine)), "cash_payamt": yuan(sum(e.cash for e in mine)),
        "acct_pay": yuan(sum(e.account for e in mine)), "begndate": on, "enddate": on, **more,
    }}
