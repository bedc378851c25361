"""Runs a handler and makes its answer: what was done is committed with its reply, everything else is rolled back."""

from __future__ import annotations

from collections.abc import Callable

import asyncpg
import msgspec

from yibao.entrypoints.gateway.registry import Done, FileReply, Handler, Message, Output, Services
from yibao.entrypoints.gateway.replies import RETRY, success_encoder
from yibao.entrypoints.gateway.traffic import Outcome
from yibao.infra import audit, messages
from yibao.infra.database import Connection, Unavailable
from yibao.infra.digest import sm3
from yibao.infra.failpoints import reached
from yibao.infra.messages import Replayed
from yibao.kernel.refusal import Refusal, refuse

CHANNEL = "gateway"
ATTEMPTS_MAX = 3

_NO_ANSWER: tuple[type[BaseException], ...] = (
    Unavailable, TimeoutError, OSError,
    asyncpg.exceptions.LockNotAvailableError, asyncpg.exceptions.QueryCanceledError,
    asyncpg.exceptions.TransactionRollbackError,        # serialization failures and deadlocks
    asyncpg.exceptions.PostgresConnectionError, asyncpg.exceptions.OperatorInterventionError,
    asyncpg.exceptions.InsufficientResourcesError, asyncpg.exceptions.ReadOnlySQLTransactionError,
    asyncpg.exceptions.IdleInTransactionSessionTimeoutError, asyncpg.exceptions.PostgresSystemError,
)


def gave_no_answer(error: BaseException) -> bool:
    """Say whether an error means that the database did not answer in time: the caller asks again."""
    if isinstance(error, asyncpg.exceptions.InterfaceError):
        # The driver uses one class for a broken connection and for wrong use of it, which is a defect.
        return "connection" in str(error) and not isinstance(error, ValueError)
    return isinstance(error, _NO_ANSWER)


class Answer(msgspec.Struct, frozen=True):
    """What a message gets; ``stored`` when its own row keeps the reply, so that the log need not."""

    reply: bytes | FileReply | Refusal
    outcome: Outcome
    stored: bool = False


class _RolledBack(Exception):
    """Leaves the transaction without committing."""

    def __init__(self, answer: Replayed | Refusal) -> None:
        super().__init__()
        self.answer = answer


def unavailable() -> Refusal:
    """Return what a caller is told when no answer came in time."""
    return refuse("UNAVAILABLE", RETRY)


def _answer(result: bytes | Replayed | Refusal) -> Answer:
    if isinstance(result, Refusal):
        return Answer(result, "refused")
    if isinstance(result, Replayed):
        return Answer(result.reply, "replayed")
    return Answer(result, "answered", stored=True)


class Dispatcher:
    """Calls handlers by their kind."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def dispatch(self, handler: Handler, message: Message) -> Answer:
        """Run a handler; whatever it raises rolls back what it did and is the caller's to tell."""
        encode = success_encoder(
            region=message.institution.region, ids=self._services.ids, received_at=message.received_at,
            now=self._services.clock.now, warnings=message.warnings,
        )
        if handler.kind == "query":
            return await self._query(handler, message, encode)
        if handler.kind == "deed":
            return _answer(await self._deed(handler, message, encode))
        return _answer(await handler.call(message, self._services, encode))

    async def _query(self, handler: Handler, message: Message, encode: Callable[[Output], bytes]) -> Answer:
        result = await handler.call(message, self._services)
        if isinstance(result, Refusal):
            return Answer(result, "refused")
        return Answer(result if isinstance(result, FileReply) else encode(result), "answered")

    async def _deed(
        self, handler: Handler, message: Message, encode: Callable[[Output], bytes]
    ) -> bytes | Replayed | Refusal:
        """Run a deed; where two meet at a key that only one can have, the later begins anew and finds the other."""
        warnings = list(message.warnings)
        for _attempt in range(ATTEMPTS_MAX - 1):
            try:
                return await self._deed_once(handler, message, encode)
            except asyncpg.UniqueViolationError:
                message.warnings[:] = warnings
        return await self._deed_once(handler, message, encode)

    async def _deed_once(
        self, handler: Handler, message: Message, encode: Callable[[Output], bytes]
    ) -> bytes | Replayed | Refusal:
        try:
            async with self._services.database.transaction() as tx:
                reached("begun")
                claimed = await messages.claim(tx, message.key)
                if claimed is not None:
                    raise _RolledBack(claimed)
                result: Done | Refusal = await handler.call(message, self._services, tx)
                if isinstance(result, Refusal):
                    raise _RolledBack(result)
                reached("decided")
                reply = encode(result.output)
                reached("encoded")
                await self._record(tx, handler, message, result, reply)
                reached("written")
        except _RolledBack as rolled_back:
            return rolled_back.answer
        reached("committed")
        return reply

    async def _record(
        self, tx: Connection, handler: Handler, message: Message, done: Done, reply: bytes
    ) -> None:
        """Write the message row with its reply and the audit row, in the deed's transaction."""
        now = self._services.clock.now()
        reached("before_write")
        await messages.store(
            tx, message.key, reply, replied_at=now, psn_no=done.psn_no, mdtrt_id=done.mdtrt_id, setl_id=done.setl_id
        )
        await audit.write(
            tx, entry_id=self._services.ids.new(message.received_at), at=now,
            actor=message.envelope.get("opter") or message.key.sender, sender=message.key.sender, channel=CHANNEL,
            verb=handler.verb, object_id=done.setl_id or done.mdtrt_id or done.psn_no or message.msgid,
            admdvs=message.key.admdvs, digest=sm3(reply), rule=done.rule,
        )
