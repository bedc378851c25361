"""What can be done with the law: publish, check."""
