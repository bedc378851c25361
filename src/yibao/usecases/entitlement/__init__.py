"""Benefit status over time: made anew from the facts, and asked for any day."""
