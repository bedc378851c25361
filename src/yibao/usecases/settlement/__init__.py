"""Settling a visit, trying it, undoing it, explaining it."""
