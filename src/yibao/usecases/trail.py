"""The audit row of a deed of the agency."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from yibao.infra import audit
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids


async def write_trail(
    tx: Connection, actor: Actor, *, verb: str, object_id: str, admdvs: str, state: Any, now: datetime, ids: Ids,
    rule: str = "",
) -> None:
    """Write who did what to which object, with the digest of how it stands now, in the deed's transaction.

    Args:
        state: how the object stands after the deed; anything msgspec can encode.
        rule: policy version or rule id behind the deed, ``""`` if none.
    """
    await audit.write(
        tx, entry_id=ids.new(now), at=now, actor=actor.login, sender=actor.sender, channel=actor.channel, verb=verb,
        object_id=object_id, admdvs=admdvs, rule=rule, digest=sm3(msgspec.json.encode(state)),
    )
