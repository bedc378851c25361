"""A book as it stands, ready to be shown or printed."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.registers.books import books
from yibao.domains.registers.queries import list_book, list_papers
from yibao.infra.database import Connection
from yibao.kernel.business_time import to_wire
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.registers.print_book import PrintedBook


async def read_book(
    tx: Connection, *, admdvs: str, kind: str, plan: str, fixmedins_code: str = "", now: datetime
) -> PrintedBook | Refusal:
    """Return a window's book with the titles of its papers."""
    known = books().kinds.get(kind)
    if known is None:
        return refuse("REGISTER_UNKNOWN", "没有这种登记册", field="kind", received=kind[:40], remedy="请从登记册清单中选择")
    rows = await list_book(tx, admdvs, kind=kind, plan=plan, fixmedins_code=fixmedins_code)
    papers = {row.register_no: tuple(await list_papers(tx, row)) for row in rows}
    left = sum(row.is_open for row in rows)
    return PrintedBook(
        title=f"{known.title}（{plan or '无窗口'}）", says=f"统筹区{admdvs}，共{len(rows)}件，未办结{left}件，"
        f"打印时间{to_wire(now)}", rows=tuple(rows), papers=papers, with_money=bool(known.money))
