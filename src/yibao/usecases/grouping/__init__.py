"""Deeds of payment by group: which group a stay has, what it earns, how a year is closed."""
