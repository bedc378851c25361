"""Writes of messages, subscriptions, kept texts and bulletins; each natural key once."""

from __future__ import annotations

from datetime import date, datetime

import msgspec

from yibao.domains.notices.model import Message, Subscription
from yibao.domains.notices.rules import key_of, message_id_of
from yibao.infra.database import Connection
from yibao.infra.digest import sm3

TELL = """
insert into notices.message (psn_no, message_id, admdvs, emp_no, fixmedins_code, kind, key, text, plan, version, rule, about,
    phone, told_at, serial)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) on conflict (psn_no, message_id) do nothing returning 1
"""
READ = """
update notices.message set read_at = $3 where psn_no = $1 and message_id = $2 and read_at is null returning 1
"""
_NAMES = [f.name for f in msgspec.structs.fields(Subscription)]
SUBSCRIBE = f"""
insert into notices.subscription as s ({', '.join(_NAMES)}) values ({', '.join(f'${n}' for n in range(1, len(_NAMES) + 1))})
on conflict (psn_no, subscription_id) do update
    set since = case when s.ended_at is null then s.since else excluded.since end, ended_at = null, phone = excluded.phone
"""  # noqa: S608 - names of our own struct
END = "update notices.subscription set ended_at = $3 where psn_no = $1 and subscription_id = $2 and ended_at is null returning 1"
KEEP = """
insert into notices.text_kept (admdvs, plan, version, view, text, digest, kept_at) values ($1, $2, $3, $4, $5, $6, $7)
on conflict do nothing returning 1
"""
PUBLISH = """
insert into notices.bulletin (admdvs, plan, on_day, figures, text, digest, made_at, made_by)
values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict do nothing returning 1
"""


async def add_message(tx: Connection, message: Message, *, told_at: datetime, serial: str) -> bool:
    """Write a message; say whether it is new. ``serial`` orders those of one instant."""
    values = (
        message.psn_no, message_id_of(message), message.admdvs, message.emp_no, message.fixmedins_code, message.kind,
        key_of(message), message.text, message.plan, message.version, message.rule, message.about, message.phone, told_at, serial,
    )
    return await tx.fetchval(TELL, *values) is not None


async def mark_read(tx: Connection, psn_no: str, message_id: str, *, at: datetime) -> bool:
    """Write that a message was read; say whether it was unread."""
    return await tx.fetchval(READ, psn_no, message_id, at) is not None


async def add_subscription(tx: Connection, subscription: Subscription) -> None:
    """Write a subscription; one that had ended begins again."""
    await tx.execute(SUBSCRIBE, *msgspec.structs.astuple(subscription))


async def end_subscription(tx: Connection, psn_no: str, subscription_id: str, *, at: datetime) -> bool:
    """End a subscription; say whether it was live."""
    return await tx.fetchval(END, psn_no, subscription_id, at) is not None


async def keep_text(
    tx: Connection, *, admdvs: str, plan: str, version: int, view: str, text: str, at: datetime
) -> bool:
    """Keep a text as it was first published; say whether it is the first."""
    return await tx.fetchval(KEEP, admdvs, plan, version, view, text, sm3(text.encode()), at) is not None


async def add_bulletin(
    tx: Connection, *, admdvs: str, plan: str, on_day: date, figures: str, text: str, at: datetime, by: str
) -> bool:
    """Publish the bulletin of a day; say whether it is the first of that day.

    Args:
        figures: JSON.
    """
    return await tx.fetchval(PUBLISH, admdvs, plan, on_day, figures, text, sm3(text.encode()), at, by) is not None
