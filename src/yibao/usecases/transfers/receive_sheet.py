"""Take the other region's answer: merge the months of its sheet, or tell the applicant its no."""

from __future__ import annotations

from datetime import date, datetime

from yibao.domains.services.items import TRANSFER_IN, ServiceBook, service_book
from yibao.domains.transfers.model import ASKED, CLOSED, IN, MERGED, REFUSED, Run, Sheet, Transfer
from yibao.domains.transfers.operations import add_transfer, change_transfer, keep_paper
from yibao.domains.transfers.queries import (
    find_by_reference,
    find_in_region,
    find_live,
    find_person,
    list_money_of,
    months_counted,
)
from yibao.domains.transfers.rules import months_of, split_counted
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.identity_number import mask
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.enrolment.commands import RecordYears
from yibao.usecases.enrolment.record_years import record_years
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail
from yibao.usecases.transfers.commands import TransferRefused, TransferSheet
from yibao.usecases.transfers.receive_money import book_money
from yibao.usecases.transfers.transfer_clock import transfer_due


async def receive_sheet(
    tx: Connection, command: TransferSheet, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf,
    book: ServiceBook | None = None,
) -> Transfer | Refusal:
    """Merge the months of a sheet into the person's years; a month that counts here already counts once.

    The account's money follows through the bank; what came before the sheet is booked now. A sheet of the network that
    nobody here asked for (the person applied at the old place) begins a transfer of somebody who is enrolled here.
    """
    transfer = await find_by_reference(tx, command.admdvs, IN, command.reference)
    if transfer is None and command.from_admdvs in shelf.regions:
        transfer = await _begin_unasked(tx, command, actor=actor, now=now, ids=ids)
    if transfer is None:
        return _unknown(command.reference)
    if transfer.state in (MERGED, CLOSED):
        return transfer
    book, today = book or service_book(), business_date(now)
    refusal = await _refuse_sheet(tx, transfer, command, today)
    if refusal is not None:
        return refusal
    sheet = Sheet(command.name, command.cert_type, command.certno, command.insutype, command.runs, command.unnamed_months,
                  command.account_fen, command.last_relation_until, command.issued_on)
    own = await months_counted(tx, transfer.psn_no, admdvs=transfer.admdvs, insutype=transfer.insutype)
    fresh, over = split_counted(sheet, own)
    await keep_paper(tx, transfer, kind="sheet", content=sheet, now=now)
    refusal = await _count(tx, transfer, fresh, sheet.unnamed_months, actor=actor, now=now, ids=ids, shelf=shelf)
    if refusal is not None:
        return refusal
    counted = len(months_of(fresh)) + sheet.unnamed_months
    due = await transfer_due(tx, book, admdvs=transfer.admdvs, begun_on=today, limits=(TRANSFER_IN,),
                             transfer_id=transfer.transfer_id, psn_no=transfer.psn_no, now=now)
    transfer = await change_transfer(
        tx, transfer, state=MERGED if sheet.account_fen else CLOSED, months=counted + over, counted=counted, overlapping=over,
        account_fen=sheet.account_fen, begun_on=today, due_on=due,
        ended_at=None if sheet.account_fen else now,
    )
    await write_trail(tx, actor, verb="receive_sheet", object_id=transfer.transfer_id, admdvs=transfer.admdvs, state=transfer,
                      now=now, ids=ids)
    for money in await list_money_of(tx, transfer.admdvs, transfer.reference):
        transfer = await book_money(tx, transfer, money, actor=actor, now=now, ids=ids)
    return transfer


async def _begin_unasked(
    tx: Connection, command: TransferSheet, *, actor: Actor, now: datetime, ids: Ids
) -> Transfer | None:
    person = await find_in_region(tx, cert_type=command.cert_type, certno=command.certno, admdvs=command.admdvs)
    if person is None or await find_live(
        tx, person["psn_no"], direction=IN, other_admdvs=command.from_admdvs, insutype=command.insutype
    ):
        return None
    today = business_date(now)
    transfer = Transfer(
        person["psn_no"], ids.new(now), command.admdvs, IN, command.from_admdvs, command.from_admdvs, command.insutype,
        command.reference, ASKED, today, today, 0, 0, 0, 0, 0, "", "", "", actor.login, now, None,
    )
    await add_transfer(tx, transfer)
    return transfer


async def _refuse_sheet(tx: Connection, transfer: Transfer, command: TransferSheet, today: date) -> Refusal | None:
    if transfer.state != ASKED:
        return refuse("TRANSFER_STATE", "该转移已取消或未予转出，不能再收信息表", field="reference", received=transfer.state,
                      remedy="请由参保人重新申请")
    person = await find_person(tx, transfer.psn_no)
    assert person is not None
    faults = []
    if command.from_admdvs != transfer.other_admdvs:
        faults.append(Fault("SHEET_FROM_ELSEWHERE", "信息表不是由申请的转出地出具", "from_admdvs", command.from_admdvs,
                            "请核对转出地"))
    if (person["certno"], person["name"]) != (command.certno.upper(), command.name):
        faults.append(Fault("SHEET_OF_ANOTHER", "信息表的姓名或证件号码与申请人不符", "certno", mask(command.certno),
                            "请与转出地核对"))
    if command.insutype != transfer.insutype:
        faults.append(Fault("SHEET_INSUTYPE", "信息表的险种与申请不符", "insutype", command.insutype, "请与转出地核对"))
    if command.issued_on > today:
        faults.append(Fault("SHEET_FUTURE", "信息表的出具日期晚于今天", "issued_on", f"{command.issued_on}", "请与转出地核对"))
    if command.account_fen < 0 or command.unnamed_months < 0:
        faults.append(Fault("SHEET_NEGATIVE", "信息表的金额和月数不能为负", "account_fen", str(command.account_fen),
                            "请与转出地核对"))
    for n, run in enumerate(command.runs):
        if run.first_month >= run.until_month or run.first_month.day != 1 or run.until_month.day != 1:
            faults.append(Fault("SHEET_MONTHS", "缴费时段的起止月份不对", f"runs[{n}]", f"{run.first_month}—{run.until_month}",
                                "请与转出地核对"))
        elif _beyond(run, command):
            faults.append(Fault("SHEET_FUTURE", "缴费时段晚于信息表的出具日期", f"runs[{n}]", f"{run.until_month}",
                                "请与转出地核对"))
    return Refusal(tuple(faults)) if faults else None


def _beyond(run: Run, command: TransferSheet) -> bool:
    """Say whether a run reaches into the month of the sheet: only months that are over go with somebody."""
    return run.until_month > command.issued_on.replace(day=1)


async def _count(
    tx: Connection, transfer: Transfer, runs: list[Run], unnamed: int, *, actor: Actor, now: datetime, ids: Ids,
    shelf: PolicyShelf,
) -> Refusal | None:
    evidence = f"转移接续信息表 {transfer.reference}"
    asked = [
        RecordYears(psn_no=transfer.psn_no, kind="transferred", evidence=evidence, insutype=transfer.insutype,
                    first_month=run.first_month, until_month=run.until_month, elsewhere=run.admdvs) for run in runs
    ]
    if unnamed:
        asked.append(RecordYears(psn_no=transfer.psn_no, kind="transferred", evidence=evidence, insutype=transfer.insutype,
                                 months=unnamed, elsewhere=transfer.other_admdvs))
    for years in asked:
        done = await record_years(tx, years, actor=actor, now=now, ids=ids, shelf=shelf)
        if isinstance(done, Refusal):
            return done
    return None


async def receive_refusal(
    tx: Connection, command: TransferRefused, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> Transfer | Refusal:
    """Note the other region's no with its reason; the applicant may ask again when the cause is gone."""
    del shelf  # every message of another region is handled with the same arguments
    transfer = await find_by_reference(tx, command.admdvs, IN, command.reference)
    if transfer is None:
        return _unknown(command.reference)
    if transfer.state != ASKED or command.from_admdvs != transfer.other_admdvs:
        return transfer
    told = await change_transfer(tx, transfer, state=REFUSED, reason=command.reason, ended_at=now)
    await write_trail(tx, actor, verb="receive_refusal", object_id=told.transfer_id, admdvs=told.admdvs, state=told, now=now,
                      ids=ids)
    return told


def _unknown(reference: str) -> Refusal:
    return refuse("TRANSFER_NOT_FOUND", "没有这个编号的转入业务", field="reference", received=reference[:40],
                  remedy="请与对方经办机构核对编号")
