"""What waits for a party: of one message, and of all."""

from __future__ import annotations

from datetime import datetime

import msgspec

from yibao.domains.exchange import inbox, outbox
from yibao.domains.exchange.rules import party_name
from yibao.infra.database import Connection
from yibao.kernel.business_time import to_wire

NONE, QUEUED, SENT = "none", "queued", "sent"


class Held(msgspec.Struct, frozen=True):
    """Where a message to a party is: ``none`` (never put), ``queued`` (the party does not have it), ``sent``.

    Attributes:
        since: since when it is so.
        sentence: the same in Chinese, for a page or an answer.
    """

    state: str
    since: datetime | None
    sentence: str


class Line(msgspec.Struct, frozen=True):
    """How the exchange with a party stands; ``held``: what it said and a window keeps until the restart."""

    party: str
    name: str
    queued: int
    oldest: datetime | None
    answered_at: datetime | None
    failing_since: datetime | None
    last_error: str
    open_cases: int
    sentence: str
    held: int = 0


async def held_state(tx: Connection, *, party: str, kind: str, key: str) -> Held:
    """Return where one message is; whoever depends on the party's answer shows the sentence."""
    row = await outbox.find_put(tx, party=party, kind=kind, key=key)
    name = party_name(party)
    if row is None:
        return Held(NONE, None, f"尚未发送{name}")
    if row["sent_at"] is not None:
        return Held(SENT, row["sent_at"], f"已于{to_wire(row['sent_at'])}送达{name}，等待{name}答复")
    why = f"，{name}自{to_wire(row['failing_since'])}起未应答" if row["failing_since"] is not None else ""
    return Held(QUEUED, row["put_at"], f"自{to_wire(row['put_at'])}起等待送达{name}{why}，恢复后自动按序送出")


async def list_lines(tx: Connection) -> list[Line]:
    """List how the exchange stands with every party that was ever spoken to."""
    cases = await inbox.count_open(tx)
    held = await inbox.count_held(tx)
    return [
        Line(c.party, party_name(c.party), c.queued, c.oldest, c.answered_at, c.failing_since, c.last_error,
             cases.get(c.party, 0), _sentence(c, held.get(c.party, 0)), held.get(c.party, 0))
        for c in await outbox.list_channels(tx)
    ]


def _sentence(channel: outbox.Channel, held: int) -> str:
    """Say how it stands; what a window keeps is said behind it."""
    kept = f"；收到的{held}条因系统切换暂存，恢复后按序处理" if held else ""
    return _standing(channel) + kept


def _standing(channel: outbox.Channel) -> str:
    name = party_name(channel.party)
    if channel.hall_state == "closed":
        return f"{name}业务大厅暂停办理：{channel.hall_says or '未说明原因'}；{channel.queued}条待送"
    if channel.failing_since is not None:
        return f"{name}自{to_wire(channel.failing_since)}起未应答，{channel.queued}条待送（{channel.last_error}）"
    if channel.queued and channel.oldest is not None:
        return f"{channel.queued}条待送{name}，最早自{to_wire(channel.oldest)}"
    return f"与{name}的交换正常"
