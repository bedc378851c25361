-- Settlement lists and other records that institutions upload.
select;  -- nothing yet
