-- Rule hits, feedback and appeals.
select;  -- nothing yet
