-- Credits, interest, freezing, withdrawals and family sharing.
select;  -- nothing yet
