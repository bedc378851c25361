"""Pages for the staff of hospitals and pharmacies: their messages and settlements."""
