"""The product's own server, with everything imported and compiled before it forks its first worker.

A proof kills hundreds of workers; what the parent holds already, a new worker need not load again.
"""

from __future__ import annotations

import importlib

from yibao.entrypoints.gateway import interface
from yibao.entrypoints.gateway.registry import offered
from yibao.entrypoints.server import serve
from yibao.infra.config import load_settings

_LOADED_BY_A_WORKER = (
    "yibao.app", "uvloop", "httptools", "uvicorn.lifespan.on", "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl", "asyncpg",
)

if __name__ == "__main__":
    for name in _LOADED_BY_A_WORKER:
        importlib.import_module(name)
    interface.load()
    offered()
    serve(load_settings())
