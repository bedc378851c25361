"""Episodes of care that a window holds up: where they lie, what was paid, what is still due."""
