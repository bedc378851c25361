"""Plans of a cut-over window: what stops when, what is done instead, and what the gate answers."""
