"""Episodes through a window: noting, cash, changes, self-paying, undone admissions, late filings, lapse."""
