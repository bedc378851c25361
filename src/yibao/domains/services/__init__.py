"""What can be asked for at a counter, and how far it is."""
