"""Credits, freezing, withdrawals and the family."""
