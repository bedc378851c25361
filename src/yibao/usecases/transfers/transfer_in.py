"""Ask for a record from another region, and take the question back."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.services.items import TRANSFER_IN, TRANSFER_OUT, ServiceBook, service_book
from yibao.domains.transfers.model import ASKED, CANCELLED, IN, Transfer
from yibao.domains.transfers.operations import add_transfer, change_transfer, keep_paper
from yibao.domains.transfers.queries import find_live, find_person, find_transfer
from yibao.infra.database import Connection
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal, refuse
from yibao.usecases.exchange.put_out import put_out
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail
from yibao.usecases.transfers.commands import CancelTransfer, TransferIn
from yibao.usecases.transfers.transfer_clock import transfer_due


async def transfer_in(
    tx: Connection, command: TransferIn, *, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf,
    application_id: str = "", book: ServiceBook | None = None,
) -> Transfer | Refusal:
    """Ask the old region for somebody's record; both clocks are known from the start.

    A region on this network answers by message and needs no paper. Of any other one the two papers are kept, and its
    sheet is entered when it comes by post.
    """
    person = await find_person(tx, command.psn_no)
    if person is None or person["admdvs"] not in actor.regions:
        return refuse("PERSON_NOT_FOUND", "没有这个参保人", field="psn_no", received=command.psn_no,
                      remedy="请先在转入地办理参保登记")
    admdvs = person["admdvs"]
    refusal = _refuse_papers(command, admdvs, on_network=command.other_admdvs in shelf.regions)
    live = None if refusal else await find_live(
        tx, command.psn_no, direction=IN, other_admdvs=command.other_admdvs, insutype=command.insutype)
    if live is not None:
        refusal = refuse("TRANSFER_RUNNING", "已有一笔从该地转入的业务在办", field="other_admdvs", received=live.transfer_id,
                         remedy="请查询办理进度，无需重复申请")
    if refusal is not None:
        return refusal
    book, today, transfer_id = book or service_book(), business_date(now), ids.new(now)
    due = await transfer_due(tx, book, admdvs=admdvs, begun_on=today, limits=(TRANSFER_OUT, TRANSFER_IN),
                             transfer_id=transfer_id, psn_no=command.psn_no, now=now, other_admdvs=command.other_admdvs)
    transfer = Transfer(
        command.psn_no, transfer_id, admdvs, IN, command.other_admdvs, command.other_name, command.insutype, transfer_id,
        ASKED, today, due, 0, 0, 0, 0, 0, "", application_id, "", actor.login, now, None,
    )
    await add_transfer(tx, transfer)
    for kind, paper in (("certificate", command.certificate), ("change_form", command.change_form)):
        if paper is not None:
            await keep_paper(tx, transfer, kind=kind, content=paper, now=now)
    await write_trail(tx, actor, verb="transfer_in", object_id=transfer_id, admdvs=admdvs, state=transfer, now=now, ids=ids)
    if command.other_admdvs in shelf.regions:
        body = {
            "reference": transfer_id, "admdvs": command.other_admdvs, "from_admdvs": admdvs, "from_name": admdvs,
            "cert_type": person["cert_type"], "certno": person["certno"], "name": person["name"],
            "insutype": command.insutype,
        }
        # The letter is a row of the region that writes it; whom it is for stands inside.
        await put_out(tx, party="region", kind="transfer_request", key=transfer_id, body=body, admdvs=admdvs, now=now, ids=ids)
    return transfer


def _refuse_papers(command: TransferIn, admdvs: str, *, on_network: bool) -> Refusal | None:
    faults = []
    if command.other_admdvs == admdvs:
        faults.append(Fault("TRANSFER_SAME_REGION", "转出地与转入地相同", "other_admdvs", command.other_admdvs,
                            "本统筹区内不需要转移"))
    if command.insutype not in ("310", "390"):
        faults.append(Fault("INSUTYPE_UNKNOWN", "只有职工医保和居民医保可以转移", "insutype", command.insutype, "请核对险种"))
    if not on_network and command.certificate is None:
        faults.append(Fault("CERTIFICATE_MISSING", "转出地未联网，须提交《基本医疗保险参保凭证》", "certificate",
                            remedy="请到转出地开具"))
    if not on_network and command.change_form is None:
        faults.append(Fault("CHANGE_FORM_MISSING", "转出地未联网，须提交《基本医疗保险转移类型变更信息表》", "change_form",
                            remedy="请到转出地开具"))
    return Refusal(tuple(faults)) if faults else None


async def cancel_transfer(
    tx: Connection, command: CancelTransfer, *, actor: Actor, now: datetime, ids: Ids
) -> Transfer | Refusal:
    """Take back a transfer in that nobody has answered yet."""
    transfer = await find_transfer(tx, command.transfer_id)
    if transfer is None or transfer.direction != IN:
        return refuse("TRANSFER_NOT_FOUND", "没有这笔转入业务", field="transfer_id", received=command.transfer_id[:40],
                      remedy="请核对编号")
    if transfer.state != ASKED:
        return refuse("TRANSFER_STATE", "转出地已答复，不能取消", field="transfer_id", received=transfer.state,
                      remedy="请查询办理进度")
    cancelled = await change_transfer(tx, transfer, state=CANCELLED, reason=command.reason, ended_at=now)
    await write_trail(tx, actor, verb="cancel_transfer", object_id=transfer.transfer_id, admdvs=transfer.admdvs,
                      state=cancelled, now=now, ids=ids)
    return cancelled
