"""Carry messages to and from the parties: in order, each once, and never inside anybody's transaction.

A party takes a message once by its id, and so do we; so whatever is lost on the way is simply carried again. One round at a
time goes on for a party, whoever runs it. A party that does not answer is left for the next round with what it is owed; the
others are not kept waiting.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Protocol

import msgspec

from yibao.domains.exchange import inbox, outbox
from yibao.domains.exchange.model import Incoming
from yibao.domains.exchange.rules import REGION, party_name
from yibao.infra.database import Database, Unavailable
from yibao.infra.party_link import PartyUnreachable
from yibao.kernel.business_time import to_wire
from yibao.kernel.ids import Ids
from yibao.usecases.exchange.take_message import CASE, HELD, Handlers, release_message, take_message
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.windows.pass_gate import NO_GATE, Gate

BATCH = 500
TRY_LOCK = "select pg_try_advisory_lock(hashtextextended('relay/' || $1, 0))"
UNLOCK = "select pg_advisory_unlock(hashtextextended('relay/' || $1, 0))"


class Link(Protocol):
    """The line to a party; both raise ``PartyUnreachable`` when it does not answer."""

    async def deliver(self, messages: list[dict[str, Any]]) -> int:
        """Hand messages over in order; return the number of the newest one that the party has."""
        ...

    async def fetch(self, *, after: int, limit: int) -> list[dict[str, Any]]:
        """Return the party's messages with higher numbers, in order."""
        ...


class Round(msgspec.Struct, frozen=True):
    """What one round with a party did; ``error`` says why it ended early, ``""`` if it did not."""

    party: str
    sent: int
    received: int
    cases: int
    error: str = ""


async def relay_round(
    database: Database, *, links: Mapping[str, Link], handlers: Handlers, now: datetime, ids: Ids, shelf: PolicyShelf,
    progress: Callable[[str], None] | None = None, gate: Gate = NO_GATE,
) -> list[Round]:
    """Carry everything that waits, with every party that has a line, and between regions; return what was done.

    Whoever finds another round going on with a party leaves that party alone. Needs two connections.
    """
    rounds = []
    for party in (*links, REGION):
        async with _alone(database, party) as is_mine:
            if not is_mine:
                continue
            carrier = _Carrier(database, party, handlers=handlers, now=now, ids=ids, shelf=shelf, gate=gate)
            link = links.get(party)
            done = await (carrier.carry(link) if link is not None else carrier.carry_between_regions())
        if progress and (done.sent or done.received or done.error):
            progress(f"{party_name(party)}：送出 {done.sent}，收到 {done.received}，差异 {done.cases} {done.error}".strip())
        rounds.append(done)
    return rounds


@asynccontextmanager
async def _alone(database: Database, party: str) -> AsyncIterator[bool]:
    """Hold the party's line for this session, if nobody else does."""
    async with database.connection() as holder:
        is_mine: bool = await holder.fetchval(TRY_LOCK, party)
        try:
            yield is_mine
        finally:
            if is_mine and not holder.is_closed():
                await holder.execute(UNLOCK, party)


class _Carrier:
    """One round with one party."""

    def __init__(
        self, database: Database, party: str, *, handlers: Handlers, now: datetime, ids: Ids, shelf: PolicyShelf, gate: Gate
    ) -> None:
        self._database, self._party, self._handlers = database, party, handlers
        self._now, self._ids, self._shelf, self._gate = now, ids, shelf, gate
        self._sent = self._received = self._cases = 0

    async def carry(self, link: Link) -> Round:
        """Send what waits, then take what the party says."""
        error = ""
        try:
            await self._send(link)
            await self._release()
            await self._fetch(link)
        except (PartyUnreachable, Unavailable) as down:
            error = str(down)
        async with self._transaction() as tx:
            await outbox.open_channel(tx, self._party)
            await outbox.mark_tried(tx, self._party, error=error, now=self._now)
        return Round(self._party, self._sent, self._received, self._cases, error)

    async def _send(self, link: Link) -> None:
        while True:
            async with self._transaction() as tx:
                acked = (await outbox.open_channel(tx, self._party))["acked"]
                waiting = await outbox.list_unsent(tx, self._party, after=acked, limit=BATCH)
            if not waiting:
                return
            taken = await link.deliver([
                {"no": row["no"], "id": row["message_id"], "kind": row["kind"], "admdvs": row["admdvs"],
                 "body": msgspec.json.decode(row["body"]), "digest": row["digest"].hex(), "put_at": to_wire(row["put_at"])}
                for row in waiting
            ])
            last = min(taken, waiting[-1]["no"])
            if last < waiting[-1]["no"]:
                raise PartyUnreachable(f"took only {taken}")
            async with self._transaction() as tx:
                await outbox.mark_sent(tx, self._party, after=acked, last=last, now=self._now)
            self._sent += len(waiting)

    async def _fetch(self, link: Link) -> None:
        async with self._transaction() as tx:
            fetched = (await outbox.open_channel(tx, self._party))["fetched"]
        while True:
            told = await link.fetch(after=fetched, limit=BATCH)
            if not told:
                return
            for raw in told:
                try:
                    message = msgspec.convert(raw, type=Incoming)
                except msgspec.ValidationError as error:
                    raise PartyUnreachable(f"a message cannot be read: {error}") from error
                if message.no != fetched + 1:
                    raise PartyUnreachable(f"message {fetched + 1} is missing, {message.no} came")
                async with self._transaction() as tx:
                    await self._take(tx, message)
                    await outbox.mark_fetched(tx, self._party, message.no)
                fetched = message.no

    async def _release(self) -> None:
        """Handle what a window held, each region's in order, as far as no window stops it any more."""
        stopped: list[str] = []
        while True:
            async with self._transaction() as tx:
                received = await inbox.find_held(tx, self._party, without=stopped)
                if received is None:
                    return
                outcome = await release_message(
                    tx, received, handlers=self._handlers, now=self._now, ids=self._ids, shelf=self._shelf,
                    gate=self._gate,
                )
            if outcome == HELD:
                stopped.append(received.admdvs)
            self._cases += outcome == CASE

    async def carry_between_regions(self) -> Round:
        """Hand messages from region to region; there is no line that could be down."""
        await self._release()
        async with self._transaction() as tx:
            acked = (await outbox.open_channel(tx, self._party))["acked"]
        while True:
            async with self._transaction() as tx:
                waiting = await outbox.list_unsent(tx, self._party, after=acked, limit=BATCH)
            if not waiting:
                return Round(self._party, self._sent, self._received, self._cases)
            for row in waiting:
                message = Incoming(
                    no=row["no"], id=row["message_id"], kind=row["kind"], admdvs=row["admdvs"],
                    body=msgspec.json.decode(row["body"]), digest=row["digest"].hex(),
                )
                async with self._transaction() as tx:
                    await self._take(tx, message)
                    await outbox.mark_sent(tx, self._party, after=row["no"] - 1, last=row["no"], now=self._now)
                acked = row["no"]
                self._sent += 1

    async def _take(self, tx: Any, message: Incoming) -> None:
        outcome = await take_message(
            tx, message, party=self._party, handlers=self._handlers, now=self._now, ids=self._ids, shelf=self._shelf,
            gate=self._gate,
        )
        self._received += outcome != ""
        self._cases += outcome == CASE

    def _transaction(self) -> Any:
        return self._database.transaction(regions=self._shelf.regions)
