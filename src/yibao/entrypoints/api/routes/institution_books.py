"""Books that institutions keep for the agency: negotiated drugs sold for their full price, decisions left to hospitals."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from yibao.domains.registers.model import NEGOTIATED_DRUG
from yibao.domains.registers.queries import MonthBook, list_month_books, read_month_content
from yibao.entrypoints.api.fields import Id, MaybeWords, Region
from yibao.entrypoints.api.routes.registers import RegisterRow, row_of
from yibao.entrypoints.api.routing import XLSX, deed, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.registers.delegation import AuditDecision, HandBack, audit_decision, hand_back
from yibao.usecases.registers.drug_book import (
    CheckBook,
    GiveBook,
    NoteDrugSale,
    check_book,
    give_book,
    note_drug_sale,
)

MonthText = Annotated[str, Meta(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$", description="月份 yyyy-MM")]


class DrugSale(msgspec.Struct, frozen=True):
    """A sale that was noted: its number, what the buyer gave (fen), what the pharmacy is to do."""

    register_no: str
    episode_id: str
    paid_fen: int
    says: str


class DrugBook(msgspec.Struct, frozen=True):
    """A pharmacy's book of a month as it was given, and what the agency found; ``digest`` is SM3 of its rows."""

    fixmedins_code: str
    month: str
    version: int
    given_at: datetime
    given_by: str
    rows: int
    paid_fen: int
    digest: str
    state: str
    checked_by: str
    says: str


class DrugBooks(msgspec.Struct, frozen=True):
    """Books of months."""

    rows: list[DrugBook]


class BookRegion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose agency gets the book."""

    admdvs: Region


class BookFound(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the agency found in a pharmacy's book."""

    admdvs: Region
    fixmedins_code: Annotated[str, Meta(min_length=1, max_length=12)]
    is_right: bool
    says: MaybeWords = ""


class Found(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the agency found in a decision."""

    is_right: bool
    says: MaybeWords = ""


class HandedBack(msgspec.Struct, frozen=True):
    """A delegation that has ended; half-open."""

    plan: str
    rule: str
    business: str
    begin_at: datetime
    end_at: datetime
    ended_by: str
    reason: str


@deed("/drug-sales", verb="note_drug_sale", status=201)
async def note_sale(call: Call, data: NoteDrugSale) -> DrugSale | Refusal:
    """Note a negotiated drug that was sold for its full price, with prescription and sealed receipt."""
    noted = await note_drug_sale(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, gate=call.gate)
    if isinstance(noted, Refusal):
        return noted
    return DrugSale(noted.episode.register_no, noted.episode.episode_id, noted.episode.paid_fen, noted.says)


@read("/drug-books", verb="list_drug_books")
async def list_drug_books(call: Call, admdvs: Region) -> DrugBooks:
    """List the books of negotiated drugs that were given, the newest version of each; a pharmacy sees its own."""
    found = await list_month_books(call.tx, admdvs, kind=NEGOTIATED_DRUG, fixmedins_code=call.actor.fixmedins_code)
    return DrugBooks([_drug_book(book) for book in found])


@read("/drug-books/{month}/sheet", verb="list_drug_books", produces=XLSX)
async def drug_book_as_sheet(
    call: Call, month: MonthText, admdvs: Region, fixmedins_code: Annotated[str, Meta(max_length=12)] = ""
) -> bytes | Refusal:
    """Return a pharmacy's book of a month as it was given, byte for byte; a pharmacy gets its own."""
    code = call.actor.fixmedins_code or fixmedins_code
    content = await read_month_content(
        call.tx, admdvs, fixmedins_code=code, kind=NEGOTIATED_DRUG, month=date.fromisoformat(f"{month}-01"))
    return content or refuse("BOOK_NOT_FOUND", "没有这个月的登记册", field="month", received=month, remedy="请核对药店与月份")


@deed("/drug-books/{month}/give", verb="give_drug_book")
async def give_drug_book(call: Call, month: MonthText, data: BookRegion) -> DrugBook | Refusal:
    """Hand in the pharmacy's book of a month that is over."""
    command = GiveBook(admdvs=data.admdvs, month=date.fromisoformat(f"{month}-01"))
    given = await give_book(call.tx, command, actor=call.actor, now=call.now, ids=call.ids)
    return given if isinstance(given, Refusal) else _drug_book(given)


@deed("/drug-books/{month}/check", verb="check_drug_book")
async def check_drug_book(call: Call, month: MonthText, data: BookFound) -> DrugBook | Refusal:
    """Check a pharmacy's book of a month, or return it with what is wrong."""
    command = CheckBook(admdvs=data.admdvs, fixmedins_code=data.fixmedins_code, month=date.fromisoformat(f"{month}-01"),
                        is_right=data.is_right, says=data.says)
    checked = await check_book(call.tx, command, actor=call.actor, now=call.now, ids=call.ids)
    return checked if isinstance(checked, Refusal) else _drug_book(checked)


@deed("/register-entries/{register_no}/audit", verb="audit_decision")
async def audit_delegated(call: Call, register_no: Id, data: Found) -> RegisterRow | Refusal:
    """Confirm a decision that a hospital made for the agency, or take its filing back with the reason."""
    command = AuditDecision(register_no=register_no, is_right=data.is_right, says=data.says)
    return row_of(await audit_decision(call.tx, command, actor=call.actor, now=call.now, ids=call.ids))


@deed("/delegations/hand-back", verb="hand_back")
async def hand_back_delegation(call: Call, data: HandBack) -> HandedBack | Refusal:
    """End a delegation before its plan does: from now on the agency decides itself."""
    ended = await hand_back(call.tx, data, actor=call.actor, now=call.now, ids=call.ids, gate=call.gate)
    if isinstance(ended, Refusal):
        return ended
    return HandedBack(ended.plan, ended.rule, ended.business, ended.begin_at, ended.end_at, ended.ended_by, ended.ended_why)


def _drug_book(book: MonthBook) -> DrugBook:
    return DrugBook(
        book.fixmedins_code, f"{book.month:%Y-%m}", book.version, book.given_at, book.given_by, book.rows, book.paid_fen,
        book.digest.hex(), book.state, book.checked_by or "", book.says)


ROUTES = (
    note_sale, list_drug_books, drug_book_as_sheet, give_drug_book, check_drug_book, audit_delegated, hand_back_delegation,
)
