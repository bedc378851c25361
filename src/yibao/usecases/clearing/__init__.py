"""Clearing: an institution asks for its money, two people decide, the bank pays, the ledger says so."""
