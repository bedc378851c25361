"""Pages for everybody: no log-in, nothing about anybody."""
