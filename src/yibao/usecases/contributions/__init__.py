"""Declare, assess, bill, receive, book, reconcile and refund what is owed."""
