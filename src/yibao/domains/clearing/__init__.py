"""Claims, deductions, payments: what institutions are owed and when they get it."""
