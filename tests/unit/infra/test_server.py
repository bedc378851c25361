"""How the server is set up: loopback, no access log, nothing written outside our home."""

from __future__ import annotations

from pathlib import Path

from yibao.entrypoints.server import Server, Worker, gunicorn_settings
from yibao.infra.config import Settings


def test_it_listens_where_the_settings_say_and_loads_once() -> None:
    chosen = gunicorn_settings(Settings(host="127.0.0.1", port=9090, workers=3, stop_within_s=7))
    assert chosen["bind"] == ["127.0.0.1:9090"]
    assert (chosen["workers"], chosen["graceful_timeout"], chosen["preload_app"]) == (3, 7, True)


def test_gunicorn_takes_every_setting() -> None:
    settings = Settings(home=Path("/nowhere"), port=9091)
    server = Server(settings)
    assert {name: server.cfg.settings[name].get() for name in ("preload_app", "accesslog", "control_socket_disable")} == {
        "preload_app": True, "accesslog": None, "control_socket_disable": True
    }
    assert server.cfg.worker_class is Worker
