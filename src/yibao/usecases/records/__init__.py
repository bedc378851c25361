"""Records that institutions upload: settlement lists, clinical records, self-pay patients, shared reports."""
