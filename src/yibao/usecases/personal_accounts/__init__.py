"""Personal accounts: credits, interest, freezing, families, sharing, withdrawals, statements."""
