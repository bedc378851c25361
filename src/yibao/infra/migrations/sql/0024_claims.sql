-- Manual reimbursement.

select;  -- nothing yet
