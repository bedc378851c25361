-- What the console of a window counts.

select;  -- nothing yet
