"""Tell a party outside what was done, in the transaction that does it: told if and only if done."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from yibao.domains.exchange import outbox
from yibao.domains.exchange.rules import PARTIES, REGION, canonical
from yibao.infra.database import Connection
from yibao.infra.digest import sm3
from yibao.kernel.ids import Ids


async def put_out(
    tx: Connection, *, party: str, kind: str, key: str, body: dict[str, Any], admdvs: str, now: datetime, ids: Ids
) -> bool:
    """Put a message for a party; it is carried there later, in the order of commits. Return whether it is new.

    Args:
        party: ``tax bank hr civil health police``, or ``region`` for another region of this deployment.
        key: natural key within party and kind; the same message again has no effect.
        body: JSON values only: amounts in fen, dates as ISO text.
        admdvs: the region that says it; a letter to another region names the receiver as ``admdvs`` of its body.

    The party's row is held until the commit, so put late in the transaction.

    Raises:
        AssertionError: another content under a key that was used, which would lose one of the two.
    """
    return await put_out_many(
        tx, party=party, kind=kind, messages=[(key, body)], admdvs=admdvs, now=now, ids=ids
    ) == 1


async def put_out_many(
    tx: Connection, *, party: str, kind: str, messages: Sequence[tuple[str, dict[str, Any]]], admdvs: str, now: datetime,
    ids: Ids,
) -> int:
    """Put messages (key, body) of one kind in order, in one round trip; return how many are new.

    Raises:
        AssertionError: an unknown party, or another content under a key that was used.
    """
    if party not in PARTIES and party != REGION:
        raise AssertionError(f"there is no party {party}")
    if not messages:
        return 0
    bodies = [canonical(body) for _key, body in messages]
    new, clashes = await outbox.put(
        tx, party=party, kind=kind, admdvs=admdvs, keys=[key for key, _body in messages],
        ids=[ids.new(now) for _ in messages], bodies=bodies, digests=[sm3(b.encode()) for b in bodies], now=now,
    )
    if clashes:
        raise AssertionError(f"other words under keys already used: {party}/{kind}/{', '.join(clashes[:5])}")
    return new
