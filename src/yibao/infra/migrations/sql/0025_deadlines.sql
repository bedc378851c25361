-- Moved deadlines, and dues in transit.

select;  -- nothing yet
