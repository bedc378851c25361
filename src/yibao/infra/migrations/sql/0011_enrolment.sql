-- Persons with history, employers, relations, joiners and leavers.
select;  -- nothing yet
