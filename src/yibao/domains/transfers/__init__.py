"""Transfers: relations that move between regions, with their months and their account."""
