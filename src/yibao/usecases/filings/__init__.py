"""Filings and choices: file, decide, cancel, look up."""
