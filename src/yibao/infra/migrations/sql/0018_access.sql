-- Agents, keys and what they may do.
select;  -- nothing yet
