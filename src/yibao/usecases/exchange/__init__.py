"""Exchange with the parties outside: what goes out with a deed, what comes in, and what has to wait."""
