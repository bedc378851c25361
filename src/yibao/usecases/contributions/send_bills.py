"""Send open bills to the tax bureau, in chunks; what the state owes is asked of the treasury and stays here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import msgspec

from yibao.domains.contributions import queries
from yibao.domains.contributions.model import Bill
from yibao.domains.contributions.rules import bill_lines
from yibao.infra.database import Connection, Database
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.usecases.contributions.bills import bill_body
from yibao.usecases.contributions.openings import open_channels
from yibao.usecases.exchange.put_out import put_out_many
from yibao.usecases.trail import write_trail

CHUNK = 500
DUES = """
select bill_id, psn_no, due_id, total_fen + surcharge_fen as fen from contributions.due
where bill_id = any($1::text[]) and state = 'assessed'
"""
MARK_DUES = "update contributions.due set state = 'sent', sent_at = $2 where bill_id = any($1::text[]) and state = 'assessed'"
MARK_BILLS = """
update contributions.bill b set state = 'sent', sent_at = $1, digest = x.digest, channels = string_to_array(x.channels, ',')
from unnest($2::text[], $3::text[], $4::text[]) x(bill_id, digest, channels) where b.bill_id = x.bill_id and b.state = 'open'
"""
OPEN = """
select bill_id from contributions.bill where admdvs = $1 and state = 'open' and ($2::date is null or month = $2) and bill_id > $3
order by bill_id limit $4 for update
"""


class Sent(msgspec.Struct, frozen=True):
    """How many bills were sent, and their sum in fen; the state's are counted apart."""

    bills: int
    amount_fen: int
    state_bills: int


async def send_bills(
    database: Database, *, admdvs: str, now: datetime, ids: Ids, actor: Actor, month: date | None = None,
    progress: Callable[[str], None] | None = None,
) -> Sent:
    """Send a region's open bills (of one month, if given): the message, the bills and their dues in one transaction a chunk.

    Killed and run again it goes on with what is still open; a bill is told once.
    """
    after, bills, total, of_state = "", 0, 0, 0
    while True:
        async with database.transaction() as tx:
            rows = await tx.fetch(OPEN, admdvs, month, after, CHUNK)
            if not rows:
                break
            chunk = await queries.list_bills(tx, admdvs=admdvs, state="open", month=month, after=after, most=len(rows))
            sent = await _send(tx, chunk, admdvs=admdvs, now=now, ids=ids)
            await write_trail(tx, actor, verb="send_bills", object_id=chunk[-1].bill_id, admdvs=admdvs,
                              state=[b.bill_id for b in chunk], now=now, ids=ids)
        after = rows[-1]["bill_id"]
        bills, total, of_state = bills + len(sent), total + sum(b.amount_fen for b in sent), of_state + len(chunk) - len(sent)
        if progress:
            progress(f"已发送 {bills} 张缴费单")
    return Sent(bills, total, of_state)


async def _send(tx: Connection, bills: list[Bill], *, admdvs: str, now: datetime, ids: Ids) -> list[Bill]:
    names = [b.bill_id for b in bills]
    lines: dict[str, list[tuple[str, str, int]]] = {name: [] for name in names}
    for row in await tx.fetch(DUES, names):
        lines[row["bill_id"]].append((row["psn_no"], row["due_id"], row["fen"]))
    told = [
        msgspec.structs.replace(
            b, digest=sm3(bill_lines(lines[b.bill_id])).hex(), channels=open_channels(admdvs, b.payer_kind, b.pay_from)
        ) for b in bills
    ]
    await tx.execute(MARK_DUES, names, now)
    await tx.execute(MARK_BILLS, now, names, [b.digest for b in told], [",".join(b.channels) for b in told])
    outside = [b for b in told if b.payer_kind != "state"]
    await put_out_many(tx, party="tax", kind="bill", messages=[(b.bill_id, bill_body(b)) for b in outside], admdvs=admdvs,
                       now=now, ids=ids)
    return outside
