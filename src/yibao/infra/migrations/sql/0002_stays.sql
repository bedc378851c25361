-- Stays: admission, periods, discharge; facts and writes of their settlements.
select;  -- nothing yet
