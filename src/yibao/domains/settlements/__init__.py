"""Settlements: what was decided and booked, and the counters of the year."""
