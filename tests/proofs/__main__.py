"""``python -m tests.proofs NAME``: run a proof at full size, keep its result, and make the page anew."""

from __future__ import annotations

import argparse
import signal
import sys
import time

from tests.proofs import record
from tests.proofs.platform import Platform, platform
from tests.proofs.programme import PROOFS, Part, find


def main() -> int:
    """Run what the command line names; return 1 when something was wrong."""
    names = ", ".join(f"{name} ({' '.join(p.key for p in parts)})" for name, parts in PROOFS.items())
    parser = argparse.ArgumentParser(prog="make proof", description=f"proofs and their parts: {names}, all")
    parser.add_argument("names", nargs="*", help="proofs, parts of proofs, or all")
    parser.add_argument("--n", type=int, help="how many instead of the full number")
    parser.add_argument("--seed", type=int, help="seed instead of the commit's")
    parser.add_argument("--check", action="store_true", help="only say which proofs are older than their code")
    asked = parser.parse_args()
    if asked.check:
        return _check()
    if not asked.names:
        parser.print_help()
        return 2
    seed = record.seed_of_commit() if asked.seed is None else asked.seed
    try:
        chosen = [find(name) for name in (PROOFS if asked.names == ["all"] else asked.names)]
    except KeyError as unknown:
        parser.error(f"no proof is called {unknown}")
    # A polite end unwinds like an error: PostgreSQL and the server under proof end with us.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with platform() as under_proof:
        holds = [
            _prove(proof, part, part.full if asked.n is None else asked.n, seed, under_proof)
            for proof, parts in chosen for part in parts
        ]
    return 0 if all(holds) else 1


def _prove(proof: str, part: Part, n: int, seed: int, under_proof: Platform) -> bool:
    print(f"{part.key}: {part.tells} (n={n or 'every'}, seed={seed})", flush=True)
    began = time.monotonic()
    result = part.run(n, seed, under_proof)
    minutes = (time.monotonic() - began) / 60
    record.keep(proof, part, result, n=n, seed=seed, minutes=minutes)
    record.write_page()
    print(f"{result.line(part.key, seed)} minutes={minutes:.1f}", flush=True)
    return result.holds


def _check() -> int:
    for line in record.stale():
        print(f"proof: {line}", file=sys.stderr)
    return 1 if record.missing() else 0


if __name__ == "__main__":
    sys.exit(main())
