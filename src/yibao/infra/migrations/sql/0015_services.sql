-- Service items, applications, transfers and certificates.
select;  -- nothing yet
