"""What institutions upload about care: settlement lists, clinical records, self-pay patients."""
