"""The month's end: checklist, close, re-open, fund reports, vouchers."""
