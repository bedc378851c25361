-- Proposals and approval of item mappings, catalogue versions.
select;  -- nothing yet
