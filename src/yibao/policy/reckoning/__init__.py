"""What the law answers without a bill: dues, account credits, maternity allowances, waiting times."""
