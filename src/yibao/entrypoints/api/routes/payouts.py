"""Payouts through the bank, and how the exchange with the parties outside stands."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from yibao.domains.exchange import inbox, payouts
from yibao.domains.exchange.model import PayoutFile, PayoutRow, WorkCase
from yibao.entrypoints.api.fields import Id, PsnNo, Region, Words
from yibao.entrypoints.api.routing import deed, read
from yibao.entrypoints.api.services import Call
from yibao.entrypoints.exchange.handlers import HANDLERS
from yibao.kernel.identity_number import mask, mask_name
from yibao.kernel.refusal import Refusal
from yibao.usecases.exchange.held import Line, list_lines
from yibao.usecases.exchange.work_case import close_case, retry_case
from yibao.usecases.payouts.check_payout_file import check_payout_file, withdraw_payout_file
from yibao.usecases.payouts.make_payout_file import make_payout_file
from yibao.usecases.payouts.reorder_payout import reorder_payout


class Payouts(msgspec.Struct, frozen=True):
    """Payouts; payee and account are masked, amounts in fen."""

    rows: list[PayoutRow]


class PayoutFiles(msgspec.Struct, frozen=True):
    """Payment files with count, sum and digest."""

    rows: list[PayoutFile]


class PayoutRegion(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose payouts go into the file."""

    admdvs: Region


class NewPayee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a payout goes that the bank sent back."""

    payee_name: Annotated[str, Meta(min_length=1, max_length=60)]
    bank_name: Annotated[str, Meta(min_length=1, max_length=60)]
    bank_account: Annotated[str, Meta(min_length=6, max_length=40, pattern=r"^[0-9A-Za-z-]+$")]


class ExchangeLines(msgspec.Struct, frozen=True):
    """How the exchange with each party stands: how much waits, since when, and why."""

    rows: list[Line]


class ExchangeCases(msgspec.Struct, frozen=True):
    """Messages that could not be taken as they came."""

    rows: list[WorkCase]


class CaseNote(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What was done about a case."""

    note: Words


@read("/people/{psn_no}/payouts", verb="list_payouts")
async def list_person_payouts(call: Call, psn_no: PsnNo) -> Payouts:
    """List what was or is to be paid to a person, with the bank's code and words where it came back."""
    return Payouts([_masked(row) for row in await payouts.list_payouts(call.tx, psn_no=psn_no)])


@read("/payout-files", verb="list_payouts")
async def list_payout_files(
    call: Call, admdvs: Region, state: Literal["", "made", "sent", "answered", "withdrawn"] = ""
) -> PayoutFiles:
    """List payment files of a region."""
    return PayoutFiles(await payouts.list_files(call.tx, admdvs=admdvs, state=state))


@deed("/payout-files", verb="make_payouts", status=201)
async def make_payment_file(call: Call, data: PayoutRegion) -> PayoutFile | Refusal:
    """Make the file of all payouts that wait; it is sent when somebody else has checked it."""
    return await make_payout_file(call.tx, admdvs=data.admdvs, actor=call.actor, now=call.now, ids=call.ids)


@deed("/payout-files/{file_id}/send", verb="send_payouts")
async def send_payment_file(call: Call, file_id: Id) -> PayoutFile | Refusal:
    """Send a file to the bank that somebody else has made; its digest is reckoned anew first."""
    return await check_payout_file(call.tx, file_id=file_id, actor=call.actor, now=call.now, ids=call.ids)


@deed("/payout-files/{file_id}/withdraw", verb="make_payouts")
async def withdraw_payment_file(call: Call, file_id: Id) -> PayoutFile | Refusal:
    """Take a file back before it is sent; its payouts go with the next one."""
    return await withdraw_payout_file(call.tx, file_id=file_id, actor=call.actor, now=call.now, ids=call.ids)


@deed("/payouts/{payout_id}/reorder", verb="reorder_payout")
async def order_payout_again(call: Call, payout_id: Id, data: NewPayee) -> PayoutRow | Refusal:
    """Order a payout anew that the bank sent back, to another account."""
    row = await reorder_payout(
        call.tx, payout_id=payout_id, payee_name=data.payee_name, bank_name=data.bank_name,
        bank_account=data.bank_account, actor=call.actor, now=call.now, ids=call.ids,
    )
    return row if isinstance(row, Refusal) else _masked(row)


@read("/exchange", verb="list_exchange")
async def show_exchange(call: Call) -> ExchangeLines:
    """Show what waits for tax bureau, bank, HR, civil affairs, health and police, and since when."""
    return ExchangeLines(await list_lines(call.tx))


@read("/exchange/cases", verb="list_exchange")
async def list_exchange_cases(call: Call, state: Literal["", "open", "closed"] = "open") -> ExchangeCases:
    """List messages of parties that could not be taken as they came, and why."""
    return ExchangeCases(await inbox.list_cases(call.tx, state=state))


@deed("/exchange/cases/{case_id}/close", verb="close_case")
async def close_exchange_case(call: Call, case_id: Id, data: CaseNote) -> WorkCase | Refusal:
    """Close a case with what was done about it."""
    return await close_case(
        call.tx, case_id=case_id, note=data.note, actor=call.actor, now=call.now, ids=call.ids
    )


@deed("/exchange/cases/{case_id}/retry", verb="close_case")
async def retry_exchange_case(call: Call, case_id: Id) -> WorkCase | Refusal:
    """Handle the message of a case again, after what stood against it is mended; refused again, the case stays open."""
    return await retry_case(
        call.tx, case_id=case_id, handlers=HANDLERS, actor=call.actor, now=call.now, ids=call.ids,
        shelf=call.shelf,
    )


def _masked(row: PayoutRow) -> PayoutRow:
    return msgspec.structs.replace(row, payee_name=mask_name(row.payee_name), bank_account=mask(row.bank_account))


ROUTES = (
    list_person_payouts, list_payout_files, make_payment_file, send_payment_file, withdraw_payment_file,
    order_payout_again, show_exchange, list_exchange_cases, close_exchange_case,
    retry_exchange_case,
)
