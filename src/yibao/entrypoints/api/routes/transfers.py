"""Transfers of relations between regions, and who bears the benefit of those who retire."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from yibao.domains.transfers.model import STATES, Transfer
from yibao.domains.transfers.queries import find_transfer, list_open_money, list_transfers
from yibao.entrypoints.api.fields import Id, Limit, Region, Words
from yibao.entrypoints.api.routing import deed, read
from yibao.entrypoints.api.services import Call
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.transfers import transfer_in as coming
from yibao.usecases.transfers import transfer_out as going
from yibao.usecases.transfers.commands import (
    AssignMoney,
    CancelTransfer,
    ConfirmRetirementPlace,
    TransferIn,
    TransferOut,
    TransferSheet,
)
from yibao.usecases.transfers.receive_money import assign_money
from yibao.usecases.transfers.receive_sheet import receive_sheet
from yibao.usecases.transfers.retirement_place import PlaceConfirmed, confirm_retirement_place

MaybePsnNo = Annotated[str, Meta(max_length=32, pattern=r"^[0-9A-Za-z]*$", description="人员编号，空为全部")]
MaybeState = Annotated[str, Meta(max_length=20, pattern=r"^[a-z]*$", description="状态，空为全部")]


class TransferView(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a transfer; months of the sheet, those new here, those counted here before; amounts in fen."""

    transfer_id: str
    reference: str
    psn_no: str
    admdvs: str
    direction: str
    other_admdvs: str
    other_name: str
    insutype: str
    state: str
    state_text: str
    begun_on: date
    due_on: date
    months: int
    counted: int
    overlapping: int
    account_fen: int
    received_fen: int
    reason: str


class Transfers(msgspec.Struct, frozen=True):
    """Transfers, the first due first."""

    rows: list[TransferView]


class MoneyView(msgspec.Struct, frozen=True):
    """Money of another region that fits no transfer yet, and why."""

    payment_ref: str
    from_admdvs: str
    reference: str
    amount_fen: int
    arrived_on: date
    reason: str


class OpenMoney(msgspec.Struct, frozen=True):
    """Cases to work, the oldest first."""

    rows: list[MoneyView]


class Cancelling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why a question is taken back."""

    reason: Words


@deed("/transfers/in", verb="transfer_in", status=201)
async def ask_transfer_in(call: Call, data: TransferIn) -> TransferView | Refusal:
    """Ask another region for somebody's record; off the network the two papers are needed."""
    return _answer(await coming.transfer_in(
        call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf))


@deed("/transfers/out", verb="transfer_out", status=201)
async def send_transfer_out(call: Call, data: TransferOut) -> TransferView | Refusal:
    """Let somebody leave with months and account; refused with everything that stands in the way."""
    return _answer(await going.transfer_out(
        call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf))


@deed("/transfers/sheets", verb="receive_sheet")
async def enter_sheet(call: Call, data: TransferSheet) -> TransferView | Refusal:
    """Enter the sheet of a region that is not on the network: its months are merged, each once."""
    return _answer(await receive_sheet(
        call.tx, data, actor=call.actor, now=call.now, ids=call.ids, shelf=call.shelf))


@deed("/transfers/{transfer_id}/cancel", verb="cancel_transfer")
async def cancel_transfer_in(call: Call, transfer_id: Id, data: Cancelling) -> TransferView | Refusal:
    """Take back a question that nobody has answered."""
    command = CancelTransfer(transfer_id=transfer_id, reason=data.reason)
    return _answer(await coming.cancel_transfer(call.tx, command, actor=call.actor, now=call.now, ids=call.ids))


@deed("/transfers/money/assign", verb="assign_transfer_money")
async def assign_transfer_money(call: Call, data: AssignMoney) -> TransferView | Refusal:
    """Book money that fitted nothing for the transfer it was meant for; two people."""
    return _answer(await assign_money(call.tx, data, actor=call.actor, maker=call.maker, now=call.now, ids=call.ids))


@deed("/retirement-places", verb="confirm_retirement_place", status=201)
async def confirm_place(call: Call, data: ConfirmRetirementPlace) -> PlaceConfirmed | Refusal:
    """Confirm which region bears the benefit of somebody who retires; two people."""
    return await confirm_retirement_place(
        call.tx, data, actor=call.actor, maker=call.maker, now=call.now, ids=call.ids)


@deed("/regions/{admdvs}/transfers/follow", verb="follow_service")
async def follow_transfer_payouts(call: Call, admdvs: Region) -> Transfers:
    """Close the transfers out of a region whose money the bank has paid; list them."""
    rows = await going.follow_payouts(call.tx, admdvs=admdvs, actor=call.actor, now=call.now, ids=call.ids)
    return Transfers([_view(t) for t in rows])


@read("/transfers", verb="show_transfer")
async def find_transfers(
    call: Call, psn_no: MaybePsnNo = "", state: MaybeState = "", due_before: date | None = None, limit: Limit = 50
) -> Transfers:
    """List transfers, the first due first."""
    rows = await list_transfers(call.tx, "", state, psn_no, due_before, limit)
    return Transfers([_view(t) for t in rows])


@read("/transfers/{transfer_id}", verb="show_transfer")
async def show_transfer(call: Call, transfer_id: Id) -> TransferView | Refusal:
    """Show one side of a transfer."""
    transfer = await find_transfer(call.tx, transfer_id)
    if transfer is None:
        return refuse("TRANSFER_NOT_FOUND", "没有这笔转移业务", field="transfer_id", received=transfer_id, remedy="请核对编号")
    return _view(transfer)


@read("/regions/{admdvs}/transfer-money", verb="show_transfer")
async def list_transfer_money(call: Call, admdvs: Region) -> OpenMoney:
    """List money of other regions that fits no transfer."""
    rows = await list_open_money(call.tx, admdvs)
    return OpenMoney([
        MoneyView(m.payment_ref, m.from_admdvs, m.reference, m.amount_fen, m.arrived_on, m.reason) for m in rows])


def _answer(answer: Transfer | Refusal) -> TransferView | Refusal:
    return answer if isinstance(answer, Refusal) else _view(answer)


def _view(t: Transfer) -> TransferView:
    return TransferView(
        transfer_id=t.transfer_id, reference=t.reference, psn_no=t.psn_no, admdvs=t.admdvs, direction=t.direction,
        other_admdvs=t.other_admdvs, other_name=t.other_name, insutype=t.insutype, state=t.state, state_text=STATES[t.state],
        begun_on=t.begun_on, due_on=t.due_on, months=t.months, counted=t.counted, overlapping=t.overlapping,
        account_fen=t.account_fen, received_fen=t.received_fen, reason=t.reason,
    )


ROUTES = (
    ask_transfer_in, send_transfer_out, enter_sheet, cancel_transfer_in, assign_transfer_money, confirm_place,
    follow_transfer_payouts, find_transfers, show_transfer, list_transfer_money,
)
