"""What pages may use; the app makes one per process."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from yibao.infra.database import Connection, Database
from yibao.kernel.clock import Clock
from yibao.kernel.ids import Ids
from yibao.kernel.refusal import Refusal
from yibao.policy.decision import Step
from yibao.policy.law.parameters import RegionPolicy
from yibao.usecases.inspection.field_names import FieldNames, packaged
from yibao.usecases.windows.pass_gate import NO_GATE, Gate


class Explained(Protocol):
    """How a settlement came about, as far as pages need to know."""

    @property
    def steps(self) -> Sequence[Step]:
        """Return the steps of the decision, in order."""
        ...

    @property
    def differences(self) -> Sequence[str]:
        """Return where the steps do not sum to what was settled; nothing, as long as all is well."""
        ...


Explain = Callable[[Connection, str], Awaitable[Explained | Refusal]]


class PortalServices(msgspec.Struct):
    """The means of the pages.

    Attributes:
        database: opened in the role of the pages, which sees only the regions of its transaction.
        regions: name of each region of this deployment by division code.
        explain: recomputes the steps of a settlement from its stored facts.
        policies: compiled law by version; versions that are missing are compiled when a page needs them.
        endpoint: path at which institutions send messages, for the front page.
        is_demo: whether the front page says that this is a demonstration.
        has_tls: whether browsers come through TLS, so that cookies may insist on it.
        gate: what windows stop.
    """

    database: Database
    clock: Clock
    ids: Ids
    regions: Mapping[str, str]
    explain: Explain
    policies: Mapping[str, RegionPolicy] = msgspec.field(default_factory=dict)
    endpoint: str = "/fsi/api/rsfComIfsService/callService"
    is_demo: bool = True
    has_tls: bool = False
    names: FieldNames = msgspec.field(default_factory=packaged)
    gate: Gate = NO_GATE

    @property
    def region_codes(self) -> tuple[str, ...]:
        """Return the codes of all regions; only the log-in may look into all of them."""
        return tuple(self.regions)
