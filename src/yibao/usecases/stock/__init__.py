"""What institutions tell of their goods: counts, changes, purchases, sales, returns, and traceability codes."""
