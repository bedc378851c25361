"""What the API needs from the composition root, and what a route gets for one call."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from yibao.domains.access.agents_model import Proposal
from yibao.domains.windows.model import OPEN, Judged
from yibao.infra.database import Connection, Database
from yibao.kernel.actor import Actor
from yibao.kernel.clock import Clock
from yibao.kernel.ids import Ids
from yibao.policy.law.parameters import RegionPolicy
from yibao.usecases.settlement.shelf import PolicyShelf
from yibao.usecases.windows.pass_gate import NO_GATE, Gate

BODY_BYTES_MAX = 1024 * 1024
"""Largest JSON body; an operation that takes a file says its own limit."""


class ApiServices(msgspec.Struct, frozen=True):
    """The means of the API.

    Attributes:
        database: opened in the role of the agency, which sees only the regions of its transaction.
        regions: name of each region of this deployment by division code.
        policies: compiled law by version.
        file_bytes_max: largest file that an operation takes.
        gate: what windows stop.
    """

    database: Database
    clock: Clock
    ids: Ids
    shelf: PolicyShelf
    regions: Mapping[str, str]
    policies: Mapping[str, RegionPolicy]
    file_bytes_max: int = 8 * 1024 * 1024
    gate: Gate = NO_GATE

    @property
    def region_codes(self) -> tuple[str, ...]:
        """Return the codes of all regions; only looking a key up may look into all of them."""
        return tuple(self.regions)


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One request as a route sees it: inside one transaction of the actor's regions.

    Attributes:
        now: the instant the request is decided at.
        judged: what the gate said of the request: how it is taken, and advice for the reply.
        do_again: does what a proposal asks for, as its second person.
        maker: for a deed that two people do, login of who proposed it; ``""`` where one is enough.
    """

    tx: Connection
    actor: Actor
    now: datetime
    ids: Ids
    shelf: PolicyShelf
    services: ApiServices
    do_again: Callable[[Call, Proposal], Awaitable[Any]]
    maker: str = ""
    judged: Judged = OPEN

    @property
    def gate(self) -> Gate:
        """Return the gate, for a use case that knows more of an episode than the request says."""
        return self.services.gate
