-- Episodes of care that a window holds up.

select;  -- nothing yet
