"""Institutions' messages: decode, check the sender, validate by the field tables, dispatch, answer. Decides nothing."""
