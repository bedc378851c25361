"""Payouts to people: ordered by a deed, filed by one person, sent by another, answered by the bank."""
