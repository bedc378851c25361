"""Proving the invariants on live data."""
