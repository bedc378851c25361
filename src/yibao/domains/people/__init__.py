"""Persons: who somebody is."""
