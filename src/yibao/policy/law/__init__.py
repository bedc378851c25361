"""The law as data: dated rows read from files, checked, and arranged by day."""
