-- Registers: rows, papers, answers.

select;  -- nothing yet
