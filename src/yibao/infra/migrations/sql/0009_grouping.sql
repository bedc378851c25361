-- Payment groups and the year they are paid by.
select;  -- nothing yet
