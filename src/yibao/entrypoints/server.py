"""Serves the platform: a pre-forking parent (gunicorn) and workers (uvicorn on uvloop).

Run as a program of its own, ``python -m yibao.entrypoints.server``, with settings from the
environment; ``YIBAO_DATABASE_URL`` must name the database.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import threading
from typing import Any

from gunicorn.app.base import BaseApplication
from uvicorn_worker import UvicornWorker

from yibao.infra.config import Settings, SettingsInvalid, load_settings

STOP_WITH_FD = "YIBAO_STOP_WITH_FD"
"""Environment variable: a pipe's read end; the server stops when the other end closes."""

_WORKER_SILENT_S_MAX = 60
_KEEP_ALIVE_S = 75


class Worker(UvicornWorker):
    """A server process: uvloop, httptools, no access log (the platform keeps its own record of messages)."""

    CONFIG_KWARGS = {  # noqa: RUF012 - uvicorn's way to configure
        "loop": "uvloop", "http": "httptools", "ws": "none", "lifespan": "on",
        "access_log": False, "server_header": False, "proxy_headers": False,
    }


class Server(BaseApplication):
    """The parent process: loads the application once, forks workers, replaces those that die."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()  # type: ignore[no-untyped-call]

    def load_config(self) -> None:
        """Set gunicorn's settings from ours; no configuration file is read."""
        for name, value in gunicorn_settings(self._settings).items():
            self.cfg.set(name, value)  # type: ignore[union-attr] # gunicorn makes cfg just before it calls us

    def load(self) -> Any:
        """Make the ASGI application, once, before the workers are forked."""
        # By name: the app wires all entrypoints, so no entrypoint may import it.
        return importlib.import_module("yibao.app").create_app(self._settings)


def gunicorn_settings(settings: Settings) -> dict[str, Any]:
    """Return what gunicorn is told: address, workers, time-outs, and nothing written outside our home."""
    return {
        "bind": [f"{settings.host}:{settings.port}"],
        "workers": settings.workers,
        "worker_class": "yibao.entrypoints.server.Worker",
        "preload_app": True,
        "timeout": _WORKER_SILENT_S_MAX,
        "graceful_timeout": settings.stop_within_s,
        "keepalive": _KEEP_ALIVE_S,
        "loglevel": settings.log_level,
        "accesslog": None,
        "errorlog": "-",
        "control_socket_disable": True,
        "proc_name": "yibao",
        "when_ready": _stop_with_parent,
    }


def serve(settings: Settings) -> None:
    """Serve until SIGTERM (running requests end first) or SIGINT; does not return."""
    Server(settings).run()  # type: ignore[no-untyped-call]


def _stop_with_parent(_server: Any) -> None:
    """Stop when the process that started us is gone, however it went: its end of the pipe closes."""
    text = os.environ.get(STOP_WITH_FD, "")
    if not text:
        return

    def watch() -> None:
        os.read(int(text), 1)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="stop-with-parent", daemon=True).start()


def main() -> None:
    """Serve with the settings of the environment."""
    try:
        serve(load_settings())
    except SettingsInvalid as error:
        sys.exit("\n".join(error.faults))


if __name__ == "__main__":
    main()
