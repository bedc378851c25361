"""Registering a visit, recording it, its fee lines, and undoing each."""
