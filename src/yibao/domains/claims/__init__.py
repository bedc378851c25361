"""Manual reimbursement: claims on paper bills."""
