-- What goes to the parties outside and comes from them.
select;  -- nothing yet
