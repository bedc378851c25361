"""Measures the hot path: settlements over HTTP beside pgbench doing the same row work. Run ``python -m bench``."""
