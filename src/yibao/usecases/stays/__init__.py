"""Stays: admission, changes, fee lines, discharge, and undoing each."""
