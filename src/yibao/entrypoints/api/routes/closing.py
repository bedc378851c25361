"""Month's end: checklist, close, opening again, the funds' statement and vouchers."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from yibao.domains.closing.model import Month
from yibao.domains.closing.queries import list_months
from yibao.entrypoints.api.fields import Region, Words
from yibao.entrypoints.api.routing import PDF, XLSX, deed, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.refusal import Refusal
from yibao.usecases.closing.checklist import CheckLine, check_month
from yibao.usecases.closing.close_month import CloseMonth, close_month
from yibao.usecases.closing.export_vouchers import VoucherBook, export_vouchers, read_vouchers
from yibao.usecases.closing.fund_report import FundReport, fund_report
from yibao.usecases.closing.reopen_month import AskReopen, DecideReopen, ask_reopen, reopen_month
from yibao.usecases.closing.report_page import write_page
from yibao.usecases.closing.report_sheet import write_sheet

MonthText = Annotated[str, Meta(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="月份 yyyy-MM")]


class StoredMonth(msgspec.Struct, frozen=True):
    """A month that was closed at least once; ``digest`` is the SM3 of its books, hexadecimal."""

    admdvs: str
    month: str
    state: str
    revision: int
    postings: int
    digest: str
    closed_by: str
    reason: str


class Months(msgspec.Struct, frozen=True):
    """Months that were closed, the oldest first."""

    rows: list[StoredMonth]


class Checklist(msgspec.Struct, frozen=True):
    """How the checklist stands: ``is_ready`` when nothing forbids the close."""

    is_ready: bool
    rows: list[CheckLine]


class MonthAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which month of which region."""

    admdvs: Region
    month: MonthText


class OpeningAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which month is to be opened again, and why."""

    admdvs: Region
    month: MonthText
    reason: Words


class MonthClosed(msgspec.Struct, frozen=True):
    """A month that is closed now, and what was still open without forbidding it."""

    month: StoredMonth
    told: list[CheckLine]
    vouchers: int


@read("/closing/months", verb="show_closing")
async def list_closed_months(call: Call, admdvs: Region) -> Months:
    """List the months of a region that were closed."""
    return Months([_stored(m) for m in await list_months(call.tx, admdvs)])


@read("/closing/checklist", verb="show_closing")
async def show_checklist(call: Call, admdvs: Region, month: MonthText) -> Checklist:
    """Show what must be done before a month is closed, line by line: how much is open and where to work it."""
    lines = await check_month(call.tx, admdvs=admdvs, month=_first(month))
    return Checklist(not any(line.blocks for line in lines), list(lines))


@deed("/closing/months", verb="close_month", status=201)
async def close_one_month(call: Call, data: MonthAsked) -> MonthClosed | Refusal:
    """Close a month that is over: sums, balances and vouchers are written, no posting is dated in it any more."""
    done = await close_month(
        call.tx, CloseMonth(admdvs=data.admdvs, month=_first(data.month)), actor=call.actor, now=call.now, ids=call.ids
    )
    if isinstance(done, Refusal):
        return done
    return MonthClosed(_stored(done.month), [line for line in done.checklist if line.open], done.vouchers)


@deed("/closing/openings", verb="reopen_month", status=201)
async def reopen_one_month(call: Call, data: OpeningAsked) -> StoredMonth | Refusal:
    """Open the newest closed month again; one proposes with a reason, another one agrees."""
    month = _first(data.month)
    maker = msgspec.structs.replace(call.actor, login=call.maker or call.actor.login)
    asked = await ask_reopen(
        call.tx, AskReopen(admdvs=data.admdvs, month=month, reason=data.reason), actor=maker, now=call.now, ids=call.ids
    )
    if isinstance(asked, Refusal):
        return asked
    opened = await reopen_month(
        call.tx, DecideReopen(admdvs=data.admdvs, month=month), actor=call.actor, now=call.now, ids=call.ids
    )
    return opened if isinstance(opened, Refusal) else _stored(opened)


@read("/closing/report", verb="show_closing")
async def show_fund_report(call: Call, admdvs: Region, month: MonthText) -> FundReport | Refusal:
    """Show income, spending and balances by fund, fen; provisional while the month is open."""
    return await fund_report(call.tx, admdvs=admdvs, month=_first(month))


@read("/closing/report.xlsx", verb="show_closing", produces=XLSX)
async def fund_report_sheet(call: Call, admdvs: Region, month: MonthText) -> bytes | Refusal:
    """Give the statement of the funds as a spreadsheet."""
    report = await fund_report(call.tx, admdvs=admdvs, month=_first(month))
    return report if isinstance(report, Refusal) else write_sheet(report)


@read("/closing/report.pdf", verb="show_closing", produces=PDF)
async def fund_report_page(call: Call, admdvs: Region, month: MonthText) -> bytes | Refusal:
    """Give the statement of the funds as PDF."""
    report = await fund_report(call.tx, admdvs=admdvs, month=_first(month))
    return report if isinstance(report, Refusal) else write_page(report)


@read("/closing/vouchers", verb="export_vouchers")
async def show_vouchers(call: Call, admdvs: Region, month: MonthText) -> VoucherBook | Refusal:
    """Give the vouchers of a closed month, fen."""
    return await read_vouchers(call.tx, admdvs=admdvs, month=_first(month))


@read("/closing/vouchers.xlsx", verb="export_vouchers", produces=XLSX)
async def vouchers_sheet(call: Call, admdvs: Region, month: MonthText) -> bytes | Refusal:
    """Give the vouchers of a closed month as a spreadsheet, yuan."""
    return await export_vouchers(call.tx, admdvs=admdvs, month=_first(month), form="xlsx")


def _first(month: str) -> date:
    return date.fromisoformat(f"{month}-01")


def _stored(m: Month) -> StoredMonth:
    return StoredMonth(
        m.admdvs, f"{m.month:%Y-%m}", m.state, m.revision, m.postings, m.digest.hex(), m.closed_by, m.reason
    )


ROUTES = (
    list_closed_months, show_checklist, close_one_month, reopen_one_month, show_fund_report, fund_report_sheet,
    fund_report_page, show_vouchers, vouchers_sheet,
)
