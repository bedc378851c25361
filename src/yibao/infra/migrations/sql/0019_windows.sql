-- Plans of cut-over windows, their publication, and the stages of reopening.

select;  -- nothing yet
