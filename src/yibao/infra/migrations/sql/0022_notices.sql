-- Notices, messages to people, subscriptions and known problems.

select;  -- nothing yet
