"""The second pair of eyes on payouts: let a file go to the bank, or take it back."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.clearing.rules import same_person
from yibao.domains.exchange import payouts
from yibao.domains.exchange.model import PayoutFile
from yibao.domains.exchange.payout_rules import FILE_STATES, lines_text
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.exchange.put_out import put_out
from yibao.usecases.trail import write_trail

BANK = "bank"


async def open_payout_file(tx: Connection, file_id: str) -> PayoutFile | Refusal:
    """Return a file of payouts."""
    file = await payouts.find_file(tx, file_id)
    return file or refuse("PAYOUT_FILE_UNKNOWN", "没有这个支付文件", field="file_id", received=file_id, remedy="请核对文件号")


async def check_payout_file(
    tx: Connection, *, file_id: str, actor: Actor, now: datetime, ids: Ids
) -> PayoutFile | Refusal:
    """Send a file to the bank; whoever made it, or ordered one of its payouts anew, cannot. The same checker again: no effect.

    The file's digest is reckoned anew over its lines: what was changed since it was made is not sent.
    """
    file = await open_payout_file(tx, file_id)
    if isinstance(file, Refusal):
        return file
    if file.state in ("sent", "answered") and same_person(file.checked_by or "", actor.login):
        return file
    if file.state != "made":
        return _refuse_state(file)
    if same_person(file.made_by, actor.login):
        return refuse("FOUR_EYES", f"编制与复核须由两人办理，{file.made_by}已编制此文件", field="operator", received=actor.login,
                      remedy="请由另一名经办人复核")
    if any(same_person(who, actor.login) for who in await payouts.list_who_reordered(tx, file_id)):
        return refuse("FOUR_EYES", "此文件中有您重新发起的支付，须由他人复核", field="operator", received=actor.login,
                      remedy="请由另一名经办人复核")
    lines = [line.line for line in await payouts.list_lines(tx, file_id)]
    if sm3(lines_text(lines)).hex() != file.digest or len(lines) != file.count:
        return refuse("PAYOUT_FILE_CHANGED", "支付文件编制后内容有变，不能送出", field="file_id", received=file_id,
                      remedy="请撤回后重新编制")
    await payouts.mark_checked(tx, file_id, by=actor.login, now=now)
    done = await open_payout_file(tx, file_id)
    assert isinstance(done, PayoutFile)
    await write_trail(tx, actor, verb="check_payout_file", object_id=file_id, admdvs=file.admdvs, state=done, now=now, ids=ids)
    await put_out(
        tx, party=BANK, kind="payout_file", key=file_id, admdvs=file.admdvs, now=now, ids=ids,
        body={"file_id": file_id, "admdvs": file.admdvs, "lines": lines, "count": file.count, "amount_fen": file.amount_fen,
              "digest": file.digest},
    )
    return done


async def withdraw_payout_file(
    tx: Connection, *, file_id: str, actor: Actor, now: datetime, ids: Ids
) -> PayoutFile | Refusal:
    """Take a file back before it is sent; its payouts go with the next one."""
    file = await open_payout_file(tx, file_id)
    if isinstance(file, Refusal):
        return file
    if file.state != "made":
        return _refuse_state(file)
    await payouts.mark_withdrawn(tx, file_id)
    await write_trail(
        tx, actor, verb="withdraw_payout_file", object_id=file_id, admdvs=file.admdvs, state=file, now=now, ids=ids
    )
    done = await open_payout_file(tx, file_id)
    assert isinstance(done, PayoutFile)
    return done


def _refuse_state(file: PayoutFile) -> Refusal:
    return refuse("PAYOUT_FILE_STATE", f"支付文件{FILE_STATES[file.state]}，不能办理", field="file_id", received=file.file_id,
                  remedy="请查询支付文件的状态")
