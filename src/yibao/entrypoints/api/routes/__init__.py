"""One module per area: what can be asked for, and which use case answers."""
