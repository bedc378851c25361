"""Months closed: what each fund took in and spent, balances carried forward, vouchers."""
