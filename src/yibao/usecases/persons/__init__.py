"""Identifying a person and checking what the person is entitled to."""
