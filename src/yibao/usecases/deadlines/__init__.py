"""Moving deadlines; dues that are paid and have not arrived."""
