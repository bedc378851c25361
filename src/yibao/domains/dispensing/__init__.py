"""Prescriptions, stock and traceability codes: what may be handed out, and what was."""
