"""The way in of the parties outside: their messages are translated to use cases, nothing is decided here."""
