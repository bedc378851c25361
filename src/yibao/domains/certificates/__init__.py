"""Papers that can be checked."""
