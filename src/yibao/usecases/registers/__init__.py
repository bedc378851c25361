"""Keeping registers: receipts, batches, answers, books."""
