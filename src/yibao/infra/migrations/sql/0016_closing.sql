-- Months closed, reports and vouchers.
select;  -- nothing yet
