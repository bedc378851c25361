"""The world outside: small stand-ins of the offices that a region exchanges with, each its own process and store."""
