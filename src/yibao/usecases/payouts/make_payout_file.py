"""The first pair of eyes on payouts: put everything that is owed in a region into one file for the bank."""

from __future__ import annotations

from datetime import datetime

from yibao.domains.exchange import payouts
from yibao.domains.exchange.model import PayoutFile, PayoutLine
from yibao.domains.exchange.payout_rules import lines_text, payout_line
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.business_time import business_date
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.trail import write_trail


async def make_payout_file(
    tx: Connection, *, admdvs: str, actor: Actor, now: datetime, ids: Ids
) -> PayoutFile | Refusal:
    """Make the file of all payouts that wait in a region; it is sent when somebody else has checked it.

    The number of the file follows from region, day and how many there were before: a file that was not committed is made
    again with the same bytes.
    """
    await payouts.take_region(tx, admdvs)
    waiting = await payouts.list_payouts(tx, admdvs=admdvs, state="ordered")
    if not waiting:
        return refuse("NOTHING_TO_PAY", "没有待支付的支付单", field="admdvs", received=admdvs, remedy="无需编制支付文件")
    beginning = f"P{admdvs}{business_date(now):%Y%m%d}"
    file_id = f"{beginning}{await payouts.count_files(tx, admdvs, beginning=beginning) + 1:03d}"
    lines = [
        PayoutLine(file_id=file_id, line_id=row.line_id, admdvs=admdvs, payout_id=row.payout_id, line=payout_line(row),
                   amount_fen=row.amount_fen)
        for row in waiting
    ]
    file = PayoutFile(
        file_id=file_id, admdvs=admdvs, count=len(lines), amount_fen=sum(line.amount_fen for line in lines),
        digest=sm3(lines_text(line.line for line in lines)).hex(), state="made", made_by=actor.login, made_at=now,
    )
    await payouts.add_file(tx, file, lines)
    await write_trail(tx, actor, verb="make_payout_file", object_id=file_id, admdvs=admdvs, state=file, now=now, ids=ids)
    return file
