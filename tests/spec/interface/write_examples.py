"""``python -m tests.spec.interface.write_examples``: run the driving tests and renew the recorded examples."""

from __future__ import annotations

import sys

import pytest

if __name__ == "__main__":
    plugins = ["-p", "tests.spec.interface.recording", "-p", "no:cacheprovider"]
    sys.exit(pytest.main(["-q", *plugins, *(sys.argv[1:] or ["tests/spec"])]))
