"""Close a month of a region: the checklist, then flows, balances and vouchers from the ledger, all at once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

from yibao.domains.closing.model import CLOSED, OPEN, Balance, Event, Flow, Month, Voucher
from yibao.domains.closing.operations import add_content, add_event, put_month
from yibao.domains.closing.queries import find_month, last_month, list_balances, take_region
from yibao.domains.closing.rules import called, month_before, refuse_close, refuse_nobody
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Fault, Refusal
from yibao.usecases.closing.checklist import CheckLine, check_month
from yibao.usecases.closing.month_books import balances_of, flows_of, vouchers_of
from yibao.usecases.closing.month_sums import balances_before, sum_month
from yibao.usecases.trail import write_trail


class CloseMonth(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked: the region, and the month as its first day."""

    admdvs: str
    month: date


class Content(msgspec.Struct, frozen=True):
    """What a month's books say; the same postings give the same content."""

    flows: tuple[Flow, ...]
    balances: tuple[Balance, ...]
    vouchers: tuple[Voucher, ...]
    postings: int

    @property
    def digest(self) -> bytes:
        """Return the SM3 over everything the month says."""
        return sm3(msgspec.json.encode(self))


class ClosedMonth(msgspec.Struct, frozen=True):
    """A month that is closed, how its checklist stood, and each fund's balance."""

    month: Month
    checklist: tuple[CheckLine, ...]
    balances: tuple[Balance, ...]
    vouchers: int


async def close_month(
    tx: Connection, command: CloseMonth, *, actor: Actor, now: datetime, ids: Ids
) -> ClosedMonth | Refusal:
    """Close a month that is over, the next one after the last closed one.

    Refused with a fault for each line of the checklist that must be empty and is not. From then on no posting is dated
    in the month; its dues, credits and refunds may still be worked, their money moves in the open month.
    """
    admdvs, month = command.admdvs, command.month
    await take_region(tx, admdvs)
    known = await find_month(tx, admdvs, month, lock=True)
    refusal = refuse_nobody(actor.login) or refuse_close(month, known, await last_month(tx, admdvs), now=now)
    if refusal is not None:
        return refusal
    checklist = await check_month(tx, admdvs=admdvs, month=month)
    refusal = _refuse_open(month, checklist)
    if refusal is not None:
        return refusal
    content = await read_month(tx, admdvs=admdvs, month=month)
    closed = Month(
        admdvs, month, CLOSED, known.revision + 1 if known else 1, content.postings, content.digest, actor.login, now
    )
    await put_month(tx, closed)
    await add_content(tx, closed, flows=content.flows, balances=content.balances, vouchers=content.vouchers)
    await add_event(tx, Event(
        admdvs, month, ids.new(now), "closed", closed.revision, actor.login, now,
        checklist=msgspec.json.encode(checklist).decode(), digest=closed.digest,
    ))
    await write_trail(tx, actor, verb="close_month", object_id=f"{admdvs}-{month:%Y%m}", admdvs=admdvs, state=closed, now=now,
                      ids=ids)
    return ClosedMonth(closed, checklist, content.balances, len(content.vouchers))


async def read_month(tx: Connection, *, admdvs: str, month: date) -> Content:
    """Return what a month's books say from the ledger as it stands now, closed or not."""
    sums = await sum_month(tx, admdvs=admdvs, month=month)
    flows = flows_of(sums)
    return Content(flows, balances_of(flows, await _opening(tx, admdvs, month)), vouchers_of(sums), sums.postings)


async def _opening(tx: Connection, admdvs: str, month: date) -> Mapping[str, int]:
    """Return what each fund begins a month with: carried from the month before, else from all postings before."""
    before = await find_month(tx, admdvs, month_before(month))
    if before is None or before.state == OPEN:
        return await balances_before(tx, admdvs=admdvs, month=month)
    return {b.fund: b.carried_fen for b in await list_balances(tx, before)}


def _refuse_open(month: date, checklist: tuple[CheckLine, ...]) -> Refusal | None:
    faults = tuple(
        Fault("MONTH_NOT_READY", f"{called(month)}不能结账，{line.title}：还有{line.open}项", f"checklist.{line.code}",
              "、".join(line.examples), line.where)
        for line in checklist if line.blocks
    )
    return Refusal(faults) if faults else None
