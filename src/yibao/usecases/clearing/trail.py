"""The audit row of an agency's deed in clearing."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from yibao.infra import audit
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.ids import Ids

AGENCY = "YIBAO"
CHANNEL = "cli"


async def write_trail(
    tx: Connection, *, verb: str, object_id: str, admdvs: str, operator: str, state: Any, now: datetime, ids: Ids
) -> None:
    """Write who did what to which claim or file, with the digest of how it stands now."""
    await audit.write(
        tx, entry_id=ids.new(now), at=now, actor=operator, sender=AGENCY, channel=CHANNEL, verb=verb, object_id=object_id,
        admdvs=admdvs, digest=sm3(msgspec.json.encode(state)),
    )
