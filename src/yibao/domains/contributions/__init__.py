"""What is owed, by whom, and what became of it."""
