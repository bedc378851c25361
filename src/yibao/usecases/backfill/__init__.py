"""Settling afterwards what a window held up, in the order of service."""
