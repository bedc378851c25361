"""Let somebody leave with their record: the sheet goes to the new region, the account's money through the bank."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from yibao.domains.services.items import TRANSFER_OUT, ServiceBook, service_book
from yibao.domains.transfers.model import CLOSED, OUT, REFUSED, SENT, Leaver, Sheet, Transfer
from yibao.domains.transfers.operations import add_transfer, change_transfer, keep_paper
from yibao.domains.transfers.queries import (
    find_by_reference,
    find_in_region,
    find_live,
    find_person,
    list_waiting_for_bank,
    read_leaver,
)
from yibao.domains.transfers.rules import months_of, refuse_leaver
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.ledger.operations import move_account
from yibao.ledger.posting import account_posting, payout
from yibao.usecases.exchange.put_out import put_out
from yibao.usecases.payouts.order_payout import Payout, open_payout, order_payout
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail
from yibao.usecases.transfers.commands import TransferOut, TransferRequest
from yibao.usecases.transfers.transfer_clock import transfer_due

PURPOSE = "transfer"
AGENCY_ACCOUNT = "AGENCY-"
"""How the bank knows the account of another region's agency."""


def payout_id_of(reference: str) -> str:
    """Return the number of the payout that carries a transfer's account money."""
    return f"transfer-{reference}"


async def transfer_out(
    tx: Connection, command: TransferOut, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf,
    application_id: str = "", book: ServiceBook | None = None,
) -> Transfer | Refusal:
    """Send somebody's months and account to another region.

    Refused with everything that stands in the way: a relation that still runs, months unpaid or in transit, retirement,
    a frozen account. The same reference again has no effect.
    """
    person = await find_person(tx, command.psn_no)
    if person is None or person["admdvs"] not in actor.regions:
        return refuse("PERSON_NOT_FOUND", "没有这个参保人", field="psn_no", received=command.psn_no, remedy="请核对人员编号")
    admdvs, today = person["admdvs"], business_date(now)
    if command.other_admdvs == admdvs:
        return refuse("TRANSFER_SAME_REGION", "转出地与转入地相同", field="other_admdvs", received=admdvs,
                      remedy="本统筹区内不需要转移")
    if command.reference:
        earlier = await find_by_reference(tx, admdvs, OUT, command.reference)
        if earlier is not None:
            return earlier
    running = await find_live(tx, command.psn_no, direction=OUT, other_admdvs=command.other_admdvs, insutype=command.insutype)
    if running is not None:
        return refuse("TRANSFER_RUNNING", "已有一笔转往该地的业务在办", field="other_admdvs", received=running.transfer_id,
                      remedy="请查询办理进度，无需重复申请")
    leaver = await read_leaver(tx, person, admdvs=admdvs, insutype=command.insutype, on=today)
    refusal = refuse_leaver(leaver)
    if refusal is not None:
        return refusal
    book, transfer_id = book or service_book(), ids.new(now)
    due = await transfer_due(tx, book, admdvs=admdvs, begun_on=today, limits=(TRANSFER_OUT,), transfer_id=transfer_id,
                             psn_no=command.psn_no, now=now)
    sheet = Sheet(leaver.name, leaver.cert_type, leaver.certno, command.insutype, list(leaver.runs), leaver.unnamed_months,
                  leaver.balance_fen, leaver.until, today)
    transfer = Transfer(
        command.psn_no, transfer_id, admdvs, OUT, command.other_admdvs, command.other_name, command.insutype,
        command.reference or transfer_id, SENT if leaver.balance_fen else CLOSED, today, due,
        len(months_of(sheet.runs)) + sheet.unnamed_months, 0, 0, leaver.balance_fen, 0, "", application_id,
        payout_id_of(command.reference or transfer_id) if leaver.balance_fen else "", actor.login, now,
        None if leaver.balance_fen else now,
    )
    await add_transfer(tx, transfer)
    await keep_paper(tx, transfer, kind="sheet", content=sheet, now=now)
    refusal = await _send_account(tx, transfer, leaver, actor=actor, now=now, ids=ids)
    if refusal is not None:
        return refusal
    await write_trail(tx, actor, verb="transfer_out", object_id=transfer_id, admdvs=admdvs, state=transfer, now=now, ids=ids)
    if command.other_admdvs in shelf.regions:
        body = {"reference": transfer.reference, "admdvs": command.other_admdvs, "from_admdvs": admdvs,
                **msgspec.to_builtins(sheet)}
        await put_out(tx, party="region", kind="transfer_sheet", key=transfer.reference, body=body, admdvs=admdvs, now=now,
                      ids=ids)
    return transfer


async def _send_account(
    tx: Connection, transfer: Transfer, leaver: Leaver, *, actor: Actor, now: datetime, ids: Ids
) -> Refusal | None:
    if not leaver.balance_fen:
        return None
    moved = await move_account(tx, account_posting(
        "transfer_out", psn_no=transfer.psn_no, posting_id=f"transfer-out-{transfer.transfer_id}", admdvs=transfer.admdvs,
        posted_at=now, amount=-leaver.balance_fen, other=payout(transfer.admdvs),
    ))
    assert moved is not None, "the balance was read and held before"
    ordered = await order_payout(tx, Payout(
        payout_id=transfer.payout_id, admdvs=transfer.admdvs, purpose=PURPOSE, psn_no=transfer.psn_no,
        payee_name=transfer.other_name, bank_name=transfer.other_name, bank_account=f"{AGENCY_ACCOUNT}{transfer.other_admdvs}",
        amount_fen=leaver.balance_fen, origin=transfer.reference,
    ), actor=actor, now=now, ids=ids)
    return ordered if isinstance(ordered, Refusal) else None


async def answer_request(
    tx: Connection, command: TransferRequest, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Transfer | Refusal:
    """Answer another region that asks for somebody's record: with the sheet, or with why not and what to do.

    A no is an answer as well: it is kept and sent, and the person applies again when the cause is gone.
    """
    earlier = await find_by_reference(tx, command.admdvs, OUT, command.reference)
    if earlier is not None:
        return earlier
    person = await find_in_region(tx, cert_type=command.cert_type, certno=command.certno, admdvs=command.admdvs)
    if person is None or person["name"] != command.name:
        answer: Transfer | Refusal = refuse(
            "PERSON_NOT_FOUND", "转出地没有姓名和证件号码都相符的参保人", field="certno", remedy="请核对转出地、姓名和证件号码")
    else:
        answer = await transfer_out(
            tx, TransferOut(psn_no=person["psn_no"], other_admdvs=command.from_admdvs, other_name=command.from_name,
                            insutype=command.insutype, reference=command.reference),
            actor=actor, now=now, ids=ids, shelf=shelf)
    if isinstance(answer, Transfer):
        return answer
    transfer = Transfer(
        person["psn_no"] if person else "", ids.new(now), command.admdvs, OUT, command.from_admdvs, command.from_name,
        command.insutype, command.reference, REFUSED, business_date(now), business_date(now), 0, 0, 0, 0, 0,
        answer.sentence(), "", "", actor.login, now, now,
    )
    await add_transfer(tx, transfer)
    await write_trail(tx, actor, verb="refuse_transfer", object_id=transfer.transfer_id, admdvs=transfer.admdvs,
                      state=transfer, now=now, ids=ids)
    body: dict[str, Any] = {"reference": command.reference, "admdvs": command.from_admdvs, "from_admdvs": command.admdvs,
                            "reason": answer.sentence()}
    await put_out(tx, party="region", kind="transfer_refused", key=command.reference, body=body, admdvs=command.admdvs, now=now,
                  ids=ids)
    return transfer


async def follow_payouts(tx: Connection, *, admdvs: str, actor: Actor, now: datetime, ids: Ids) -> list[Transfer]:
    """Close the transfers out of a region whose account money the bank has paid; return them."""
    closed = []
    for transfer in await list_waiting_for_bank(tx, admdvs):
        row = await open_payout(tx, transfer.payout_id)
        if isinstance(row, Refusal) or row.state != "paid":
            continue
        done = await change_transfer(tx, transfer, state=CLOSED, ended_at=now)
        await write_trail(tx, actor, verb="close_transfer", object_id=done.transfer_id, admdvs=done.admdvs, state=done, now=now,
                          ids=ids)
        closed.append(done)
    return closed
