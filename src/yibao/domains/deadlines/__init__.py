"""Deadlines that move, and why."""
