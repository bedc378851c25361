"""Cases in their payment groups, and what a year of them is worth."""
