"""Books of a window: rows with number and papers, working them off, closing and printing them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from yibao.domains.registers.books import books
from yibao.domains.registers.model import STATES, Entry
from yibao.domains.registers.queries import (
    list_entries,
    list_of_person,
    list_papers,
    list_steps,
    sum_books,
)
from yibao.entrypoints.api.fields import Id, Limit, MaybeWords, PsnNo, Region, Words
from yibao.entrypoints.api.routing import PDF, XLSX, deed, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.refusal import Refusal
from yibao.usecases.registers.close_book import CloseBook, ClosedBook, close_book
from yibao.usecases.registers.close_entry import close_entry, name_owner
from yibao.usecases.registers.end_difference import end_difference
from yibao.usecases.registers.print_book import write_page, write_sheet
from yibao.usecases.registers.read_book import read_book
from yibao.usecases.registers.receive_entry import ReceiveEntry, receive_entry
from yibao.usecases.registers.see_entry import see_entry
from yibao.usecases.registers.work_filing import KeepFiling, keep_filing
from yibao.usecases.registers.work_rows import Worked, WorkRows, work_rows

MaybeCode = Annotated[str, Meta(max_length=60, pattern=r"^[0-9A-Za-z_-]*$", description="空为全部")]
Kind = Annotated[str, Meta(max_length=40, pattern=r"^[a-z_]+$", description="登记册种类")]
PlanName = Annotated[str, Meta(min_length=1, max_length=60, pattern=r"^[0-9A-Za-z_-]+$", description="停机方案名称")]
MonthText = Annotated[str, Meta(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="月份 yyyy-MM")]
RegisterNo = Annotated[str, Meta(max_length=80, pattern=r"^$|^R[0-9]{6}-[a-z_]+-[0-9]+$", description="登记号")]


class BookView(msgspec.Struct, frozen=True, kw_only=True):
    """A book as it stands: counts, when its oldest open row came in, sums in fen."""

    kind: str
    title: str
    plan: str
    rows: int
    open: int
    ready: int
    done: int
    owned: int
    oldest: datetime | None
    paid_fen: int
    due_fen: int
    back_fen: int
    topup_fen: int


class Registers(msgspec.Struct, frozen=True):
    """The books of a region."""

    rows: list[BookView]


class RegisterRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a book; ``due_on`` is its last day, ``moved_from`` that before the window moved it. Amounts in fen."""

    register_no: str
    kind: str
    title: str
    plan: str
    business: str
    psn_no: str
    emp_no: str
    applicant_name: str
    phone: str
    fixmedins_code: str
    received_at: datetime
    received_by: str
    channel: str
    effective_on: date | None
    due_on: date | None
    moved_from: date | None
    state: str
    state_text: str
    reason: str
    result: str
    answered_at: datetime | None
    owner: str
    owner_until: date | None
    amount_fen: int
    paid_fen: int
    due_fen: int
    back_fen: int
    topup_fen: int
    origin: str
    body: Any


class RegisterRows(msgspec.Struct, frozen=True):
    """Rows in the order of their numbers."""

    rows: list[RegisterRow]


class RegisterPaper(msgspec.Struct, frozen=True):
    """A paper of a row; ``digest`` is SM3, hexadecimal."""

    paper: str
    title: str
    file_name: str
    digest: str


class RegisterStep(msgspec.Struct, frozen=True):
    """Something that happened to a row."""

    what: str
    state: str
    at: datetime
    actor: str
    says: str


class RegisterSheet(msgspec.Struct, frozen=True):
    """A row with its papers and everything that happened to it."""

    row: RegisterRow
    papers: list[RegisterPaper]
    steps: list[RegisterStep]


class EndRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a row ends that holds no money; a no needs its reason."""

    state: Literal["done", "refused", "withdrawn"]
    result: MaybeWords = ""
    reason: MaybeWords = ""


class CashDone(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cash that went over the counter, fen."""

    amount_fen: Annotated[int, Meta(ge=-100_000_000_00, le=100_000_000_00)]


class Owner(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who answers for a row that is left over, until when."""

    owner: Words
    until: date


class WorkAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which rows are worked: after a number, at most so many at once."""

    plan: PlanName
    after: RegisterNo = ""
    limit: Annotated[int, Meta(ge=1, le=100)] = 50


class BookAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which window's book; an institution's own where one is named."""

    plan: PlanName
    fixmedins_code: MaybeCode = ""


@read("/regions/{admdvs}/registers", verb="list_registers")
async def list_registers(call: Call, admdvs: Region, plan: MaybeCode = "") -> Registers:
    """List the books of a region with what is open in them."""
    known, rows = books().kinds, await sum_books(call.tx, admdvs, plan=plan)
    return Registers([msgspec.convert({**dict(r), "title": known[r["kind"]].title}, BookView) for r in rows])


@read("/register-entries", verb="list_register_entries")
async def list_register_entries(
    call: Call, admdvs: Region, kind: MaybeCode = "", plan: MaybeCode = "", state: MaybeCode = "", after: RegisterNo = "",
    limit: Limit = 50,
) -> RegisterRows:
    """List rows in the order of their numbers; an institution sees its own."""
    rows = await list_entries(
        call.tx, admdvs, kind=kind, plan=plan, state=state, fixmedins_code=call.actor.fixmedins_code,
        division=call.actor.division, after=after, limit=limit)
    return RegisterRows([_view(row) for row in rows])


@read("/register-entries/{register_no}", verb="list_register_entries")
async def show_register_entry(call: Call, register_no: Id) -> RegisterSheet | Refusal:
    """Show a row with its papers and everything that happened to it."""
    entry = await see_entry(call.tx, register_no, actor=call.actor)
    if isinstance(entry, Refusal):
        return entry
    papers = [RegisterPaper(p.code, p.title, p.file_name, p.digest.hex()) for p in await list_papers(call.tx, entry)]
    steps = [RegisterStep(s.what, s.state, s.at, s.actor, s.says) for s in await list_steps(call.tx, entry)]
    return RegisterSheet(_view(entry), papers, steps)


@deed("/register-entries", verb="receive_register_entry", status=201)
async def receive_register_entry(call: Call, data: ReceiveEntry) -> RegisterRow | Refusal:
    """Take something into a book: it has a number, a time and a telephone from then on."""
    return row_of(await receive_entry(
        call.tx, data, actor=call.actor, now=call.now, ids=call.ids, gate=call.gate))


@deed("/filing-papers", verb="keep_filing_papers", status=201)
async def keep_filing_papers(call: Call, data: KeepFiling) -> RegisterRow | Refusal:
    """Keep papers of a filing while filings stand still: it holds from the day of receipt, a paper proof from its own."""
    return row_of(await keep_filing(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, gate=call.gate))


@deed("/register-entries/{register_no}/end", verb="end_register_entry")
async def end_register_entry(call: Call, register_no: Id, data: EndRow) -> RegisterRow | Refusal:
    """End a row that was worked by hand."""
    seen = await see_entry(call.tx, register_no, actor=call.actor, lock=True)
    if isinstance(seen, Refusal):
        return seen
    return row_of(await close_entry(
        call.tx, register_no, state=data.state, result=data.result, reason=data.reason, now=call.now, actor=call.actor,
        ids=call.ids))


@deed("/register-entries/{register_no}/cash", verb="end_difference")
async def end_cash_difference(call: Call, register_no: Id, data: CashDone) -> RegisterRow | Refusal:
    """Say that the cash of a difference went over the counter: positive taken from the patient, negative given back."""
    return row_of(await end_difference(
        call.tx, register_no, amount_fen=data.amount_fen, actor=call.actor, now=call.now, ids=call.ids))


@deed("/register-entries/{register_no}/owner", verb="own_register_entry")
async def own_register_entry(call: Call, register_no: Id, data: Owner) -> RegisterRow | Refusal:
    """Name who answers for a row that is left over, so that its book can close."""
    seen = await see_entry(call.tx, register_no, actor=call.actor, lock=True)
    if isinstance(seen, Refusal):
        return seen
    return row_of(await name_owner(
        call.tx, register_no, owner=data.owner, until=data.until, now=call.now, actor=call.actor, ids=call.ids))


@deed("/regions/{admdvs}/registers/{kind}/work", verb="work_register")
async def work_register(call: Call, admdvs: Region, kind: Kind, data: WorkAsked) -> Worked | Refusal:
    """Work rows off in the order of their numbers; whoever proposed it reviews, whoever approves it approves."""
    command = WorkRows(admdvs=admdvs, kind=kind, plan=data.plan, after=data.after, limit=data.limit)
    maker = msgspec.structs.replace(call.actor, login=call.maker or call.actor.login)
    return await work_rows(
        call.tx, command, actor=maker, checker=call.actor, now=call.now, ids=call.ids, shelf=call.shelf,
        gate=call.gate)


@deed("/regions/{admdvs}/registers/{kind}/close", verb="close_register")
async def close_register(call: Call, admdvs: Region, kind: Kind, data: BookAsked) -> ClosedBook | Refusal:
    """Close a book: refused while rows are open that nobody answers for."""
    command = CloseBook(admdvs=admdvs, kind=kind, plan=data.plan, fixmedins_code=data.fixmedins_code)
    return await close_book(call.tx, command, actor=call.actor, now=call.now, ids=call.ids)


@read("/regions/{admdvs}/registers/{kind}/sheet", verb="print_register", produces=XLSX)
async def register_as_sheet(call: Call, admdvs: Region, kind: Kind, plan: MaybeCode = "") -> bytes | Refusal:
    """Return a book as a spreadsheet."""
    book = await read_book(call.tx, admdvs=admdvs, kind=kind, plan=plan, now=call.now)
    return book if isinstance(book, Refusal) else write_sheet(book)


@read("/regions/{admdvs}/registers/{kind}/page", verb="print_register", produces=PDF)
async def register_as_page(call: Call, admdvs: Region, kind: Kind, plan: MaybeCode = "") -> bytes | Refusal:
    """Return a book as PDF."""
    book = await read_book(call.tx, admdvs=admdvs, kind=kind, plan=plan, now=call.now)
    return book if isinstance(book, Refusal) else write_page(book)


@read("/people/{psn_no}/register-entries", verb="list_own_rows")
async def list_own_rows(call: Call, psn_no: PsnNo) -> RegisterRows:
    """List what is registered of a person, the oldest first."""
    return RegisterRows([_view(row) for row in await list_of_person(call.tx, psn_no)])


def row_of(answer: Entry | Refusal) -> RegisterRow | Refusal:
    return answer if isinstance(answer, Refusal) else _view(answer)


def _view(e: Entry) -> RegisterRow:
    kind = books().kinds[e.kind]
    return RegisterRow(
        register_no=e.register_no, kind=e.kind, title=kind.title, plan=e.plan, business=e.business, psn_no=e.psn_no,
        emp_no=e.emp_no, applicant_name=e.applicant_name, phone=e.phone, fixmedins_code=e.fixmedins_code,
        received_at=e.received_at, received_by=e.received_by, channel=e.channel, effective_on=e.effective_on, due_on=e.due_on,
        moved_from=e.moved_from, state=e.state, state_text=STATES[e.state], reason=e.reason, result=e.result,
        answered_at=e.answered_at, owner=e.owner, owner_until=e.owner_until, amount_fen=e.amount_fen, paid_fen=e.paid_fen,
        due_fen=e.due_fen, back_fen=e.back_fen, topup_fen=e.topup_fen, origin=e.origin, body=msgspec.json.decode(e.body),
    )


ROUTES = (
    list_registers, list_register_entries, show_register_entry, receive_register_entry, keep_filing_papers,
    end_register_entry, end_cash_difference,
    own_register_entry, work_register, close_register, register_as_sheet, register_as_page, list_own_rows,
)
