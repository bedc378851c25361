"""The pharmacy's book of negotiated drugs sold while a person's benefit could not be drawn: rows, the month's book, its check."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.registers.books import books
from yibao.domains.registers.model import NEGOTIATED_DRUG, Paper
from yibao.domains.registers.operations import add_month_book, check_month_book
from yibao.domains.registers.queries import MonthBook, find_month_book, list_month, list_papers
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date, to_wire
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.episodes.commands import CashGiven, NoteEpisode
from yibao.usecases.episodes.note_episode import Noted, note_episode
from yibao.usecases.registers.close_book import digest_of
from yibao.usecases.registers.print_book import PrintedBook, write_sheet
from yibao.usecases.trail import write_trail
from yibao.usecases.windows.pass_gate import Gate

CHECKED, RETURNED = "checked", "returned"
_IN_TRANSIT = "contribution_in_transit"


class NoteDrugSale(msgspec.Struct, frozen=True, kw_only=True):
    """A negotiated drug sold against a prescription for the full price.

    Attributes:
        invoice_no: the pharmacy's number of the sale: the later settlement names it.
        prescription: the prescription, receipt: the receipt, both as scans; sealed: the receipt bears the pharmacy's seal.
        cause: why the benefit could not be drawn; ``""`` is the window itself.
    """

    psn_no: str
    insutype: str
    invoice_no: str
    receipt_no: str
    sold_at: datetime
    total_fen: int
    prescription: bytes
    receipt: bytes
    sealed: bool
    phone: str = ""
    cause: str = _IN_TRANSIT
    says: str = ""


class GiveBook(msgspec.Struct, frozen=True, kw_only=True):
    """A pharmacy hands in its book of a month (first day)."""

    admdvs: str
    month: date


class CheckBook(msgspec.Struct, frozen=True, kw_only=True):
    """What the agency finds in a book: right, or returned with what is wrong."""

    admdvs: str
    fixmedins_code: str
    month: date
    is_right: bool
    says: str = ""


async def note_drug_sale(
    tx: Connection, command: NoteDrugSale, *, actor: Actor, now: datetime, ids: Ids, gate: Gate
) -> Noted | Refusal:
    """Note a sale in the pharmacy's book; the drug is settled at the same pharmacy once the benefit is back.

    Refused without prescription, receipt or seal: what nobody could prove later is not put into the book.
    """
    c = command
    faults = [
        Fault("PAPER_MISSING", f"缺少材料：{title}", field, remedy="请补交后登记")
        for field, title, content in (("prescription", "处方", c.prescription), ("receipt", "收据", c.receipt)) if not content
    ]
    if not c.sealed:
        faults.append(Fault("RECEIPT_UNSEALED", "收据没有加盖收款章", "sealed", remedy="请在收据上加盖收款章后登记"))
    if c.total_fen <= 0:
        faults.append(Fault("AMOUNT_INVALID", "购药金额应大于零", "total_fen", str(c.total_fen), "请核对金额"))
    if faults:
        return Refusal(tuple(faults))
    return await note_episode(tx, NoteEpisode(
        psn_no=c.psn_no, kind="sale", visit_no=c.invoice_no, insutype=c.insutype, begin_at=c.sold_at, end_at=c.sold_at,
        visit_class="drug", negotiated=True, cause=c.cause, total_fen=c.total_fen,
        cash=[CashGiven(kind="payment", amount_fen=c.total_fen, receipt_no=c.receipt_no)], phone=c.phone, says=c.says,
        papers=[Paper("prescription", "处方", c.prescription), Paper("sealed_receipt", "加盖收款章的收据", c.receipt)],
    ), actor=actor, now=now, ids=ids, gate=gate)


async def read_month_book(
    tx: Connection, *, admdvs: str, fixmedins_code: str, month: date, now: datetime
) -> PrintedBook:
    """Return a pharmacy's book of a month as it stands."""
    rows = await list_month(tx, admdvs, fixmedins_code=fixmedins_code, kind=NEGOTIATED_DRUG, month=month)
    papers = {row.register_no: tuple(await list_papers(tx, row)) for row in rows}
    return PrintedBook(
        title=f"{books().kinds[NEGOTIATED_DRUG].title}（{fixmedins_code}，{month:%Y年%m月}）",
        says=f"统筹区{admdvs}，共{len(rows)}件，整理时间{to_wire(now)}", rows=tuple(rows), papers=papers, with_money=True)


async def give_book(
    tx: Connection, command: GiveBook, *, actor: Actor, now: datetime, ids: Ids
) -> MonthBook | Refusal:
    """Hand in the book of a month that is over; what changed since an earlier version makes a new one, else that one stands."""
    code = actor.fixmedins_code
    if not code:
        return refuse("INSTITUTION_MISSING", "月度登记册由药店整理", field="actor", remedy="请使用药店的密钥")
    if command.month.day != 1 or command.month >= business_date(now).replace(day=1):
        return refuse("MONTH_NOT_OVER", "只能整理已经结束的月份", field="month", received=f"{command.month:%Y-%m}",
                      remedy="请在次月整理")
    book = await read_month_book(tx, admdvs=command.admdvs, fixmedins_code=code, month=command.month, now=now)
    if not book.rows:
        return refuse("REGISTER_EMPTY", "该月没有登记", field="month", received=f"{command.month:%Y-%m}", remedy="无需整理")
    digest = digest_of(list(book.rows))
    earlier = await find_month_book(tx, command.admdvs, fixmedins_code=code, kind=NEGOTIATED_DRUG, month=command.month)
    if earlier is not None and earlier.digest == digest and earlier.state != RETURNED:
        return earlier
    await add_month_book(
        tx, command.admdvs, code, NEGOTIATED_DRUG, command.month, now, actor.login, len(book.rows),
        sum(row.paid_fen for row in book.rows), digest, write_sheet(book))
    given = await find_month_book(tx, command.admdvs, fixmedins_code=code, kind=NEGOTIATED_DRUG, month=command.month)
    assert given is not None
    await _trail(tx, given, "give_drug_book", actor=actor, now=now, ids=ids)
    return given


async def check_book(
    tx: Connection, command: CheckBook, *, actor: Actor, now: datetime, ids: Ids
) -> MonthBook | Refusal:
    """Check the newest book of a month; one that is returned says what is wrong and is handed in again."""
    given = await find_month_book(
        tx, command.admdvs, fixmedins_code=command.fixmedins_code, kind=NEGOTIATED_DRUG, month=command.month)
    if given is None:
        return refuse("BOOK_NOT_GIVEN", "药店尚未提交该月登记册", field="month", received=f"{command.month:%Y-%m}",
                      remedy="请药店整理后提交")
    if given.state != "given":
        return refuse("BOOK_CHECKED", "该登记册已经审核", field="month", received=f"{command.month:%Y-%m}", remedy="无需再审核")
    if not command.is_right and not command.says.strip():
        return refuse("REASON_MISSING", "退回须写明问题", field="says", remedy="请填写问题")
    state = CHECKED if command.is_right else RETURNED
    await check_month_book(
        tx, given.admdvs, given.fixmedins_code, given.kind, given.month, given.version, state, now, actor.login,
        command.says.strip())
    checked = msgspec.structs.replace(given, state=state, checked_at=now, checked_by=actor.login, says=command.says.strip())
    await _trail(tx, checked, "check_drug_book", actor=actor, now=now, ids=ids)
    return checked


async def _trail(tx: Connection, book: MonthBook, verb: str, *, actor: Actor, now: datetime, ids: Ids) -> None:
    await write_trail(
        tx, actor, verb=verb, object_id=f"{book.fixmedins_code}/{book.month:%Y-%m}", admdvs=book.admdvs,
        state=msgspec.structs.replace(book, digest=b""), now=now, ids=ids)
