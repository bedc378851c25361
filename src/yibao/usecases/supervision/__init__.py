"""Reviewing bills by the supervision rules: warnings, documents, appeals, decisions, deductions."""
