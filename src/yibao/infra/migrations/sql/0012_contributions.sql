-- Base declarations, dues, payments and their cases.
select;  -- nothing yet
