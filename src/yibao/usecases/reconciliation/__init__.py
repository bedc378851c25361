"""Reconciliation: comparing an institution's book with the platform's, by totals and settlement by settlement."""
