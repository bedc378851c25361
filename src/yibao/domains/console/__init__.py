"""The window desk: calls to the hotline, known problems, how much is left to do."""
