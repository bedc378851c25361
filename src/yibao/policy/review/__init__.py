"""Supervision rules: which charges of a bill break one, from the rule tables and frozen facts; pure."""
