"""Take one message of a party: once, in one transaction with the deed it asks for; what is refused becomes a case."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from yibao.domains.exchange import inbox
from yibao.domains.exchange.model import Incoming, Received, WorkCase
from yibao.domains.exchange.rules import canonical, party_name
from yibao.infra.database import Connection, Unavailable
from yibao.infra.digest import sm3
from yibao.kernel.actor import Actor
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal, refuse
from yibao.usecases.enrolment.joining import Held
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.windows.business_of import asked_by_party
from yibao.usecases.windows.pass_gate import NO_GATE, Gate

DONE, CASE, HELD = "done", "case", "held"
WRONG_DIGEST, REUSED, UNKNOWN_KIND, MALFORMED, DEFECT = (
    "MESSAGE_DIGEST", "MESSAGE_REUSED", "MESSAGE_UNKNOWN", "MESSAGE_MALFORMED", "MESSAGE_DEFECT",
)
_PASSING = ("08", "25", "40", "53", "55", "57")
"""Classes of database errors that pass: the message is taken again in the next round."""
_log = logging.getLogger(__name__)


class Means(msgspec.Struct, frozen=True):
    """What a handler is given beside the message."""

    actor: Actor
    now: datetime
    ids: Ids
    shelf: PolicyShelf
    gate: Gate = NO_GATE


Handler = Callable[[Connection, dict[str, Any], Means], Awaitable[Any]]
"""Does what a message asks for with the use case that it names; a ``Refusal`` is answered with a case."""
Handlers = Mapping[tuple[str, str], Handler]
"""Handlers by (party, kind)."""


def party_actor(party: str, shelf: PolicyShelf) -> Actor:
    """Return who acts when a party's message is handled."""
    return Actor(login=f"party:{party}", channel="exchange", regions=shelf.regions)


async def take_message(
    tx: Connection, message: Incoming, *, party: str, handlers: Handlers, now: datetime, ids: Ids, shelf: PolicyShelf,
    gate: Gate = NO_GATE,
) -> str:
    """Handle a message once and return ``done``, ``case``, ``held`` or ``""`` for one that was handled before.

    What a window stops is kept as it came and is handled after the restart; whatever the party says of the same region
    after it waits behind it, so that order is kept. A message that came damaged and comes again as it should be closes the
    case it had made.

    Raises:
        Unavailable: the database did not let us; nothing is written, the message is taken again.
    """
    body = canonical(message.body)
    digest = sm3(body.encode())
    earlier = await inbox.find_received(tx, party, message.id)
    is_whole = digest.hex() == message.digest
    if earlier is not None and earlier.digest == digest:
        return ""
    if earlier is not None and (not is_whole or sm3(earlier.body.encode()) == earlier.digest):
        await _case(tx, message, party, refuse(
            REUSED if is_whole else WRONG_DIGEST, "同一报文编号两次内容不同" if is_whole else "报文摘要与内容不符",
            field="id", received=message.id, remedy="请对方核对后重发",
        ), now=now, ids=ids, shelf=shelf)
        return CASE
    refusal: Refusal | None = None
    if not is_whole:
        refusal = refuse(
            WRONG_DIGEST, "报文摘要与内容不符，未予处理", field="digest", received=message.digest[:64], remedy="请对方重发")
        outcome = CASE
    elif await _is_held(tx, message, party=party, now=now, shelf=shelf, gate=gate):
        outcome = HELD
    else:
        means = Means(party_actor(party, shelf), now, ids, shelf, gate)
        refusal = await handle(tx, message, party=party, handlers=handlers, means=means)
        outcome = DONE if refusal is None else CASE
    await inbox.keep_received(tx, Received(
        party=party, message_id=message.id, no=message.no, admdvs=_region(message, shelf), kind=message.kind, body=body,
        digest=_bytes(message.digest), received_at=now, outcome=outcome,
    ))
    if earlier is not None:
        await inbox.close_cases_of(tx, party=party, message_id=message.id, code=WRONG_DIGEST, by=f"party:{party}",
                                   note="对方已重发正确的报文", now=now)
    if refusal is not None:
        await _case(tx, message, party, refusal, now=now, ids=ids, shelf=shelf)
    return outcome


async def release_message(
    tx: Connection, received: Received, *, handlers: Handlers, now: datetime, ids: Ids, shelf: PolicyShelf, gate: Gate
) -> str:
    """Handle a message that a window held, if none stops it now; return ``done``, ``case`` or ``held``."""
    message = Incoming(
        no=received.no, id=received.message_id, kind=received.kind, admdvs=received.admdvs,
        body=msgspec.json.decode(received.body), digest=received.digest.hex(),
    )
    if _stopped(message, party=received.party, admdvs=received.admdvs, now=now, gate=gate):
        return HELD
    means = Means(party_actor(received.party, shelf), now, ids, shelf, gate)
    refusal = await handle(tx, message, party=received.party, handlers=handlers, means=means)
    outcome = DONE if refusal is None else CASE
    await inbox.keep_received(tx, msgspec.structs.replace(received, outcome=outcome))
    if refusal is not None:
        await _case(tx, message, received.party, refusal, now=now, ids=ids, shelf=shelf)
    return outcome


async def _is_held(
    tx: Connection, message: Incoming, *, party: str, now: datetime, shelf: PolicyShelf, gate: Gate
) -> bool:
    """Say whether a message must wait: a window stops it, or others of its region wait already."""
    admdvs = _region(message, shelf)
    if not gate.plans_of(admdvs):
        return False
    return _stopped(message, party=party, admdvs=admdvs, now=now, gate=gate) or await inbox.has_held(tx, party, admdvs)


def _stopped(message: Incoming, *, party: str, admdvs: str, now: datetime, gate: Gate) -> bool:
    asked = asked_by_party(party, message.kind, message.body, admdvs=admdvs)
    return asked is not None and gate.ask(asked, now).refusal is not None


async def handle(
    tx: Connection, message: Incoming, *, party: str, handlers: Handlers, means: Means
) -> Refusal | None:
    """Run the handler; whatever it wrote before it refused is taken back.

    Where it is in doubt who somebody is, the doubt stays as a case of the registry and the message is one of the exchange.
    """
    handler = handlers.get((party, message.kind))
    if handler is None:
        return refuse(UNKNOWN_KIND, f"不受理{party_name(party)}的此类报文", field="kind", received=message.kind,
                      remedy="请人工核对报文内容")
    await tx.execute("SAVEPOINT handler")
    try:
        answer = await handler(tx, message.body, means)
    except msgspec.ValidationError as error:
        answer = refuse(MALFORMED, "报文内容不符合约定", field=str(error)[:200], remedy="请对方更正后重发")
    except Unavailable:
        raise
    except asyncpg.PostgresError as error:
        if (error.sqlstate or "").startswith(_PASSING):
            raise Unavailable(f"the message is taken again: {error}") from error
        answer = _defect(message, error)
    except asyncpg.InterfaceError:
        raise
    except Exception as error:
        # The edge of this way in: one message that we cannot handle must not keep all that follow from being handled.
        answer = _defect(message, error)
    if isinstance(answer, Refusal):
        await tx.execute("ROLLBACK TO SAVEPOINT handler")
        return answer
    await tx.execute("RELEASE SAVEPOINT handler")
    return Refusal(answer.faults) if isinstance(answer, Held) else None


def _defect(message: Incoming, error: Exception) -> Refusal:
    _log.error("message %s (%s) could not be handled", message.id, message.kind, exc_info=error)
    return refuse(DEFECT, "平台处理该报文时出错", field="kind", received=type(error).__name__, remedy="请联系运维")


async def _case(
    tx: Connection, message: Incoming, party: str, refusal: Refusal, *, now: datetime, ids: Ids, shelf: PolicyShelf
) -> None:
    await inbox.open_case(tx, WorkCase(
        case_id=ids.new(now), admdvs=_region(message, shelf), party=party, message_id=message.id, kind=message.kind,
        code=refusal.code, says=refusal.sentence(), opened_at=now,
    ))


def _region(message: Incoming, shelf: PolicyShelf) -> str:
    """Return the region that has to work a message: whom the body names, else the envelope, else our first.

    A letter from region to region travels under its sender's region; its body names the receiver.
    """
    named = (message.body.get("admdvs"), message.admdvs)
    return next((code for code in named if code in shelf.regions), shelf.regions[0])


def _bytes(digest: str) -> bytes:
    try:
        return bytes.fromhex(digest)
    except ValueError:
        return b""
