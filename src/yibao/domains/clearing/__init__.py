"""Clearing: files, reconciliation, claims, deductions and payments between institutions and the agency."""
