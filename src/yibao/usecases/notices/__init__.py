"""Telling people: notices from a plan, last calls, bulletins, subscriptions."""
