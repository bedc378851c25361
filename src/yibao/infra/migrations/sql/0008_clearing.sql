-- Files, reconciliation, claims, deductions and payments.
select;  -- nothing yet
