"""Tell a person, an employer or an institution something, exactly once; the message is written in the caller's deed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from yibao.domains.notices.model import Message
from yibao.domains.notices.operations import add_message
from yibao.domains.notices.rules import message_faults
from yibao.infra.database import Connection
from yibao.kernel.ids import Ids

__all__ = ["Message", "tell", "tell_all"]


async def tell(tx: Connection, message: Message, *, now: datetime, ids: Ids) -> bool:
    """Write a message in the transaction of the deed it tells of; say whether it is new.

    The same addressee, kind and key again writes nothing, whatever the text: what was said is not said twice.

    Raises:
        ValueError: the message has no addressee or more than one, no known kind or no text: a defect of the caller.
    """
    faults = message_faults(message)
    if faults:
        raise ValueError(f"no message: {faults}")
    return await add_message(tx, message, told_at=now, serial=ids.new(now))


async def tell_all(tx: Connection, messages: Iterable[Message], *, now: datetime, ids: Ids) -> int:
    """Tell several; return how many of them are new."""
    return sum([await tell(tx, message, now=now, ids=ids) for message in messages])
