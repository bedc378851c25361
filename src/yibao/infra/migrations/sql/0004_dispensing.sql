-- Pharmacy sales, prescriptions, stock and traceability codes.
select;  -- nothing yet
