"""Registers: numbered books of what waits to be done, with papers and answers."""
