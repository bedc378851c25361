"""The plumbing: database, clock, messages, audit, configuration. Knows no rule of insurance."""
