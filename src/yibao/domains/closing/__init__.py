"""Months closed and their books."""
