"""Serve one party: ``python -m yibao_parties.serve tax --port 8611 --store tax.sqlite3``. Only ever on the loopback."""

from __future__ import annotations

import argparse
from pathlib import Path

from yibao_parties.bank import Bank
from yibao_parties.civil import Civil
from yibao_parties.desk import Desk
from yibao_parties.health import Health
from yibao_parties.hr import Hr
from yibao_parties.party import Party
from yibao_parties.police import Police
from yibao_parties.store import Store
from yibao_parties.tax import Tax

KINDS: dict[str, type[Party]] = {kind.name: kind for kind in (Tax, Bank, Hr, Civil, Health, Police)}
PORTS = {name: 8611 + n for n, name in enumerate(KINDS)}
"""Where each party listens unless somebody says otherwise."""
HOST = "127.0.0.1"


def make_party(name: str, store: Path | str) -> Party:
    """Return a party over its store.

    Raises:
        KeyError: there is no such party.
    """
    return KINDS[name](Store(store))


def serve(name: str, *, port: int, store: Path) -> None:
    """Serve a party until SIGTERM or SIGINT."""
    import uvicorn  # only who serves needs it

    store.parent.mkdir(parents=True, exist_ok=True)
    uvicorn.run(Desk(make_party(name, store)), host=HOST, port=port, log_level="warning", access_log=False)


def main() -> None:
    """Serve the party that the command line names."""
    parser = argparse.ArgumentParser(prog="yibao_parties.serve")
    parser.add_argument("party", choices=sorted(KINDS))
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--store", type=Path, required=True)
    asked = parser.parse_args()
    serve(asked.party, port=asked.port, store=asked.store)


if __name__ == "__main__":
    main()
