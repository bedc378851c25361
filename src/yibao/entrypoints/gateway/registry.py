"""The contract between the gateway and the transactions: what a handler gets, what it gives, how it registers.

Three kinds of handler: a *query* is answered anew each time; a *deed* runs inside one transaction that the
dispatcher opens, claims and stores; a *whole deed* claims and stores by itself because its round trips count.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from yibao.domains.institutions.model import Institution
from yibao.infra.database import Connection, Database
from yibao.infra.messages import MessageKey, Replayed
from yibao.kernel.clock import Clock
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal
from yibao.usecases.windows.pass_gate import NO_GATE, Gate


class Message(msgspec.Struct):
    """A message that passed decoding, sender check and validation.

    Attributes:
        infno: transaction number as the field tables know it (``2207`` also for ``2207A``).
        envelope: every envelope field as text, ``""`` when absent or empty.
        input: the business content; text, ``Decimal``, ``date``, ``datetime`` (Asia/Shanghai), lists and objects;
            what was absent or empty has no key.
        institution: the sender, whose agreement is in force.
        warnings: sentences for the reply's ``warn_msg``; a handler may append.
        found_psn_no: the person a query found who is not named in the message; set by the handler, for the log.
    """

    infno: str
    msgid: str
    envelope: dict[str, str]
    input: dict[str, Any]
    institution: Institution
    key: MessageKey
    received_at: datetime
    warnings: list[str] = msgspec.field(default_factory=list)
    found_psn_no: str | None = None


class Services(msgspec.Struct):
    """What handlers may use: one per process, made by the app; ``gate`` was asked before, without the episode's position."""

    database: Database
    clock: Clock
    ids: Ids
    policies: Any = None
    settings: Any = None
    files: Any = None
    gate: Gate = NO_GATE


class FileReply(msgspec.Struct, frozen=True):
    """A reply that is a file (9102): sent as ``application/octet-stream``."""

    content: bytes
    filename: str


Output = dict[str, Any] | list[Any] | FileReply | None


class Done(msgspec.Struct, frozen=True):
    """What a deed did.

    Attributes:
        output: the reply's ``output``; amounts are ``Decimal`` yuan.
        psn_no, mdtrt_id, setl_id: what the message row is found by later.
        rule: policy version or rule id behind the deed, for the audit row.
    """

    output: Output
    psn_no: str | None = None
    mdtrt_id: str | None = None
    setl_id: str | None = None
    rule: str = ""


Query = Callable[[Message, Services], Awaitable["Output | Refusal"]]
Deed = Callable[[Message, Services, Connection], Awaitable["Done | Refusal"]]
Encode = Callable[[Output], bytes]
WholeDeed = Callable[[Message, Services, Encode], Awaitable["bytes | Replayed | Refusal"]]


class Handler(msgspec.Struct, frozen=True):
    """A registered handler."""

    infno: str
    kind: Literal["query", "deed", "whole_deed"]
    call: Callable[..., Awaitable[Any]]

    @property
    def verb(self) -> str:
        """Return the deed's name for the audit log."""
        return str(getattr(self.call, "__name__", self.infno))


class Registry:
    """Handlers by transaction number."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    @property
    def handlers(self) -> Mapping[str, Handler]:
        """Return all handlers by number."""
        return self._handlers

    def _add(self, infno: str, kind: Literal["query", "deed", "whole_deed"], call: Callable[..., Awaitable[Any]]) -> None:
        known = self._handlers.get(infno)
        if known is not None and known.call is not call:
            raise AssertionError(f"transaction {infno} has two handlers: {known.verb} and {call!r}")
        self._handlers[infno] = Handler(infno, kind, call)

    def query(self, *infnos: str) -> Callable[[Query], Query]:
        """Register a query: ``async (message, services) -> Output | Refusal``."""

        def register(call: Query) -> Query:
            for infno in infnos:
                self._add(infno, "query", call)
            return call

        return register

    def deed(self, *infnos: str) -> Callable[[Deed], Deed]:
        """Register a deed: ``async (message, services, tx) -> Done | Refusal``, inside one transaction."""

        def register(call: Deed) -> Deed:
            for infno in infnos:
                self._add(infno, "deed", call)
            return call

        return register

    def whole_deed(self, *infnos: str) -> Callable[[WholeDeed], WholeDeed]:
        """Register a deed that claims, stores and commits by itself: returns the committed reply bytes."""

        def register(call: WholeDeed) -> WholeDeed:
            for infno in infnos:
                self._add(infno, "whole_deed", call)
            return call

        return register


REGISTRY = Registry()
query = REGISTRY.query
deed = REGISTRY.deed
whole_deed = REGISTRY.whole_deed


def offered() -> Mapping[str, Handler]:
    """Return every handler of the package's transaction modules, importing them on first use."""
    from yibao.entrypoints.gateway import transactions

    for module in pkgutil.iter_modules(transactions.__path__):
        importlib.import_module(f"{transactions.__name__}.{module.name}")
    return REGISTRY.handlers
