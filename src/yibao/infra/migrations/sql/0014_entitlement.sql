-- Benefit status over time, as known then and as known now.
select;  -- nothing yet
