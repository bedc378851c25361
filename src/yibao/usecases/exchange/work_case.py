"""Work a case of the exchange: handle its message again, or close it with what was done."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.exchange import inbox
from yibao.domains.exchange.model import Incoming, WorkCase
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.exchange.take_message import CASE, DONE, Handlers, Means, handle, party_actor
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.trail import write_trail


async def close_case(
    tx: Connection, *, case_id: str, note: str, actor: Actor, now: datetime, ids: Ids
) -> WorkCase | Refusal:
    """Close a case with what was done about it."""
    case = await _open(tx, case_id)
    if isinstance(case, Refusal):
        return case
    if not note.strip():
        return refuse("NOTE_MISSING", "须写明如何处理", field="note", remedy="请填写处理结果")
    return await _closed(tx, case, note=note.strip(), actor=actor, now=now, ids=ids)


async def retry_case(
    tx: Connection, *, case_id: str, handlers: Handlers, actor: Actor, now: datetime, ids: Ids, shelf: PolicyShelf
) -> WorkCase | Refusal:
    """Handle the message of a case again, after what stood against it is mended; it stays open when it is refused again."""
    case = await _open(tx, case_id)
    if isinstance(case, Refusal):
        return case
    received = await inbox.find_received(tx, case.party, case.message_id)
    if received is None or received.outcome != CASE or sm3(received.body.encode()) != received.digest:
        return refuse("CASE_NOT_REPEATABLE", "该差异的报文不能重新处理", field="case_id", received=case_id,
                      remedy="报文已处理，或其内容与摘要不符；请对方重发，或注明处理结果后关闭")
    message = Incoming(
        no=received.no, id=received.message_id, kind=received.kind, admdvs=received.admdvs,
        body=msgspec.json.decode(received.body), digest=received.digest.hex(),
    )
    means = Means(party_actor(case.party, shelf), now, ids, shelf)
    refusal = await handle(tx, message, party=case.party, handlers=handlers, means=means)
    if refusal is not None:
        return refusal
    await inbox.keep_received(tx, msgspec.structs.replace(received, outcome=DONE))
    return await _closed(tx, case, note="已重新处理", actor=actor, now=now, ids=ids)


async def _open(tx: Connection, case_id: str) -> WorkCase | Refusal:
    case = await inbox.find_case(tx, case_id)
    if case is None:
        return refuse("CASE_UNKNOWN", "没有这个差异", field="case_id", received=case_id, remedy="请核对差异编号")
    if case.state != "open":
        return refuse("CASE_CLOSED", f"该差异已由{case.closed_by}关闭：{case.note}", field="case_id", received=case_id,
                      remedy="无需再办理")
    return case


async def _closed(tx: Connection, case: WorkCase, *, note: str, actor: Actor, now: datetime, ids: Ids) -> WorkCase:
    await inbox.close_case(tx, case.case_id, by=actor.login, note=note, now=now)
    done = await inbox.find_case(tx, case.case_id)
    assert done is not None
    await write_trail(tx, actor, verb="close_exchange_case", object_id=case.case_id, admdvs=case.admdvs, state=done, now=now,
                      ids=ids)
    return done
