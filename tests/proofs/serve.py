"""The product's own server, with everything imported and compiled before it forks its first worker.

A proof kills hundreds of workers; what the parent holds already, a new worker need not load again.
"""

from __future__ import annotations

import gc
import importlib
from typing import Any, NoReturn

from yibao.entrypoints.gateway import interface
from yibao.entrypoints.gateway.registry import offered
from yibao.entrypoints.portals.institution.portal import create_portal
from yibao.entrypoints.portals.services import PortalServices
from yibao.entrypoints.server import serve
from yibao.infra.config import load_settings
from yibao.infra.database import Database
from yibao.kernel.clock import SystemClock
from yibao.kernel.ids import RandomIds

_LOADED_BY_A_WORKER = (
    "yibao.app", "uvloop", "httptools", "uvicorn.lifespan.on", "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl", "asyncpg",
)


def warm() -> None:
    """Load what a worker loads at its start."""
    for name in _LOADED_BY_A_WORKER:
        importlib.import_module(name)
    interface.load()
    offered()
    # Made once and dropped: the frameworks behind the pages import the most. Nobody asks these pages anything.
    create_portal(PortalServices(
        database=Database(_unused, size=1, acquire_timeout_s=1.0), clock=SystemClock(), ids=RandomIds(), regions={},
        explain=_unused, is_demo=True, has_tls=False,
    ))
    gc.collect()
    gc.freeze()


async def _unused(*_whatever: Any) -> NoReturn:
    raise AssertionError("only the workers serve")


if __name__ == "__main__":
    warm()
    serve(load_settings())
