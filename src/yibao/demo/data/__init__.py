"""Data files of the demo world."""
