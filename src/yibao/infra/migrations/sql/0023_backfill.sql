-- Settling afterwards what a window held up.

select;  -- nothing yet
