"""Manual reimbursement, from papers to payment and appeal."""
