"""Funds: which money belongs to which fund, and which subject of the accounts shows it."""
